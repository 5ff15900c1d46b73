//! Carries payments on: the one place that opens transactions of two institutions.
//!
//! # Invariants
//! - Each step is one commit at one institution and may be repeated; what was done is found in the
//!   rows, never in memory.
//! - An answer that is missing is never taken for a no: the hold stays, the payee is asked again.
//!
//! # Locking
//! No two institutions' transactions are open at once, and none while the engine is asked.

mod error;
mod netting;
#[cfg(test)]
mod tests;

use branchline_db::{Access, Db, TenantTx};
use branchline_kernel::{PaymentId, TenantId};
use branchline_ledger::Engine;
use branchline_payments as payments;
use branchline_payments::{Answer, Credit, CreditOrder, Payment, PaymentError, Plan, Step};
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

/// Carries payments on, with the door to all institutions and the ledger's engine.
#[derive(Clone)]
pub struct Executor {
    db: Db,
    engine: Engine,
}

impl Executor {
    /// An executor that posts through that engine.
    #[must_use]
    pub const fn new(db: Db, engine: Engine) -> Self {
        Self { db, engine }
    }

    /// Does everything that can be done for a payment now.
    ///
    /// # Errors
    /// [`PaymentError`] when a step failed; it is due again, and the sweep finds it.
    pub async fn advance(&self, tenant: &TenantId, payment: PaymentId) -> Result<(), PaymentError> {
        for _ in 0..MOST_STEPS {
            match self.look(tenant, payment).await? {
                Step::Nothing => return Ok(()),
                Step::Reserve => {
                    self.post(tenant, (Access::Read, payment), |tx| {
                        payments::reserve(tx, payment).boxed()
                    })
                    .await?;
                    self.db.crash().reached("K6");
                }
                Step::Dispatch(iban) => {
                    let payee = self.db.find_tenant_of(&iban).await?;
                    self.post(tenant, (Access::Write, payment), |tx| {
                        payments::dispatch(tx, payment, payee.clone()).boxed()
                    })
                    .await?;
                }
                Step::Exchange { payee, order } => match self.exchange(&payee, &order).await {
                    Ok(answer) => self.conclude(tenant, payment, answer).await?,
                    Err(error) => return self.postpone(tenant, payment, &error).await,
                },
            }
        }
        error!(payment.id = %payment, "Payment {payment} goes round in circles");
        Ok(())
    }

    /// Takes on every payment that is due, at every institution, and says how many there were.
    /// One payment or institution that fails does not keep the others waiting.
    ///
    /// # Errors
    /// [`PaymentError::Db`] when the register does not answer.
    pub async fn sweep(&self) -> Result<usize, PaymentError> {
        let mut found = 0_usize;
        for tenant in self.db.tenants().await? {
            let scope = (&tenant.id, EXECUTOR, Access::Write);
            let due = in_tx(&self.db, scope, |tx| payments::due(tx, SWEEP_LIMIT).boxed());
            let due = match due.await {
                Ok(due) => due,
                Err(error) => {
                    warn!(tenant = %tenant.id, "The sweep could not look: {}", chain(&error));
                    continue;
                }
            };
            found = found.saturating_add(due.len());
            for payment in due {
                if let Err(error) = self.advance(&tenant.id, payment).await {
                    let why = chain(&error);
                    warn!(payment.id = %payment, "A step failed, it is due again: {why}");
                }
            }
        }
        Ok(found)
    }

    async fn look(&self, tenant: &TenantId, payment: PaymentId) -> Result<Step, PaymentError> {
        let tx = self.db.tenant(tenant, EXECUTOR, Access::Read).await?;
        let step = payments::next_step(&tx, payment).await?;
        tx.rollback().await?;
        Ok(step)
    }

    /// Plans a step in a transaction that ends, then has the ledger decide; again while the
    /// payment changes in between.
    async fn post(
        &self,
        tenant: &TenantId,
        (access, payment): (Access, PaymentId),
        plan: impl for<'a> Fn(&'a TenantTx) -> BoxFuture<'a, Result<Plan, PaymentError>>,
    ) -> Result<Payment, PaymentError> {
        for _ in 0..TRIES {
            let planned = match in_tx(&self.db, (tenant, EXECUTOR, access), &plan).await? {
                Plan::Settled(payment) => return Ok(*payment),
                Plan::Post(planned) => planned,
            };
            if let Some(payment) = planned.post(&self.engine, tenant).await? {
                return Ok(payment);
            }
        }
        Err(PaymentError::Stale(payment))
    }

    /// The internal rail: the order is brought to the payee's institution, which answers at once.
    async fn exchange(
        &self,
        payee: &TenantId,
        order: &CreditOrder,
    ) -> Result<Answer, PaymentError> {
        let answer = self.credit(payee, order).await?;
        if matches!(answer, Answer::Credited(_)) {
            self.db.crash().reached("K8");
        }
        Ok(answer)
    }

    async fn credit(&self, payee: &TenantId, order: &CreditOrder) -> Result<Answer, PaymentError> {
        for _ in 0..TRIES {
            let planned = in_tx(&self.db, (payee, RAIL, Access::Read), |tx| {
                let order = order.clone();
                async move { payments::plan_credit(tx, &order).await }.boxed()
            });
            match planned.await? {
                Credit::Answered(answer) => return Ok(answer),
                Credit::Refuse(reason) => {
                    let refused = in_tx(&self.db, (payee, RAIL, Access::Write), |tx| {
                        let (order, reason) = (order.clone(), reason.clone());
                        async move { payments::refuse_credit(tx, &order, reason).await }.boxed()
                    });
                    return refused.await;
                }
                Credit::Post(planned) => {
                    if let Some(answer) = planned.post(&self.engine, payee).await? {
                        return Ok(answer);
                    }
                }
            }
        }
        Err(PaymentError::Stale(order.payment))
    }

    async fn conclude(
        &self,
        tenant: &TenantId,
        payment: PaymentId,
        answer: Answer,
    ) -> Result<(), PaymentError> {
        let is_credited = matches!(answer, Answer::Credited(_));
        let ended = self
            .post(tenant, (Access::Read, payment), |tx| {
                payments::conclude(tx, payment, answer.clone()).boxed()
            })
            .await?;
        if is_credited {
            self.db.crash().reached("K11");
        }
        info!(payment.id = %payment, "Payment {payment} is {}", ended.state.word());
        Ok(())
    }

    /// The answer is missing. What was asked may have been done, so the payee is asked again.
    async fn postpone(
        &self,
        tenant: &TenantId,
        payment: PaymentId,
        error: &PaymentError,
    ) -> Result<(), PaymentError> {
        warn!(payment.id = %payment, "The payee's answer is missing: {}", chain(error));
        let scope = (tenant, EXECUTOR, Access::Write);
        in_tx(&self.db, scope, |tx| {
            payments::postpone(tx, payment, "answer missing").boxed()
        })
        .await
        .map(drop)
    }
}

/// Runs a step in a transaction of its own, again while another transaction is in the way.
async fn in_tx<T>(
    db: &Db,
    (tenant, actor, access): (&TenantId, &str, Access),
    step: impl for<'a> Fn(&'a TenantTx) -> BoxFuture<'a, Result<T, PaymentError>>,
) -> Result<T, PaymentError> {
    let mut tries = 1_usize;
    loop {
        let tx = db.tenant(tenant, actor, access).await?;
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
