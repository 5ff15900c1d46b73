//! `branchline demo`: two credit unions on one installation, a fintech, a member's consent, a
//! payment. Every step goes over real HTTP and proves what it did.

mod browser;
mod fintech;
mod html;
mod journey;
mod platform;
mod settings;
mod show;
mod staff;
mod stage;
mod steps;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};

pub use browser::{Browser, Page};
pub use fintech::{Answer, Begun, Call, Fintech};
pub use html::Form;
pub use journey::{Account, Bank, Consent, ELEPHANT, Journey, LION, Order, Paid, Tenant};
pub use platform::{Layout, Platform, Program};
pub use staff::{PASSWORD, Staff, sign_in_at};
pub use stage::Stage;

use crate::terminal::{say, tell};

/// How the demo is played.
#[derive(Debug, Clone, Args)]
pub struct DemoArgs {
    /// Play, print the table and exit: with an error if any step is not as it must be.
    #[arg(long)]
    pub once: bool,
    /// Who signs people in: the development identity, or a private Keycloak (needs Java and Maven).
    #[arg(long, value_enum, default_value_t = IdentityChoice::Dev)]
    pub identity: IdentityChoice,
    /// Use a private Redis for limits and replays.
    #[arg(long)]
    pub redis: bool,
    /// One process, or gateway and core apart.
    #[arg(long, value_enum, default_value_t = Layout::One)]
    pub processes: Layout,
    /// Keep the data at the end, and use what was kept.
    #[arg(long)]
    pub keep: bool,
    /// Throw kept data away first.
    #[arg(long)]
    pub reset: bool,
    /// Where the demo keeps its files.
    #[arg(long)]
    pub directory: Option<PathBuf>,
    /// A server to use instead of a private one; the demo makes its own database there.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Use the embedded PostgreSQL even where the machine has its own.
    #[arg(long)]
    pub embedded: bool,
    /// The gateway's port; 8080, or a free one with --once.
    #[arg(long)]
    pub gateway_port: Option<u16>,
    /// The core's port; 8081, or a free one with --once.
    #[arg(long)]
    pub core_port: Option<u16>,
    /// The binary whose processes are started; this one unless a test says otherwise.
    #[arg(long, hide = true)]
    pub binary: Option<PathBuf>,
}

/// Who signs people in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum IdentityChoice {
    /// The development identity.
    Dev,
    /// A private Keycloak.
    Keycloak,
}

/// Plays the demo and, unless asked to play once, leaves the platform running until Ctrl-C.
///
/// # Errors
/// When the stage cannot be prepared or a step is not as it must be. What was started is stopped.
pub async fn run(args: DemoArgs) -> anyhow::Result<()> {
    let stage = Stage::prepare(&args).await?;
    let played = tokio::select! {
        played = Box::pin(play(&stage, &args)) => played,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            Err(anyhow::anyhow!("interrupted"))
        }
    };
    let down = stage
        .take_down(&args)
        .await
        .context("what the demo started could not be stopped");
    let verdict = played?;
    down?;
    say(&verdict);
    Ok(())
}

async fn play(stage: &Stage, args: &DemoArgs) -> anyhow::Result<String> {
    let (show, mut journey) = steps::play(stage).await?;
    show.table();
    if !args.once {
        steps::invite(&journey);
        until_told().await?;
        tell("stopping what was started");
    }
    journey.stop().await?;
    Ok(show.verdict())
}

async fn until_told() -> anyhow::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        done = tokio::signal::ctrl_c() => done?,
        _ = terminate.recv() => {}
    }
    Ok(())
}
