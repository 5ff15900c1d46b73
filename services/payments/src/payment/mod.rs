//! A payment from an account of this institution.
//!
//! # Invariants
//! - Every change is one version, one transition row and one event, in the commit of what it does
//!   to the ledger: it rides on the command.
//! - Every step may be repeated: it looks at the state first and does nothing twice.
//!
//! # Locking
//! What changes by itself locks the payment's row; what rides finds it by its version. See the
//! crate.

mod counterparty;
mod error;
mod model;
#[cfg(test)]
mod model_tests;
mod plan;
mod postings;
mod riding;
mod rows;
mod steps;

use branchline_db::{OnConstraint, TenantTx, outbox};
use branchline_kernel::PaymentId;
use serde::Serialize;

pub use counterparty::{Counterparty, counterparties};
pub use error::PaymentError;
pub use model::{Debtor, Instruction, NewPayment, Payment, State, WrongState};
use plan::Movement;
pub use plan::{Plan, Planned};
pub use steps::{Step, conclude, dispatch, due, next_step, postpone, reserve};

/// What others are told when a payment changes.
#[derive(Serialize)]
struct StateChanged {
    payment: PaymentId,
    version: i64,
    state: &'static str,
    reason: Option<&'static str>,
}

/// What a job is told; the database adds the tenant.
#[derive(Serialize)]
struct Wake {
    payment: PaymentId,
}

/// Writes a payment down. Nothing is held and no balance is looked at before the member agrees.
///
/// # Errors
/// [`PaymentError::Exists`], [`PaymentError::ToItself`].
pub async fn initiate(tx: &TenantTx, new: NewPayment) -> Result<Payment, PaymentError> {
    if new.instruction.debtor.iban == new.instruction.creditor_iban {
        return Err(PaymentError::ToItself);
    }
    let payment = Payment::received(new, tx.actor(), tx.now());
    rows::insert(tx, &payment)
        .await
        .on_constraint("payment_pkey", || PaymentError::Exists(payment.id))?;
    rows::insert_transition(tx, &payment, None, "initiated").await?;
    publish(tx, &payment).await?;
    Ok(payment)
}

/// The member agrees, and the money is held at once; too little money ends the payment. Repeated,
/// it gives the payment as it stands. `is_what_was_shown` judges the row; that it has not changed
/// since is seen in the commit.
///
/// # Errors
/// [`PaymentError::Changed`] when the row is not what the member saw; [`PaymentError::WrongState`]
/// after a cancellation.
pub async fn authorise(
    tx: &TenantTx,
    id: PaymentId,
    is_what_was_shown: impl Fn(&Payment) -> bool,
) -> Result<Plan, PaymentError> {
    let payment = get_payment(tx, id).await?;
    if !is_what_was_shown(&payment) {
        return Err(PaymentError::Changed);
    }
    match payment.state {
        State::Received | State::Cancelled => {}
        State::Authorised
        | State::Reserved { .. }
        | State::Dispatching { .. }
        | State::Unknown { .. }
        | State::Completed { .. }
        | State::Rejected { .. } => return Ok(Plan::Settled(Box::new(payment))),
    }
    payment.state.clone().authorise()?;
    let command = postings::hold(tx, &payment).await?;
    let planned = Planned::new(tx, command, payment, Movement::Hold);
    Ok(Plan::Post(Box::new(planned)))
}

/// Calls a payment off before the member agreed. Repeated, it gives the cancelled payment.
///
/// # Errors
/// [`PaymentError::WrongState`] once the member has agreed.
pub async fn cancel(tx: &TenantTx, id: PaymentId) -> Result<Payment, PaymentError> {
    let payment = lock(tx, id).await?;
    if payment.state == State::Cancelled {
        return Ok(payment);
    }
    let cancelled = payment.state.clone().cancel()?;
    save(tx, payment, cancelled, "cancelled").await
}

/// The payment with that id.
///
/// # Errors
/// [`PaymentError::NotFound`].
pub async fn get_payment(tx: &TenantTx, id: PaymentId) -> Result<Payment, PaymentError> {
    rows::find(tx, id).await?.ok_or(PaymentError::NotFound)
}

async fn lock(tx: &TenantTx, id: PaymentId) -> Result<Payment, PaymentError> {
    rows::lock(tx, id).await?.ok_or(PaymentError::NotFound)
}

/// Writes the payment's next state with its transition and its event.
async fn save(
    tx: &TenantTx,
    payment: Payment,
    to: State,
    cause: &'static str,
) -> Result<Payment, PaymentError> {
    let (before, from) = (payment.version, payment.state.word());
    let next = payment.moved(to, tx.now());
    write(tx, next, (before, from), cause).await
}

async fn write(
    tx: &TenantTx,
    next: Payment,
    (before, from): (i64, &'static str),
    cause: &'static str,
) -> Result<Payment, PaymentError> {
    if !rows::update(tx, &next, before).await? {
        return Err(PaymentError::Stale(next.id));
    }
    rows::insert_transition(tx, &next, Some(from), cause).await?;
    publish(tx, &next).await?;
    Ok(next)
}

async fn publish(tx: &TenantTx, payment: &Payment) -> Result<(), PaymentError> {
    Ok(outbox::publish(tx, STATE_CHANGED, &event_of(payment)).await?)
}

const STATE_CHANGED: &str = "payment.state_changed.v1";

const fn event_of(payment: &Payment) -> StateChanged {
    let reason = match &payment.state {
        State::Rejected { reason, .. } => Some(reason.code.code()),
        State::Received
        | State::Authorised
        | State::Reserved { .. }
        | State::Dispatching { .. }
        | State::Unknown { .. }
        | State::Completed { .. }
        | State::Cancelled => None,
    };
    StateChanged {
        payment: payment.id,
        version: payment.version,
        state: payment.state.word(),
        reason,
    }
}

/// The key of the job that carries a payment on; if the job gets lost, the sweep finds the payment.
fn wake_key(id: PaymentId) -> String {
    format!("payment:{id}")
}
