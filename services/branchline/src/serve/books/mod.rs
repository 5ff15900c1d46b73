//! What the ledger needs from time to time: holds whose time is over are ended, days are sealed,
//! closed periods are marked, coming months are opened, and the books are looked through for contradictions.
//!
//! # Invariants
//! - Two processes that do the same at once do no harm: the second finds it done, or waits.
//! - A tenant that cannot be served now, because it is suspended or its server is away, keeps no
//!   other waiting, and is tried in the next round.

mod holds;
mod marks;
mod months;
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
const OPEN: Duration = Duration::from_hours(1);

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
    let (door, ending) = (db.clone(), process.clone());
    every(SEAL, process, running, move || {
        unless_ended(ending.clone(), seals::seal_tenants(door.clone()))
    });
    let (door, ending, marked) = (db.clone(), process.clone(), Marked::default());
    every(MARK, process, running, move || {
        let work = marks::mark_tenants(door.clone(), Arc::clone(&marked));
        unless_ended(ending.clone(), work)
    });
    let door = db.clone();
    every(OPEN, process, running, move || {
        months::open_months(door.clone())
    });
    rounds::start(db, process, running);
}

/// A round may be long: when the process ends it is broken off, and the transaction it was in is
/// undone.
async fn unless_ended(
    process: Process,
    work: impl Future<Output = anyhow::Result<()>>,
) -> anyhow::Result<()> {
    tokio::select! {
        biased;
        () = process.ends() => Ok(()),
        done = work => done,
    }
}
