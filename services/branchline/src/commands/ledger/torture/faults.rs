//! What goes wrong in a round, and how it is put right.

use std::time::Duration;

use anyhow::Context;
use sqlx::Row;
use tokio::process::Command;
use tokio::time::sleep;

use super::Chamber;
use super::chance::Chance;
use super::proxy::Cut;

/// One thing that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing: two workers at once are enough.
    Nothing,
    /// One worker is killed.
    KillWorker,
    /// Both are.
    KillBothWorkers,
    /// The server is killed, all of it.
    KillServer,
    /// A process of the server is killed; the server recovers by itself.
    KillBackend,
    /// The connections are ended by an operator.
    EndConnections,
    /// A worker stands still for a while, in the middle of whatever it does.
    StopWorker,
    /// The wire is cut before the server hears a COMMIT.
    CutBeforeCommit,
    /// The wire is cut after the COMMIT was sent.
    CutAfterCommit,
}

const ALL: [Fault; 9] = [
    Fault::Nothing,
    Fault::KillWorker,
    Fault::KillBothWorkers,
    Fault::KillServer,
    Fault::KillBackend,
    Fault::EndConnections,
    Fault::StopWorker,
    Fault::CutBeforeCommit,
    Fault::CutAfterCommit,
];

const CUTS: [Fault; 3] = [
    Fault::Nothing,
    Fault::CutBeforeCommit,
    Fault::CutAfterCommit,
];

impl Fault {
    /// A cut of the wire that happens besides, or none.
    pub(super) fn cut(chance: &mut Chance) -> Self {
        chance.one_of(&CUTS).copied().unwrap_or(Self::Nothing)
    }

    pub(super) fn any(chance: &mut Chance) -> Self {
        chance.one_of(&ALL).copied().unwrap_or(Self::Nothing)
    }
}

/// Lets it happen.
pub(super) async fn happen(chamber: &mut Chamber, fault: Fault) -> anyhow::Result<()> {
    match fault {
        Fault::Nothing => {}
        Fault::KillWorker => kill_worker(chamber, 0)?,
        Fault::KillBothWorkers => {
            kill_worker(chamber, 0)?;
            kill_worker(chamber, 1)?;
        }
        Fault::KillServer => {
            let pid = chamber.ground.server.pid().context("the server runs")?;
            signal("-KILL", i64::from(pid)).await?;
        }
        Fault::KillBackend => {
            if let Some(pid) = backend(chamber).await? {
                signal("-KILL", pid).await?;
            }
        }
        Fault::EndConnections => {
            chamber.ground.root().await?.ask(END_ALL).await?;
        }
        Fault::StopWorker => {
            let worker = chamber.workers.first().and_then(Option::as_ref);
            let Some(pid) = worker.and_then(|worker| worker.child.id()) else {
                return Ok(());
            };
            signal("-STOP", i64::from(pid)).await?;
            let pause = Duration::from_millis(chamber.orders.chance.below(600));
            tokio::spawn(async move {
                sleep(pause).await;
                signal("-CONT", i64::from(pid)).await
            });
        }
        Fault::CutBeforeCommit => chamber.proxy.cut(Cut::Before),
        Fault::CutAfterCommit => chamber.proxy.cut(Cut::After),
    }
    Ok(())
}

/// Brings the server back if it was killed.
pub(super) async fn repair(chamber: &mut Chamber) -> anyhow::Result<()> {
    for _ in 0..100 {
        if chamber.ground.root().await.is_ok() {
            return Ok(());
        }
        let pid = chamber.ground.server.pid();
        let gone = match pid {
            None => true,
            Some(pid) => signal("-0", i64::from(pid)).await.is_err() || is_dead(pid),
        };
        if gone {
            chamber.ground.server.restart().await?;
        }
        sleep(Duration::from_millis(100)).await;
    }
    anyhow::bail!("the server did not come back")
}

/// A killed child that nobody has waited for yet still takes signals.
fn is_dead(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')')
        .is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
}

fn kill_worker(chamber: &mut Chamber, place: usize) -> anyhow::Result<()> {
    if let Some(Some(worker)) = chamber.workers.get_mut(place) {
        worker.child.start_kill()?;
    }
    Ok(())
}

const BACKEND: &str = "SELECT pid FROM pg_stat_activity WHERE usename = 'ground_core' \
ORDER BY state = 'active' DESC LIMIT 1";
const END_ALL: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
WHERE usename = 'ground_core'";

async fn backend(chamber: &Chamber) -> anyhow::Result<Option<i64>> {
    let row = chamber.ground.root().await?.ask(BACKEND).await?;
    Ok(row
        .map(|row| row.try_get::<i32, _>("pid"))
        .transpose()?
        .map(i64::from))
}

async fn signal(name: &str, pid: i64) -> anyhow::Result<()> {
    let sent = Command::new("kill")
        .args([name, &pid.to_string()])
        .status()
        .await?;
    anyhow::ensure!(sent.success(), "process {pid} is gone");
    Ok(())
}
