//! Telling the core what members decided about payments: at once, and again until it has answered.

use branchline_consent::payments::{self, CoreCall, Errand};
use branchline_db::{Access, DbError};
use branchline_kernel::{RequestId, TenantId};
use chrono::TimeDelta;
use tracing::{error, info, warn};

use crate::Gateway;
use crate::core_client::{Asker, CoreError};

const ACTOR: &str = "system:errands";
/// How long the sweep waits after the core could not be reached.
const WAIT: TimeDelta = TimeDelta::seconds(5);

/// Makes the calls that are due, at every tenant. The process runs it at its start and every few
/// seconds; whatever was committed and not told is told then.
///
/// # Errors
/// [`DbError`] when the register does not answer; what fails at one tenant is logged and leaves the
/// others alone.
pub async fn sweep_pending(gateway: &Gateway) -> Result<(), DbError> {
    for tenant in gateway.db().tenants().await? {
        if let Err(failure) = sweep(gateway, &tenant.id).await {
            warn!(
                tenant = tenant.id.as_str(),
                "Errands of a tenant wait: {failure}"
            );
        }
    }
    Ok(())
}

async fn sweep(gateway: &Gateway, tenant: &TenantId) -> Result<(), DbError> {
    let tx = gateway.db().tenant(tenant, ACTOR, Access::Write).await?;
    let due = payments::take_due(&tx).await?;
    tx.commit().await?;
    for call in due {
        run(gateway, tenant, &call).await;
    }
    Ok(())
}

/// Makes one call and writes down how it went; a call that did not get through stays due.
pub(crate) async fn run(gateway: &Gateway, tenant: &TenantId, call: &CoreCall) {
    let told = tell(gateway, tenant, call).await;
    if let Err(failure) = note(gateway, tenant, call, told).await {
        warn!(
            payment.id = %call.payment,
            "The answer for payment {} could not be written down: {failure}", call.payment
        );
    }
}

async fn tell(gateway: &Gateway, tenant: &TenantId, call: &CoreCall) -> Result<(), CoreError> {
    let asker = Asker {
        tenant: tenant.clone(),
        tpp: None,
        psu: Some(call.psu.clone()),
        accounts: None,
        request: RequestId::from(gateway.db().ids().next()),
        now: gateway.now(),
    };
    match &call.errand {
        Errand::Authorise { fingerprint } => {
            let core = gateway.core();
            core.authorise(&asker, call.payment, fingerprint).await?;
        }
        Errand::Cancel => {
            gateway.core().cancel(&asker, call.payment).await?;
        }
    }
    Ok(())
}

async fn note(
    gateway: &Gateway,
    tenant: &TenantId,
    call: &CoreCall,
    told: Result<(), CoreError>,
) -> Result<(), DbError> {
    let payment = call.payment;
    let tx = gateway.db().tenant(tenant, ACTOR, Access::Write).await?;
    match told {
        Ok(()) => {
            info!(payment.id = %payment, "The core knows the decision on payment {payment}");
            payments::settle(&tx, payment, "done").await?;
        }
        Err(refused) if !refused.may_pass() => {
            error!(payment.id = %payment, "The core refused the decision on payment {payment}: {refused}");
            payments::settle(&tx, payment, "refused").await?;
        }
        Err(failure) => {
            warn!(payment.id = %payment, "The core is told of payment {payment} later: {failure}");
            payments::later(&tx, payment, WAIT, "unreachable").await?;
        }
    }
    tx.commit().await
}
