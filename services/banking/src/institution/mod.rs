//! The institution itself: what it is called in IBANs, its chart of accounts and its own accounts.
//!
//! # Invariants
//! - An account of the institution is opened once per purpose and currency.
//! - Where a member has an account in a currency, cash and clearing have one in it as well.
//!
//! # Locking
//! Opening an account of the institution, and numbering a member's, locks its one row.

mod error;
mod iban;
mod rows;

use branchline_db::{OnConstraint, TenantTx};
use branchline_kernel::{Currency, Iban, LedgerAccountId};
use branchline_ledger as ledger;
use branchline_ledger::{GlAccount, GlClass, NewAccount, Side};
use chrono::{Datelike, Months, NaiveDate};

pub use error::InstitutionError;

/// What an institution is, as the register knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Institution {
    /// The two letters of its country.
    pub country: String,
    /// How the BBAN of its accounts begins.
    pub bank_code: String,
    /// The currency it reports in.
    pub currency: Currency,
}

/// A way from one institution to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rail {
    /// Between the institutions of this installation.
    Internal,
}

impl Rail {
    /// The word that rows hold.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Internal => "internal",
        }
    }
}

/// An account of the institution itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum House {
    /// Notes and coins.
    Cash,
    /// What others owe us on a rail, less what we owe them.
    Clearing(Rail),
    /// What was netted on a rail and is settled between the institutions.
    Settlement(Rail),
}

impl House {
    fn code(self, currency: Currency) -> String {
        let currency = currency.code();
        match self {
            Self::Cash => format!("house/cash/{currency}"),
            Self::Clearing(rail) => format!("house/clearing/{}/{currency}", rail.word()),
            Self::Settlement(rail) => format!("house/settlement/{}/{currency}", rail.word()),
        }
    }

    const fn gl_account(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::Clearing(_) => "clearing",
            Self::Settlement(_) => "settlement",
        }
    }
}

/// Where members' money is summed up in the chart.
pub(crate) const DEPOSITS: &str = "deposits";

/// The least a new institution needs; more is added as products come.
const CHART: [(&str, &str, GlClass); 5] = [
    ("cash", "Cash", GlClass::Asset),
    ("clearing", "Clearing on rails", GlClass::Asset),
    ("settlement", "Settlement on rails", GlClass::Asset),
    (DEPOSITS, "Members' deposits", GlClass::Liability),
    ("opening-equity", "Opening equity", GlClass::Equity),
];

/// Writes what the institution is, its chart of accounts, and opens the books for this year, month
/// by month. Called once, right after the tenant was made.
///
/// # Errors
/// [`InstitutionError`] when it was done before, or the bank code leaves no room in an IBAN.
pub async fn establish(tx: &TenantTx, new: &Institution) -> Result<(), InstitutionError> {
    // Made and thrown away: an institution that cannot number its accounts is refused now.
    iban::of(&new.country, &new.bank_code, 1)?;
    rows::insert(tx, new)
        .await
        .on_constraint("institution_pkey", || InstitutionError::Established)?;
    for (code, name, class) in CHART {
        let account = GlAccount {
            code: code.to_owned(),
            name: name.to_owned(),
            class,
        };
        ledger::add_gl_account(tx, &account).await?;
    }
    open_months(tx, tx.now().year()).await
}

/// A period is a month: what a past balance reads is bounded by the last period that was closed.
async fn open_months(tx: &TenantTx, year: i32) -> Result<(), InstitutionError> {
    for month in 1..=12 {
        let first = NaiveDate::from_ymd_opt(year, month, 1);
        let last = first
            .and_then(|first| first.checked_add_months(Months::new(1)))
            .and_then(|next| next.pred_opt());
        let (first, last) = first.zip(last).ok_or(InstitutionError::NoSuchYear)?;
        ledger::open_period(tx, first, last).await?;
    }
    Ok(())
}

/// The institution's account for that purpose, opened if this is the first need of it.
///
/// # Errors
/// [`InstitutionError`].
pub async fn house_account(
    tx: &TenantTx,
    house: House,
    currency: Currency,
) -> Result<LedgerAccountId, InstitutionError> {
    if let Some(found) = find_house_account(tx, house, currency).await? {
        return Ok(found);
    }
    // Only one transaction opens it; whoever waited here looks again and finds it.
    rows::lock(tx).await?;
    if let Some(found) = find_house_account(tx, house, currency).await? {
        return Ok(found);
    }
    let code = house.code(currency);
    let new = NewAccount::new(&code, currency, Side::Debit, house.gl_account());
    Ok(ledger::open_account(tx, &new).await?)
}

/// The institution's account for that purpose, if it was ever needed.
///
/// # Errors
/// [`InstitutionError`].
pub async fn find_house_account(
    tx: &TenantTx,
    house: House,
    currency: Currency,
) -> Result<Option<LedgerAccountId>, InstitutionError> {
    let found = ledger::find_account_by_code(tx, &house.code(currency)).await?;
    Ok(found.map(|account| account.id))
}

/// The institution's account for that purpose, for a posting on it.
///
/// # Errors
/// [`InstitutionError::NotOpened`] when no member ever had an account in that currency.
pub async fn get_house_account(
    tx: &TenantTx,
    house: House,
    currency: Currency,
) -> Result<LedgerAccountId, InstitutionError> {
    let found = find_house_account(tx, house, currency).await?;
    found.ok_or(InstitutionError::NotOpened(currency))
}

/// Opens what members' accounts in that currency need on the other side: postings find it there.
pub(crate) async fn open_counterparts(
    tx: &TenantTx,
    currency: Currency,
) -> Result<(), InstitutionError> {
    for house in [House::Cash, House::Clearing(Rail::Internal)] {
        house_account(tx, house, currency).await?;
    }
    Ok(())
}

/// Takes the next account number and spells it as an IBAN.
pub(crate) async fn next_iban(tx: &TenantTx) -> Result<Iban, InstitutionError> {
    let (institution, number) = rows::take_number(tx).await?;
    iban::of(&institution.country, &institution.bank_code, number)
}
