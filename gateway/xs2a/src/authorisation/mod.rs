//! One run of strong customer authentication: who approves what, and whether her code was right.
//!
//! # Invariants
//! - The member of a run never changes once she is known (R28).
//! - Wrong codes add up over all codes that were sent, so that asking for a new one gives no new
//!   attempts.
//! - A run that ended never starts again (R31).

mod content_hash;
mod failure;

pub use content_hash::{ContentHash, MalformedHash};
pub use failure::{NotAFailure, ScaError, ScaFailure};

use branchline_kernel::{AuthorisationId, Timestamp};

use crate::consent::Psu;
use crate::status::ScaStatus;

/// Wrong codes after which the run has failed.
pub const MAX_CODE_ATTEMPTS: u8 = 3;
/// Codes that are sent at most in one run.
const MAX_ROUNDS: u8 = 5;
/// How long a code is good.
pub const SCA_LIFE_SECS: i64 = 300;

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

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;

    fn at(seconds: i64) -> Timestamp {
        DateTime::from_timestamp(1_795_219_200_i64.saturating_add(seconds), 0).unwrap()
    }

    fn psu(subject: &str) -> Psu {
        Psu {
            issuer: "https://id.example".to_owned(),
            subject: subject.to_owned(),
        }
    }

    fn content(digit: &str) -> ContentHash {
        digit.repeat(64).parse().unwrap()
    }

    fn started() -> Authorisation {
        let signed_in = Authorisation::Received
            .authenticate(psu("achieng"))
            .unwrap();
        signed_in.start(content("a"), at(0)).unwrap()
    }

    fn answer(run: Authorisation, code: CodeCheck) -> (Authorisation, ScaOutcome) {
        run.answer(code, &content("a"), at(1)).unwrap()
    }

    #[test]
    fn the_right_code_in_time_approves() {
        let (run, outcome) = answer(started(), CodeCheck::Right);
        assert_eq!(outcome, ScaOutcome::Approved);
        assert_eq!(run.status(), ScaStatus::Finalised);
        assert_eq!(run.psu(), Some(&psu("achieng")));
    }

    #[test]
    fn r32_the_third_wrong_code_ends_the_run() {
        let (run, outcome) = answer(started(), CodeCheck::Wrong);
        assert_eq!(outcome, ScaOutcome::WrongCode { left: 2 });
        let (run, outcome) = answer(run, CodeCheck::Wrong);
        assert_eq!(outcome, ScaOutcome::WrongCode { left: 1 });
        let (run, outcome) = answer(run, CodeCheck::Wrong);
        assert_eq!(outcome, ScaOutcome::Failed(ScaFailure::CodesExhausted));
        assert!(run.answer(CodeCheck::Right, &content("a"), at(1)).is_err());
    }

    #[test]
    fn a_new_code_gives_no_new_attempts() {
        let (run, _) = answer(started(), CodeCheck::Wrong);
        let (run, _) = answer(run.start(content("a"), at(2)).unwrap(), CodeCheck::Wrong);
        let run = run.start(content("a"), at(3)).unwrap();
        let (_, outcome) = answer(run, CodeCheck::Wrong);
        assert_eq!(outcome, ScaOutcome::Failed(ScaFailure::CodesExhausted));
    }

    #[test]
    fn codes_are_sent_five_times_at_most_and_each_has_its_challenge() {
        let id: AuthorisationId = "0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f".parse().unwrap();
        let mut run = started();
        for round in 1..=5 {
            assert_eq!(run.challenge(id), Some(format!("{id}/{round}")));
            match run.clone().start(content("a"), at(1)) {
                Ok(next) => run = next,
                Err(error) => assert_eq!((round, error), (5, ScaError::TooManyCodes)),
            }
        }
        assert_eq!(run.start(content("a"), at(1)), Err(ScaError::TooManyCodes));
        assert_eq!(Authorisation::Received.challenge(id), None);
    }

    #[test]
    fn a_late_code_is_void() {
        let in_time = started()
            .answer(CodeCheck::Right, &content("a"), at(299))
            .unwrap();
        assert_eq!(in_time.1, ScaOutcome::Approved);
        let late = started()
            .answer(CodeCheck::Right, &content("a"), at(300))
            .unwrap();
        assert_eq!(late.1, ScaOutcome::Failed(ScaFailure::TimedOut));
    }

    #[test]
    fn a_change_after_the_code_was_sent_voids_even_the_right_code() {
        let (run, outcome) = started()
            .answer(CodeCheck::Right, &content("b"), at(1))
            .unwrap();
        assert_eq!(outcome, ScaOutcome::Failed(ScaFailure::ContentChanged));
        assert_eq!(run.status(), ScaStatus::Failed);
    }

    #[test]
    fn r28_the_member_of_a_run_never_changes() {
        let identified = Authorisation::Received.identify(psu("achieng")).unwrap();
        let signed_in = identified.clone().authenticate(psu("achieng")).unwrap();
        for run in [identified.clone(), signed_in.clone(), started()] {
            assert_eq!(
                run.clone().authenticate(psu("barasa")),
                Err(ScaError::OtherPsu)
            );
            assert!(run.authenticate(psu("achieng")).is_ok());
        }
        assert_eq!(identified.identify(psu("barasa")), Err(ScaError::OtherPsu));
        assert!(signed_in.identify(psu("achieng")).is_err());
    }

    #[test]
    fn no_code_is_sent_before_she_signed_in() {
        assert!(Authorisation::Received.start(content("a"), at(0)).is_err());
        let identified = Authorisation::Received.identify(psu("achieng")).unwrap();
        assert!(identified.start(content("a"), at(0)).is_err());
        let answered = Authorisation::Received.answer(CodeCheck::Right, &content("a"), at(0));
        assert!(matches!(answered, Err(ScaError::WrongState { .. })));
    }

    #[test]
    fn r31_a_run_that_ended_never_starts_again() {
        let ended = [
            answer(started(), CodeCheck::Right).0,
            started().fail(ScaFailure::Refused, at(1)).unwrap(),
            Authorisation::Received.exempt(at(1)).unwrap(),
        ];
        for run in ended {
            assert!(run.is_final());
            assert!(run.clone().identify(psu("achieng")).is_err());
            assert!(run.clone().authenticate(psu("achieng")).is_err());
            assert!(run.clone().start(content("a"), at(1)).is_err());
            assert!(
                run.clone()
                    .answer(CodeCheck::Right, &content("a"), at(1))
                    .is_err()
            );
            assert!(run.clone().exempt(at(1)).is_err());
            assert!(run.fail(ScaFailure::Refused, at(1)).is_err());
        }
        assert!(started().exempt(at(1)).is_err());
    }
}
