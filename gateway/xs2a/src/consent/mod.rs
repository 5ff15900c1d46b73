//! A consent: from the TPP's wish over the member's approval to its end.
//!
//! # Invariants
//! - A final state never changes; expiry is found at reading, not by a timer alone.
//! - What is granted lies within what was asked for, and is at least one account.

mod error;
mod grant;

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Permissions;
    use branchline_kernel::Refusal;
    use chrono::DateTime;
    use serde_json::{Value, json};

    const ONE: &str = "DE89370400440532013000";
    const TWO: &str = "FI2112345600000785";

    fn at(seconds: i64) -> Moment {
        let second = 1_795_219_200_i64.saturating_add(seconds); // 2026-11-21 and so many
        Moment::utc(DateTime::from_timestamp(second, 0).unwrap())
    }

    fn day(days: i64) -> Moment {
        at(days.saturating_mul(86_400))
    }

    fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(number: u8) -> T {
        format!("0191e3a4-5c2b-7d3e-8f00-0000000000{number:02}")
            .parse()
            .unwrap()
    }

    fn asked(access: Value) -> Consent {
        let body = json!({"access": access, "recurringIndicator": true, "frequencyPerDay": 4,
            "validUntil": "2026-11-30", "combinedServiceIndicator": false});
        let request = ConsentRequest::parse(&body, at(0)).unwrap();
        Consent::received(id(1), id(2), request, at(0))
    }

    fn consent() -> Consent {
        asked(json!({"accounts": [{"iban": ONE}], "balances": [{"iban": ONE}]}))
    }

    fn account(iban: &str, opened: &[DataKind]) -> GrantedAccount {
        GrantedAccount {
            resource: id(7),
            account: id(8),
            iban: iban.parse().unwrap(),
            currency: "EUR".parse().unwrap(),
            permissions: Permissions {
                balances: opened.contains(&DataKind::Balances),
                transactions: opened.contains(&DataKind::Transactions),
            },
        }
    }

    fn psu(subject: &str) -> Psu {
        Psu {
            issuer: "https://id.example".to_owned(),
            subject: subject.to_owned(),
        }
    }

    fn valid() -> Consent {
        let accounts = vec![account(ONE, &[DataKind::Balances])];
        consent().approve(psu("achieng"), accounts, at(60)).unwrap()
    }

    fn code<T: std::fmt::Debug>(result: Result<T, Xs2aError>) -> &'static str {
        result.unwrap_err().code()
    }

    #[test]
    fn an_approved_consent_opens_what_was_chosen() {
        let consent = valid();
        assert_eq!(consent.status(), ConsentStatus::Valid);
        let opened = consent.permit(id(7), DataKind::Balances, at(61)).unwrap();
        assert_eq!(opened.iban.as_str(), ONE);
        assert!(consent.permit(id(7), DataKind::Details, at(61)).is_ok());
    }

    #[test]
    fn r14_a_right_that_was_not_given_makes_the_consent_invalid() {
        assert_eq!(
            code(valid().permit(id(7), DataKind::Transactions, at(61))),
            "consent-invalid"
        );
    }

    #[test]
    fn r16_an_account_outside_the_consent_is_unknown() {
        assert_eq!(
            code(valid().permit(id(9), DataKind::Balances, at(61))),
            "resource-unknown"
        );
    }

    #[test]
    fn a_consent_that_is_not_valid_opens_nothing() {
        assert_eq!(code(consent().accounts_at(at(1))), "consent-invalid");
        assert_eq!(
            code(consent().reject(at(1)).unwrap().accounts_at(at(1))),
            "consent-invalid"
        );
        assert_eq!(
            code(valid().revoke(at(99)).unwrap().accounts_at(at(99))),
            "consent-invalid"
        );
        assert_eq!(
            code(valid().terminate(at(99)).unwrap().accounts_at(at(99))),
            "consent-invalid"
        );
    }

    #[test]
    fn nothing_beyond_the_request_is_granted() {
        for beyond in [
            account(TWO, &[]),
            account(ONE, &[DataKind::Balances, DataKind::Transactions]),
        ] {
            let accounts = vec![account(ONE, &[DataKind::Balances]), beyond];
            assert_eq!(
                consent().approve(psu("achieng"), accounts, at(1)),
                Err(ConsentError::BeyondRequest)
            );
        }
        assert_eq!(
            consent().approve(psu("achieng"), Vec::new(), at(1)),
            Err(ConsentError::NoAccount)
        );
    }

    #[test]
    fn the_member_may_grant_less_than_was_asked_for() {
        let less = vec![account(ONE, &[])];
        assert!(consent().approve(psu("achieng"), less, at(1)).is_ok());
        let chosen = vec![account(TWO, &[DataKind::Balances, DataKind::Transactions])];
        assert!(
            asked(json!({"allPsd2": "allAccounts"}))
                .approve(psu("a"), chosen, at(1))
                .is_ok()
        );
    }

    #[test]
    fn r2_the_last_day_is_inclusive() {
        assert_eq!(valid().seen_at(day(9)).status(), ConsentStatus::Valid);
        assert!(valid().accounts_at(day(9)).is_ok());
        assert_eq!(valid().seen_at(day(10)).status(), ConsentStatus::Expired);
        assert_eq!(code(valid().accounts_at(day(10))), "consent-expired");
        assert_eq!(
            code(valid().seen_at(day(10)).accounts_at(day(10))),
            "consent-expired"
        );
    }

    #[test]
    fn r6_a_consent_that_nobody_approves_in_time_is_rejected() {
        assert_eq!(
            consent().seen_at(at(1799)).status(),
            ConsentStatus::Received
        );
        assert_eq!(
            consent().seen_at(at(1800)).status(),
            ConsentStatus::Rejected
        );
        let late = consent().approve(
            psu("a"),
            vec![account(ONE, &[DataKind::Balances])],
            at(1800),
        );
        assert!(matches!(late, Err(ConsentError::WrongState { .. })));
    }

    #[test]
    fn r7_a_final_state_never_changes() {
        let finals = [
            consent().reject(at(1)).unwrap(),
            valid().revoke(at(99)).unwrap(),
            valid().terminate(at(99)).unwrap(),
            valid().seen_at(day(10)),
        ];
        for consent in finals {
            let now = day(20);
            assert_eq!(consent.clone().seen_at(now), consent);
            let accounts = vec![account(ONE, &[DataKind::Balances])];
            assert!(consent.clone().approve(psu("a"), accounts, now).is_err());
            assert!(consent.clone().reject(now).is_err());
            assert!(consent.clone().revoke(now).is_err());
            assert!(consent.terminate(now).is_err());
        }
    }

    #[test]
    fn r8_the_tpp_ends_a_consent_once_before_or_after_the_approval() {
        let ended = consent().terminate(at(1)).unwrap();
        assert_eq!(ended.status(), ConsentStatus::TerminatedByTpp);
        assert_eq!(code(ended.terminate(at(2))), "consent-invalid");
        assert_eq!(code(valid().terminate(day(10))), "consent-expired");
    }

    #[test]
    fn r5_a_newer_recurring_consent_of_the_same_member_takes_the_place() {
        let older = valid();
        let newer = Consent {
            id: id(3),
            ..valid()
        };
        assert!(newer.supersedes(&older));
        assert!(!older.supersedes(&older), "itself");
        let unapproved = Consent {
            id: id(3),
            ..consent()
        };
        assert!(!unapproved.supersedes(&older), "not when created");
        let foreign = Consent {
            tpp: id(9),
            ..newer.clone()
        };
        assert!(!foreign.supersedes(&older), "another TPP");
        let mut one_off = newer.clone();
        one_off.request.recurring = false;
        assert!(!one_off.supersedes(&older), "one-off");
        let other_member =
            consent().approve(psu("b"), vec![account(ONE, &[DataKind::Balances])], at(1));
        let other_member = Consent {
            id: id(3),
            ..other_member.unwrap()
        };
        assert!(!other_member.supersedes(&older), "another member");
        let ended = older.superseded(at(99)).unwrap();
        assert_eq!(ended.status(), ConsentStatus::TerminatedByTpp);
    }

    #[test]
    fn r9_each_action_moves_the_day_of_the_last_one() {
        assert_eq!(consent().last_action, at(0).today);
        assert_eq!(valid().revoke(day(3)).unwrap().last_action, day(3).today);
    }

    #[test]
    fn the_text_that_is_approved_changes_with_each_fact_and_not_with_the_order() {
        let (one, two) = (
            account(ONE, &[DataKind::Balances]),
            account(TWO, &[DataKind::Balances]),
        );
        let other = GrantedAccount {
            account: id(9),
            ..one.clone()
        };
        let more = account(ONE, &[DataKind::Balances, DataKind::Transactions]);
        let consent = consent();
        let alone = [one.clone()];
        let text = consent.approval_text(&alone);
        assert_ne!(text, consent.approval_text(&[more]));
        assert_ne!(text, consent.approval_text(&[one.clone(), two]));
        assert_eq!(
            consent.approval_text(&[one.clone(), other.clone()]),
            consent.approval_text(&[other, one])
        );
        let mut longer = consent;
        longer.request.valid_until = day(8).today;
        assert_ne!(text, longer.approval_text(&alone));
    }
}
