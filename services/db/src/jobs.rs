//! Jobs wake somebody up; they never carry the truth. A sweep over the rows finds what a lost job
//! would have done.
//!
//! # Invariants
//! - A tenant cannot send a job in another's name: the database writes the tenant into it.

use branchline_kernel::{Secret, Timestamp};
use serde::Serialize;
use sqlx::postgres::PgPool;

use crate::config::Program;
use crate::error::DbError;
use crate::pool;
use crate::tx::TenantTx;
use crate::values::Values;

const ENQUEUE_CORE: &str = "SELECT jobs_core_door.enqueue($1, $2, $3, $4)";
const ENQUEUE_CORE_ALL: &str = "SELECT jobs_core_door.enqueue($1, j.payload, j.key, $4) \
FROM unnest($2::jsonb[], $3::text[]) AS j (payload, key)";
const ENQUEUE_GATEWAY: &str = "SELECT jobs_gateway_door.enqueue($1, $2, $3, $4)";
const ENQUEUE_GATEWAY_ALL: &str = "SELECT jobs_gateway_door.enqueue($1, j.payload, j.key, $4) \
FROM unnest($2::jsonb[], $3::text[]) AS j (payload, key)";

/// Asks for `task` at `run_at`, once this transaction has committed. The same `key` again moves
/// the job instead of making a second one.
///
/// # Errors
/// [`DbError`] when the job cannot be stored.
pub async fn enqueue(
    tx: &TenantTx,
    program: Program,
    task: &'static str,
    payload: &impl Serialize,
    due: (&str, Timestamp),
) -> Result<(), DbError> {
    let (key, run_at) = due;
    let payload =
        serde_json::to_value(payload).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let sql = match program {
        Program::Core => ENQUEUE_CORE,
        Program::Gateway => ENQUEUE_GATEWAY,
    };
    let values = Values::new()
        .with(task)
        .with(payload)
        .with(key)
        .with(run_at);
    tx.named(sql, values).await.map(drop)
}

/// Asks for `task` now, once for each payload and its key, with one statement.
///
/// # Errors
/// As [`enqueue`].
pub async fn enqueue_all(
    tx: &TenantTx,
    program: Program,
    task: &'static str,
    due: &[(impl Serialize, String)],
) -> Result<(), DbError> {
    if due.is_empty() {
        return Ok(());
    }
    let payloads: Result<Vec<_>, _> = due
        .iter()
        .map(|(payload, _key)| serde_json::to_value(payload))
        .collect();
    let payloads = payloads.map_err(|error| sqlx::Error::Encode(error.into()))?;
    let keys: Vec<_> = due.iter().map(|(_payload, key)| key.clone()).collect();
    let sql = match program {
        Program::Core => ENQUEUE_CORE_ALL,
        Program::Gateway => ENQUEUE_GATEWAY_ALL,
    };
    let values = Values::new()
        .with(task)
        .with(payloads)
        .with(keys)
        .with(tx.now());
    tx.named(sql, values).await.map(drop)
}

/// The worker's own pool: it sees the jobs and nothing else.
pub struct JobsPool {
    /// For the job library.
    pub pool: PgPool,
    /// The schema of the jobs.
    pub schema: &'static str,
}

/// Opens the pool of a program's worker.
///
/// # Errors
/// [`DbError`] when the address cannot be read.
pub fn pool(program: Program, url: &Secret<String>) -> Result<JobsPool, DbError> {
    Ok(JobsPool {
        pool: pool::lazy(url, 4)?,
        schema: program.jobs_schema(),
    })
}
