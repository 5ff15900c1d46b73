//! Who acts, for whom, in which tenant and with which rights.

use std::fmt;
use std::str::FromStr;

use branchline_kernel::{AccountId, TenantId};
use serde::{Deserialize, Serialize};

use crate::{Right, Rights};

/// What sort of actor somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    /// A person whom the institution serves.
    Member,
    /// A person who works for the institution.
    Staff,
    /// A licensed third party.
    Tpp,
    /// A payment rail that delivers or collects money.
    Rail,
    /// The installation itself: migrations, jobs, provisioning.
    System,
}

impl ActorKind {
    const ALL: [Self; 5] = [
        Self::Member,
        Self::Staff,
        Self::Tpp,
        Self::Rail,
        Self::System,
    ];

    /// The word for it in tokens and audit rows.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Member => "member",
            Self::Staff => "staff",
            Self::Tpp => "tpp",
            Self::Rail => "rail",
            Self::System => "system",
        }
    }
}

/// Names one actor for good: a subject is unique within its issuer only.
///
/// Its text, `{kind}:{issuer}#{subject}`, is stable and stands in audit rows. Actors that the
/// installation itself vouches for have no issuer and read `{kind}:{subject}`, such as
/// `rail:internal`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActorRef {
    /// What sort of actor it is.
    pub kind: ActorKind,
    /// Who vouches for the subject; empty when the installation does.
    pub issuer: String,
    /// The actor's name at that issuer.
    pub subject: String,
}

/// A text that names no actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an actor: expected kind:issuer#subject such as member:https://id.example#4711")]
pub struct MalformedActor;

impl ActorRef {
    /// An actor known by an issuer outside the installation.
    #[must_use]
    pub fn new(kind: ActorKind, issuer: &str, subject: &str) -> Self {
        Self {
            kind,
            issuer: issuer.to_owned(),
            subject: subject.to_owned(),
        }
    }

    /// An actor that the installation itself vouches for, such as `rail:internal`.
    #[must_use]
    pub fn own(kind: ActorKind, name: &str) -> Self {
        Self::new(kind, "", name)
    }
}

impl fmt::Display for ActorRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind.as_str();
        if self.issuer.is_empty() {
            write!(f, "{kind}:{}", self.subject)
        } else {
            write!(f, "{kind}:{}#{}", self.issuer, self.subject)
        }
    }
}

impl FromStr for ActorRef {
    type Err = MalformedActor;

    fn from_str(text: &str) -> Result<Self, MalformedActor> {
        let (kind, rest) = text.split_once(':').ok_or(MalformedActor)?;
        let kind = ActorKind::ALL
            .into_iter()
            .find(|known| known.as_str() == kind)
            .ok_or(MalformedActor)?;
        // An issuer is a URL without fragment (RFC 8414 §2), so the first # ends it.
        let (issuer, subject) = rest.split_once('#').unwrap_or(("", rest));
        if subject.is_empty() {
            return Err(MalformedActor);
        }
        Ok(Self::new(kind, issuer, subject))
    }
}

/// A verified caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The tenant whose data the caller may touch.
    pub tenant: TenantId,
    /// Who calls.
    pub actor: ActorRef,
    /// For whom, when a gateway speaks for a member.
    pub on_behalf_of: Option<ActorRef>,
    /// What the caller may do.
    pub rights: Rights,
    /// The only accounts the caller may touch; none stated means no such limit.
    pub accounts: Option<Vec<AccountId>>,
    /// What the audit row repeats so that both sides' records can be joined.
    pub reference: Option<String>,
}

impl Principal {
    /// Whether the caller has a right.
    #[must_use]
    pub fn may(&self, right: Right) -> bool {
        self.rights.contains(right)
    }

    /// Whose accounts and payments are meant: the person spoken for, else the caller.
    #[must_use]
    pub fn person(&self) -> &ActorRef {
        self.on_behalf_of.as_ref().unwrap_or(&self.actor)
    }

    /// Whether an account lies within the limit that the token sets.
    #[must_use]
    pub fn covers(&self, account: AccountId) -> bool {
        self.accounts
            .as_ref()
            .is_none_or(|only| only.contains(&account))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_actor_is_read_back_from_its_text() {
        for text in [
            "member:https://id.example/realms/t_1#4711",
            "tpp:https://bank.example/t/lion#sub#with#hashes",
            "rail:internal",
            "system:provisioning",
        ] {
            let actor: ActorRef = text.parse().unwrap();
            assert_eq!(actor.to_string(), text);
        }
    }

    #[test]
    fn what_names_no_actor_is_refused() {
        for text in [
            "",
            "member",
            "member:",
            "owner:https://x#1",
            "member:https://x#",
        ] {
            assert_eq!(text.parse::<ActorRef>(), Err(MalformedActor), "{text}");
        }
    }

    #[test]
    fn an_account_limit_covers_the_listed_accounts_only() {
        let listed = AccountId::from(uuid::Uuid::from_u128(1));
        let other = AccountId::from(uuid::Uuid::from_u128(2));
        let mut caller = Principal {
            tenant: "lion".parse().unwrap(),
            actor: ActorRef::own(ActorKind::System, "test"),
            on_behalf_of: None,
            rights: Rights::none(),
            accounts: Some(vec![listed]),
            reference: None,
        };
        assert!(caller.covers(listed) && !caller.covers(other));
        caller.accounts = Some(Vec::new());
        assert!(!caller.covers(listed));
        caller.accounts = None;
        assert!(caller.covers(other));
    }
}
