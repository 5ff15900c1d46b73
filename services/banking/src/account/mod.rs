//! Members' deposit accounts.
//!
//! # Invariants
//! - An account is one account of the ledger, which alone knows its balance, freeze and end.
//! - No overdraft: the ledger keeps the available balance at zero or above.

mod error;
mod model;
mod rows;

use branchline_db::{OnConstraint, TenantTx, outbox};
use branchline_kernel::{AccountId, Iban, MemberId, Money};
use branchline_ledger as ledger;
use branchline_ledger::{
    Action, Balances, Command, Dates, Freeze, LedgerKey, Leg, Limits, Page, Post, Side,
    StatementQuery,
};
use serde::Serialize;

pub use error::AccountError;
pub use model::{Account, NewAccount, Product, Status};

use crate::institution::{DEPOSITS, House, get_house_account, next_iban, open_counterparts};

/// Opens an account for a member.
///
/// # Errors
/// [`AccountError::UnknownMember`].
pub async fn open_account(tx: &TenantTx, new: &NewAccount) -> Result<Account, AccountError> {
    let id = AccountId::from(tx.next_id());
    let iban = next_iban(tx).await?;
    open_counterparts(tx, new.currency).await?;
    let code = format!("deposit/{id}");
    let books = ledger::NewAccount::new(&code, new.currency, Side::Credit, DEPOSITS)
        .with_limits(Limits::NO_OVERDRAFT);
    let ledger_account = ledger::open_account(tx, &books).await?;
    let row = rows::NewRow {
        id,
        new,
        iban: &iban,
        ledger_account,
    };
    rows::insert(tx, &row)
        .await
        .on_constraint("deposit_account_member_fkey", || {
            AccountError::UnknownMember(new.member)
        })?;
    get_account(tx, id).await
}

/// The account with that id.
///
/// # Errors
/// [`AccountError::NotFound`].
pub async fn get_account(tx: &TenantTx, id: AccountId) -> Result<Account, AccountError> {
    let found = rows::find(tx, id).await?;
    let row = found.ok_or(AccountError::NotFound)?;
    with_status(tx, row).await
}

/// The account with that IBAN, if it is one of ours.
///
/// # Errors
/// [`AccountError`] when the database fails.
pub async fn find_by_iban(tx: &TenantTx, iban: &Iban) -> Result<Option<Account>, AccountError> {
    match rows::find_by_iban(tx, iban).await? {
        Some(row) => with_status(tx, row).await.map(Some),
        None => Ok(None),
    }
}

/// A member's accounts, the oldest first; at most 100.
///
/// # Errors
/// [`AccountError`] when the database fails.
pub async fn list_accounts(tx: &TenantTx, owner: MemberId) -> Result<Vec<Account>, AccountError> {
    let mut accounts = Vec::new();
    for row in rows::list(tx, owner).await? {
        accounts.push(with_status(tx, row).await?);
    }
    Ok(accounts)
}

/// What is on the account.
///
/// # Errors
/// [`AccountError`] when the ledger fails.
pub async fn balances(tx: &TenantTx, account: &Account) -> Result<Balances, AccountError> {
    Ok(ledger::balances(tx, account.ledger_account).await?)
}

/// What happened on the account, the latest first.
///
/// # Errors
/// [`AccountError`] for a cursor that no page gave out.
pub async fn statement(
    tx: &TenantTx,
    account: &Account,
    query: &StatementQuery,
) -> Result<Page, AccountError> {
    Ok(ledger::statement(tx, account.ledger_account, query).await?)
}

/// The command that books cash which a member brought: debit cash, credit the account. Under the
/// same `key` it is booked once.
///
/// # Errors
/// [`AccountError::NotFound`], [`AccountError::Currency`].
pub async fn cash_deposit(
    tx: &TenantTx,
    id: AccountId,
    amount: Money,
    key: LedgerKey,
) -> Result<Command, AccountError> {
    let account = get_account(tx, id).await?;
    // Said here, because the account's currency decides which cash account is debited.
    if account.currency != amount.currency() {
        return Err(AccountError::Currency(account.currency));
    }
    let cash = get_house_account(tx, House::Cash, amount.currency()).await?;
    let legs = vec![
        Leg::debit(cash, amount),
        Leg::credit(account.ledger_account, amount),
    ];
    let dates = Dates::on(tx.now().date_naive());
    let post = Post::try_new(tx.next_id().into(), "cash-deposit", dates, legs)?;
    let command = Command::new(key, Action::Post(post)).by(tx.actor())?;
    Ok(command.with_memo("Cash deposit")?)
}

/// What others are told when an account is frozen or thawed.
#[derive(Serialize)]
struct FreezeChanged<'a> {
    account: AccountId,
    frozen: bool,
    reason: &'a str,
}

/// Freezes an account for `reason`, which auditors read: nothing goes out or comes in, except what
/// was held before. Freezing a frozen account keeps it frozen.
///
/// # Errors
/// [`AccountError::NotFound`], [`AccountError::Closed`].
pub async fn freeze(tx: &TenantTx, id: AccountId, reason: &str) -> Result<Account, AccountError> {
    set_freeze(tx, id, (Freeze::Everything, reason)).await
}

/// Lets money move again, for `reason`.
///
/// # Errors
/// [`AccountError::NotFound`], [`AccountError::Closed`].
pub async fn unfreeze(tx: &TenantTx, id: AccountId, reason: &str) -> Result<Account, AccountError> {
    set_freeze(tx, id, (Freeze::Nothing, reason)).await
}

async fn set_freeze(
    tx: &TenantTx,
    id: AccountId,
    (to, reason): (Freeze, &str),
) -> Result<Account, AccountError> {
    let account = get_account(tx, id).await?;
    let event = FreezeChanged {
        account: id,
        frozen: to != Freeze::Nothing,
        reason,
    };
    outbox::publish(tx, "account.freeze_changed.v1", &event).await?;
    match ledger::set_freeze(tx, account.ledger_account, to).await {
        Err(ledger::LedgerError::UnknownAccount(_)) => Err(AccountError::Closed),
        Err(error) => Err(error.into()),
        Ok(()) => get_account(tx, id).await,
    }
}

async fn with_status(tx: &TenantTx, row: rows::Row) -> Result<Account, AccountError> {
    let books = ledger::find_account(tx, row.ledger_account).await?;
    let books = books.ok_or(AccountError::NotInLedger)?;
    Ok(row.into_account(Status::of(&books)))
}
