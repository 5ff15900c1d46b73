//! The money movements of a payment at the payer's institution.

use branchline_banking as banking;
use branchline_banking::{House, Rail};
use branchline_db::TenantTx;
use branchline_kernel::{HoldId, LedgerAccountId, PostingId};
use branchline_ledger as ledger;
use branchline_ledger::{
    Action, Command, Dates, Direction, Effect, LedgerKey, Leg, NewHold, Post, RefusedByLedger,
};

use super::PaymentError;
use super::model::Payment;
use crate::reason::{End, Reason};

/// Sets the amount aside; what the ledger refuses for the payment's own sake comes as a reason.
pub(super) async fn hold(
    tx: &TenantTx,
    payment: &Payment,
) -> Result<Result<HoldId, Reason>, PaymentError> {
    let account = debtor(tx, payment).await?;
    let hold = NewHold::try_new(
        tx.next_id().into(),
        account,
        payment.instruction.amount,
        Direction::Outgoing,
    )?;
    let command = command(payment, "hold", Action::Hold(hold))?;
    match ledger::post_one(tx, &command).await?.accepted() {
        Ok(Effect::Held(hold)) => Ok(Ok(hold)),
        Ok(Effect::Booked(_) | Effect::Released(_)) | Err(RefusedByLedger::Conflict) => {
            Err(PaymentError::KeyConflict(payment.id))
        }
        Err(RefusedByLedger::Refused(refused)) => Reason::of_ledger(refused, End::Payer)
            .map(Err)
            .ok_or(PaymentError::Books(refused)),
    }
}

/// Posts the hold: debit the payer, credit clearing.
pub(super) async fn book(
    tx: &TenantTx,
    payment: &Payment,
    hold: HoldId,
) -> Result<PostingId, PaymentError> {
    let amount = payment.instruction.amount;
    let account = debtor(tx, payment).await?;
    let house = House::Clearing(Rail::Internal);
    let clearing = banking::house_account(tx, house, amount.currency()).await?;
    let legs = vec![Leg::debit(account, amount), Leg::credit(clearing, amount)];
    let dates = Dates::on(tx.now().date_naive());
    let post = Post::try_new(tx.next_id().into(), "credit-transfer-out", dates, legs)?;
    let command = command(payment, "book", Action::Post(post.ending(hold)))?;
    match settled(tx, payment, &command).await? {
        Effect::Booked(posting) => Ok(posting),
        Effect::Held(_) | Effect::Released(_) => Err(PaymentError::KeyConflict(payment.id)),
    }
}

/// Frees the money of the hold.
pub(super) async fn void(
    tx: &TenantTx,
    payment: &Payment,
    hold: HoldId,
) -> Result<(), PaymentError> {
    let command = command(payment, "void", Action::Void(hold))?;
    settled(tx, payment, &command).await.map(drop)
}

/// A hold that was placed can always be ended; a refusal here says that the books cannot take it.
async fn settled(
    tx: &TenantTx,
    payment: &Payment,
    command: &Command,
) -> Result<Effect, PaymentError> {
    let verdict = ledger::post_one(tx, command).await?;
    verdict.accepted().map_err(|refused| match refused {
        RefusedByLedger::Refused(reason) => PaymentError::Books(reason),
        RefusedByLedger::Conflict => PaymentError::KeyConflict(payment.id),
    })
}

fn command(payment: &Payment, step: &'static str, action: Action) -> Result<Command, PaymentError> {
    let key = LedgerKey::derived(payment.id.uuid(), step);
    let command = Command::new(key, action).about("payment", payment.id.uuid())?;
    Ok(match &payment.instruction.remittance {
        Some(text) => command.with_memo(text)?,
        None => command,
    })
}

async fn debtor(tx: &TenantTx, payment: &Payment) -> Result<LedgerAccountId, PaymentError> {
    let id = payment.instruction.debtor.account;
    Ok(banking::get_account(tx, id).await?.ledger_account)
}
