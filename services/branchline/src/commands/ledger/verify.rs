//! `ledger verify` and `ledger seal`: on the installation that the configuration names.

use branchline_db::{Access, Db, Program, Tenant};
use branchline_ledger::{Checkpoint, seal_head, verify_step};
use clap::Args as ClapArgs;

use crate::config::Config;
use crate::serve::{books::seal_days, parts};
use crate::terminal::{say, tell};

const ACTOR: &str = "system:verifier";

/// Where to begin.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Only this tenant, by its name in addresses.
    #[arg(long)]
    tenant: Option<String>,
    /// Go on where an interrupted run was: `tenant/checkpoint`, as it printed last.
    #[arg(long)]
    resume: Option<String>,
}

/// Looks through the books of all tenants, or goes on with it.
pub(crate) async fn run(config: &Config, args: Args) -> anyhow::Result<()> {
    let db = parts::door(config, Program::Core).await?;
    let mut tenants = db.tenants().await?;
    let mut at = Checkpoint::START;
    if let Some(resume) = &args.resume {
        let (slug, checkpoint) = resume.split_once('/').ok_or_else(|| {
            anyhow::anyhow!("{resume:?} is no resume point: give `tenant/checkpoint`")
        })?;
        at = checkpoint.parse()?;
        let done = tenants
            .iter()
            .position(|tenant| tenant.slug.to_string() == slug);
        let done = done.ok_or_else(|| anyhow::anyhow!("there is no tenant {slug}"))?;
        tenants.drain(..done);
    }
    if let Some(only) = &args.tenant {
        tenants.retain(|tenant| tenant.slug.to_string() == *only);
        anyhow::ensure!(!tenants.is_empty(), "there is no tenant {only}");
    }
    let mut found = 0_usize;
    for tenant in &tenants {
        let from = std::mem::replace(&mut at, Checkpoint::START);
        found = found.saturating_add(look_through(&db, tenant, from).await?);
    }
    anyhow::ensure!(
        found == 0,
        "the books of this installation have {found} contradictions"
    );
    say(&format!("{} tenants verified, 0 findings", tenants.len()));
    Ok(())
}

/// One tenant, step by step; each step is a short transaction of its own.
async fn look_through(db: &Db, tenant: &Tenant, from: Checkpoint) -> anyhow::Result<usize> {
    let mut found = 0_usize;
    let mut at = Some(from);
    while let Some(here) = at {
        tell(&format!("{}/{here} {}", tenant.slug, here.subject()));
        let tx = db.tenant(&tenant.id, ACTOR, Access::Read).await?;
        let checked = verify_step(&tx, &here).await?;
        tx.rollback().await?;
        for finding in &checked.findings {
            say(&format!(
                "{}: at {} it does not hold that {}",
                tenant.slug, finding.place, finding.rule
            ));
        }
        found = found.saturating_add(checked.findings.len());
        at = checked.next;
    }
    say(&format!("{}: {found} findings", tenant.slug));
    metrics::gauge!("branchline_ledger_findings", "tenant" => tenant.slug.to_string())
        .set(u32::try_from(found).unwrap_or(u32::MAX));
    Ok(found)
}

/// Seals what is over, for every tenant.
pub(crate) async fn seal(config: &Config) -> anyhow::Result<()> {
    let db = parts::door(config, Program::Core).await?;
    for tenant in db.tenants().await? {
        seal_days(&db, &tenant.id, u16::MAX).await?;
        let tx = db.tenant(&tenant.id, ACTOR, Access::Read).await?;
        let head = seal_head(&tx).await?;
        tx.rollback().await?;
        if let Some(head) = head {
            let hash: String = head.hash.iter().map(|byte| format!("{byte:02x}")).collect();
            say(&format!("{} {} {hash}", tenant.slug, head.day));
        }
    }
    Ok(())
}
