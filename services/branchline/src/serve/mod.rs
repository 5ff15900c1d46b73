//! Starts the roles of a process, and ends them by finishing what was accepted.

pub(crate) mod books;
mod core;
mod gateway;
mod jobs;
pub(crate) mod parts;
mod timers;
mod worker;

use std::time::Duration;

use anyhow::Context;
use branchline_web::Telemetry;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tracing::info;

use crate::config::Config;

/// What a process does.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Roles {
    /// Serves third parties and members.
    pub(crate) gateway: bool,
    /// Serves staff and the gateway.
    pub(crate) core: bool,
    /// Runs the core's jobs.
    pub(crate) jobs: bool,
}

/// What all roles of a process share.
#[derive(Clone)]
pub(crate) struct Process {
    /// Its figures.
    pub(crate) telemetry: Telemetry,
    /// Turns true when the process shall end.
    pub(crate) ending: watch::Receiver<bool>,
}

impl Process {
    /// Waits until the process shall end.
    pub(crate) async fn ends(&self) {
        let mut ending = self.ending.clone();
        // A sender that is gone means the same.
        let _ = ending.wait_for(|ending| *ending).await;
    }

    /// Pauses; says whether the process shall end.
    pub(crate) async fn ends_within(&self, pause: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.ends() => true,
            () = tokio::time::sleep(pause) => false,
        }
    }
}

/// What ends a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// SIGINT or SIGTERM.
    Signal,
    /// A signal, or the end of standard input: whoever started the process is gone.
    InputEnds,
}

/// Serves until told to end.
pub(crate) async fn serve(config: Config, roles: Roles, until: Until) -> anyhow::Result<()> {
    let telemetry = Telemetry::start(&config.log).map_err(anyhow::Error::msg)?;
    let (end, ending) = watch::channel(false);
    let process = Process { telemetry, ending };
    let mut running = JoinSet::new();
    let engine = if roles.core || roles.jobs {
        Some(core::start(&config, roles, &process, &mut running).await?)
    } else {
        None
    };
    if roles.gateway {
        gateway::start(&config, &process, &mut running).await?;
    }
    timers::upkeep(&process, &mut running);
    info!("Started");
    let ended = until_told_or_failed(&mut running, until).await;
    info!("Ending: what was accepted is finished first");
    // Whoever listens is told; nobody listening means that nothing runs.
    let _ = end.send(true);
    while let Some(finished) = running.join_next().await {
        finished.context("a part of the process panicked")??;
    }
    if let Some(engine) = engine {
        engine.stop().await;
    }
    info!("Ended");
    ended
}

/// Waits for a signal, or for a part that ended although nobody told it to.
async fn until_told_or_failed(
    running: &mut JoinSet<anyhow::Result<()>>,
    until: Until,
) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        () = input_ends(until) => Ok(()),
        Some(ended) = running.join_next() => {
            ended.context("a part of the process panicked")??;
            anyhow::bail!("a part of the process ended by itself")
        }
    }
}

/// Waits for the end of standard input, if that ends the process; else for ever.
async fn input_ends(until: Until) {
    use tokio::io::AsyncReadExt;
    if until == Until::Signal {
        return std::future::pending().await;
    }
    let mut rest = Vec::new();
    // An input that cannot be read has ended as well.
    let _ = tokio::io::stdin().read_to_end(&mut rest).await;
}
