//! What is done every few seconds. A round that fails is logged, and the next one tries again.

use std::time::Duration;

use branchline_db::{Access, Db, DbError, audit};
use branchline_kernel::TenantId;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tracing::warn;

use super::Process;

const UPKEEP: Duration = Duration::from_secs(5);
const SEAL: Duration = Duration::from_secs(2);
/// The most pages of audit rows that a tenant gets sealed before it is the next one's turn.
const PAGES: u32 = 50;

/// Repeats `work` until the process ends; the first time at once.
pub(super) fn every<W, F>(
    period: Duration,
    process: &Process,
    running: &mut JoinSet<anyhow::Result<()>>,
    work: W,
) where
    W: Fn() -> F + Send + 'static,
    F: Future<Output = anyhow::Result<()>> + Send,
{
    let process = process.clone();
    running.spawn(async move {
        let mut ticks = interval(period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = process.ends() => return Ok(()),
                _ = ticks.tick() => {}
            }
            if let Err(error) = work().await {
                warn!("A round of work failed and is tried again: {error:#}");
            }
        }
    });
}

/// Tidies the figures.
pub(super) fn upkeep(process: &Process, running: &mut JoinSet<anyhow::Result<()>>) {
    let telemetry = process.telemetry.clone();
    every(UPKEEP, process, running, move || {
        telemetry.upkeep();
        std::future::ready(Ok(()))
    });
}

/// Chains the audit rows of every tenant.
pub(super) fn seal_audit(db: &Db, process: &Process, running: &mut JoinSet<anyhow::Result<()>>) {
    let db = db.clone();
    every(SEAL, process, running, move || seal_once(db.clone()));
}

/// One tenant that cannot be sealed, for example because it is suspended, does not keep the others
/// waiting.
async fn seal_once(db: Db) -> anyhow::Result<()> {
    for tenant in db.tenants().await? {
        if let Err(error) = seal_tenant(&db, &tenant.id).await {
            warn!(
                tenant = tenant.id.as_str(),
                "Audit rows wait for their seal: {error}"
            );
        }
    }
    Ok(())
}

/// Seals page after page: one alone would let a busy tenant's rows wait longer every round.
async fn seal_tenant(db: &Db, tenant: &TenantId) -> Result<(), DbError> {
    for _ in 0..PAGES {
        let tx = db.tenant(tenant, "system:sealer", Access::Write).await?;
        let sealed = audit::seal(&tx).await?;
        tx.commit().await?;
        if sealed == 0 {
            break;
        }
    }
    Ok(())
}
