//! Payments.

use branchline_kernel::PaymentId;
use serde::Serialize;
use utoipa::ToSchema;

use super::{AccountReferenceBody, Amount, InitiationLinks};
use crate::payment::{Bic, SepaCreditTransfer};
use crate::status::TransactionStatus;

/// `POST /v1/payments/{product}`, 201.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentCreated {
    /// Where it stands.
    pub transaction_status: TransactionStatus,
    /// Its name.
    #[schema(value_type = String)]
    pub payment_id: PaymentId,
    /// What to do next.
    #[serde(rename = "_links")]
    pub links: InitiationLinks,
}

/// `GET …/{paymentId}/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentStatusBody {
    /// Where it stands.
    pub transaction_status: TransactionStatus,
    /// A sentence for the member, e.g. why it was rejected; at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub psu_message: Option<String>,
}

/// `GET …/{paymentId}`: what was initiated and where it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentBody {
    debtor_account: AccountReferenceBody,
    instructed_amount: Amount,
    creditor_account: AccountReferenceBody,
    creditor_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    creditor_agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end_to_end_identification: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    remittance_information_unstructured: Option<String>,
    transaction_status: TransactionStatus,
}

impl PaymentBody {
    /// The body for `payment`.
    #[must_use]
    pub fn of(payment: &SepaCreditTransfer, status: TransactionStatus) -> Self {
        Self {
            debtor_account: AccountReferenceBody::of(&payment.debtor, None),
            instructed_amount: payment.amount.into(),
            creditor_account: AccountReferenceBody::of(&payment.creditor, None),
            creditor_name: payment.creditor_name.clone(),
            creditor_agent: payment.creditor_agent.as_ref().map(Bic::to_string),
            end_to_end_identification: payment.end_to_end_id.clone(),
            remittance_information_unstructured: payment.remittance.clone(),
            transaction_status: status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_payment_is_shown_as_it_was_initiated() {
        let initiated = json!({
            "debtorAccount": {"iban": "DE89370400440532013000"},
            "instructedAmount": {"currency": "EUR", "amount": "12.50"},
            "creditorAccount": {"iban": "FI2112345600000785"},
            "creditorName": "Zoë Otieno",
            "creditorAgent": "NDEAFIHH",
            "endToEndIdentification": "INV-1",
            "remittanceInformationUnstructured": "Rent",
        });
        let payment = SepaCreditTransfer::parse(&initiated).unwrap();
        let mut shown =
            serde_json::to_value(PaymentBody::of(&payment, TransactionStatus::Acsc)).unwrap();
        let status = shown.as_object_mut().unwrap().remove("transactionStatus");
        assert_eq!(status, Some(json!("ACSC")));
        assert_eq!(shown, initiated);
    }

    #[test]
    fn a_status_without_message_has_one_member() {
        let body = PaymentStatusBody {
            transaction_status: TransactionStatus::Rcvd,
            psu_message: None,
        };
        assert_eq!(
            serde_json::to_value(body).unwrap(),
            json!({"transactionStatus": "RCVD"})
        );
    }
}
