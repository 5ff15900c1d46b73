//! What can go wrong besides a verdict.

use branchline_db::DbError;
use branchline_kernel::{Kind, LedgerAccountId, MalformedCursor, Refusal};

/// A failure of the ledger, or of a change of its accounts and periods.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// There is no such account, or it is closed.
    #[error("ledger account {0} does not exist or is closed")]
    UnknownAccount(LedgerAccountId),
    /// The code belongs to another account.
    #[error("there is an account with this code already")]
    CodeTaken,
    /// The chart of accounts lacks the account.
    #[error("the chart of accounts does not have this account")]
    UnknownGlAccount,
    /// The chart of accounts has the account already.
    #[error("the chart of accounts has this account already")]
    GlAccountTaken,
    /// Money lies on the account, booked or pending.
    #[error("the account is not empty")]
    NotEmpty,
    /// The balance lies outside the limits that were to be set.
    #[error("the balance lies outside the limits")]
    LimitBreached,
    /// Another period covers some of the days.
    #[error("another period covers some of these days")]
    PeriodOverlaps,
    /// No open period begins on that day.
    #[error("no open period begins on this day")]
    PeriodNotOpen,
    /// The period, or one before it, is open still.
    #[error("the period or one before it is not closed")]
    PeriodNotClosed,
    /// The day is not over for long enough.
    #[error("the day cannot be sealed yet")]
    DayNotOver,
    /// The day, or a later one, is sealed.
    #[error("the day is sealed already")]
    DaySealed,
    /// A page was asked for with a cursor that no page gave out.
    #[error("the cursor cannot be read")]
    Cursor(#[from] MalformedCursor),
    /// The database failed.
    #[error("the ledger's database statement failed")]
    Db(#[from] DbError),
}

impl LedgerError {
    pub(crate) const fn inconsistent(table: &'static str, column: &'static str) -> Self {
        Self::Db(DbError::Inconsistent { table, column })
    }

    /// Whether the same commands may be given again: nothing was decided, or what was decided
    /// comes back as a replay.
    #[must_use]
    pub fn may_be_repeated(&self) -> bool {
        self.database()
            .is_some_and(|error| error.may_be_repeated() || error.is_constraint("ledger_key_pkey"))
    }

    /// What the database said, if it was the database.
    pub(crate) fn database(&self) -> Option<&DbError> {
        match self {
            Self::Db(error) => Some(error),
            Self::UnknownAccount(_)
            | Self::CodeTaken
            | Self::UnknownGlAccount
            | Self::GlAccountTaken
            | Self::NotEmpty
            | Self::LimitBreached
            | Self::PeriodOverlaps
            | Self::PeriodNotOpen
            | Self::PeriodNotClosed
            | Self::DayNotOver
            | Self::DaySealed
            | Self::Cursor(_) => None,
        }
    }
}

impl Refusal for LedgerError {
    fn kind(&self) -> Kind {
        match self {
            Self::UnknownAccount(_) => Kind::NotFound,
            Self::Cursor(_) => Kind::Invalid,
            Self::CodeTaken
            | Self::GlAccountTaken
            | Self::NotEmpty
            | Self::LimitBreached
            | Self::PeriodOverlaps
            | Self::PeriodNotOpen
            | Self::PeriodNotClosed
            | Self::DayNotOver
            | Self::DaySealed => Kind::Conflict,
            Self::UnknownGlAccount => Kind::Unprocessable,
            Self::Db(error) => {
                if self.may_be_repeated() {
                    Kind::Unavailable
                } else {
                    error.kind()
                }
            }
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::UnknownAccount(_) => "ledger-account-unknown",
            Self::CodeTaken => "account-code-taken",
            Self::UnknownGlAccount => "gl-account-unknown",
            Self::GlAccountTaken => "gl-account-taken",
            Self::NotEmpty => "account-not-empty",
            Self::LimitBreached => "limit-breached",
            Self::PeriodOverlaps => "period-overlaps",
            Self::PeriodNotOpen => "period-not-open",
            Self::PeriodNotClosed => "period-not-closed",
            Self::DayNotOver => "day-not-over",
            Self::DaySealed => "day-sealed",
            Self::Cursor(_) => "malformed-cursor",
            Self::Db(error) => {
                if self.may_be_repeated() {
                    "unavailable"
                } else {
                    error.code()
                }
            }
        }
    }

    fn public(&self) -> String {
        match self {
            Self::UnknownAccount(_) => "There is no such open account. Check its id.".to_owned(),
            Self::CodeTaken => "Another account has this code. Choose another one.".to_owned(),
            Self::UnknownGlAccount => {
                "The chart of accounts does not have this account. Add it first.".to_owned()
            }
            Self::GlAccountTaken => {
                "The chart of accounts has this account already. Nothing is left to do.".to_owned()
            }
            Self::NotEmpty => {
                "Money lies on the account, booked or set aside. Move it away first.".to_owned()
            }
            Self::LimitBreached => {
                "The balance lies outside these limits. Choose others, or move money first."
                    .to_owned()
            }
            Self::PeriodOverlaps => {
                "Another period covers some of these days. Choose days that none covers.".to_owned()
            }
            Self::PeriodNotOpen => {
                "No open period begins on this day. List the periods and choose one.".to_owned()
            }
            Self::PeriodNotClosed => {
                "This period or one before it is open still. Close it first.".to_owned()
            }
            Self::DayNotOver => {
                "The day is not over for a quarter of an hour. Wait until then.".to_owned()
            }
            Self::DaySealed => {
                "This day or a later one is sealed already. Nothing is left to do.".to_owned()
            }
            Self::Cursor(_) => {
                "The cursor is not one that this list gave out. Start again without it.".to_owned()
            }
            Self::Db(error) => error.public(),
        }
    }
}
