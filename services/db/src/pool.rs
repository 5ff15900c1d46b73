//! Pools, one per cell, that clean every connection before the next borrower has it.

use std::str::FromStr;
use std::time::Duration;

use branchline_kernel::Secret;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Executor};

use crate::error::DbError;

/// Undoes whatever a borrower could have left behind; prepared statements stay valid, which
/// `DISCARD ALL` would drop behind the driver's back.
const RESET: &str = "CLOSE ALL; RESET SESSION AUTHORIZATION; RESET ALL; UNLISTEN *; \
SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES";

const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_LIFETIME: Duration = Duration::from_secs(15 * 60);
const IDLE_TIMEOUT: Duration = Duration::from_secs(5 * 60);

pub(crate) fn options(url: &Secret<String>) -> Result<PgConnectOptions, DbError> {
    let options = PgConnectOptions::from_str(url.expose())?;
    Ok(options
        .application_name("branchline")
        .disable_statement_logging())
}

/// A pool that connects when first used.
pub(crate) fn lazy(url: &Secret<String>, max_connections: u32) -> Result<PgPool, DbError> {
    let pool = PgPoolOptions::new()
        .max_connections(max_connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .max_lifetime(MAX_LIFETIME)
        .idle_timeout(IDLE_TIMEOUT)
        .test_before_acquire(false)
        .after_release(|connection, _meta| {
            Box::pin(async move {
                connection.execute(RESET).await?;
                Ok(true)
            })
        });
    Ok(pool.connect_lazy_with(options(url)?))
}
