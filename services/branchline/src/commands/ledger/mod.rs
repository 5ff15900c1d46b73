//! `branchline ledger`: proof that the books are right, and stay right whatever happens.

mod bench;
mod ground;
mod torture;
mod verify;

use clap::Subcommand;

use crate::config::Config;

/// What can be done about the ledger.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Compare everything that is stored twice, tenant by tenant. Fails if anything differs.
    Verify(verify::Args),
    /// Seal what was booked until yesterday, and print the heads of the chains to keep elsewhere.
    Seal,
    /// Kill, cut and stop everything while posting on a private server, and check what is left.
    Torture(torture::Args),
    /// Measure the engine against PostgreSQL's own benchmark on a private server.
    Bench(bench::Args),
    /// Press a core with more clients than it can serve, and check that its bounds hold.
    Pressure(bench::pressure::Args),
    /// A process that the torture kills.
    #[command(hide = true)]
    TortureWorker,
}

/// Runs it. Only what works on the installation reads the configuration.
pub(crate) async fn run(
    config: impl FnOnce() -> anyhow::Result<Config>,
    command: Command,
) -> anyhow::Result<()> {
    match command {
        Command::Verify(args) => Box::pin(verify::run(&config()?, args)).await,
        Command::Seal => Box::pin(verify::seal(&config()?)).await,
        Command::Torture(args) => Box::pin(torture::run(args)).await,
        Command::Bench(args) => Box::pin(bench::run(args)).await,
        Command::Pressure(args) => Box::pin(bench::pressure::run(args)).await,
        Command::TortureWorker => Box::pin(torture::work()).await,
    }
}
