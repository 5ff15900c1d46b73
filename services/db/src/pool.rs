//! Pools, one per cell, that clean every connection before another borrower has it; a lane cleans
//! its own.

use std::str::FromStr;
use std::time::Duration;

use branchline_kernel::Secret;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Executor};

use crate::error::DbError;

/// Undoes whatever a borrower could have left behind; prepared statements stay valid, which
/// `DISCARD ALL` would drop behind the driver's back.
pub(crate) const RESET: &str = "CLOSE ALL; RESET SESSION AUTHORIZATION; RESET ALL; UNLISTEN *; \
SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES";

pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_LIFETIME: Duration = Duration::from_secs(15 * 60);
const IDLE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

pub(crate) fn options(url: &Secret<String>) -> Result<PgConnectOptions, DbError> {
    let options = PgConnectOptions::from_str(url.expose())?;
    Ok(options
        .application_name("branchline")
        .disable_statement_logging())
}

fn bounded(max_connections: u32) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .max_lifetime(MAX_LIFETIME)
        .idle_timeout(IDLE_TIMEOUT)
        .test_before_acquire(false)
}

/// A pool that connects when first used.
pub(crate) fn lazy(url: &Secret<String>, max_connections: u32) -> Result<PgPool, DbError> {
    let pool = bounded(max_connections).after_release(|connection, _meta| {
        Box::pin(async move {
            connection.execute(RESET).await?;
            Ok(true)
        })
    });
    Ok(pool.connect_lazy_with(options(url)?))
}

/// A pool of one connection, which it does not clean.
pub(crate) fn of_one(url: &Secret<String>) -> Result<PgPool, DbError> {
    Ok(bounded(1).connect_lazy_with(options(url)?))
}
