//! The chart of accounts, the periods, and the trial balance that comes of both.

use branchline_db::{DbError, OnConstraint, TenantTx, Values};
use branchline_kernel::{Money, Timestamp};
use chrono::NaiveDate;
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::account::read_currency;
use crate::error::LedgerError;

/// What an account of the chart stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GlClass {
    /// What the institution owns.
    Asset,
    /// What it owes.
    Liability,
    /// What belongs to its owners.
    Equity,
    /// What it earns.
    Income,
    /// What it spends.
    Expense,
}

impl GlClass {
    const ALL: [Self; 5] = [
        Self::Asset,
        Self::Liability,
        Self::Equity,
        Self::Income,
        Self::Expense,
    ];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Asset => "asset",
            Self::Liability => "liability",
            Self::Equity => "equity",
            Self::Income => "income",
            Self::Expense => "expense",
        }
    }
}

/// An account of the chart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlAccount {
    /// Its code, such as `2000`.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// What it stands for.
    pub class: GlClass,
}

/// One line of the trial balance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialBalanceRow {
    /// The account of the chart.
    pub gl_account: GlAccount,
    /// All debits.
    pub debits: Money,
    /// All credits.
    pub credits: Money,
}

const ADD_GL_ACCOUNT: &str = "SELECT ledger_add_gl_account($1, $2, $3)";
const OPEN_PERIOD: &str = "SELECT ledger_open_period($1, $2)";
const CLOSE_PERIOD: &str = "SELECT ledger_close_period($1) AS closed_at";
const LAST_DAY: &str = "SELECT last_day FROM period ORDER BY first_day DESC LIMIT 1";
const TRIAL_BALANCE: &str = "SELECT g.code, g.name, g.class, s.currency, s.dr, s.cr \
FROM (SELECT t.gl_account, t.currency, sum(t.dr)::bigint AS dr, sum(t.cr)::bigint AS cr \
FROM gl_total t WHERE t.period BETWEEN $1 AND $2 GROUP BY t.gl_account, t.currency) s \
JOIN gl_account g ON g.code = s.gl_account ORDER BY g.code, s.currency";

/// Adds an account to the chart.
///
/// # Errors
/// [`LedgerError::GlAccountTaken`] when the chart has it already.
pub async fn add_gl_account(tx: &TenantTx, account: &GlAccount) -> Result<(), LedgerError> {
    let values = Values::new()
        .with(account.code.as_str())
        .with(account.name.as_str())
        .with(account.class.word());
    tx.named(ADD_GL_ACCOUNT, values)
        .await
        .map(drop)
        .on_constraint("gl_account_pkey", || LedgerError::GlAccountTaken)
}

/// Opens the books for the days from `first` to `last`.
///
/// # Errors
/// [`LedgerError::PeriodOverlaps`] when another period, open or closed, covers some of
/// them, or later balances are marked.
pub async fn open_period(
    tx: &TenantTx,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<(), LedgerError> {
    let opened = tx
        .named(OPEN_PERIOD, Values::new().with(first).with(last))
        .await
        .map(drop);
    match opened {
        Err(error)
            if error.is_constraint("period_no_overlap")
                || error.is_constraint("period_pkey")
                || error.is_constraint("period_before_marks") =>
        {
            Err(LedgerError::PeriodOverlaps)
        }
        opened => Ok(opened?),
    }
}

/// The last day that any period covers, open or closed; nothing where none was ever opened.
///
/// # Errors
/// [`LedgerError::Db`].
pub async fn last_day_of_books(tx: &TenantTx) -> Result<Option<NaiveDate>, LedgerError> {
    let rows = tx.named(LAST_DAY, Values::new()).await?;
    let read = |row: &PgRow| row.try_get("last_day").map_err(DbError::from);
    Ok(rows.first().map(read).transpose()?)
}

/// Closes the period that begins on `first`, for good, and gives the instant of closing: what was
/// booked under its days was booked before it.
///
/// # Errors
/// [`LedgerError::PeriodNotOpen`] when no open period begins on that day.
pub async fn close_period(tx: &TenantTx, first: NaiveDate) -> Result<Timestamp, LedgerError> {
    let rows = tx.named(CLOSE_PERIOD, Values::new().with(first)).await?;
    let closed: Option<Timestamp> = match rows.first() {
        Some(row) => row.try_get("closed_at").map_err(DbError::from)?,
        None => None,
    };
    closed.ok_or(LedgerError::PeriodNotOpen)
}

/// The sums of all periods that begin within `first` to `last`, by account of the chart and
/// currency. Debits and credits agree in each currency.
///
/// # Errors
/// [`LedgerError::Db`].
pub async fn trial_balance(
    tx: &TenantTx,
    first: NaiveDate,
    last: NaiveDate,
) -> Result<Vec<TrialBalanceRow>, LedgerError> {
    let values = Values::new().with(first).with(last);
    let rows = tx.named(TRIAL_BALANCE, values).await?;
    rows.iter().map(read_row).collect()
}

fn read_row(row: &PgRow) -> Result<TrialBalanceRow, LedgerError> {
    let get = |error: sqlx::Error| LedgerError::Db(error.into());
    let currency = read_currency(row, "gl_total")?;
    let class: String = row.try_get("class").map_err(get)?;
    let class = GlClass::ALL
        .into_iter()
        .find(|known| known.word() == class)
        .ok_or(LedgerError::inconsistent("gl_account", "class"))?;
    Ok(TrialBalanceRow {
        gl_account: GlAccount {
            code: row.try_get("code").map_err(get)?,
            name: row.try_get("name").map_err(get)?,
            class,
        },
        debits: Money::new(row.try_get("dr").map_err(get)?, currency),
        credits: Money::new(row.try_get("cr").map_err(get)?, currency),
    })
}
