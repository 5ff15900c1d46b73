//! What the executor does with a payment that is under way, step by step.

use branchline_db::{TenantTx, audit};
use branchline_kernel::{HoldId, Iban, PaymentId, TenantId};

use super::model::{Payment, State};
use super::plan::{Movement, Plan, Planned};
use super::{PaymentError, lock, postings, rows, save, write};
use crate::clearing;
use crate::incoming::{Answer, CreditOrder};
use crate::reason::{Reason, ReasonCode, reason};

/// What is to be done next with a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Hold the money: post what [`reserve`] plans.
    Reserve,
    /// Find the institution of that account and call [`dispatch`].
    Dispatch(Iban),
    /// Ask `payee` for the credit and post what [`conclude`] plans for its answer.
    Exchange {
        /// The institution to ask.
        payee: TenantId,
        /// What to ask for.
        order: Box<CreditOrder>,
    },
    /// Nothing: it has ended, or waits for the member.
    Nothing,
}

/// What is to be done next.
///
/// # Errors
/// [`PaymentError::NotFound`].
pub async fn next_step(tx: &TenantTx, id: PaymentId) -> Result<Step, PaymentError> {
    let payment = super::get_payment(tx, id).await?;
    Ok(match &payment.state {
        State::Authorised => Step::Reserve,
        State::Reserved { .. } => Step::Dispatch(payment.instruction.creditor_iban),
        State::Dispatching { payee, .. } | State::Unknown { payee, .. } => Step::Exchange {
            payee: payee.clone(),
            order: Box::new(CreditOrder {
                payer: tx.tenant().clone(),
                payment: payment.id,
                instruction: payment.instruction,
            }),
        },
        State::Received | State::Completed { .. } | State::Rejected { .. } | State::Cancelled => {
            Step::Nothing
        }
    })
}

/// Payments whose time has come, claimed for a few seconds; what others work on is left out.
///
/// # Errors
/// [`PaymentError::Db`].
pub async fn due(tx: &TenantTx, limit: u16) -> Result<Vec<PaymentId>, PaymentError> {
    Ok(rows::claim_due(tx, limit).await?)
}

/// Holds the money of an authorised payment.
///
/// # Errors
/// [`PaymentError`]; then nothing was done.
pub async fn reserve(tx: &TenantTx, id: PaymentId) -> Result<Plan, PaymentError> {
    let payment = super::get_payment(tx, id).await?;
    if payment.state != State::Authorised {
        return Ok(Plan::Settled(Box::new(payment)));
    }
    let command = postings::hold(tx, &payment).await?;
    let planned = Planned::new(tx, command, payment, Movement::Hold);
    Ok(Plan::Post(Box::new(planned.audited_as("reservePayment"))))
}

/// Fixes where a reserved payment goes, before anything is sent. No institution, or a net debit
/// cap that is reached, is to end it.
///
/// # Errors
/// [`PaymentError`]; then nothing was done.
pub async fn dispatch(
    tx: &TenantTx,
    id: PaymentId,
    payee: Option<TenantId>,
) -> Result<Plan, PaymentError> {
    let payment = lock(tx, id).await?;
    let State::Reserved { hold } = payment.state else {
        return Ok(Plan::Settled(Box::new(payment)));
    };
    let Some(payee) = payee else {
        let why = (reason(ReasonCode::Rc04), "no institution");
        return reject(tx, payment, hold, why);
    };
    let amount = payment.instruction.amount;
    let leaves = payee != *tx.tenant();
    if leaves && !clearing::take_in_flight(tx, amount).await? {
        let why = (reason(ReasonCode::Am23), "net debit cap");
        return reject(tx, payment, hold, why);
    }
    let dispatching = payment.state.clone().dispatch(payee)?;
    let payment = save(tx, payment, dispatching, "route fixed").await?;
    record(tx, &payment, "dispatchPayment").await?;
    Ok(Plan::Settled(Box::new(payment)))
}

/// Ends a payment with the payee's answer: its credit books the payer's account, its refusal
/// frees the money.
///
/// # Errors
/// [`PaymentError`]; then nothing was done, and the same answer may be brought again.
pub async fn conclude(tx: &TenantTx, id: PaymentId, answer: Answer) -> Result<Plan, PaymentError> {
    let payment = super::get_payment(tx, id).await?;
    let (State::Dispatching { hold, .. } | State::Unknown { hold, .. }) = payment.state else {
        return Ok(Plan::Settled(Box::new(payment)));
    };
    match answer {
        Answer::Credited(credit) => {
            let command = postings::book(tx, &payment, hold).await?;
            let planned = Planned::new(tx, command, payment, Movement::Book { credit });
            Ok(Plan::Post(Box::new(planned.audited_as("bookPayment"))))
        }
        Answer::Refused(reason) => reject(tx, payment, hold, (reason, "refused by payee")),
    }
}

/// Notes that the answer is missing. The hold stays, and the payee is asked again later.
///
/// # Errors
/// [`PaymentError`]; then nothing was done.
pub async fn postpone(
    tx: &TenantTx,
    id: PaymentId,
    cause: &'static str,
) -> Result<Payment, PaymentError> {
    let payment = lock(tx, id).await?;
    if !matches!(
        payment.state,
        State::Dispatching { .. } | State::Unknown { .. }
    ) {
        return Ok(payment);
    }
    let before = (payment.version, payment.state.word());
    let unknown = payment.state.clone().lose_sight()?;
    let next = payment.postponed(unknown, tx.now());
    let payment = write(tx, next, before, cause).await?;
    record(tx, &payment, "postponePayment").await?;
    Ok(payment)
}

/// Frees what is held and ends the payment.
fn reject(
    tx: &TenantTx,
    payment: Payment,
    hold: HoldId,
    (reason, cause): (Reason, &'static str),
) -> Result<Plan, PaymentError> {
    let command = postings::void(tx, &payment, hold)?;
    let planned = Planned::new(tx, command, payment, Movement::Void { reason, cause });
    Ok(Plan::Post(Box::new(planned.audited_as("rejectPayment"))))
}

async fn record(
    tx: &TenantTx,
    payment: &Payment,
    operation: &'static str,
) -> Result<(), PaymentError> {
    let event = audit::Event {
        operation: operation.to_owned(),
        object: Some(payment.id.to_string()),
        outcome: payment.state.word().to_lowercase(),
        ..audit::Event::default()
    };
    Ok(audit::record(tx, event).await?)
}
