//! Group commit: a tenant's writers post what has queued up while their last batches committed.
//!
//! A writer has no timer. Under light load a batch is one command; under heavy load it grows by
//! itself, up to [`EngineLimits::batch`], and all of it shares one commit. A writer is started by
//! a command that finds none free and ends after [`EngineLimits::idle`], so an idle tenant costs
//! nothing. Two writers of a tenant never hold commands that name the same account at the same
//! time: they would only wait for each other.
//!
//! # Invariants
//! - Nothing is answered before the commit that made it durable has returned.
//! - Memory is bounded: a full queue refuses ([`EngineError::Full`]), and so does a full room in
//!   front of it ([`Engine::enter`]).
//! - A lost connection is settled by giving the same batch again: what was committed comes back
//!   as a replay, and what rides on it is not carried out twice.
//! - Nothing rests on there being one writer: two processes that serve a tenant are kept apart by
//!   the database's row locks, taken in one order, and by the unique key.

mod answers;
mod attempt;
mod error;
mod lanes;
mod line;
mod rider;
mod rooms;
mod tally;
mod writer;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use branchline_db::{Db, DbError};
use branchline_kernel::TenantId;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::Instant;

use self::answers::{Asker, asker};
pub use self::error::EngineError;
use self::lanes::Lanes;
use self::line::{Given, Line, Name, names};
pub use self::rider::{Ridden, Ride, RideFuture, Rider, RiderKind, Ticket};
use self::rooms::Rooms;
pub use self::rooms::{Place, Reading};
pub use self::tally::Tallied;
use self::tally::Tally;
use crate::command::Command;
use crate::verdict::Verdict;

/// The bounds of the engine.
#[derive(Debug, Clone, Copy)]
pub struct EngineLimits {
    /// Commands that may wait per tenant, and that may be inside at all: see [`Engine::enter`].
    pub queue: usize,
    /// Commands of a tenant that may be read for at the same time. Less than the connections of
    /// the process, so that some are left for the others.
    pub readers: usize,
    /// Commands in one batch.
    pub batch: usize,
    /// Batches that are written at the same time, by all tenants together: as many connections.
    pub lanes: usize,
    /// Batches of one tenant that are written at the same time; no more than there are lanes, since
    /// two on one lane would only wait for each other, and keep others waiting for both.
    pub writers: usize,
    /// The fewest commands that set out while another batch of the tenant is being decided. Fewer
    /// wait for it, since a batch costs as much as twenty more commands in the next one.
    pub beside: usize,
    /// How long a command may wait for its verdict.
    pub deadline: Duration,
    /// How long a writer waits for the next command before it ends.
    pub idle: Duration,
    /// A mistake to make on purpose, so that a torture can show that it would be found.
    pub planted: Option<PlantedBug>,
}

impl EngineLimits {
    /// What a process of the core runs with. The queue is about a tenth of a second of work.
    pub const STANDARD: Self = Self {
        queue: 1_500,
        readers: 8,
        batch: 512,
        lanes: 4,
        writers: 2,
        beside: 16,
        deadline: Duration::from_secs(10),
        idle: Duration::from_secs(60),
        planted: None,
    };
}

/// A mistake that the engine makes when told to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlantedBug {
    /// Verdicts leave before their commit.
    AnswerBeforeCommit,
    /// What rides on a command is left behind.
    LoseRider,
}

/// The ledger's writers of one process. Cheap to clone.
#[derive(Clone)]
pub struct Engine(Arc<Shared>);

struct Shared {
    limits: EngineLimits,
    lanes: Lanes,
    rooms: Rooms,
    tally: Tally,
    /// Where the writers run: not with whoever happens to post first, such as one of the threads
    /// that answer requests, whose work they would wait for and with which they would end.
    home: Handle,
    desk: Mutex<Desk>,
}

/// Who writes for whom.
#[derive(Default)]
struct Desk {
    stopping: bool,
    lines: HashMap<TenantId, Arc<Line>>,
    writers: JoinSet<()>,
}

