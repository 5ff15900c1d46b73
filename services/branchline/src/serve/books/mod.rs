//! What the ledger needs from time to time: holds whose time is over are ended, days are sealed,
//! closed periods are marked, and the books are looked through for contradictions.
//!
//! # Invariants
//! - Two processes that do the same at once do no harm: the second finds it done, or waits.
//! - A tenant that cannot be served now, because it is suspended or its server is away, keeps no
//!   other waiting, and is tried in the next round.

mod holds;
mod marks;
mod rounds;
mod seals;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use branchline_db::Db;
use branchline_ledger::Engine;
use tokio::task::JoinSet;

use self::holds::Looked;
use self::marks::Marked;
use super::Process;
use super::timers::every;

pub(crate) use self::seals::seal_days;

const EXPIRE: Duration = Duration::from_secs(10);
const SEAL: Duration = Duration::from_mins(10);
const MARK: Duration = Duration::from_mins(10);

/// Starts all of it.
pub(super) fn start(
    db: &Db,
    engine: &Engine,
    process: &Process,
    running: &mut JoinSet<anyhow::Result<()>>,
) {
    let (door, engine, looked) = (db.clone(), engine.clone(), Looked::default());
    every(EXPIRE, process, running, move || {
        holds::expire_holds(door.clone(), engine.clone(), Arc::clone(&looked))
    });
    let door = db.clone();
    every(SEAL, process, running, move || {
        seals::seal_tenants(door.clone())
    });
    let (door, ending, marked) = (db.clone(), process.clone(), Marked::default());
    every(MARK, process, running, move || {
        marks::mark_tenants(door.clone(), ending.clone(), Arc::clone(&marked))
    });
    rounds::start(db, process, running);
}
