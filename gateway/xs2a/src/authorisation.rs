//! One run of strong customer authentication: who approves what, and whether her code was right.
//!
//! # Invariants
//! - The member of a run never changes once she is known (R28).
//! - Wrong codes add up over all codes that were sent, so that asking for a new one gives no new
//!   attempts.
//! - A run that ended never starts again (R31).

use std::fmt;
use std::str::FromStr;

use branchline_kernel::{AuthorisationId, Kind, Refusal, Timestamp};

use crate::consent::Psu;
use crate::status::ScaStatus;

/// Wrong codes after which the run has failed.
pub const MAX_CODE_ATTEMPTS: u8 = 3;
/// Codes that are sent at most in one run.
const MAX_ROUNDS: u8 = 5;
/// How long a code is good.
pub const SCA_LIFE_SECS: i64 = 300;

/// The SHA-256, in hex, of what a member approves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContentHash(String);

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Authorisation {
    /// Created with the consent or payment.
    Received,
    /// The TPP named the member.
    PsuIdentified {
        /// Who it is said to be.
        psu: Psu,
    },
    /// She signed in.
    PsuAuthenticated {
        /// Who she is.
        psu: Psu,
    },
    /// A code was sent.
    Started {
        /// Who she is.
        psu: Psu,
        /// What the code is bound to.
        content: ContentHash,
        /// How many codes were sent, this one included.
        round: u8,
        /// How many wrong codes were typed.
        wrong_attempts: u8,
        /// From then on the code is void.
        expires_at: Timestamp,
    },
    /// She approved.
    Finalised {
        /// Who she is.
        psu: Psu,
        /// When.
        at: Timestamp,
    },
    /// It ended without approval.
    Failed {
        /// Why.
        why: ScaFailure,
        /// When.
        at: Timestamp,
    },
    /// No approval is needed.
    Exempted {
        /// When.
        at: Timestamp,
    },
}

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

/// Whether the typed code is the one that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CodeCheck {
    /// It is.
    Right,
    /// It is not.
    Wrong,
}

/// What a typed code led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScaOutcome {
    /// She approved.
    Approved,
    /// The code was wrong; so many attempts are left.
    WrongCode {
        /// Attempts left, at least one.
        left: u8,
    },
    /// The run ended.
    Failed(ScaFailure),
}

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

impl Authorisation {
    /// The TPP names the member.
    ///
    /// # Errors
    /// [`ScaError::WrongState`], [`ScaError::OtherPsu`].
    pub fn identify(self, psu: Psu) -> Result<Self, ScaError> {
        match self {
            Self::Received => Ok(Self::PsuIdentified { psu }),
            Self::PsuIdentified { psu: known } if known == psu => Ok(Self::PsuIdentified { psu }),
            Self::PsuIdentified { .. } => Err(ScaError::OtherPsu),
            Self::PsuAuthenticated { .. }
            | Self::Started { .. }
            | Self::Finalised { .. }
            | Self::Failed { .. }
            | Self::Exempted { .. } => Err(self.wrong_state("identified")),
        }
    }

    /// She signed in. Signing in again, as the same member, changes nothing.
    ///
    /// # Errors
    /// [`ScaError::WrongState`], [`ScaError::OtherPsu`].
    pub fn authenticate(self, psu: Psu) -> Result<Self, ScaError> {
        match &self {
            Self::Received => Ok(Self::PsuAuthenticated { psu }),
            Self::PsuIdentified { psu: known } if *known == psu => {
                Ok(Self::PsuAuthenticated { psu })
            }
            Self::PsuAuthenticated { psu: known } | Self::Started { psu: known, .. }
                if *known == psu =>
            {
                Ok(self)
            }
            Self::PsuIdentified { .. } | Self::PsuAuthenticated { .. } | Self::Started { .. } => {
                Err(ScaError::OtherPsu)
            }
            Self::Finalised { .. } | Self::Failed { .. } | Self::Exempted { .. } => {
                Err(self.wrong_state("authenticated"))
            }
        }
    }

    /// A code is sent, the first or a new one; it is bound to `content`.
    ///
    /// # Errors
    /// [`ScaError::WrongState`] before she signed in or after the end, [`ScaError::TooManyCodes`].
    pub fn start(self, content: ContentHash, now: Timestamp) -> Result<Self, ScaError> {
        let life = chrono::TimeDelta::seconds(SCA_LIFE_SECS);
        let expires_at = now.checked_add_signed(life).unwrap_or(now);
        let (psu, sent, wrong_attempts) = match self {
            Self::PsuAuthenticated { psu } => (psu, 0, 0),
            Self::Started {
                psu,
                round,
                wrong_attempts,
                ..
            } => (psu, round, wrong_attempts),
            Self::Received
            | Self::PsuIdentified { .. }
            | Self::Finalised { .. }
            | Self::Failed { .. }
            | Self::Exempted { .. } => return Err(self.wrong_state("started")),
        };
        match sent.checked_add(1) {
            Some(round) if round <= MAX_ROUNDS => Ok(Self::Started {
                psu,
                content,
                round,
                wrong_attempts,
                expires_at,
            }),
            Some(_) | None => Err(ScaError::TooManyCodes),
        }
    }

