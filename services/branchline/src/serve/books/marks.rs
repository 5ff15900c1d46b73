//! Closed periods are marked, the oldest first, a page of accounts at a time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use branchline_db::{Access, Db};
use branchline_kernel::{LedgerAccountId, TenantId};
use branchline_ledger::{find_unmarked_period, mark_balances};
use chrono::NaiveDate;
use tracing::{info, warn};

/// Accounts that are marked in one transaction.
pub(super) const PAGE: u16 = 500;

/// Where to go on in the period that each tenant is being marked for. It is lost with the process;
/// the next one then passes over the accounts that have their mark.
pub(super) type Marked = Arc<Mutex<HashMap<TenantId, Place>>>;

/// A period, and the account to go on behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    period: NaiveDate,
    after: Option<LedgerAccountId>,
}

/// Marks what is closed at every tenant.
pub(super) async fn mark_tenants(db: Db, marked: Marked) -> anyhow::Result<()> {
    for tenant in db.tenants().await? {
        let mut place = of(&marked).get(&tenant.id).copied();
        let done = loop {
            match mark_page(&db, &tenant.id, place, PAGE).await {
                Ok(Some(next)) => place = Some(next),
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        if let Some(place) = place {
            of(&marked).insert(tenant.id.clone(), place);
        }
        if let Err(error) = done {
            warn!(
                tenant = tenant.id.as_str(),
                "Closed periods wait for their marks: {error:#}"
            );
        }
    }
    Ok(())
}

fn of(marked: &Marked) -> std::sync::MutexGuard<'_, HashMap<TenantId, Place>> {
    marked.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Marks the next accounts of the oldest period that waits for it; gives the place to go on at, or
/// nothing when no period waits.
pub(super) async fn mark_page(
    db: &Db,
    tenant: &TenantId,
    place: Option<Place>,
    count: u16,
) -> anyhow::Result<Option<Place>> {
    let tx = db.tenant(tenant, "system:marker", Access::Write).await?;
    let Some(period) = find_unmarked_period(&tx).await? else {
        tx.rollback().await?;
        return Ok(None);
    };
    // Another process may have finished the period meanwhile: then this is the next one.
    let after = place.filter(|place| place.period == period);
    let after = after.and_then(|place| place.after);
    let after = mark_balances(&tx, period, after, count).await?;
    tx.commit().await?;
    if after.is_none() {
        info!(
            tenant = tenant.as_str(),
            "Marked all balances of the period from {period} on"
        );
    }
    Ok(Some(Place { period, after }))
}
