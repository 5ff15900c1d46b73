//! What may be done, and which job brings which rights.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

/// One thing that somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Right {
    /// See one's own accounts, balances and entries.
    ReadOwnAccounts,
    /// Put in a payment from one's own account.
    InitiatePayment,
    /// Release one's own payment.
    AuthorisePayment,
    /// See one's own payments.
    ReadPayment,
    /// Make somebody a member.
    EnrollMember,
    /// Open an account for a member.
    OpenAccount,
    /// Take cash in for a member's account.
    AcceptDeposit,
    /// Freeze and unfreeze an account.
    FreezeAccount,
    /// See any account of the institution.
    ReadAnyAccount,
    /// See the trial balance.
    ReadTrialBalance,
    /// Post to the ledger directly.
    PostLedger,
    /// See the ledger's postings and entries.
    ReadLedger,
    /// Open and close accounting periods.
    ManagePeriods,
}

impl Right {
    /// Every right there is.
    pub const ALL: [Self; 13] = [
        Self::ReadOwnAccounts,
        Self::InitiatePayment,
        Self::AuthorisePayment,
        Self::ReadPayment,
        Self::EnrollMember,
        Self::OpenAccount,
        Self::AcceptDeposit,
        Self::FreezeAccount,
        Self::ReadAnyAccount,
        Self::ReadTrialBalance,
        Self::PostLedger,
        Self::ReadLedger,
        Self::ManagePeriods,
    ];

    /// The right's name in tokens, API documents and refusals.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ReadOwnAccounts => "read-own-accounts",
            Self::InitiatePayment => "initiate-payment",
            Self::AuthorisePayment => "authorise-payment",
            Self::ReadPayment => "read-payment",
            Self::EnrollMember => "enroll-member",
            Self::OpenAccount => "open-account",
            Self::AcceptDeposit => "accept-deposit",
            Self::FreezeAccount => "freeze-account",
            Self::ReadAnyAccount => "read-any-account",
            Self::ReadTrialBalance => "read-trial-balance",
            Self::PostLedger => "post-ledger",
            Self::ReadLedger => "read-ledger",
            Self::ManagePeriods => "manage-periods",
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of rights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rights(BTreeSet<Right>);

impl Rights {
    /// The empty set.
    #[must_use]
    pub const fn none() -> Self {
        Self(BTreeSet::new())
    }

    /// Whether the right is in the set.
    #[must_use]
    pub fn contains(&self, right: Right) -> bool {
        self.0.contains(&right)
    }

    /// The rights in the set, in the order of [`Right::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = Right> + '_ {
        self.0.iter().copied()
    }
}

impl FromIterator<Right> for Rights {
    fn from_iter<I: IntoIterator<Item = Right>>(rights: I) -> Self {
        Self(rights.into_iter().collect())
    }
}

/// A person's job as the identity provider names it: a realm role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Job {
    /// Is served by the institution.
    Member,
    /// Serves members at the counter.
    Teller,
    /// Leads tellers and decides what they may not.
    Supervisor,
    /// Sees everything, changes nothing.
    Auditor,
    /// Runs the institution's settings.
    TenantAdmin,
}

impl Job {
    /// Every job there is; each realm has them as its roles.
    pub const ALL: [Self; 5] = [
        Self::Member,
        Self::Teller,
        Self::Supervisor,
        Self::Auditor,
        Self::TenantAdmin,
    ];

    /// The role's name at the identity provider.
    #[must_use]
    pub const fn role(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Teller => "teller",
            Self::Supervisor => "supervisor",
            Self::Auditor => "auditor",
            Self::TenantAdmin => "tenant-admin",
        }
    }

    /// The job behind a role; roles that name no job (Keycloak's own, such as `offline_access`)
    /// give none.
    #[must_use]
    pub fn find_by_role(role: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|job| job.role() == role)
    }

    /// The job table: what the holder of a job may do.
    #[must_use]
    pub const fn rights(self) -> &'static [Right] {
        match self {
            Self::Member => &[
                Right::ReadOwnAccounts,
                Right::InitiatePayment,
                Right::AuthorisePayment,
                Right::ReadPayment,
            ],
            Self::Teller => &[
                Right::EnrollMember,
                Right::OpenAccount,
                Right::AcceptDeposit,
                Right::ReadAnyAccount,
            ],
            Self::Supervisor => &[
                Right::EnrollMember,
                Right::OpenAccount,
                Right::AcceptDeposit,
                Right::FreezeAccount,
                Right::ReadAnyAccount,
                Right::ReadTrialBalance,
                Right::PostLedger,
                Right::ReadLedger,
            ],
            Self::Auditor => &[
                Right::ReadAnyAccount,
                Right::ReadTrialBalance,
                Right::ReadLedger,
            ],
            Self::TenantAdmin => &[
                Right::ReadTrialBalance,
                Right::ReadLedger,
                Right::ManagePeriods,
            ],
        }
    }

    /// Whether the holder works for the institution.
    #[must_use]
    pub const fn is_staff(self) -> bool {
        match self {
            Self::Member => false,
            Self::Teller | Self::Supervisor | Self::Auditor | Self::TenantAdmin => true,
        }
    }
}

/// A type that stands for a right, so that a handler's signature can demand it.
pub trait NeedsRight {
    /// The right demanded.
    const RIGHT: Right;
    /// Another right that does as well.
    const OR: Option<Right> = None;
}

