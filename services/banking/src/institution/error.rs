//! What can be wrong with an institution.

use branchline_db::DbError;
use branchline_kernel::{Currency, Kind, MalformedIban, Refusal};
use branchline_ledger::LedgerError;

/// Why the institution could not be set up, or lacks something.
#[derive(Debug, thiserror::Error)]
pub enum InstitutionError {
    /// It was set up before.
    #[error("the institution is established already")]
    Established,
    /// Nobody has set it up.
    #[error("the institution is not established yet")]
    NotEstablished,
    /// The bank code leaves too little room for account numbers.
    #[error(
        "the bank code is too long: a BBAN has {length} characters here, 6 of them for accounts"
    )]
    BankCodeTooLong {
        /// Length of a BBAN in the institution's country.
        length: usize,
    },
    /// All account numbers of the bank code are given out.
    #[error("all account numbers are used up")]
    NumbersUsedUp,
    /// Country or bank code cannot stand in an IBAN.
    #[error("country and bank code make no IBAN")]
    Iban(#[from] MalformedIban),
    /// The clock shows a year that no calendar has.
    #[error("the clock shows a year that no calendar has")]
    NoSuchYear,
    /// There is no account for that purpose in that currency, although a member has one in it.
    #[error("the institution lacks an account of its own in {0}")]
    NotOpened(Currency),
    /// The ledger refused or failed.
    #[error("the institution's accounts could not be read or opened")]
    Ledger(#[from] LedgerError),
    /// The database failed.
    #[error("the institution could not be read or written")]
    Db(#[from] DbError),
}

impl Refusal for InstitutionError {
    fn kind(&self) -> Kind {
        match self {
            Self::Established => Kind::Conflict,
            Self::BankCodeTooLong { .. } | Self::Iban(_) => Kind::Unprocessable,
            Self::NotEstablished | Self::NumbersUsedUp | Self::NoSuchYear | Self::NotOpened(_) => {
                Kind::Broken
            }
            Self::Ledger(error) => error.kind(),
            Self::Db(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Established => "institution-established",
            Self::BankCodeTooLong { .. } | Self::Iban(_) => "bank-code-malformed",
            Self::NotEstablished | Self::NumbersUsedUp | Self::NoSuchYear | Self::NotOpened(_) => {
                "internal"
            }
            Self::Ledger(error) => error.code(),
            Self::Db(error) => error.code(),
        }
    }

    fn public(&self) -> String {
        match self {
            Self::Established => {
                "This institution was set up before. Nothing is left to do.".to_owned()
            }
            Self::BankCodeTooLong { length } => format!(
                "The bank code is too long: a BBAN of this country has {length} characters and \
                 6 of them number the accounts. Give a shorter one."
            ),
            Self::Iban(_) => {
                "Country and bank code cannot stand in an IBAN. Give two capitals and \
                 up to 12 capitals or digits."
                    .to_owned()
            }
            Self::NotEstablished | Self::NumbersUsedUp | Self::NoSuchYear | Self::NotOpened(_) => {
                "Something on our side is broken. It was logged; quote the request id to the \
                 operator."
                    .to_owned()
            }
            Self::Ledger(error) => error.public(),
            Self::Db(error) => error.public(),
        }
    }
}