    /// She typed a code. `current` is the hash of what stands in the row now, so that a change
    /// after the code was sent voids the code whatever was typed.
    ///
    /// The next state must be stored in a transaction of its own, also when the code was wrong:
    /// a counter that is rolled back with the refusal counts nothing (R32).
    ///
    /// # Errors
    /// [`ScaError::WrongState`] when no code waits.
    pub fn answer(
        self,
        code: CodeCheck,
        current: &ContentHash,
        now: Timestamp,
    ) -> Result<(Self, ScaOutcome), ScaError> {
        let Self::Started {
            psu,
            content,
            round,
            wrong_attempts,
            expires_at,
        } = self
        else {
            return Err(self.wrong_state("answered"));
        };
        let fail = |why| (Self::Failed { why, at: now }, ScaOutcome::Failed(why));
        if content != *current {
            return Ok(fail(ScaFailure::ContentChanged));
        }
        if expires_at <= now {
            return Ok(fail(ScaFailure::TimedOut));
        }
        if code == CodeCheck::Right {
            return Ok((Self::Finalised { psu, at: now }, ScaOutcome::Approved));
        }
        let wrong_attempts = wrong_attempts.saturating_add(1);
        match MAX_CODE_ATTEMPTS.checked_sub(wrong_attempts) {
            None | Some(0) => Ok(fail(ScaFailure::CodesExhausted)),
            Some(left) => Ok((
                Self::Started {
                    psu,
                    content,
                    round,
                    wrong_attempts,
                    expires_at,
                },
                ScaOutcome::WrongCode { left },
            )),
        }
    }

    /// She refuses, or the time for the whole approval is over.
    ///
    /// # Errors
    /// [`ScaError::WrongState`] when it ended before.
    pub fn fail(self, why: ScaFailure, now: Timestamp) -> Result<Self, ScaError> {
        if self.is_final() {
            Err(self.wrong_state("ended"))
        } else {
            Ok(Self::Failed { why, at: now })
        }
    }

    /// No approval is needed.
    ///
    /// # Errors
    /// [`ScaError::WrongState`] once it began.
    pub fn exempt(self, now: Timestamp) -> Result<Self, ScaError> {
        match self {
            Self::Received | Self::PsuIdentified { .. } => Ok(Self::Exempted { at: now }),
            Self::PsuAuthenticated { .. }
            | Self::Started { .. }
            | Self::Finalised { .. }
            | Self::Failed { .. }
            | Self::Exempted { .. } => Err(self.wrong_state("exempted")),
        }
    }

    /// The name of the challenge that waits, from which its code is derived: each code that is
    /// sent has its own.
    #[must_use]
    pub fn challenge(&self, id: AuthorisationId) -> Option<String> {
        match self {
            Self::Started { round, .. } => Some(format!("{id}/{round}")),
            Self::Received
            | Self::PsuIdentified { .. }
            | Self::PsuAuthenticated { .. }
            | Self::Finalised { .. }
            | Self::Failed { .. }
            | Self::Exempted { .. } => None,
        }
    }

    /// The member, once she is known.
    #[must_use]
    pub const fn psu(&self) -> Option<&Psu> {
        match self {
            Self::PsuIdentified { psu }
            | Self::PsuAuthenticated { psu }
            | Self::Started { psu, .. }
            | Self::Finalised { psu, .. } => Some(psu),
            Self::Received | Self::Failed { .. } | Self::Exempted { .. } => None,
        }
    }

    /// Whether nothing follows any more.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        match self {
            Self::Finalised { .. } | Self::Failed { .. } | Self::Exempted { .. } => true,
            Self::Received
            | Self::PsuIdentified { .. }
            | Self::PsuAuthenticated { .. }
            | Self::Started { .. } => false,
        }
    }

    /// Where it stands, in the standard's word.
    #[must_use]
    pub const fn status(&self) -> ScaStatus {
        match self {
            Self::Received => ScaStatus::Received,
            Self::PsuIdentified { .. } => ScaStatus::PsuIdentified,
            Self::PsuAuthenticated { .. } => ScaStatus::PsuAuthenticated,
            Self::Started { .. } => ScaStatus::Started,
            Self::Finalised { .. } => ScaStatus::Finalised,
            Self::Failed { .. } => ScaStatus::Failed,
            Self::Exempted { .. } => ScaStatus::Exempted,
        }
    }

    const fn wrong_state(&self, wanted: &'static str) -> ScaError {
        ScaError::WrongState {
            wanted,
            status: self.status(),
        }
    }
}

impl ContentHash {
    /// The hash as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is no SHA-256 in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a SHA-256: expected 64 small hexadecimal digits")]
pub struct MalformedHash;

impl FromStr for ContentHash {
    type Err = MalformedHash;

    fn from_str(text: &str) -> Result<Self, MalformedHash> {
        let hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
        if text.len() == 64 && text.bytes().all(hex) {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedHash)
        }
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
