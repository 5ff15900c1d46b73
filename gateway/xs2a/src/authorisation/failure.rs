//! Why a run of strong customer authentication fails, or does not go on.

use std::str::FromStr;

use branchline_kernel::{Kind, Refusal};

use crate::status::ScaStatus;

/// Why a run failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaFailure {
    /// Too many wrong codes.
    CodesExhausted,
    /// The code was typed too late.
    TimedOut,
    /// What she was to approve changed after the code was sent.
    ContentChanged,
    /// She refused.
    Refused,
}

impl ScaFailure {
    /// A stable name for a row.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CodesExhausted => "codes-exhausted",
            Self::TimedOut => "timed-out",
            Self::ContentChanged => "content-changed",
            Self::Refused => "refused",
        }
    }
}

impl FromStr for ScaFailure {
    type Err = NotAFailure;

    fn from_str(text: &str) -> Result<Self, NotAFailure> {
        [
            Self::CodesExhausted,
            Self::TimedOut,
            Self::ContentChanged,
            Self::Refused,
        ]
        .into_iter()
        .find(|failure| failure.as_str() == text)
        .ok_or(NotAFailure)
    }
}

/// A text that names no failure of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a reason for which a run of strong customer authentication fails")]
pub struct NotAFailure;

/// Why a run does not go on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScaError {
    /// Its state does not allow it.
    #[error("the authorisation cannot be {wanted}: it is {status:?}")]
    WrongState {
        /// What was to happen.
        wanted: &'static str,
        /// Where it stands.
        status: ScaStatus,
    },
    /// Another member than the one it began with.
    #[error("another member began this authorisation")]
    OtherPsu,
    /// Too many codes were asked for.
    #[error("no more codes are sent in this authorisation")]
    TooManyCodes,
}

impl Refusal for ScaError {
    fn kind(&self) -> Kind {
        match self {
            Self::WrongState { .. } => Kind::Conflict,
            // The page must not tell one member that another one was here.
            Self::OtherPsu => Kind::NotFound,
            Self::TooManyCodes => Kind::TooMany,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::WrongState { .. } => "authorisation-state",
            Self::OtherPsu => "authorisation-unknown",
            Self::TooManyCodes => "too-many-codes",
        }
    }

    fn public(&self) -> String {
        match self {
            Self::WrongState { .. } => {
                "This approval has already ended. Start again from the app that asked for it."
            }
            Self::OtherPsu => "There is nothing to approve here for you.",
            Self::TooManyCodes => {
                "No more codes can be sent. Start again from the app that asked for the approval."
            }
        }
        .to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_failures_are_read_back() {
        for why in [
            ScaFailure::CodesExhausted,
            ScaFailure::TimedOut,
            ScaFailure::ContentChanged,
            ScaFailure::Refused,
        ] {
            assert_eq!(why.as_str().parse(), Ok(why));
        }
        assert_eq!("".parse::<ScaFailure>(), Err(NotAFailure));
    }
}
