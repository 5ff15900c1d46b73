//! The few connections that all writers share. A tenant has lanes of its own choice, because the
//! server's process behind a lane keeps the plans and the catalog of whoever wrote there before:
//! to make them anew takes as long as ten batches.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use branchline_db::{Db, DbError};
use branchline_kernel::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// As many doors of one connection each as batches may be written at the same time.
pub(super) struct Lanes(Vec<Lane>);

struct Lane {
    door: Db,
    given: AtomicU64,
    // Its queue is first in, first out: whoever has written a batch goes behind all who wait.
    turns: Arc<Semaphore>,
}

/// The right to write one batch.
pub(super) struct Turn<'l> {
    pub(super) door: &'l Db,
    /// Turns that others got on the lane while this one was waited for.
    pub(super) waited: u64,
    _turn: OwnedSemaphorePermit,
}

impl Lanes {
    pub(super) fn try_new(db: &Db, count: usize) -> Result<Self, DbError> {
        let lanes = (0..count).map(|_lane| {
            Ok::<_, DbError>(Lane {
                door: db.lane()?,
                given: AtomicU64::new(0),
                turns: Arc::new(Semaphore::new(1)),
            })
        });
        Ok(Self(lanes.collect::<Result<_, _>>()?))
    }

    /// Waits for a turn on the lane that this seat of the tenant always has; none without lanes.
    pub(super) async fn turn(&self, tenant: &TenantId, seat: usize) -> Option<Turn<'_>> {
        let lane = self.of(tenant, seat)?;
        let given = lane.given.load(Ordering::Relaxed);
        // The semaphore is never closed; if it were, there would be no more turns.
        let turn = Arc::clone(&lane.turns).acquire_owned().await.ok()?;
        let now = lane.given.fetch_add(1, Ordering::Relaxed);
        Some(Turn {
            door: &lane.door,
            waited: now.saturating_sub(given),
            _turn: turn,
        })
    }

    /// Nobody writes for the tenant any more.
    pub(super) fn rest(&self, tenant: &TenantId) {
        for lane in &self.0 {
            lane.door.rest(tenant);
        }
    }

    fn of(&self, tenant: &TenantId, seat: usize) -> Option<&Lane> {
        let mut hasher = DefaultHasher::new();
        tenant.hash(&mut hasher);
        let home = usize::try_from(hasher.finish() >> 32).unwrap_or(0);
        let place = home.saturating_add(seat).checked_rem(self.0.len())?;
        self.0.get(place)
    }
}
