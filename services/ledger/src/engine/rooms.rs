//! Room for commands from before they are read for until they are answered.
//!
//! Whoever makes a command mostly reads first, and a read waits for a connection that all tenants
//! share. A flood would stand in line there, in front of everybody else and without a bound: so
//! it is counted, and refused, before its first read; and few of a tenant's commands read at the
//! same time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use branchline_kernel::TenantId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::EngineLimits;

/// Who is inside, per tenant. A tenant costs a few words for good once it has posted.
pub(super) struct Rooms {
    places: usize,
    readers: usize,
    of: Mutex<HashMap<TenantId, Room>>,
}

#[derive(Clone)]
struct Room {
    places: Arc<Semaphore>,
    readers: Arc<Semaphore>,
}

/// A command's place inside; it is free again when this is dropped.
#[derive(Debug)]
pub struct Place {
    readers: Arc<Semaphore>,
    _place: OwnedSemaphorePermit,
}

/// The right to read for a command.
#[derive(Debug)]
pub struct Reading {
    _turn: Option<OwnedSemaphorePermit>,
}

impl Rooms {
    pub(super) fn new(limits: &EngineLimits) -> Self {
        Self {
            places: limits.queue,
            readers: limits.readers,
            of: Mutex::default(),
        }
    }

    /// A place, and how many are taken now; `None` when there is none.
    pub(super) fn enter(&self, tenant: &TenantId) -> Option<(Place, usize)> {
        let Room { places, readers } = self.room(tenant);
        let place = Arc::clone(&places).try_acquire_owned().ok()?;
        let taken = self.places.saturating_sub(places.available_permits());
        let place = Place {
            readers,
            _place: place,
        };
        Some((place, taken))
    }

    fn room(&self, tenant: &TenantId) -> Room {
        let mut rooms = self.of.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = rooms.get(tenant) {
            return room.clone();
        }
        let room = Room {
            places: Arc::new(Semaphore::new(self.places)),
            readers: Arc::new(Semaphore::new(self.readers)),
        };
        rooms.insert(tenant.clone(), room.clone());
        room
    }
}

impl Place {
    /// Waits until the command may read: first come, first served among its tenant's.
    pub async fn reading(&self) -> Reading {
        // The semaphore is never closed; if it were, nobody would have to wait.
        let turn = Arc::clone(&self.readers).acquire_owned().await;
        Reading { _turn: turn.ok() }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    fn rooms(queue: usize, readers: usize) -> Rooms {
        Rooms::new(&EngineLimits {
            queue,
            readers,
            ..EngineLimits::STANDARD
        })
    }

    #[test]
    fn a_place_is_free_again_when_its_command_has_left() {
        let rooms = rooms(2, 1);
        let (lion, elephant) = ("lion".parse().unwrap(), "elephant".parse().unwrap());
        let (first, taken) = rooms.enter(&lion).unwrap();
        assert_eq!(taken, 1);
        let (_second, taken) = rooms.enter(&lion).unwrap();
        assert_eq!(taken, 2);
        assert!(rooms.enter(&lion).is_none());
        assert!(rooms.enter(&elephant).is_some(), "another tenant's room");
        drop(first);
        assert!(rooms.enter(&lion).is_some());
    }

    #[test]
    fn no_more_of_a_tenants_commands_read_at_once_than_may() {
        let rooms = rooms(3, 1);
        let (lion, elephant) = ("lion".parse().unwrap(), "elephant".parse().unwrap());
        let (first, _) = rooms.enter(&lion).unwrap();
        let (second, _) = rooms.enter(&lion).unwrap();
        let (other, _) = rooms.enter(&elephant).unwrap();
        let reading = first.reading().now_or_never();
        assert!(reading.is_some());
        assert!(second.reading().now_or_never().is_none());
        assert!(other.reading().now_or_never().is_some());
        drop(reading);
        assert!(second.reading().now_or_never().is_some());
    }
}
