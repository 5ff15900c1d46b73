//! Accounts of the ledger: opened, limited, frozen, closed.

use branchline_db::{DbError, OnConstraint, TenantTx, Values};
use branchline_kernel::{Currency, LedgerAccountId};
use chrono::NaiveDate;
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::command::{MAIN_BRANCH, Side};
use crate::error::LedgerError;

/// The bounds of a balance, in minor units of the account's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The least that must stay available: 0, or minus the overdraft. `None` bounds nothing.
    pub floor_minor: Option<i64>,
    /// The most that may be booked.
    pub cap_minor: Option<i64>,
}

impl Limits {
    /// Never below zero: what members' money needs.
    pub const NO_OVERDRAFT: Self = Self {
        floor_minor: Some(0),
        cap_minor: None,
    };
    /// No bounds: for the institution's own accounts.
    pub const NONE: Self = Self {
        floor_minor: None,
        cap_minor: None,
    };
}

/// An account to open.
#[derive(Debug, Clone)]
pub struct NewAccount {
    code: String,
    currency: Currency,
    normal_side: Side,
    gl_account: String,
    branch: String,
    limits: Limits,
}

impl NewAccount {
    /// An account that grows on `normal_side` and is summed up in `gl_account` of the chart.
    /// `code` is its unique name within the tenant.
    #[must_use]
    pub fn new(code: &str, currency: Currency, normal_side: Side, gl_account: &str) -> Self {
        Self {
            code: code.to_owned(),
            currency,
            normal_side,
            gl_account: gl_account.to_owned(),
            branch: MAIN_BRANCH.to_owned(),
            limits: Limits::NONE,
        }
    }

    /// Bounds its balance.
    #[must_use]
    pub const fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Names its branch.
    #[must_use]
    pub fn at_branch(mut self, branch: &str) -> Self {
        branch.clone_into(&mut self.branch);
        self
    }
}

/// Which sides of an account are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freeze {
    /// None.
    Nothing,
    /// Nothing more is debited, nor held; what was held before may still be posted.
    Debits,
    /// Nothing more is credited.
    Credits,
    /// Both.
    Everything,
}

impl Freeze {
    const fn flags(self) -> (bool, bool) {
        match self {
            Self::Nothing => (false, false),
            Self::Debits => (true, false),
            Self::Credits => (false, true),
            Self::Everything => (true, true),
        }
    }

    const fn of(flags: (bool, bool)) -> Self {
        match flags {
            (false, false) => Self::Nothing,
            (true, false) => Self::Debits,
            (false, true) => Self::Credits,
            (true, true) => Self::Everything,
        }
    }
}

/// What an account is, without its balances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: LedgerAccountId,
    /// Its unique name.
    pub code: String,
    /// The currency it is kept in.
    pub currency: Currency,
    /// The side it grows on.
    pub normal_side: Side,
    /// Where the chart of accounts sums it up.
    pub gl_account: String,
    /// Its branch.
    pub branch: String,
    /// The bounds of its balance.
    pub limits: Limits,
    /// What is frozen.
    pub freeze: Freeze,
    /// The day it was closed.
    pub closed_on: Option<NaiveDate>,
}

const OPEN: &str = "SELECT ledger_open_account($1, $2, $3, $4, $5, $6, $7, $8) AS id";
const FREEZE: &str = "SELECT ledger_set_freeze($1, $2, $3) AS found";
const LIMITS: &str = "SELECT ledger_set_limits($1, $2, $3) AS found";
const CLOSE: &str = "SELECT ledger_close_account($1, $2) AS found";
const FIND: &str = "SELECT id, code, currency, normal_side, gl_account, branch, floor_available, \
cap_booked, no_debit, no_credit, closed_on FROM account WHERE id = $1";
const FIND_BY_CODE: &str = "SELECT id, code, currency, normal_side, gl_account, branch, \
floor_available, cap_booked, no_debit, no_credit, closed_on FROM account WHERE code = $1";

/// Opens an account.
///
/// # Errors
/// [`LedgerError::CodeTaken`], [`LedgerError::UnknownGlAccount`].
pub async fn open_account(tx: &TenantTx, new: &NewAccount) -> Result<LedgerAccountId, LedgerError> {
    let exponent = i16::from(new.currency.exponent());
    let values = Values::new()
        .with(new.code.as_str())
        .with(new.currency.code())
        .with(exponent)
        .with(new.normal_side.letter())
        .with(new.gl_account.as_str())
        .with(new.branch.as_str())
        .with(new.limits.floor_minor)
        .with(new.limits.cap_minor);
    let rows = tx.named(OPEN, values).await.map_err(|error| {
        if error.is_constraint("account_code_key") {
            LedgerError::CodeTaken
        } else if error.is_constraint("account_gl_account_fkey") {
            LedgerError::UnknownGlAccount
        } else if error.is_constraint("account_floor_kept")
            || error.is_constraint("account_cap_kept")
        {
            LedgerError::LimitBreached
        } else {
            LedgerError::Db(error)
        }
    })?;
    let row = rows
        .first()
        .ok_or(LedgerError::inconsistent("account", "id"))?;
    let id: i64 = row.try_get("id").map_err(DbError::from)?;
    Ok(LedgerAccountId::from(id))
}

