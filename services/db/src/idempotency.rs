//! Keys that callers give their requests, so that a repeat is answered and not done again.
//!
//! # Invariants
//! - One key, one content: a key seen with other content is refused.
//! - A key is bound to the id of what it makes before anything is made.

use branchline_kernel::Timestamp;
use serde_json::Value;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::error::DbError;
use crate::tx::TenantTx;
use crate::values::Values;

/// Whose key it is: `client` and `operation` scope it.
#[derive(Debug, Clone)]
pub struct Key {
    /// Who calls, such as a TPP's id or an actor.
    pub client: String,
    /// The operation: method and path pattern, or its id in the OpenAPI document.
    pub operation: String,
    /// The caller's key.
    pub key: Uuid,
}

/// What a claim found.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// The key is new, or its lease has run out: do the work under this id.
    Mine {
        /// The id of what is to be made; the same at every try.
        resource_id: Uuid,
    },
    /// The work was done: give this answer again.
    Answered {
        /// The HTTP status given then.
        status: u16,
        /// The body given then.
        answer: Value,
    },
    /// Another request with this key is being worked on.
    InFlight,
    /// The key was used with other content.
    OtherContent,
}

const INSERT: &str = "INSERT INTO idempotency_key \
(client, operation, key, request_hash, resource_id, lease_until, created_at) \
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ON CONSTRAINT idempotency_key_pkey DO NOTHING";
const LOOK: &str = "SELECT request_hash, resource_id, lease_until, status, answer \
FROM idempotency_key WHERE client = $1 AND operation = $2 AND key = $3 FOR UPDATE";
const RENEW: &str = "UPDATE idempotency_key SET lease_until = $4 \
WHERE client = $1 AND operation = $2 AND key = $3";
const ANSWER: &str = "UPDATE idempotency_key SET status = $4, answer = $5, lease_until = NULL \
WHERE client = $1 AND operation = $2 AND key = $3";

impl Key {
    fn values(&self) -> Values {
        Values::new()
            .with(self.client.clone())
            .with(self.operation.clone())
            .with(self.key)
    }
}

/// Claims a key for the content with that hash until `lease_until`.
///
/// A concurrent claim of the same key waits here until the other transaction has ended.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn claim(
    tx: &TenantTx,
    key: &Key,
    request_hash: &[u8],
    lease_until: Timestamp,
) -> Result<Claim, DbError> {
    let fresh = tx.next_id();
    let values = key
        .values()
        .with(request_hash)
        .with(fresh)
        .with(lease_until)
        .with(tx.now());
    if tx.run(INSERT, values).await? == 1 {
        return Ok(Claim::Mine { resource_id: fresh });
    }
    let rows = tx.named(LOOK, key.values()).await?;
    let row = rows.first().ok_or(DbError::Ended)?;
    let seen = judge(row, request_hash, tx.now())?;
    if matches!(seen, Claim::Mine { .. }) {
        tx.run(RENEW, key.values().with(lease_until)).await?;
    }
    Ok(seen)
}

fn judge(row: &PgRow, request_hash: &[u8], now: Timestamp) -> Result<Claim, DbError> {
    let hash: Vec<u8> = row.try_get("request_hash")?;
    if hash != request_hash {
        return Ok(Claim::OtherContent);
    }
    let status: Option<i32> = row.try_get("status")?;
    let answer: Option<Value> = row.try_get("answer")?;
    if let (Some(status), Some(answer)) = (status, answer) {
        let inconsistent = |_| DbError::Inconsistent {
            table: "idempotency_key",
            column: "status",
        };
        let status = u16::try_from(status).map_err(inconsistent)?;
        return Ok(Claim::Answered { status, answer });
    }
    let lease_until: Option<Timestamp> = row.try_get("lease_until")?;
    if lease_until.is_some_and(|until| until > now) {
        return Ok(Claim::InFlight);
    }
    Ok(Claim::Mine {
        resource_id: row.try_get("resource_id")?,
    })
}

/// Gives a claimed key back: the next try with it begins anew, under the same id.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn release(tx: &TenantTx, key: &Key) -> Result<(), DbError> {
    tx.run(RENEW, key.values().with(tx.now())).await.map(drop)
}

/// Stores the answer of a claimed key; from now on repeats get it.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn answer(tx: &TenantTx, key: &Key, status: u16, body: &Value) -> Result<(), DbError> {
    let values = key.values().with(i32::from(status)).with(body.clone());
    tx.run(ANSWER, values).await.map(drop)
}
