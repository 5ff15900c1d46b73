//! Nets what institutions owe each other on the internal rail: clearing goes to settlement.
//!
//! # Invariants
//! - What lies on clearing and settlement sums to zero over all institutions, before and after,
//!   also when a run stops half-way: then the next run nets the rest.

use std::collections::BTreeMap;

use branchline_db::{Access, Db};
use branchline_kernel::{Currency, Money, TenantId};
use branchline_payments as payments;
use branchline_payments::Position;
use futures::FutureExt;

use super::error::NettingError;
use super::{EXECUTOR, in_tx};

/// What was netted at one institution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Netted {
    /// The institution.
    pub tenant: TenantId,
    /// What went to settlement: above zero it will be paid, below zero it will pay.
    pub amount: Money,
}

/// Nets the positions of all institutions, and says what went to settlement where.
///
/// # Errors
/// [`NettingError::Unmirrored`] while payments are on their way; then nothing was netted.
pub async fn settle(db: &Db) -> Result<Vec<Netted>, NettingError> {
    let mut planned = Vec::new();
    let mut sums: BTreeMap<Currency, Money> = BTreeMap::new();
    for tenant in db.tenants().await.map_err(payments::PaymentError::from)? {
        for position in positions(db, &tenant.id).await? {
            let currency = position.clearing.currency();
            let sum = sums.entry(currency).or_insert(Money::new(0, currency));
            *sum = sum
                .checked_add(position.clearing)?
                .checked_add(position.settlement)?;
            planned.push(Netted {
                tenant: tenant.id.clone(),
                amount: position.clearing,
            });
        }
    }
    if let Some(sum) = sums.into_values().find(|sum| sum.minor() != 0) {
        return Err(NettingError::Unmirrored(sum));
    }
    planned.retain(|netted| netted.amount.minor() != 0);
    let run = db.ids().next();
    for netted in &planned {
        in_tx(db, (&netted.tenant, EXECUTOR, Access::Write), |tx| {
            payments::net(tx, run, netted.amount).boxed()
        })
        .await?;
    }
    Ok(planned)
}

async fn positions(db: &Db, tenant: &TenantId) -> Result<Vec<Position>, payments::PaymentError> {
    let tx = db.tenant(tenant, EXECUTOR, Access::Read).await?;
    let positions = payments::positions(&tx).await?;
    tx.rollback().await?;
    Ok(positions)
}
