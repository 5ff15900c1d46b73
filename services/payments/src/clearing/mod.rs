//! What this institution owes others on the internal rail, up to its cap, and how it is netted.
//!
//! # Invariants
//! - Owed and in flight together never pass the cap when a payment is sent.
//! - Over all institutions, what lies on clearing and settlement sums to zero when nothing is on
//!   its way.
//!
//! # Locking
//! Whoever sends locks the position, and asks nothing of the ledger but balances. Whatever gives
//! back rides on a command: the ledger's accounts are locked before it.

mod rows;

use branchline_banking as banking;
use branchline_banking::{House, Rail};
use branchline_db::{DbError, TenantTx, audit};
use branchline_kernel::{Currency, LedgerAccountId, Money, PostingId};
use branchline_ledger as ledger;
use branchline_ledger::{Action, Command, Dates, Effect, LedgerKey, Leg, Post, RefusedByLedger};
use uuid::Uuid;

use crate::payment::PaymentError;

const RAIL: Rail = Rail::Internal;

/// Where an institution stands on the internal rail, in one currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// What lies on clearing: above zero is owed to us, below zero we owe.
    pub clearing: Money,
    /// What was netted and waits for settlement, with the same sign.
    pub settlement: Money,
    /// What we have sent and not yet booked.
    pub in_flight: Money,
    /// The most we may owe, if there is a cap.
    pub cap: Option<Money>,
}

/// Sets the most that the institution may owe on the internal rail in the cap's currency.
///
/// # Errors
/// [`PaymentError::Db`].
pub async fn set_cap(tx: &TenantTx, cap: Money) -> Result<(), PaymentError> {
    ensure(tx, cap.currency()).await?;
    rows::set_cap(tx, RAIL, cap).await?;
    let event = audit::Event {
        operation: "setNetDebitCap".to_owned(),
        object: Some(cap.currency().code().to_owned()),
        outcome: "done".to_owned(),
        ..audit::Event::default()
    };
    Ok(audit::record(tx, event).await?)
}

/// Where the institution stands in that currency.
///
/// # Errors
/// [`PaymentError`] when the database fails.
pub async fn position(tx: &TenantTx, currency: Currency) -> Result<Position, PaymentError> {
    let row = rows::find(tx, RAIL, currency).await?;
    Ok(Position {
        clearing: booked(tx, House::Clearing(RAIL), currency).await?,
        settlement: booked(tx, House::Settlement(RAIL), currency).await?,
        in_flight: Money::new(row.in_flight_minor, currency),
        cap: row.cap_minor.map(|minor| Money::new(minor, currency)),
    })
}

/// Where the institution stands in each currency it ever sent or received.
///
/// # Errors
/// [`PaymentError`] when the database fails.
pub async fn positions(tx: &TenantTx) -> Result<Vec<Position>, PaymentError> {
    let mut positions = Vec::new();
    for currency in rows::currencies(tx, RAIL).await? {
        positions.push(position(tx, currency).await?);
    }
    Ok(positions)
}

/// Moves `owed` from clearing to settlement, so that clearing starts anew. `owed` has the sign of
/// [`Position::clearing`]; `run` names the netting, so that repeated it books once.
///
/// # Errors
/// [`PaymentError`]; then nothing was booked.
pub async fn net(tx: &TenantTx, run: Uuid, owed: Money) -> Result<Option<PostingId>, PaymentError> {
    if owed.minor() == 0 {
        return Ok(None);
    }
    let currency = owed.currency();
    let clearing = banking::house_account(tx, House::Clearing(RAIL), currency).await?;
    let settlement = banking::house_account(tx, House::Settlement(RAIL), currency).await?;
    let legs = if owed.is_positive() {
        vec![Leg::debit(settlement, owed), Leg::credit(clearing, owed)]
    } else {
        let amount = Money::new(owed.minor().saturating_neg(), currency);
        vec![
            Leg::debit(clearing, amount),
            Leg::credit(settlement, amount),
        ]
    };
    let dates = Dates::on(tx.now().date_naive());
    let post = Post::try_new(tx.next_id().into(), "clearing-netting", dates, legs)?;
    let step = format!("net {} {}", tx.tenant(), currency);
    let command = Command::new(LedgerKey::derived(run, &step), Action::Post(post));
    let command = command.about("netting", run)?;
    let event = audit::Event {
        operation: "netClearing".to_owned(),
        object: Some(run.to_string()),
        outcome: "done".to_owned(),
        ..audit::Event::default()
    };
    audit::record(tx, event).await?;
    match ledger::post_one(tx, &command).await?.accepted() {
        Ok(Effect::Booked(posting)) => Ok(Some(posting)),
        Ok(Effect::Held(_) | Effect::Released(_)) | Err(RefusedByLedger::Conflict) => {
            Err(PaymentError::KeyConflict(run.into()))
        }
        Err(RefusedByLedger::Refused(reason)) => Err(PaymentError::Books(reason)),
    }
}

/// Makes the row that others lock.
pub(crate) async fn ensure(tx: &TenantTx, currency: Currency) -> Result<(), DbError> {
    rows::ensure(tx, RAIL, currency).await
}

/// Counts `amount` as on its way, unless it would pass the cap; says whether it did.
pub(crate) async fn take_in_flight(tx: &TenantTx, amount: Money) -> Result<bool, PaymentError> {
    let currency = amount.currency();
    ensure(tx, currency).await?;
    let row = rows::lock(tx, RAIL, currency).await?;
    let clearing = booked(tx, House::Clearing(RAIL), currency).await?;
    if !row.leaves_room(clearing, amount) {
        return Ok(false);
    }
    rows::move_in_flight(tx, RAIL, amount).await?;
    Ok(true)
}

/// The amount is no longer on its way.
pub(crate) async fn give_back_in_flight(tx: &TenantTx, amount: Money) -> Result<(), DbError> {
    let back = Money::new(amount.minor().saturating_neg(), amount.currency());
    rows::move_in_flight(tx, RAIL, back).await
}

/// What is booked on an account of the institution; nothing where it was never needed.
async fn booked(tx: &TenantTx, house: House, currency: Currency) -> Result<Money, PaymentError> {
    let account: Option<LedgerAccountId> = banking::find_house_account(tx, house, currency).await?;
    match account {
        Some(account) => Ok(ledger::balances(tx, account).await?.booked),
        None => Ok(Money::new(0, currency)),
    }
}
