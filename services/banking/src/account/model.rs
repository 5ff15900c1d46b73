//! What an account is.

use branchline_kernel::{AccountId, Currency, Iban, LedgerAccountId, MemberId};
use branchline_ledger as ledger;
use branchline_ledger::Freeze;

/// What an account is sold as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// Money at hand, no interest.
    Current,
}

impl Product {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Current => "current",
        }
    }

    pub(super) fn of(word: &str) -> Option<Self> {
        [Self::Current]
            .into_iter()
            .find(|known| known.word() == word)
    }
}

/// Whether an account takes and gives money; the ledger decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It does both.
    Open,
    /// At least one side is frozen.
    Frozen,
    /// It has ended.
    Closed,
}

impl Status {
    pub(super) const fn of(books: &ledger::Account) -> Self {
        match (books.closed_on, books.freeze) {
            (Some(_), _) => Self::Closed,
            (None, Freeze::Debits | Freeze::Credits | Freeze::Everything) => Self::Frozen,
            (None, Freeze::Nothing) => Self::Open,
        }
    }
}

/// An account to open.
#[derive(Debug, Clone)]
pub struct NewAccount {
    /// Who shall own it.
    pub member: MemberId,
    /// Its one currency.
    pub currency: Currency,
    /// What it is sold as.
    pub product: Product,
}

/// A member's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Who owns it.
    pub member: MemberId,
    /// The owner's name.
    pub owner_name: String,
    /// What others write to pay to it.
    pub iban: Iban,
    /// Its one currency.
    pub currency: Currency,
    /// What it is sold as.
    pub product: Product,
    /// Whether it takes and gives money.
    pub status: Status,
    /// Where its money is booked.
    pub ledger_account: LedgerAccountId,
}