/// A command on its way.
struct Job {
    command: Command,
    names: Vec<Name>,
    rider: Option<Rider>,
    deadline: Instant,
    asker: Asker,
}

impl Job {
    fn answer(self, verdict: Result<Verdict, EngineError>) {
        self.asker.answer(verdict);
    }
}

impl Engine {
    /// An engine with connections of its own beside those of `db`; they are made when first used.
    /// Its writers run in the runtime that this is called in.
    ///
    /// # Errors
    /// [`DbError`] when an address cannot be read.
    pub fn try_new(db: &Db, limits: EngineLimits) -> Result<Self, DbError> {
        let limits = EngineLimits {
            writers: limits.writers.min(limits.lanes),
            ..limits
        };
        Ok(Self(Arc::new(Shared {
            limits,
            lanes: Lanes::try_new(db, limits.lanes)?,
            rooms: Rooms::new(&limits),
            tally: Tally::default(),
            home: Handle::current(),
            desk: Mutex::default(),
        })))
    }

    /// Takes a place for a command that is yet to be made: whoever reads first enters before, and
    /// keeps the place until the answer is there. So a flood is refused before it costs a read.
    ///
    /// # Errors
    /// [`EngineError::Full`] when as many commands of the tenant are inside as may wait.
    pub fn enter(&self, tenant: &TenantId) -> Result<Place, EngineError> {
        let Some((place, taken)) = self.0.rooms.enter(tenant) else {
            self.0.tally.refused_full();
            return Err(EngineError::Full);
        };
        self.0.tally.inside(taken);
        Ok(place)
    }

    /// Decides a command and does what was accepted, with what rides on it, in one commit.
    ///
    /// # Errors
    /// [`EngineError`]; the same key may always be given again.
    pub async fn submit(
        &self,
        tenant: &TenantId,
        command: Command,
        rider: Option<Rider>,
    ) -> Result<Verdict, EngineError> {
        let (asker, verdict) = asker();
        let now = Instant::now();
        let deadline = now.checked_add(self.0.limits.deadline).unwrap_or(now);
        let job = Job {
            names: names(&command),
            command,
            rider,
            deadline,
            asker,
        };
        self.enqueue(tenant, job)?;
        // A writer that died has dropped its jobs, perhaps after their commit.
        verdict.await.unwrap_or(Err(EngineError::InDoubt))
    }

    /// Takes no more commands, and returns when those that wait have been answered.
    pub async fn stop(&self) {
        let mut writers = {
            let mut desk = self.0.desk();
            desk.stopping = true;
            desk.lines.values().for_each(|line| line.close());
            std::mem::take(&mut desk.writers)
        };
        while writers.join_next().await.is_some() {}
    }

    /// What was done since the start.
    #[must_use]
    pub fn tallied(&self) -> Tallied {
        self.0.tally.read()
    }

    fn enqueue(&self, tenant: &TenantId, job: Job) -> Result<(), EngineError> {
        let mut desk = self.0.desk();
        if desk.stopping {
            return Err(EngineError::Stopping);
        }
        let new = || Arc::new(Line::new(self.0.limits));
        let line = Arc::clone(desk.lines.entry(tenant.clone()).or_insert_with(new));
        match line.give(job) {
            Given::Served => Ok(()),
            Given::WantsWriter => {
                while desk.writers.try_join_next().is_some() {}
                let shared = Arc::clone(&self.0);
                let writing = writer::run(shared, tenant.clone(), line);
                desk.writers.spawn_on(writing, &self.0.home);
                Ok(())
            }
            Given::Full => {
                self.0.tally.refused_full();
                Err(EngineError::Full)
            }
        }
    }
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets a line that is over; a later one of the same tenant stays.
    fn forget(&self, tenant: &TenantId, line: &Arc<Line>) {
        let mut desk = self.desk();
        let is_over = |now: &Arc<Line>| Arc::ptr_eq(now, line) && now.is_over();
        if desk.lines.get(tenant).is_some_and(is_over) {
            desk.lines.remove(tenant);
            self.lanes.rest(tenant);
        }
    }
}