/// One type per right, for signatures such as `Actor<can::FreezeAccount>`.
pub mod can {
    use super::{NeedsRight, Right};

    /// Demands [`Right::ReadOwnAccounts`].
    #[derive(Debug, Clone, Copy)]
    pub struct ReadOwnAccounts;
    impl NeedsRight for ReadOwnAccounts {
        const RIGHT: Right = Right::ReadOwnAccounts;
    }

    /// Demands [`Right::ReadOwnAccounts`] or [`Right::ReadAnyAccount`]: which accounts may be seen
    /// is for the operation to decide.
    #[derive(Debug, Clone, Copy)]
    pub struct ReadAccount;
    impl NeedsRight for ReadAccount {
        const RIGHT: Right = Right::ReadOwnAccounts;
        const OR: Option<Right> = Some(Right::ReadAnyAccount);
    }

    /// Demands [`Right::InitiatePayment`].
    #[derive(Debug, Clone, Copy)]
    pub struct InitiatePayment;
    impl NeedsRight for InitiatePayment {
        const RIGHT: Right = Right::InitiatePayment;
    }

    /// Demands [`Right::AuthorisePayment`].
    #[derive(Debug, Clone, Copy)]
    pub struct AuthorisePayment;
    impl NeedsRight for AuthorisePayment {
        const RIGHT: Right = Right::AuthorisePayment;
    }

    /// Demands [`Right::ReadPayment`].
    #[derive(Debug, Clone, Copy)]
    pub struct ReadPayment;
    impl NeedsRight for ReadPayment {
        const RIGHT: Right = Right::ReadPayment;
    }

    /// Demands [`Right::EnrollMember`].
    #[derive(Debug, Clone, Copy)]
    pub struct EnrollMember;
    impl NeedsRight for EnrollMember {
        const RIGHT: Right = Right::EnrollMember;
    }

    /// Demands [`Right::OpenAccount`].
    #[derive(Debug, Clone, Copy)]
    pub struct OpenAccount;
    impl NeedsRight for OpenAccount {
        const RIGHT: Right = Right::OpenAccount;
    }

    /// Demands [`Right::AcceptDeposit`].
    #[derive(Debug, Clone, Copy)]
    pub struct AcceptDeposit;
    impl NeedsRight for AcceptDeposit {
        const RIGHT: Right = Right::AcceptDeposit;
    }

    /// Demands [`Right::FreezeAccount`].
    #[derive(Debug, Clone, Copy)]
    pub struct FreezeAccount;
    impl NeedsRight for FreezeAccount {
        const RIGHT: Right = Right::FreezeAccount;
    }

    /// Demands [`Right::ReadAnyAccount`].
    #[derive(Debug, Clone, Copy)]
    pub struct ReadAnyAccount;
    impl NeedsRight for ReadAnyAccount {
        const RIGHT: Right = Right::ReadAnyAccount;
    }

    /// Demands [`Right::ReadTrialBalance`].
    #[derive(Debug, Clone, Copy)]
    pub struct ReadTrialBalance;
    impl NeedsRight for ReadTrialBalance {
        const RIGHT: Right = Right::ReadTrialBalance;
    }

    /// Demands [`Right::PostLedger`].
    #[derive(Debug, Clone, Copy)]
    pub struct PostLedger;
    impl NeedsRight for PostLedger {
        const RIGHT: Right = Right::PostLedger;
    }

    /// Demands [`Right::ReadLedger`].
    #[derive(Debug, Clone, Copy)]
    pub struct ReadLedger;
    impl NeedsRight for ReadLedger {
        const RIGHT: Right = Right::ReadLedger;
    }

    /// Demands [`Right::ManagePeriods`].
    #[derive(Debug, Clone, Copy)]
    pub struct ManagePeriods;
    impl NeedsRight for ManagePeriods {
        const RIGHT: Right = Right::ManagePeriods;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_right_has_one_name_in_code_and_in_tokens() {
        for right in Right::ALL {
            let text = serde_json::to_string(&right).unwrap();
            assert_eq!(text, format!("\"{right}\""));
        }
        for job in Job::ALL {
            let text = serde_json::to_string(&job).unwrap();
            assert_eq!(text, format!("\"{}\"", job.role()));
            assert_eq!(Job::find_by_role(job.role()), Some(job));
        }
    }

    #[test]
    fn every_right_is_held_by_some_job() {
        for right in Right::ALL {
            assert!(
                Job::ALL.iter().any(|job| job.rights().contains(&right)),
                "{right}"
            );
        }
    }

    #[test]
    fn an_auditor_changes_nothing() {
        let reads = [
            Right::ReadAnyAccount,
            Right::ReadTrialBalance,
            Right::ReadLedger,
        ];
        assert!(
            Job::Auditor
                .rights()
                .iter()
                .all(|right| reads.contains(right))
        );
    }

    #[test]
    fn only_a_supervisor_freezes_accounts() {
        for job in Job::ALL {
            let may = job.rights().contains(&Right::FreezeAccount);
            assert_eq!(may, job == Job::Supervisor, "{}", job.role());
        }
    }

    #[test]
    fn a_role_that_names_no_job_gives_none() {
        for role in ["", "Teller", "offline_access", "default-roles-t_1"] {
            assert_eq!(Job::find_by_role(role), None, "{role}");
        }
    }
}
