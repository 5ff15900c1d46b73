//! `branchline ledger`: proof that the books are right.

use branchline_db::{Access, Program};
use clap::Subcommand;

use crate::config::Config;
use crate::serve::parts;
use crate::terminal::say;

/// What can be done about the ledger.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Compare everything that is stored twice, tenant by tenant. Fails if anything differs.
    Verify,
}

/// Runs it.
pub(crate) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    let Command::Verify = command;
    let db = parts::door(config, Program::Core).await?;
    let mut found = 0_usize;
    let tenants = db.tenants().await?;
    for tenant in &tenants {
        let tx = db
            .tenant(&tenant.id, "system:verifier", Access::Read)
            .await?;
        let findings = branchline_ledger::verify(&tx).await?;
        tx.rollback().await?;
        for finding in &findings {
            say(&format!(
                "{}: at {} it does not hold that {}",
                tenant.slug, finding.place, finding.rule
            ));
        }
        say(&format!("{}: {} findings", tenant.slug, findings.len()));
        found = found.saturating_add(findings.len());
    }
    anyhow::ensure!(
        found == 0,
        "the books of this installation have {found} contradictions"
    );
    say(&format!("{} tenants verified, 0 findings", tenants.len()));
    Ok(())
}
