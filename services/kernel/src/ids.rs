//! One id type per thing, so that one id never stands where another is meant.

use std::sync::atomic::{AtomicU64, Ordering};

use uuid::Uuid;

/// A text that is not the id it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0}: expected a UUID such as 0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f")]
pub struct MalformedId(pub &'static str);

macro_rules! uuid_id {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[derive(serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The id as a UUID, for a row or a message.
            #[must_use]
            pub const fn uuid(self) -> Uuid { self.0 }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self { Self(id) }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { self.0.fmt(f) }
        }

        impl std::str::FromStr for $name {
            type Err = MalformedId;
            fn from_str(text: &str) -> Result<Self, MalformedId> {
                match Uuid::try_parse(text) {
                    Ok(id) if text.len() == 36 => Ok(Self(id)),
                    Ok(_) | Err(_) => Err(MalformedId(stringify!($name))),
                }
            }
        }
    )+};
}

uuid_id! {
    /// A member's account as the core knows it.
    AccountId;
    /// One run of strong customer authentication on a consent or a payment.
    AuthorisationId;
    /// A member's permission for one TPP to read accounts.
    ConsentId;
    /// Money set aside in the ledger.
    HoldId;
    /// A person the institution serves.
    MemberId;
    /// A payment, from its initiation on.
    PaymentId;
    /// A balanced set of entries in the ledger.
    PostingId;
    /// One request, as its caller named it (`X-Request-ID`).
    RequestId;
    /// An account as one consent shows it to one TPP.
    ResourceId;
    /// A licensed third party.
    TppId;
}

/// An account inside the ledger: 8 bytes, made by the caller from its tenant's block.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(transparent)]
pub struct LedgerAccountId(i64);

impl LedgerAccountId {
    /// The id as a number, for a row or a message.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }
}

impl From<i64> for LedgerAccountId {
    fn from(id: i64) -> Self {
        Self(id)
    }
}

impl std::fmt::Display for LedgerAccountId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Makes new ids.
pub trait IdSource: Send + Sync {
    /// A UUID that was never given out before (version 7: later ids sort later).
    fn next(&self) -> Uuid;
}

/// UUIDv7 from the machine's clock and random numbers.
#[derive(Debug, Clone, Copy)]
pub struct RandomIds;

impl IdSource for RandomIds {
    #[expect(clippy::disallowed_methods, reason = "the one place that makes ids")]
    fn next(&self) -> Uuid {
        Uuid::now_v7()
    }
}

/// Ids that count up from a seed, for tests that must repeat.
#[derive(Debug)]
pub struct SeededIds(AtomicU64);

impl SeededIds {
    /// Starts counting behind `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }
}

impl IdSource for SeededIds {
    fn next(&self) -> Uuid {
        Uuid::from_u64_pair(
            0x0190_0000_0000_7000,
            self.0.fetch_add(1, Ordering::Relaxed),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_back_from_its_own_text() {
        let id = AccountId::from(RandomIds.next());
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn other_spellings_of_a_uuid_are_refused() {
        for text in [
            "",
            "x",
            "0191e3a45c2b7d3e8f001a2b3c4d5e6f",
            "{0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f}",
        ] {
            assert!(text.parse::<AccountId>().is_err(), "{text}");
        }
    }
}
