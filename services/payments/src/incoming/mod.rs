//! Credits that another institution asks for: decided once, answered as often as asked.
//!
//! # Invariants
//! - One payment of one payer is credited at most once: its row is the claim, its answer is kept.
//! - What cannot be decided now (no open period, say) leaves no row; it is asked again.

mod rows;

use branchline_banking as banking;
use branchline_banking::{Account, House, Rail};
use branchline_db::{TenantTx, audit, outbox};
use branchline_kernel::{PaymentId, PostingId, TenantId};
use branchline_ledger as ledger;
use branchline_ledger::{Action, Command, Dates, Effect, LedgerKey, Leg, Post, RefusedByLedger};
use serde::Serialize;

use crate::clearing;
use crate::payment::{Instruction, PaymentError};
use crate::reason::{End, Reason, ReasonCode, reason};

/// What a payer's institution asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditOrder {
    /// The institution that asks and will owe.
    pub payer: TenantId,
    /// Its payment; with `payer` it names the order on the rail from end to end.
    pub payment: PaymentId,
    /// What shall be paid.
    pub instruction: Instruction,
}

/// The payee's institution's answer: final, and the same however often it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The payee has the money.
    Credited(PostingId),
    /// Nothing was credited, and nothing will be.
    Refused(Reason),
}

#[derive(Serialize)]
struct CreditDecided<'a> {
    payer: &'a str,
    payment: PaymentId,
    outcome: &'static str,
}

/// Credits the payee: debit clearing, credit the member. Runs in a transaction of the payee's
/// institution, under the rail as actor.
///
/// # Errors
/// [`PaymentError`]; then nothing was decided, and the order may be brought again.
pub async fn credit_at_payee(tx: &TenantTx, order: &CreditOrder) -> Result<Answer, PaymentError> {
    if !rows::claim(tx, order).await? {
        return rows::answer_of(tx, order).await;
    }
    let answer = decide(tx, order).await?;
    rows::keep(tx, order, &answer).await?;
    let (_, answer) = answer;
    let outcome = match &answer {
        Answer::Credited(_) => "credited",
        Answer::Refused(_) => "refused",
    };
    let event = CreditDecided {
        payer: order.payer.as_str(),
        payment: order.payment,
        outcome,
    };
    outbox::publish(tx, "payment.credit_decided.v1", &event).await?;
    let event = audit::Event {
        operation: "creditAtPayee".to_owned(),
        object: Some(order.payment.to_string()),
        outcome: outcome.to_owned(),
        ..audit::Event::default()
    };
    audit::record(tx, event).await?;
    Ok(answer)
}

async fn decide(
    tx: &TenantTx,
    order: &CreditOrder,
) -> Result<(Option<Account>, Answer), PaymentError> {
    let found = banking::find_by_iban(tx, &order.instruction.creditor_iban).await?;
    let Some(account) = found else {
        return Ok((None, Answer::Refused(reason(ReasonCode::Ac01))));
    };
    let answer = credit(tx, order, &account).await?;
    Ok((Some(account), answer))
}

async fn credit(
    tx: &TenantTx,
    order: &CreditOrder,
    account: &Account,
) -> Result<Answer, PaymentError> {
    let amount = order.instruction.amount;
    // Said before the clearing account is looked for: there may be none in that currency yet.
    if account.currency != amount.currency() {
        let refused = Reason::of_ledger(ledger::Reason::Currency, End::Payee);
        let refused = refused.ok_or(PaymentError::Books(ledger::Reason::Currency))?;
        return Ok(Answer::Refused(refused));
    }
    clearing::ensure(tx, amount.currency()).await?;
    let house = House::Clearing(Rail::Internal);
    let clearing = banking::house_account(tx, house, amount.currency()).await?;
    let legs = vec![
        Leg::debit(clearing, amount),
        Leg::credit(account.ledger_account, amount),
    ];
    let dates = Dates::on(tx.now().date_naive());
    let post = Post::try_new(tx.next_id().into(), "credit-transfer-in", dates, legs)?;
    let key = LedgerKey::derived(
        order.payment.uuid(),
        &format!("credit from {}", order.payer),
    );
    let command = Command::new(key, Action::Post(post)).about("payment", order.payment.uuid())?;
    let command = match &order.instruction.remittance {
        Some(text) => command.with_memo(text)?,
        None => command,
    };
    match ledger::post_one(tx, &command).await?.accepted() {
        Ok(Effect::Booked(posting)) => Ok(Answer::Credited(posting)),
        Ok(Effect::Held(_) | Effect::Released(_)) | Err(RefusedByLedger::Conflict) => {
            Err(PaymentError::KeyConflict(order.payment))
        }
        Err(RefusedByLedger::Refused(refused)) => Reason::of_ledger(refused, End::Payee)
            .map(Answer::Refused)
            .ok_or(PaymentError::Books(refused)),
    }
}
