//! Credits that another institution asks for: decided once, answered as often as asked.
//!
//! # Invariants
//! - One payment of one payer is credited at most once: the row with its answer rides on the
//!   posting.
//! - What cannot be decided now (no open period, say) leaves no row; it is asked again.

mod riding;
mod rows;

use branchline_banking as banking;
use branchline_banking::{Account, House, Rail};
use branchline_db::TenantTx;
use branchline_kernel::{AccountId, PaymentId, PostingId, TenantId};
use branchline_ledger as ledger;
use branchline_ledger::{
    Action, Command, Dates, Effect, Engine, EngineError, LedgerKey, Leg, Post, RefusedByLedger,
    Rider, Verdict,
};

use self::rows::Decided;
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

/// What is left to do for an order.
#[derive(Debug)]
pub enum Credit {
    /// Nothing: this was answered before.
    Answered(Answer),
    /// To keep this refusal with [`refuse_credit`]: the ledger need not be asked.
    Refuse(Reason),
    /// The ledger decides, and the answer is kept in the same commit.
    Post(Box<PlannedCredit>),
}

/// A credit to the payee with the answer that is kept by its verdict.
#[derive(Debug, Clone)]
pub struct PlannedCredit {
    command: Command,
    order: CreditOrder,
    account: AccountId,
    /// Who acts.
    by: String,
}

/// Plans the credit of the payee: debit clearing, credit the member. Runs in a transaction of the
/// payee's institution, under the rail as actor.
///
/// # Errors
/// [`PaymentError`]; then nothing was decided, and the order may be brought again.
pub async fn plan_credit(tx: &TenantTx, order: &CreditOrder) -> Result<Credit, PaymentError> {
    if let Some(answer) = rows::find_answer(tx, order).await? {
        return Ok(Credit::Answered(answer));
    }
    let found = banking::find_by_iban(tx, &order.instruction.creditor_iban).await?;
    let Some(account) = found else {
        return Ok(Credit::Refuse(reason(ReasonCode::Ac01)));
    };
    // Said here: there may be no clearing account in the other currency.
    if account.currency != order.instruction.amount.currency() {
        let refused = Reason::of_ledger(ledger::Reason::Currency, End::Payee);
        let refused = refused.ok_or(PaymentError::Books(ledger::Reason::Currency))?;
        return Ok(Credit::Refuse(refused));
    }
    let planned = PlannedCredit {
        command: command(tx, order, &account).await?,
        order: order.clone(),
        account: account.id,
        by: tx.actor().to_owned(),
    };
    Ok(Credit::Post(Box::new(planned)))
}

/// Keeps a refusal that needs no posting. Repeated, it gives the answer that was given first.
///
/// # Errors
/// [`PaymentError`]; then nothing was decided, and the order may be brought again.
pub async fn refuse_credit(
    tx: &TenantTx,
    order: &CreditOrder,
    reason: Reason,
) -> Result<Answer, PaymentError> {
    let decided = Decided {
        order,
        account: None,
        answer: Answer::Refused(reason),
        by: tx.actor(),
    };
    if riding::keep(tx, std::slice::from_ref(&decided))
        .await?
        .len()
        == 1
    {
        return Ok(decided.answer);
    }
    let first = rows::find_answer(tx, order).await?;
    first.ok_or(PaymentError::Stale(order.payment))
}

async fn command(
    tx: &TenantTx,
    order: &CreditOrder,
    account: &Account,
) -> Result<Command, PaymentError> {
    let amount = order.instruction.amount;
    let house = House::Clearing(Rail::Internal);
    let clearing = banking::get_house_account(tx, house, amount.currency()).await?;
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
    let command = Command::new(key, Action::Post(post))
        .by(tx.actor())?
        .about("payment", order.payment.uuid())?;
    Ok(match &order.instruction.remittance {
        Some(text) => command.with_memo(text)?,
        None => command,
    })
}

impl PlannedCredit {
    /// Has the ledger decide. `None` says that the order was answered meanwhile: plan anew.
    ///
    /// # Errors
    /// [`PaymentError`]; then nothing was decided as far as is known, and the order may be
    /// brought again.
    pub async fn post(
        self,
        engine: &Engine,
        tenant: &TenantId,
    ) -> Result<Option<Answer>, PaymentError> {
        let rider = Some(Rider::new(&riding::CREDIT, self.clone()));
        match engine.submit(tenant, self.command.clone(), rider).await {
            Ok(verdict) if verdict.is_first() => self.answer(verdict).map(Some),
            Ok(_) | Err(EngineError::Stale) => Ok(None),
            Err(EngineError::Declined(verdict)) => self.answer(verdict).map(Some),
            Err(error) => Err(error.into()),
        }
    }

    /// The answer by the ledger's verdict; a refusal that is not the payment's is not kept.
    fn answer(&self, verdict: Verdict) -> Result<Answer, PaymentError> {
        match verdict.accepted() {
            Ok(Effect::Booked(posting)) => Ok(Answer::Credited(posting)),
            Ok(Effect::Held(_) | Effect::Released(_)) | Err(RefusedByLedger::Conflict) => {
                Err(PaymentError::KeyConflict(self.order.payment))
            }
            Err(RefusedByLedger::Refused(refused)) => Reason::of_ledger(refused, End::Payee)
                .map(Answer::Refused)
                .ok_or(PaymentError::Books(refused)),
        }
    }
}
