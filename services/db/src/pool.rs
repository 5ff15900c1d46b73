//! Pools, one per cell, that clean every connection before another borrower has it.

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use branchline_kernel::{Secret, TenantId};
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

/// A pool of one connection, cleaned when it goes to another guest instead of after each use.
pub(crate) fn of_one(url: &Secret<String>) -> Result<(PgPool, Guest), DbError> {
    let guest = Guest::default();
    let is_other = Arc::clone(&guest.is_other);
    let pool = bounded(1).before_acquire(move |connection, _meta| {
        let is_other = is_other.load(Ordering::Acquire);
        Box::pin(async move {
            if is_other {
                connection.execute(RESET).await?;
            }
            Ok(true)
        })
    });
    Ok((pool.connect_lazy_with(options(url)?), guest))
}

/// Whose the connection of a pool of one was last. Whoever takes the connection announces the
/// tenant before, says afterwards that it was given, and lets nobody come in between.
#[derive(Default)]
pub(crate) struct Guest {
    last: Option<TenantId>,
    is_other: Arc<AtomicBool>,
}

impl Guest {
    pub(crate) fn announce(&self, tenant: &TenantId) {
        let is_other = self.last.as_ref() != Some(tenant);
        self.is_other.store(is_other, Ordering::Release);
    }

    pub(crate) fn given(&mut self, tenant: &TenantId) {
        if self.last.as_ref() != Some(tenant) {
            self.last = Some(tenant.clone());
        }
    }
}
