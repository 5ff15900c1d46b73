//! Payments from an account of this institution.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::AmountDto;

/// A payment to initiate. Exactly one of `debtor_account_id` and `debtor_iban` names the payer's
/// account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPaymentDto {
    /// The payment's id, minted by the caller; equal to the `Idempotency-Key`.
    pub payment_id: Uuid,
    /// The account that pays, by id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub debtor_account_id: Option<Uuid>,
    /// The account that pays, by IBAN.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "DE89370400440532013000")]
    pub debtor_iban: Option<String>,
    /// The account that is paid.
    #[schema(example = "DE02120300000000202051")]
    pub creditor_iban: String,
    /// Who is paid, as the payer writes it.
    #[schema(example = "Baraka Hardware", min_length = 1, max_length = 140)]
    pub creditor_name: String,
    /// How much.
    pub amount: AmountDto,
    /// The payer's own reference; it travels to the payee.
    #[schema(example = "INV-2026-17", min_length = 1, max_length = 35)]
    pub end_to_end_id: String,
    /// What the payee shall read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "Invoice 17", min_length = 1, max_length = 140)]
    pub remittance: Option<String>,
}

/// The permission to pay, given for exactly what was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorisePaymentDto {
    /// The fingerprint of the payment as the member saw it.
    #[schema(pattern = "^[0-9a-f]{64}$")]
    pub fingerprint: String,
}

/// Where a payment stands, in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum PaymentStateDto {
    /// Written down; the member has not agreed yet.
    Received,
    /// The member agreed.
    Authorised,
    /// The money is held.
    Reserved,
    /// The way is fixed; it may be on its way to the payee.
    Dispatching,
    /// It was sent and the answer is not known; it is asked for again.
    Unknown,
    /// The payee has the money and the payer's account is booked.
    Completed,
    /// It ended without moving money.
    Rejected,
    /// It was called off before the member agreed.
    Cancelled,
}

/// Where a payment stands, in the words of ISO 20022.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum PaymentStatusDto {
    /// Received.
    Rcvd,
    /// Accepted, settlement in process.
    Acsp,
    /// Accepted, settlement completed on the payer's account.
    Acsc,
    /// Accepted, settlement completed on the payee's account.
    Accc,
    /// Rejected.
    Rjct,
    /// Cancelled.
    Canc,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PaymentDto {
    /// The payment's id.
    pub payment_id: Uuid,
    /// Where it stands, in full.
    pub state: PaymentStateDto,
    /// Where it stands, in the words of ISO 20022.
    pub status: PaymentStatusDto,
    /// Why it was rejected: an ISO 20022 reason code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "AM04")]
    pub reason_code: Option<String>,
    /// Why it was rejected, in a sentence.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason_text: Option<String>,
    /// The account that pays, by id.
    pub debtor_account_id: Uuid,
    /// The account that pays, by IBAN.
    pub debtor_iban: String,
    /// The account that is paid.
    pub creditor_iban: String,
    /// Who is paid.
    pub creditor_name: String,
    /// How much.
    pub amount: AmountDto,
    /// The payer's own reference.
    pub end_to_end_id: String,
    /// What the payee shall read.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub remittance: Option<String>,
    /// The fingerprint of what the member is asked to agree to.
    pub fingerprint: String,
    /// When it was received.
    pub created_at: DateTime<Utc>,
    /// When its state changed last.
    pub updated_at: DateTime<Utc>,
}