/// Freezes sides of an account, or thaws them.
///
/// # Errors
/// [`LedgerError::UnknownAccount`] when there is no such open account.
pub async fn set_freeze(
    tx: &TenantTx,
    account: LedgerAccountId,
    freeze: Freeze,
) -> Result<(), LedgerError> {
    let (no_debit, no_credit) = freeze.flags();
    let values = Values::new()
        .with(account.number())
        .with(no_debit)
        .with(no_credit);
    found(&tx.named(FREEZE, values).await?, account)
}

/// Changes the bounds of a balance.
///
/// # Errors
/// [`LedgerError::UnknownAccount`], [`LedgerError::LimitBreached`] when the balance lies outside.
pub async fn set_limits(
    tx: &TenantTx,
    account: LedgerAccountId,
    limits: Limits,
) -> Result<(), LedgerError> {
    let values = Values::new()
        .with(account.number())
        .with(limits.floor_minor)
        .with(limits.cap_minor);
    let rows = tx.named(LIMITS, values).await;
    let breached = |error: &DbError| {
        error.is_constraint("account_floor_kept") || error.is_constraint("account_cap_kept")
    };
    match rows {
        Err(error) if breached(&error) => Err(LedgerError::LimitBreached),
        rows => found(&rows?, account),
    }
}

/// Closes an account for good.
///
/// # Errors
/// [`LedgerError::UnknownAccount`], [`LedgerError::NotEmpty`] while money lies on it.
pub async fn close_account(
    tx: &TenantTx,
    account: LedgerAccountId,
    day: NaiveDate,
) -> Result<(), LedgerError> {
    let values = Values::new().with(account.number()).with(day);
    let rows: Result<_, LedgerError> = tx
        .named(CLOSE, values)
        .await
        .on_constraint("account_closed_empty", || LedgerError::NotEmpty);
    found(&rows?, account)
}

/// The account with that id, open or closed.
///
/// # Errors
/// [`LedgerError::Db`].
pub async fn find_account(
    tx: &TenantTx,
    account: LedgerAccountId,
) -> Result<Option<Account>, LedgerError> {
    let rows = tx.named(FIND, Values::new().with(account.number())).await?;
    rows.first().map(read_account).transpose()
}

/// The account with that code, open or closed.
///
/// # Errors
/// [`LedgerError::Db`].
pub async fn find_account_by_code(
    tx: &TenantTx,
    code: &str,
) -> Result<Option<Account>, LedgerError> {
    let rows = tx.named(FIND_BY_CODE, Values::new().with(code)).await?;
    rows.first().map(read_account).transpose()
}

fn found(rows: &[PgRow], account: LedgerAccountId) -> Result<(), LedgerError> {
    let row = rows.first().ok_or(LedgerError::UnknownAccount(account))?;
    let found: bool = row.try_get("found").map_err(DbError::from)?;
    if found {
        Ok(())
    } else {
        Err(LedgerError::UnknownAccount(account))
    }
}

/// The side that a row's letter stands for.
pub(crate) fn read_side(letter: &str, table: &'static str) -> Result<Side, LedgerError> {
    match letter {
        "D" => Ok(Side::Debit),
        "C" => Ok(Side::Credit),
        _other => Err(LedgerError::inconsistent(table, "side")),
    }
}

/// The currency of a row.
pub(crate) fn read_currency(row: &PgRow, table: &'static str) -> Result<Currency, LedgerError> {
    let code: String = row.try_get("currency").map_err(DbError::from)?;
    code.parse()
        .map_err(|_unknown| LedgerError::inconsistent(table, "currency"))
}

fn read_account(row: &PgRow) -> Result<Account, LedgerError> {
    let get = |error: sqlx::Error| LedgerError::Db(error.into());
    let id: i64 = row.try_get("id").map_err(get)?;
    let side: String = row.try_get("normal_side").map_err(get)?;
    Ok(Account {
        id: id.into(),
        code: row.try_get("code").map_err(get)?,
        currency: read_currency(row, "account")?,
        normal_side: read_side(&side, "account")?,
        gl_account: row.try_get("gl_account").map_err(get)?,
        branch: row.try_get("branch").map_err(get)?,
        limits: Limits {
            floor_minor: row.try_get("floor_available").map_err(get)?,
            cap_minor: row.try_get("cap_booked").map_err(get)?,
        },
        freeze: Freeze::of((
            row.try_get("no_debit").map_err(get)?,
            row.try_get("no_credit").map_err(get)?,
        )),
        closed_on: row.try_get("closed_on").map_err(get)?,
    })
}
