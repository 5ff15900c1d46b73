//! Carries payments on: the one place that opens transactions of two institutions.
//!
//! # Invariants
//! - Each step is one transaction of one institution and may be repeated; what was done is found
//!   in the rows, never in memory.
//! - An answer that is missing is never taken for a no: the hold stays, the payee is asked again.
//!
//! # Locking
//! No two institutions' transactions are open at once.

mod error;
mod netting;
#[cfg(test)]
mod tests;

use branchline_db::{Access, Db, TenantTx};
use branchline_kernel::{PaymentId, TenantId};
use branchline_payments as payments;
use branchline_payments::{Answer, CreditOrder, PaymentError, Step};
use futures::FutureExt;
use futures::future::BoxFuture;
use tracing::{error, info, warn};

pub use error::NettingError;
pub use netting::{Netted, settle};

/// Who acts at the payer's institution.
const EXECUTOR: &str = "system:executor";
/// Who acts at the payee's institution.
const RAIL: &str = "rail:internal";
/// How often a step is tried when another transaction is in the way.
const TRIES: usize = 4;
/// More steps than any payment has: whoever needs more goes round in circles.
const MOST_STEPS: usize = 10;
/// Payments that one sweep takes on at one institution.
const SWEEP_LIMIT: u16 = 100;

/// Does everything that can be done for a payment now.
///
/// # Errors
/// [`PaymentError`] when a step failed; it is due again, and the sweep finds it.
pub async fn advance(db: &Db, tenant: &TenantId, payment: PaymentId) -> Result<(), PaymentError> {
    for _ in 0..MOST_STEPS {
        let next = look(db, tenant, payment).await?;
        match next {
            Step::Nothing => return Ok(()),
            Step::Reserve => {
                in_tx(db, tenant, EXECUTOR, |tx| {
                    payments::reserve(tx, payment).boxed()
                })
                .await?;
                db.crash().reached("K6");
            }
            Step::Dispatch(iban) => {
                let payee = db.find_tenant_of(&iban).await?;
                in_tx(db, tenant, EXECUTOR, |tx| {
                    payments::dispatch(tx, payment, payee.clone()).boxed()
                })
                .await?;
            }
            Step::Exchange { payee, order } => match exchange(db, &payee, &order).await {
                Ok(answer) => conclude(db, tenant, payment, answer).await?,
                Err(error) => return postpone(db, tenant, payment, &error).await,
            },
        }
    }
    error!(payment.id = %payment, "Payment {payment} goes round in circles");
    Ok(())
}

/// Takes on every payment that is due, at every institution, and says how many there were. One
/// payment or institution that fails does not keep the others waiting.
///
/// # Errors
/// [`PaymentError::Db`] when the register does not answer.
pub async fn sweep(db: &Db) -> Result<usize, PaymentError> {
    let mut found = 0_usize;
    for tenant in db.tenants().await? {
        let due = in_tx(db, &tenant.id, EXECUTOR, |tx| {
            payments::due(tx, SWEEP_LIMIT).boxed()
        });
        let due = match due.await {
            Ok(due) => due,
            Err(error) => {
                warn!(tenant = %tenant.id, "The sweep could not look: {}", chain(&error));
                continue;
            }
        };
        found = found.saturating_add(due.len());
        for payment in due {
            if let Err(error) = advance(db, &tenant.id, payment).await {
                warn!(payment.id = %payment, "A step failed, it is due again: {}", chain(&error));
            }
        }
    }
    Ok(found)
}

async fn look(db: &Db, tenant: &TenantId, payment: PaymentId) -> Result<Step, PaymentError> {
    let tx = db.tenant(tenant, EXECUTOR, Access::Read).await?;
    let step = payments::next_step(&tx, payment).await?;
    tx.rollback().await?;
    Ok(step)
}

/// The internal rail: the order is brought to the payee's institution, which answers at once.
async fn exchange(db: &Db, payee: &TenantId, order: &CreditOrder) -> Result<Answer, PaymentError> {
    let answer = in_tx(db, payee, RAIL, |tx| {
        let order = order.clone();
        async move { payments::credit_at_payee(tx, &order).await }.boxed()
    })
    .await?;
    if matches!(answer, Answer::Credited(_)) {
        db.crash().reached("K8");
    }
    Ok(answer)
}

async fn conclude(
    db: &Db,
    tenant: &TenantId,
    payment: PaymentId,
    answer: Answer,
) -> Result<(), PaymentError> {
    let is_credited = matches!(answer, Answer::Credited(_));
    let ended = in_tx(db, tenant, EXECUTOR, |tx| {
        payments::conclude(tx, payment, answer.clone()).boxed()
    })
    .await?;
    if is_credited {
        db.crash().reached("K11");
    }
    info!(payment.id = %payment, "Payment {payment} is {}", ended.state.word());
    Ok(())
}

/// The answer is missing. What was asked may have been done, so the payee is asked again.
async fn postpone(
    db: &Db,
    tenant: &TenantId,
    payment: PaymentId,
    error: &PaymentError,
) -> Result<(), PaymentError> {
    warn!(payment.id = %payment, "The payee's answer is missing: {}", chain(error));
    in_tx(db, tenant, EXECUTOR, |tx| {
        payments::postpone(tx, payment, "answer missing").boxed()
    })
    .await
    .map(drop)
}

/// Runs a step in a transaction of its own, again while another transaction is in the way.
async fn in_tx<T>(
    db: &Db,
    tenant: &TenantId,
    actor: &str,
    step: impl for<'a> Fn(&'a TenantTx) -> BoxFuture<'a, Result<T, PaymentError>>,
) -> Result<T, PaymentError> {
    let mut tries = 1_usize;
    loop {
        let tx = db.tenant(tenant, actor, Access::Write).await?;
        match step(&tx).await {
            Ok(done) => {
                tx.commit().await?;
                return Ok(done);
            }
            Err(error) if error.may_be_repeated() && tries < TRIES => {
                // A connection that was lost cannot roll back; the server does.
                drop(tx.rollback().await);
                tries = tries.saturating_add(1);
            }
            Err(error) => return Err(error),
        }
    }
}

/// The error and its causes, one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
