//! The few connections that all writers share, given to tenants in turn.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use branchline_db::{Db, DbError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// As many doors of one connection each as batches may be written at the same time.
pub(super) struct Lanes {
    doors: Vec<Db>,
    free: Mutex<Vec<bool>>,
    given: AtomicU64,
    // Its queue is first in, first out: whoever has written a batch goes behind all who wait.
    turns: Arc<Semaphore>,
}

/// The right to write one batch.
pub(super) struct Turn<'l> {
    pub(super) door: &'l Db,
    lanes: &'l Lanes,
    place: usize,
    /// Turns that others got while this one was waited for.
    pub(super) waited: u64,
    _turn: OwnedSemaphorePermit,
}

impl Lanes {
    pub(super) fn try_new(db: &Db, count: usize) -> Result<Self, DbError> {
        let doors = (0..count).map(|_lane| db.apart(1));
        Ok(Self {
            doors: doors.collect::<Result<_, _>>()?,
            free: Mutex::new(vec![true; count]),
            given: AtomicU64::new(0),
            turns: Arc::new(Semaphore::new(count)),
        })
    }

    /// Waits for a turn. A tenant gets the lane it had before if that is free, because the
    /// server's process behind it has the tenant's plans and catalog at hand.
    pub(super) async fn turn(&self, before: &mut Option<usize>) -> Option<Turn<'_>> {
        let given = self.given.load(Ordering::Relaxed);
        // The semaphore is never closed; if it were, there would be no more turns.
        let turn = Arc::clone(&self.turns).acquire_owned().await.ok()?;
        let now = self.given.fetch_add(1, Ordering::Relaxed);
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = before.filter(|place| free.get(*place) == Some(&true));
        let place = kept.or_else(|| free.iter().position(|lane| *lane))?;
        let door = self.doors.get(place)?;
        if let Some(lane) = free.get_mut(place) {
            *lane = false;
        }
        *before = Some(place);
        Some(Turn {
            door,
            lanes: self,
            place,
            waited: now.saturating_sub(given),
            _turn: turn,
        })
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut free = self
            .lanes
            .free
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = free.get_mut(self.place) {
            *lane = true;
        }
    }
}
