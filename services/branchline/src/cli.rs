//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};

use crate::commands::{clearing, launch, ledger, migrate, openapi, tenant, tpp};
use crate::config::{Config, load};
use crate::demo::{self, DemoArgs};
use crate::serve::{self, Roles, Until};
use crate::terminal;

/// Core banking, payments and a PSD2 gateway for every credit union you host.
#[derive(Parser)]
#[command(name = "branchline", version, arg_required_else_help = true)]
struct Cli {
    /// The configuration of this process.
    #[arg(
        long,
        global = true,
        env = "BRANCHLINE_CONFIG",
        default_value = "branchline.toml"
    )]
    config: PathBuf,
    /// End as well when standard input ends: for a process that another one supervises.
    #[arg(long, global = true, hide = true)]
    until_input_ends: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Gateway, core and the core's jobs in one process.
    All,
    /// The gateway: third parties, consent and payment pages.
    Gateway,
    /// The core: banking, payments, ledger, and its jobs.
    Core(CoreArgs),
    /// The core's jobs only.
    Worker,
    /// Bring every schema up to date.
    Migrate,
    /// Make, list, suspend or reopen tenants.
    #[command(subcommand)]
    Tenant(tenant::Command),
    /// Invite third parties, enable them at a tenant, list them.
    #[command(subcommand)]
    Tpp(tpp::Command),
    /// Clearing between the tenants of this installation.
    #[command(subcommand)]
    Clearing(clearing::Command),
    /// Look after the ledger.
    #[command(subcommand)]
    Ledger(ledger::Command),
    /// Print an API document: `core` or `xs2a`.
    Openapi(openapi::Document),
    /// Two credit unions, a fintech, a payment: play it and leave it running.
    Demo(DemoArgs),
    /// Private servers in the foreground, until Ctrl-C or the end of input.
    Launch(launch::Args),
    /// List the crash points that `crash_at` can arm.
    CrashPoints,
}

#[derive(Args)]
struct CoreArgs {
    /// Leave the jobs to a `branchline worker`.
    #[arg(long)]
    no_jobs: bool,
}

/// Runs the command that the process was started with.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    install_crypto();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    match runtime.block_on(Box::pin(dispatch(cli))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    terminal::tell(&terminal::explain(error));
    ExitCode::FAILURE
}

/// One provider for TLS and one for tokens, both aws-lc: their first use would panic without.
/// Both were installed before if they refuse, which is as good.
fn install_crypto() {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}

async fn dispatch(cli: Cli) -> anyhow::Result<()> {
    let config = || read(&cli.config);
    let until = if cli.until_input_ends {
        Until::InputEnds
    } else {
        Until::Signal
    };
    let serve = async |roles| serve::serve(config()?, roles, until).await;
    match cli.command {
        Command::All => {
            serve(Roles {
                gateway: true,
                core: true,
                jobs: true,
            })
            .await
        }
        Command::Gateway => {
            serve(Roles {
                gateway: true,
                ..Roles::default()
            })
            .await
        }
        Command::Core(CoreArgs { no_jobs }) => {
            serve(Roles {
                core: true,
                jobs: !no_jobs,
                ..Roles::default()
            })
            .await
        }
        Command::Worker => {
            serve(Roles {
                jobs: true,
                ..Roles::default()
            })
            .await
        }
        Command::Migrate => migrate::run(&config()?).await,
        Command::Tenant(command) => tenant::run(&config()?, command).await,
        Command::Tpp(command) => tpp::run(&config()?, command).await,
        Command::Clearing(command) => clearing::run(&config()?, command).await,
        Command::Ledger(command) => Box::pin(ledger::run(config, command)).await,
        Command::Openapi(document) => openapi::run(&document),
        Command::Demo(args) => demo::run(args).await,
        Command::Launch(args) => launch::run(args).await,
        Command::CrashPoints => {
            branchline_db::CRASH_POINTS
                .iter()
                .for_each(|point| terminal::say(point));
            Ok(())
        }
    }
}

fn read(path: &std::path::Path) -> anyhow::Result<Config> {
    load(path, std::env::vars()).context("the configuration was not accepted")
}
