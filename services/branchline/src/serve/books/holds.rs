//! Holds whose time is over are ended.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use branchline_db::{Access, Db};
use branchline_kernel::{TenantId, Timestamp};
use branchline_ledger::{self as ledger, Engine};
use metrics::counter;
use tracing::warn;

/// Holds that are looked for at once.
const PAGE: u16 = 200;

/// Until when each tenant's expired holds have been ended.
pub(super) type Looked = Arc<Mutex<HashMap<TenantId, Timestamp>>>;

/// Ends the holds whose time is over. A tenant that cannot be served now is tried in the next
/// round.
pub(super) async fn expire_holds(db: Db, engine: Engine, looked: Looked) -> anyhow::Result<()> {
    for tenant in db.tenants().await? {
        let since = of(&looked).get(&tenant.id).copied();
        match expire_of(&db, &engine, &tenant.id, since).await {
            Ok(until) => {
                of(&looked).insert(tenant.id, until);
            }
            Err(error) => {
                warn!(
                    tenant = tenant.id.as_str(),
                    "Expired holds lie open: {error:#}"
                );
            }
        }
    }
    Ok(())
}

fn of(looked: &Looked) -> std::sync::MutexGuard<'_, HashMap<TenantId, Timestamp>> {
    looked.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn expire_of(
    db: &Db,
    engine: &Engine,
    tenant: &TenantId,
    since: Option<Timestamp>,
) -> anyhow::Result<Timestamp> {
    loop {
        let tx = db.tenant(tenant, "system:holds", Access::Read).await?;
        let until = tx.now();
        let commands = ledger::expired_holds(&tx, since, PAGE).await?;
        tx.rollback().await?;
        let is_last = commands.len() < usize::from(PAGE);
        for command in commands {
            // A hold that was posted or voided meanwhile is refused, and has ended as well.
            engine.submit(tenant, command, None).await?;
            counter!("branchline_ledger_holds_expired_total").increment(1);
        }
        if is_last {
            return Ok(until);
        }
    }
}
