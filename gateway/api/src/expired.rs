//! Forgetting secrets that have run out, at every tenant.

use branchline_consent::expired::forget_expired;
use branchline_db::{Access, DbError};
use branchline_kernel::TenantId;
use chrono::TimeDelta;
use tracing::{info, warn};

use crate::Gateway;

const ACTOR: &str = "system:sweeper";
/// What ran out stays so long, for those who look into what went wrong yesterday.
const KEPT: TimeDelta = TimeDelta::days(1);
/// Transactions per tenant and sweep; what is left is for the next one.
const ROUNDS: u32 = 20;

/// Forgets pushed requests, sign-ins, sessions, codes and tokens that ran out a day ago. The process
/// runs it at its start and every few minutes.
///
/// # Errors
/// [`DbError`] when the register does not answer; what fails at one tenant is logged and leaves the
/// others alone.
pub async fn sweep_expired(gateway: &Gateway) -> Result<(), DbError> {
    for tenant in gateway.db().tenants().await? {
        if let Err(failure) = sweep(gateway, &tenant.id).await {
            warn!(
                tenant = tenant.id.as_str(),
                "What ran out at a tenant is forgotten later: {failure}"
            );
        }
    }
    Ok(())
}

async fn sweep(gateway: &Gateway, tenant: &TenantId) -> Result<(), DbError> {
    for _round in 0..ROUNDS {
        let tx = gateway.db().tenant(tenant, ACTOR, Access::Write).await?;
        let before = tx.now().checked_sub_signed(KEPT).unwrap_or(tx.now());
        let forgotten = forget_expired(&tx, before).await?;
        tx.commit().await?;
        let total = forgotten.total();
        if total == 0 {
            break;
        }
        info!(
            tenant = tenant.as_str(),
            "Forgot {total} secrets that had run out"
        );
    }
    Ok(())
}
