//! A lane: one connection that stays with whoever writes for a tenant, from one transaction to the
//! next. To give it to the pool in between is a round trip, and one to clean it another.
//!
//! # Invariants
//! - Nothing that a tenant left on the connection meets another: it is cleaned when the tenant
//!   changes.
//! - Whoever has a transaction open has the lane; it is free again when that has ended, be it by
//!   being dropped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use branchline_kernel::{Secret, TenantId};
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Executor, PgConnection, Postgres};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;
use tracing::debug;

use crate::error::DbError;
use crate::pool::{self, ACQUIRE_TIMEOUT, RESET};

/// How long the connection stays before the pool has it back, to look how old it is and whether it
/// is needed at all.
const LONGEST_STAY: Duration = Duration::from_secs(60);

/// The connection, and whose it was last.
pub(crate) struct Lane {
    pool: PgPool,
    kept: Option<Kept>,
    last: Option<TenantId>,
}

struct Kept {
    connection: PoolConnection<Postgres>,
    since: Instant,
}

impl Lane {
    /// A lane that connects when first used.
    pub(crate) fn try_new(url: &Secret<String>) -> Result<Arc<Mutex<Self>>, DbError> {
        Ok(Arc::new(Mutex::new(Self {
            pool: pool::of_one(url)?,
            kept: None,
            last: None,
        })))
    }

    /// Gives the connection to the pool if `tenant` was the last to have it, and nobody has it now.
    pub(crate) fn rest(lane: &Arc<Mutex<Self>>, tenant: &TenantId) {
        if let Ok(mut lane) = lane.try_lock()
            && lane.last.as_ref() == Some(tenant)
        {
            lane.kept = None;
        }
    }

    async fn connection(&mut self, tenant: &TenantId) -> Result<Kept, DbError> {
        let mut kept = match self.kept.take() {
            Some(kept) if kept.since.elapsed() < LONGEST_STAY => kept,
            old => {
                drop(old);
                Kept {
                    connection: self.pool.acquire().await?,
                    since: Instant::now(),
                }
            }
        };
        if self.last.as_ref() != Some(tenant) {
            kept.connection.execute(RESET).await?;
            self.last = Some(tenant.clone());
        }
        Ok(kept)
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        // The pool takes back only inside a runtime.
        drop(self.kept.take().map(|kept| kept.connection.detach()));
    }
}

/// A transaction that is open on a lane. Dropped before it has ended, it is undone at once.
pub(crate) struct LaneTx {
    // Both are there until the drop.
    kept: Option<Kept>,
    lane: Option<OwnedMutexGuard<Lane>>,
    ended: bool,
}

impl LaneTx {
    /// Begins with one message, `start`, whose last statement is `BEGIN`; once more on a fresh
    /// connection if the old one turned out to be dead, since then nothing was sent before.
    pub(crate) async fn begin(
        lane: &Arc<Mutex<Lane>>,
        tenant: &TenantId,
        start: &str,
    ) -> Result<Self, DbError> {
        match Self::begin_once(lane, tenant, start).await {
            Err(error) if error.is_connection_lost() => Self::begin_once(lane, tenant, start).await,
            first => first,
        }
    }

    async fn begin_once(
        lane: &Arc<Mutex<Lane>>,
        tenant: &TenantId,
        start: &str,
    ) -> Result<Self, DbError> {
        let free = timeout(ACQUIRE_TIMEOUT, Arc::clone(lane).lock_owned()).await;
        let mut lane = free.map_err(|_late| sqlx::Error::PoolTimedOut)?;
        let kept = lane.connection(tenant).await?;
        // Before anything is sent: a begin that is broken off may have begun.
        let mut open = Self {
            kept: Some(kept),
            lane: Some(lane),
            ended: false,
        };
        let start = AssertSqlSafe(start.to_owned());
        open.connection()?.execute(start).await?;
        Ok(open)
    }

    /// Makes everything durable.
    pub(crate) async fn commit(self) -> Result<(), DbError> {
        self.end("COMMIT").await
    }

    /// Undoes everything, and waits until that is done.
    pub(crate) async fn rollback(self) -> Result<(), DbError> {
        self.end("ROLLBACK").await
    }

    /// What statements run on.
    pub(crate) fn connection(&mut self) -> Result<&mut PgConnection, DbError> {
        let kept = self.kept.as_mut().ok_or(DbError::Ended)?;
        Ok(&mut kept.connection)
    }

    async fn end(mut self, how: &'static str) -> Result<(), DbError> {
        self.connection()?.execute(how).await?;
        self.ended = true;
        Ok(())
    }
}

impl Drop for LaneTx {
    fn drop(&mut self) {
        let (Some(mut kept), Some(mut lane)) = (self.kept.take(), self.lane.take()) else {
            return;
        };
        if self.ended {
            lane.kept = Some(kept);
            return;
        }
        let Ok(runtime) = Handle::try_current() else {
            // The server undoes it when the connection ends.
            drop(kept.connection.detach());
            return;
        };
        // At once, not when the lane is next used: others may wait for what it has locked.
        drop(runtime.spawn(async move {
            match kept.connection.execute("ROLLBACK").await {
                Ok(_done) => lane.kept = Some(kept),
                Err(error) => {
                    debug!(%error, "The connection of a lane ended with its transaction");
                    drop(kept.connection.detach());
                }
            }
        }));
    }
}
