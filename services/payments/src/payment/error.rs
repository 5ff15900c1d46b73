//! Why a payment could not be changed or found.

use branchline_banking::{AccountError, InstitutionError};
use branchline_db::DbError;
use branchline_kernel::{Kind, PaymentId, Refusal};
use branchline_ledger::{EngineError, LedgerError, MalformedCommand};

use super::model::WrongState;

/// Why a payment could not be changed or found.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// There is no such payment, or the caller may not know of it.
    #[error("there is no such payment")]
    NotFound,
    /// A payment with that id exists already.
    #[error("there is a payment {0} already")]
    Exists(PaymentId),
    /// Payer and payee are the same account.
    #[error("the payment goes back to the account it comes from")]
    ToItself,
    /// What is stored is not what the member agreed to.
    #[error("the payment is not the one that was agreed to")]
    Changed,
    /// The payment is not in a state for that.
    #[error("the payment cannot be changed like that")]
    WrongState(#[from] WrongState),
    /// Somebody else changed it meanwhile.
    #[error("payment {0} was changed meanwhile")]
    Stale(PaymentId),
    /// The ledger refused for a reason that is not the payment's: no open period, say.
    #[error("the books do not take the payment: {}", .0.code())]
    Books(branchline_ledger::Reason),
    /// The ledger has another command under the payment's key.
    #[error("the ledger has another command under the key of payment {0}")]
    KeyConflict(PaymentId),
    /// The amount or a text is not one that can be booked.
    #[error("the ledger's command cannot be built")]
    Malformed(#[from] MalformedCommand),
    /// An account could not be used.
    #[error("an account of the payment could not be used")]
    Account(#[from] AccountError),
    /// The institution lacks something.
    #[error("the institution's own account could not be used")]
    Institution(#[from] InstitutionError),
    /// The ledger failed.
    #[error("the ledger could not be asked")]
    Ledger(#[from] LedgerError),
    /// The ledger's engine gave no verdict.
    #[error("the ledger gave no verdict")]
    Engine(#[from] EngineError),
    /// The database failed.
    #[error("the payment could not be read or written")]
    Db(#[from] DbError),
}

impl PaymentError {
    /// Whether the same step may simply be done again.
    #[must_use]
    pub fn may_be_repeated(&self) -> bool {
        match self {
            Self::Stale(_) => true,
            Self::Ledger(error) => error.may_be_repeated(),
            Self::Db(error) => error.may_be_repeated(),
            Self::Account(AccountError::Ledger(error))
            | Self::Institution(InstitutionError::Ledger(error)) => error.may_be_repeated(),
            Self::NotFound
            | Self::Exists(_)
            | Self::ToItself
            | Self::Changed
            | Self::WrongState(_)
            | Self::Books(_)
            | Self::KeyConflict(_)
            | Self::Malformed(_)
            | Self::Account(_)
            | Self::Institution(_)
            | Self::Engine(_) => false,
        }
    }
}

impl Refusal for PaymentError {
    fn kind(&self) -> Kind {
        match self {
            Self::NotFound => Kind::NotFound,
            Self::Exists(_) | Self::Changed | Self::WrongState(_) => Kind::Conflict,
            Self::ToItself | Self::Malformed(_) => Kind::Unprocessable,
            Self::Stale(_) => Kind::Unavailable,
            Self::Books(_) | Self::KeyConflict(_) => Kind::Broken,
            Self::Account(error) => error.kind(),
            Self::Institution(error) => error.kind(),
            Self::Ledger(error) => error.kind(),
            Self::Engine(error) => error.kind(),
            Self::Db(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "payment-not-found",
            Self::Exists(_) => "payment-exists",
            Self::ToItself => "payment-to-itself",
            Self::Changed => "payment-changed",
            Self::WrongState(_) => "wrong-state",
            Self::Stale(_) => "unavailable",
            Self::Malformed(_) => "amount-out-of-range",
            Self::Books(_) | Self::KeyConflict(_) => "internal",
            Self::Account(error) => error.code(),
            Self::Institution(error) => error.code(),
            Self::Ledger(error) => error.code(),
            Self::Engine(error) => error.code(),
            Self::Db(error) => error.code(),
        }
    }

    fn public(&self) -> String {
        match self {
            Self::NotFound => "There is no such payment that you may see. Check its id.".to_owned(),
            Self::Exists(_) => {
                "There is a payment with this id already. Mint a new id for a new payment."
                    .to_owned()
            }
            Self::ToItself => {
                "Payer and payee are the same account. Give the payee's IBAN.".to_owned()
            }
            Self::Changed => "The payment is not the one that was shown: nothing was held. Show \
                 it again and ask again."
                .to_owned(),
            Self::WrongState(error) => {
                let WrongState { wanted, was } = error;
                format!("A payment that is {was} cannot be {wanted}. Read its state first.")
            }
            Self::Stale(_) => "The payment was changed at the same moment: nothing was done. \
                 Repeat the request with the same key."
                .to_owned(),
            Self::Malformed(_) => "The amount cannot be booked: it must be above zero and below \
                 4,000,000,000,000,000,000 minor units."
                .to_owned(),
            Self::Books(_) | Self::KeyConflict(_) => {
                "Something on our side is broken. It was logged; quote the request id to the \
                 operator."
                    .to_owned()
            }
            Self::Account(error) => error.public(),
            Self::Institution(error) => error.public(),
            Self::Ledger(error) => error.public(),
            Self::Engine(error) => error.public(),
            Self::Db(error) => error.public(),
        }
    }
}
