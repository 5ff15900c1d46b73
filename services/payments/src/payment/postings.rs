//! The money movements of a payment at the payer's institution, as commands to the ledger.

use branchline_banking as banking;
use branchline_banking::{House, Rail};
use branchline_db::TenantTx;
use branchline_kernel::{HoldId, LedgerAccountId};
use branchline_ledger::{Action, Command, Dates, Direction, LedgerKey, Leg, NewHold, Post};

use super::PaymentError;
use super::model::Payment;

/// Sets the amount aside.
pub(super) async fn hold(tx: &TenantTx, payment: &Payment) -> Result<Command, PaymentError> {
    let account = debtor(tx, payment).await?;
    let hold = NewHold::try_new(
        tx.next_id().into(),
        account,
        payment.instruction.amount,
        Direction::Outgoing,
    )?;
    command(tx, payment, ("hold", Action::Hold(hold)))
}

/// Posts the hold: debit the payer, credit clearing.
pub(super) async fn book(
    tx: &TenantTx,
    payment: &Payment,
    hold: HoldId,
) -> Result<Command, PaymentError> {
    let amount = payment.instruction.amount;
    let account = debtor(tx, payment).await?;
    let house = House::Clearing(Rail::Internal);
    let clearing = banking::get_house_account(tx, house, amount.currency()).await?;
    let legs = vec![Leg::debit(account, amount), Leg::credit(clearing, amount)];
    let dates = Dates::on(tx.now().date_naive());
    let post = Post::try_new(tx.next_id().into(), "credit-transfer-out", dates, legs)?;
    command(tx, payment, ("book", Action::Post(post.ending(hold))))
}

/// Frees the money of the hold.
pub(super) fn void(
    tx: &TenantTx,
    payment: &Payment,
    hold: HoldId,
) -> Result<Command, PaymentError> {
    command(tx, payment, ("void", Action::Void(hold)))
}

fn command(
    tx: &TenantTx,
    payment: &Payment,
    (step, action): (&'static str, Action),
) -> Result<Command, PaymentError> {
    let key = LedgerKey::derived(payment.id.uuid(), step);
    let command = Command::new(key, action)
        .by(tx.actor())?
        .about("payment", payment.id.uuid())?;
    Ok(match &payment.instruction.remittance {
        Some(text) => command.with_memo(text)?,
        None => command,
    })
}

async fn debtor(tx: &TenantTx, payment: &Payment) -> Result<LedgerAccountId, PaymentError> {
    let id = payment.instruction.debtor.account;
    Ok(banking::get_account(tx, id).await?.ledger_account)
}
