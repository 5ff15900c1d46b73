//! A consent: from the TPP's wish over the member's approval to its end.
//!
//! # Invariants
//! - A final state never changes; expiry is found at reading, not by a timer alone.
//! - What is granted lies within what was asked for, and is at least one account.

mod error;
mod grant;
#[cfg(test)]
mod tests;

pub use error::ConsentError;
pub use grant::{DataKind, GrantedAccount, Moment, Psu};

use branchline_kernel::{ConsentId, ResourceId, Timestamp, TppId};
use chrono::NaiveDate;

use crate::Xs2aError;
use crate::consent_request::ConsentRequest;
use crate::status::ConsentStatus;

/// How long a consent waits for its member before it counts as rejected (R6).
pub const CONFIRMATION_LIFE_SECS: i64 = 1800;

/// A consent and its history so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consent {
    /// Its name.
    pub id: ConsentId,
    /// Who asked.
    pub tpp: TppId,
    /// What was asked.
    pub request: ConsentRequest,
    /// Where it stands.
    pub state: ConsentState,
    /// The day on which either side last acted on it (R9).
    pub last_action: NaiveDate,
}

/// Where a consent stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsentState {
    /// Waits for its member.
    Received {
        /// From then on it counts as rejected.
        confirm_by: Timestamp,
    },
    /// Approved.
    Valid {
        /// By whom.
        psu: Psu,
        /// Which accounts she chose.
        accounts: Vec<GrantedAccount>,
        /// When.
        since: Timestamp,
    },
    /// Refused by the member, or not approved in time.
    Rejected {
        /// When.
        at: Timestamp,
    },
    /// Withdrawn by the member.
    RevokedByPsu {
        /// When.
        at: Timestamp,
    },
    /// Ended by the TPP, or replaced by a newer consent of the same member.
    TerminatedByTpp {
        /// When.
        at: Timestamp,
    },
    /// Its last day is over.
    Expired {
        /// Its last day.
        last_day: NaiveDate,
    },
}

impl Consent {
    /// A consent that was just asked for.
    #[must_use]
    pub fn received(id: ConsentId, tpp: TppId, request: ConsentRequest, moment: Moment) -> Self {
        let life = chrono::TimeDelta::seconds(CONFIRMATION_LIFE_SECS);
        Self {
            id,
            tpp,
            request,
            state: ConsentState::Received {
                confirm_by: moment.now.checked_add_signed(life).unwrap_or(moment.now),
            },
            last_action: moment.today,
        }
    }

    /// The consent as it stands at `moment`: what has run out is rejected or expired (R2, R6).
    #[must_use]
    pub fn seen_at(self, moment: Moment) -> Self {
        let last_day = self.request.valid_until;
        let state = match self.state {
            ConsentState::Received { confirm_by } if confirm_by <= moment.now => {
                ConsentState::Rejected { at: confirm_by }
            }
            ConsentState::Received { .. } | ConsentState::Valid { .. }
                if last_day < moment.today =>
            {
                ConsentState::Expired { last_day }
            }
            state @ (ConsentState::Received { .. }
            | ConsentState::Valid { .. }
            | ConsentState::Rejected { .. }
            | ConsentState::RevokedByPsu { .. }
            | ConsentState::TerminatedByTpp { .. }
            | ConsentState::Expired { .. }) => state,
        };
        Self { state, ..self }
    }

    /// The member approves.
    ///
    /// # Errors
    /// [`ConsentError`]; nothing is approved then.
    pub fn approve(
        self,
        psu: Psu,
        accounts: Vec<GrantedAccount>,
        moment: Moment,
    ) -> Result<Self, ConsentError> {
        let consent = self.waiting("approved", moment)?;
        if accounts.is_empty() {
            return Err(ConsentError::NoAccount);
        }
        let asked = |account: &GrantedAccount| {
            consent
                .request
                .access
                .permissions_for(&account.iban, account.currency)
                .is_some_and(|asked| account.permissions.within(asked))
        };
        if !accounts.iter().all(asked) {
            return Err(ConsentError::BeyondRequest);
        }
        let since = moment.now;
        Ok(consent.into_state(
            ConsentState::Valid {
                psu,
                accounts,
                since,
            },
            moment,
        ))
    }

    /// The member refuses.
    ///
    /// # Errors
    /// [`ConsentError::WrongState`].
    pub fn reject(self, moment: Moment) -> Result<Self, ConsentError> {
        let consent = self.waiting("refused", moment)?;
        Ok(consent.into_state(ConsentState::Rejected { at: moment.now }, moment))
    }

    /// The member withdraws.
    ///
    /// # Errors
    /// [`ConsentError::WrongState`].
    pub fn revoke(self, moment: Moment) -> Result<Self, ConsentError> {
        let consent = self.seen_at(moment);
        match consent.state {
            ConsentState::Valid { .. } => {
                Ok(consent.into_state(ConsentState::RevokedByPsu { at: moment.now }, moment))
            }
            ConsentState::Received { .. }
            | ConsentState::Rejected { .. }
            | ConsentState::RevokedByPsu { .. }
            | ConsentState::TerminatedByTpp { .. }
            | ConsentState::Expired { .. } => Err(consent.wrong_state("withdrawn")),
        }
    }

