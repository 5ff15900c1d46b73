//! Why an account could not do what was asked.

use branchline_db::DbError;
use branchline_kernel::{Currency, Kind, MemberId, Refusal};
use branchline_ledger::{LedgerError, MalformedCommand, RefusedByLedger};

use crate::institution::InstitutionError;

/// Why an account could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// There is no such account, or the caller may not know of it.
    #[error("there is no such account")]
    NotFound,
    /// The member who shall own it does not exist.
    #[error("there is no member {0}")]
    UnknownMember(MemberId),
    /// The account has ended.
    #[error("the account is closed")]
    Closed,
    /// The account is kept in another currency.
    #[error("the account is kept in {0}")]
    Currency(Currency),
    /// The ledger does not have the account: the books contradict themselves.
    #[error("the account is not in the ledger")]
    NotInLedger,
    /// The amount or a text is not one that can be booked.
    #[error("the ledger's command cannot be built")]
    Malformed(#[from] MalformedCommand),
    /// The ledger refused.
    #[error("the ledger refused")]
    Refused(#[from] RefusedByLedger),
    /// The institution lacks something.
    #[error("the institution's own account could not be used")]
    Institution(#[from] InstitutionError),
    /// The ledger failed.
    #[error("the ledger could not be asked")]
    Ledger(#[from] LedgerError),
    /// The database failed.
    #[error("the account could not be read or written")]
    Db(#[from] DbError),
}

impl Refusal for AccountError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::UnknownMember(_) | Self::Currency(_) | Self::Malformed(_) => Kind::Unprocessable,
            Self::Closed => Kind::Conflict,
            Self::NotInLedger => Kind::Broken,
            Self::Refused(error) => error.kind(),
            Self::Institution(error) => error.kind(),
            Self::Ledger(error) => error.kind(),
            Self::Db(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "account-not-found",
            Self::UnknownMember(_) => "member-unknown",
            Self::Closed => "account-closed",
            Self::Currency(_) => "wrong-currency",
            Self::Malformed(_) => "amount-out-of-range",
            Self::NotInLedger => "internal",
            Self::Refused(error) => error.code(),
            Self::Institution(error) => error.code(),
            Self::Ledger(error) => error.code(),
            Self::Db(error) => error.code(),
        }
    }

    fn public(&self) -> String {
        match self {
            Self::NotFound => {
                "There is no such account that you may use. Check its id or IBAN.".to_owned()
            }
            Self::UnknownMember(_) => {
                "There is no such member. Enroll the member first, then open the account."
                    .to_owned()
            }
            Self::Closed => "The account is closed. Use another one.".to_owned(),
            Self::Currency(currency) => {
                format!("The account is kept in {currency}. Give the amount in {currency}.")
            }
            Self::Malformed(_) => "The amount cannot be booked: it must be above zero and below \
                 4,000,000,000,000,000,000 minor units."
                .to_owned(),
            Self::NotInLedger => "Something on our side is broken. It was logged; quote the \
                 request id to the operator."
                .to_owned(),
            Self::Refused(error) => error.public(),
            Self::Institution(error) => error.public(),
            Self::Ledger(error) => error.public(),
            Self::Db(error) => error.public(),
        }
    }
}
