//! The answers in their wire shape (NextGenPSD2 1.3.8 schemas).
//!
//! Optional members are left out, never sent as null: the schemas do not allow null.

mod account;
mod consent;
mod payment;
mod sca;

pub use account::{
    AccountBody, AccountLinks, AccountReferenceBody, AccountStatus, AccountsBody, Amount,
    BalanceBody, BalanceType, BalancesBody, OneAccountBody, ReportBody, ReportLinks,
    TransactionBody, TransactionsBody,
};
pub use consent::{AccessBody, ConsentBody, ConsentCreated, ConsentStatusBody};
pub use payment::{PaymentBody, PaymentCreated, PaymentStatusBody};
pub use sca::{AuthorisationsBody, ScaStatusBody};

/// Where a link leads.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Href {
    href: String,
}

impl Href {
    /// A link to `address`.
    #[must_use]
    pub fn to(address: impl Into<String>) -> Self {
        Self {
            href: address.into(),
        }
    }
}

/// The links of a consent or payment that was just created.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InitiationLinks {
    /// The metadata document of the authorization server, never its authorization endpoint.
    #[serde(rename = "scaOAuth")]
    pub sca_oauth: Href,
    /// The resource itself.
    #[serde(rename = "self")]
    pub itself: Href,
    /// Its status.
    pub status: Href,
    /// The status of its approval, which starts with it.
    pub sca_status: Href,
}
