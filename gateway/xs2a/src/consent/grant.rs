//! What a member grants: who she is, when it is, and which accounts she opens.

use branchline_kernel::{AccountId, Currency, Iban, ResourceId, Timestamp};
use chrono::NaiveDate;

use crate::access::Permissions;

/// Now, and which day that is where the institution is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The moment.
    pub now: Timestamp,
    /// Its day in the tenant's own calendar; validity and quotas count such days.
    pub today: NaiveDate,
}

/// A member as her identity provider names her.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Psu {
    /// The identity provider.
    pub issuer: String,
    /// Her name there.
    pub subject: String,
}

/// An account that a member opened to a TPP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedAccount {
    /// How the TPP names it; minted per consent.
    pub resource: ResourceId,
    /// How the core names it.
    pub account: AccountId,
    /// Its number.
    pub iban: Iban,
    /// Its currency.
    pub currency: Currency,
    /// What may be read of it.
    pub permissions: Permissions,
}

/// What a read wants of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataKind {
    /// That it is there, and its details.
    Details,
    /// Its balances.
    Balances,
    /// Its transactions.
    Transactions,
}

impl Moment {
    /// The moment at an institution that counts its days in UTC.
    #[must_use]
    pub fn utc(now: Timestamp) -> Self {
        Self {
            now,
            today: now.date_naive(),
        }
    }
}

impl GrantedAccount {
    /// Whether the member opened `kind` of this account.
    #[must_use]
    pub const fn opens(&self, kind: DataKind) -> bool {
        match kind {
            DataKind::Details => true,
            DataKind::Balances => self.permissions.balances,
            DataKind::Transactions => self.permissions.transactions,
        }
    }
}
