//! Days that are over are sealed, each by itself and in their order.

use branchline_db::{Access, Db};
use branchline_kernel::TenantId;
use branchline_ledger::{LedgerError, newest_sealable, next_day_to_seal, seal_day};
use tracing::{info, warn};

const ACTOR: &str = "system:sealer";
/// Days that a tenant gets sealed before the next tenant has its turn.
const AT_ONCE: u16 = 40;

/// Seals what is over at every tenant.
pub(super) async fn seal_tenants(db: Db) -> anyhow::Result<()> {
    for tenant in db.tenants().await? {
        if let Err(error) = seal_days(&db, &tenant.id, AT_ONCE).await {
            warn!(
                tenant = tenant.id.as_str(),
                "Days that are over wait for their seal: {error:#}"
            );
        }
    }
    Ok(())
}

/// Seals up to `count` days that are over and not sealed, each in a transaction of its own; says
/// how many.
pub(crate) async fn seal_days(db: &Db, tenant: &TenantId, count: u16) -> anyhow::Result<u16> {
    for sealed in 0..count {
        let tx = db.tenant(tenant, ACTOR, Access::Write).await?;
        let next = match newest_sealable(tx.now()) {
            Some(newest) => next_day_to_seal(&tx, newest).await?,
            None => None,
        };
        let Some(day) = next else {
            tx.rollback().await?;
            return Ok(sealed);
        };
        match seal_day(&tx, day).await {
            Ok(()) => tx.commit().await?,
            // Another process was quicker, or the database's clock is behind.
            Err(LedgerError::DaySealed | LedgerError::DayNotOver) => {
                tx.rollback().await?;
                return Ok(sealed);
            }
            Err(error) => return Err(error.into()),
        }
        info!(tenant = tenant.as_str(), "Sealed {day}");
    }
    Ok(count)
}
