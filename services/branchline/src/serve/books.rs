//! What the ledger needs from time to time: holds whose time is over are ended, and the books are
//! looked through for contradictions.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use branchline_db::{Access, Db};
use branchline_kernel::{TenantId, Timestamp};
use branchline_ledger::{self as ledger, Checkpoint, Engine};
use metrics::{counter, gauge};
use tokio::task::JoinSet;
use tracing::{error, warn};

use super::Process;
use super::timers::every;

const EXPIRE: Duration = Duration::from_secs(10);
const VERIFY: Duration = Duration::from_mins(5);
/// Holds that are looked for at once.
const PAGE: u16 = 200;

/// Until when each tenant's expired holds have been ended.
type Looked = Arc<Mutex<HashMap<TenantId, Timestamp>>>;

/// Starts both rounds.
pub(super) fn start(
    db: &Db,
    engine: &Engine,
    process: &Process,
    running: &mut JoinSet<anyhow::Result<()>>,
) {
    let (door, engine, looked) = (db.clone(), engine.clone(), Looked::default());
    every(EXPIRE, process, running, move || {
        expire_holds(door.clone(), engine.clone(), Arc::clone(&looked))
    });
    let door = db.clone();
    every(VERIFY, process, running, move || verify_books(door.clone()));
}

/// Ends the holds whose time is over. A tenant that cannot be served now is tried in the next
/// round.
async fn expire_holds(db: Db, engine: Engine, looked: Looked) -> anyhow::Result<()> {
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

/// Looks through the books of every tenant and shows the number of contradictions.
async fn verify_books(db: Db) -> anyhow::Result<()> {
    for tenant in db.tenants().await? {
        let slug = tenant.slug.to_string();
        match verify_of(&db, &tenant.id).await {
            Ok(found) => gauge!("branchline_ledger_findings", "tenant" => slug).set(found),
            Err(error) => warn!(
                tenant = tenant.id.as_str(),
                "The books were not verified: {error:#}"
            ),
        }
    }
    Ok(())
}

async fn verify_of(db: &Db, tenant: &TenantId) -> anyhow::Result<u32> {
    let mut found = 0_u32;
    let mut at = Some(Checkpoint::START);
    while let Some(here) = at {
        let tx = db.tenant(tenant, "system:verifier", Access::Read).await?;
        let checked = ledger::verify_step(&tx, &here).await?;
        tx.rollback().await?;
        for finding in &checked.findings {
            error!(
                tenant = tenant.as_str(),
                "The books contradict themselves: at {} it does not hold that {}",
                finding.place,
                finding.rule
            );
            found = found.saturating_add(1);
        }
        at = checked.next;
    }
    Ok(found)
}