    /// The TPP ends it, before or after the approval (R8). A second time is refused, since an ended
    /// consent is no longer good for anything but reading its status.
    ///
    /// # Errors
    /// CONSENT_INVALID or CONSENT_EXPIRED.
    pub fn terminate(self, moment: Moment) -> Result<Self, Xs2aError> {
        let consent = self.seen_at(moment);
        match consent.state {
            ConsentState::Received { .. } | ConsentState::Valid { .. } => {
                Ok(consent.into_state(ConsentState::TerminatedByTpp { at: moment.now }, moment))
            }
            ConsentState::Expired { .. } => Err(Xs2aError::consent_expired()),
            ConsentState::Rejected { .. }
            | ConsentState::RevokedByPsu { .. }
            | ConsentState::TerminatedByTpp { .. } => {
                Err(Xs2aError::consent_invalid("the consent has already ended"))
            }
        }
    }

    /// Whether approving this consent ends `older` (R5): both recurring, of the same TPP and member.
    #[must_use]
    pub fn supersedes(&self, older: &Self) -> bool {
        self.id != older.id
            && self.tpp == older.tpp
            && self.request.recurring
            && older.request.recurring
            && self.psu().is_some()
            && self.psu() == older.psu()
    }

    /// Ends a consent because a newer one took its place.
    ///
    /// # Errors
    /// CONSENT_INVALID or CONSENT_EXPIRED when it had ended before.
    pub fn superseded(self, moment: Moment) -> Result<Self, Xs2aError> {
        self.terminate(moment)
    }

    /// The accounts a read may show.
    ///
    /// # Errors
    /// CONSENT_INVALID, CONSENT_EXPIRED.
    pub fn accounts_at(&self, moment: Moment) -> Result<&[GrantedAccount], Xs2aError> {
        match &self.state {
            ConsentState::Valid { accounts, .. } if moment.today <= self.request.valid_until => {
                Ok(accounts)
            }
            ConsentState::Valid { .. } | ConsentState::Expired { .. } => {
                Err(Xs2aError::consent_expired())
            }
            ConsentState::Received { .. } => Err(Xs2aError::consent_invalid(
                "the member has not approved the consent yet: send her through the redirect",
            )),
            ConsentState::Rejected { .. }
            | ConsentState::RevokedByPsu { .. }
            | ConsentState::TerminatedByTpp { .. } => Err(Xs2aError::consent_invalid(
                "the consent was refused, withdrawn or ended: ask the member for a new one",
            )),
        }
    }

    /// The account of the path, when the consent opens `kind` of it.
    ///
    /// # Errors
    /// As [`Consent::accounts_at`]; RESOURCE_UNKNOWN for an account that is not in it,
    /// CONSENT_INVALID for a right that is not (R14).
    pub fn permit(
        &self,
        resource: ResourceId,
        kind: DataKind,
        moment: Moment,
    ) -> Result<&GrantedAccount, Xs2aError> {
        let account = self
            .accounts_at(moment)?
            .iter()
            .find(|account| account.resource == resource)
            .ok_or_else(Xs2aError::resource_unknown)?;
        if account.opens(kind) {
            Ok(account)
        } else {
            Err(Xs2aError::consent_invalid(
                "the consent does not open this kind of data of the account",
            ))
        }
    }

    /// The member who approved it.
    #[must_use]
    pub const fn psu(&self) -> Option<&Psu> {
        match &self.state {
            ConsentState::Valid { psu, .. } => Some(psu),
            ConsentState::Received { .. }
            | ConsentState::Rejected { .. }
            | ConsentState::RevokedByPsu { .. }
            | ConsentState::TerminatedByTpp { .. }
            | ConsentState::Expired { .. } => None,
        }
    }

    /// Where it stands, in the standard's word.
    #[must_use]
    pub const fn status(&self) -> ConsentStatus {
        match self.state {
            ConsentState::Received { .. } => ConsentStatus::Received,
            ConsentState::Valid { .. } => ConsentStatus::Valid,
            ConsentState::Rejected { .. } => ConsentStatus::Rejected,
            ConsentState::RevokedByPsu { .. } => ConsentStatus::RevokedByPsu,
            ConsentState::TerminatedByTpp { .. } => ConsentStatus::TerminatedByTpp,
            ConsentState::Expired { .. } => ConsentStatus::Expired,
        }
    }

    /// What the member approves, as one text: its hash is what her code is bound to.
    #[must_use]
    pub fn approval_text(&self, accounts: &[GrantedAccount]) -> String {
        let mut lines: Vec<_> = accounts
            .iter()
            .map(|granted| {
                format!(
                    "account {} balances {} transactions {}",
                    granted.account, granted.permissions.balances, granted.permissions.transactions
                )
            })
            .collect();
        lines.sort_unstable();
        format!(
            "consent {}\ntpp {}\nrecurring {}\nuntil {}\nper day {}\n{}",
            self.id,
            self.tpp,
            self.request.recurring,
            self.request.valid_until,
            self.request.frequency_per_day,
            lines.join("\n")
        )
    }

    fn waiting(self, wanted: &'static str, moment: Moment) -> Result<Self, ConsentError> {
        let consent = self.seen_at(moment);
        match consent.state {
            ConsentState::Received { .. } => Ok(consent),
            ConsentState::Valid { .. }
            | ConsentState::Rejected { .. }
            | ConsentState::RevokedByPsu { .. }
            | ConsentState::TerminatedByTpp { .. }
            | ConsentState::Expired { .. } => Err(consent.wrong_state(wanted)),
        }
    }

    const fn wrong_state(&self, wanted: &'static str) -> ConsentError {
        ConsentError::WrongState {
            wanted,
            status: self.status(),
        }
    }

    fn into_state(self, state: ConsentState, moment: Moment) -> Self {
        Self {
            state,
            last_action: moment.today,
            ..self
        }
    }
}
