//! `POST /v1/payments/{product}`: what a payment must say.

use std::fmt;
use std::str::FromStr;

use branchline_kernel::{Currency, Iban, Money, MoneyError};
use serde_json::Value;

use crate::Xs2aError;
use crate::access::AccountReference;
use crate::body::Members;
use crate::text::{has_length, is_printable, is_sepa_identifier};

/// A payment product that is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentProduct {
    /// `payments/sepa-credit-transfers`, JSON.
    SepaCreditTransfers,
}

/// A single credit transfer in euro.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SepaCreditTransfer {
    /// The payer's account.
    pub debtor: Iban,
    /// How much; above zero.
    pub amount: Money,
    /// The payee's account.
    pub creditor: Iban,
    /// The payee's name, as the payer gave it.
    pub creditor_name: String,
    /// The payee's institution, if the TPP named it.
    pub creditor_agent: Option<Bic>,
    /// The payer's own reference, carried to the payee unchanged.
    pub end_to_end_id: Option<String>,
    /// What it is for, carried to the payee.
    pub remittance: Option<String>,
}

/// The code of an institution (ISO 9362).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bic(String);

/// Members of the standard's payment that are not offered; taking one silently would execute
/// another payment than the TPP asked for.
const NOT_OFFERED: &[&str] = &[
    "instructionIdentification",
    "debtorName",
    "ultimateDebtor",
    "creditorAgentName",
    "creditorAddress",
    "creditorId",
    "ultimateCreditor",
    "purposeCode",
    "categoryPurposeCode",
    "chargeBearer",
    "serviceLevel",
    "currencyOfTransfer",
    "exchangeRateInformation",
    "remittanceInformationUnstructuredArray",
    "remittanceInformationStructured",
    "remittanceInformationStructuredArray",
    "requestedExecutionDate",
    "requestedExecutionTime",
    "debtorId",
    "frequency",
    "startDate",
    "endDate",
    "executionRule",
    "dayOfExecution",
    "monthsOfExecution",
    "payments",
    "batchBookingPreferred",
];

const MAX_NAME: usize = 70;
const MAX_REMITTANCE: usize = 140;
const MAX_END_TO_END_ID: usize = 35;
/// The most that one SEPA credit transfer carries (EPC125-05, AT-04): 999 999 999.99.
const MAX_SEPA_MINOR: i64 = 99_999_999_999;

impl PaymentProduct {
    /// The product of a path.
    ///
    /// # Errors
    /// PRODUCT_UNKNOWN for a known service, RESOURCE_UNKNOWN otherwise.
    pub fn parse(service: &str, product: &str) -> Result<Self, Xs2aError> {
        match (service, product) {
            ("payments", "sepa-credit-transfers") => Ok(Self::SepaCreditTransfers),
            ("payments" | "bulk-payments" | "periodic-payments", _) => {
                Err(Xs2aError::product_unknown())
            }
            _ => Err(Xs2aError::resource_unknown()),
        }
    }

    /// The product's name in the path.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SepaCreditTransfers => "sepa-credit-transfers",
        }
    }

    /// The one currency in which the product pays.
    const fn currency_code(self) -> &'static str {
        match self {
            Self::SepaCreditTransfers => "EUR",
        }
    }
}

impl SepaCreditTransfer {
    /// Reads the body of an initiation. Unknown members are ignored.
    ///
    /// # Errors
    /// FORMAT_ERROR or PARAMETER_NOT_SUPPORTED with the path.
    pub fn parse(body: &Value) -> Result<Self, Xs2aError> {
        let members = Members::of_body(body)?;
        members.refuse(NOT_OFFERED)?;
        let product = PaymentProduct::SepaCreditTransfers;
        let text = |name: &str, max: usize| find_text(&members, name, max, is_printable, SHOWN);
        Ok(Self {
            debtor: account(&members, "debtorAccount", product)?,
            amount: amount(&members, product)?,
            creditor: account(&members, "creditorAccount", product)?,
            creditor_name: text("creditorName", MAX_NAME)?
                .ok_or_else(|| Xs2aError::missing("creditorName"))?,
            creditor_agent: members
                .find_text("creditorAgent")?
                .map(str::parse)
                .transpose()?,
            end_to_end_id: find_text(
                &members,
                "endToEndIdentification",
                MAX_END_TO_END_ID,
                is_sepa_identifier,
                CARRIED,
            )?,
            remittance: text("remittanceInformationUnstructured", MAX_REMITTANCE)?,
        })
    }
}

const SHOWN: &str = "printable characters";
const CARRIED: &str = "letters a-z, digits and / - ? : ( ) . , ' + or blanks inside, without //";

fn find_text(
    members: &Members<'_>,
    name: &str,
    max: usize,
    accepts: fn(&str) -> bool,
    expected: &str,
) -> Result<Option<String>, Xs2aError> {
    match members.find_text(name)? {
        None => Ok(None),
        Some(text) if has_length(text, max) && accepts(text) => Ok(Some(text.to_owned())),
        Some(_) => Err(members.wrong(name, &format!("1 to {max} characters, {expected}"))),
    }
}

fn account(members: &Members<'_>, name: &str, product: PaymentProduct) -> Result<Iban, Xs2aError> {
    let reference = AccountReference::parse(members.get(name)?, members.path_of(name))?;
    let paid_in = product.currency_code();
    match reference.currency {
        Some(currency) if currency.code() != paid_in => Err(Xs2aError::format(
            &format!("{name}.currency"),
            &format!(
                "{} pays in {paid_in} only: send {paid_in} or leave it out",
                product.as_str()
            ),
        )),
        Some(_) | None => Ok(reference.iban),
    }
}

fn amount(members: &Members<'_>, product: PaymentProduct) -> Result<Money, Xs2aError> {
    let instructed = members.object("instructedAmount")?;
    let code = instructed.text("currency")?;
    let currency: Currency = code
        .parse()
        .map_err(|_unknown| instructed.wrong("currency", "an ISO 4217 code such as EUR"))?;
    if code != product.currency_code() {
        return Err(instructed.wrong("currency", product.currency_code()));
    }
    let text = instructed.text("amount")?;
    let money = Money::parse(text, currency).map_err(|wrong| match wrong {
        MoneyError::Malformed | MoneyError::CurrenciesDiffer(..) => {
            instructed.wrong("amount", "a decimal number in quotes such as \"12.50\"")
        }
        MoneyError::TooManyDecimals { allowed, .. } => instructed.wrong(
            "amount",
            &format!("at most {allowed} decimals, as {currency} has no more"),
        ),
        MoneyError::TooLarge => instructed.wrong("amount", "at most 999999999.99"),
    })?;
    match money.minor() {
        1..=MAX_SEPA_MINOR => Ok(money),
        ..=0 => Err(instructed.wrong("amount", "an amount above zero")),
        _ => Err(instructed.wrong("amount", "at most 999999999.99")),
    }
}

impl Bic {
    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Bic {
    type Err = Xs2aError;

    /// `[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?` of the YAML, anchored.
    fn from_str(text: &str) -> Result<Self, Xs2aError> {
        let fits = matches!(text.len(), 8 | 11)
            && text.bytes().enumerate().all(|(index, byte)| match index {
                0..=5 => byte.is_ascii_uppercase(),
                6 => byte.is_ascii_uppercase() || matches!(byte, b'2'..=b'9'),
                7 => byte != b'O' && (byte.is_ascii_uppercase() || byte.is_ascii_digit()),
                _ => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            });
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(Xs2aError::format(
                "creditorAgent",
                "creditorAgent is no BIC: send 8 or 11 capitals and digits or leave it out",
            ))
        }
    }
}

impl fmt::Display for Bic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body() -> Value {
        json!({
            "debtorAccount": {"iban": "DE89370400440532013000"},
            "instructedAmount": {"currency": "EUR", "amount": "12.50"},
            "creditorAccount": {"iban": "FI2112345600000785", "currency": "EUR"},
            "creditorName": "Zoë Otieno",
            "endToEndIdentification": "INV-2026/11",
            "remittanceInformationUnstructured": "Rent for November – thank you",
            "creditorAgent": "NDEAFIHH",
            "x": {"y": 1},
        })
    }

    fn with(pointer: &str, value: Value) -> Result<SepaCreditTransfer, Xs2aError> {
        let mut body = body();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent).unwrap()[name] = value;
        SepaCreditTransfer::parse(&body)
    }

    fn refused(result: Result<SepaCreditTransfer, Xs2aError>) -> (String, String) {
        let body = serde_json::to_value(result.unwrap_err().body()).unwrap();
        let message = &body["tppMessages"][0];
        (
            message["code"].as_str().unwrap().to_owned(),
            message["path"].as_str().unwrap().to_owned(),
        )
    }

    #[test]
    fn a_good_payment_is_read_exactly() {
        let payment = SepaCreditTransfer::parse(&body()).unwrap();
        assert_eq!(payment.amount.minor(), 1250);
        assert_eq!(payment.creditor_name, "Zoë Otieno");
        assert_eq!(payment.creditor.as_str(), "FI2112345600000785");
        assert_eq!(payment.end_to_end_id.as_deref(), Some("INV-2026/11"));
    }

    #[test]
    fn only_four_members_are_mandatory() {
        for name in [
            "endToEndIdentification",
            "remittanceInformationUnstructured",
            "creditorAgent",
        ] {
            let mut short = body();
            short.as_object_mut().unwrap().remove(name);
            assert!(SepaCreditTransfer::parse(&short).is_ok(), "{name}");
        }
        for name in [
            "debtorAccount",
            "instructedAmount",
            "creditorAccount",
            "creditorName",
        ] {
            let mut short = body();
            short.as_object_mut().unwrap().remove(name);
            let refusal = refused(SepaCreditTransfer::parse(&short));
            assert_eq!(refusal, ("FORMAT_ERROR".to_owned(), name.to_owned()));
        }
    }

    #[test]
    fn an_amount_is_a_positive_decimal_of_the_currency() {
        let at = "/instructedAmount/amount";
        for text in ["0.01", "999999999.99", "1", "00012.5"] {
            assert!(with(at, json!(text)).is_ok(), "{text}");
        }
        let long = "9".repeat(1_000_000);
        for value in [
            json!(""),
            json!("0"),
            json!("0.00"),
            json!("-0"),
            json!("-1"),
            json!("1.001"),
            json!("1,5"),
            json!("1e3"),
            json!("+1"),
            json!(" 1"),
            json!("1."),
            json!("NaN"),
            json!("1000000000.00"),
            json!("99999999999999999999"),
            json!(long),
            json!(12.5),
            json!(null),
            json!({}),
        ] {
            let refusal = refused(with(at, value));
            assert_eq!(
                refusal,
                (
                    "FORMAT_ERROR".to_owned(),
                    "instructedAmount.amount".to_owned()
                )
            );
        }
    }

    #[test]
    fn sepa_pays_in_euro_only() {
        for code in ["", "eur", "XXX", "USD", "UGX"] {
            let refusal = refused(with("/instructedAmount/currency", json!(code)));
            assert_eq!(
                refusal,
                (
                    "FORMAT_ERROR".to_owned(),
                    "instructedAmount.currency".to_owned()
                )
            );
        }
        let refusal = refused(with("/creditorAccount/currency", json!("USD")));
        assert_eq!(refusal.1, "creditorAccount.currency");
    }

    #[test]
    fn accounts_are_ibans_with_right_check_digits() {
        for (value, code) in [
            (json!({"iban": "DE89370400440532013001"}), "FORMAT_ERROR"),
            (json!({"iban": ""}), "FORMAT_ERROR"),
            (json!({}), "FORMAT_ERROR"),
            (json!("DE89370400440532013000"), "FORMAT_ERROR"),
            (json!({"bban": "1"}), "PARAMETER_NOT_SUPPORTED"),
        ] {
            assert_eq!(refused(with("/creditorAccount", value)).0, code);
        }
    }

    #[test]
    fn texts_are_bounded_and_hide_nothing() {
        let wide = |count| json!("ä".repeat(count));
        assert!(with("/creditorName", wide(70)).is_ok());
        assert!(with("/remittanceInformationUnstructured", wide(140)).is_ok());
        for (pointer, value) in [
            ("/creditorName", wide(71)),
            ("/creditorName", wide(500_000)),
            ("/creditorName", json!("")),
            ("/creditorName", json!("   ")),
            ("/creditorName", json!("A\u{202e}B")),
            ("/creditorName", json!("A\u{0}B")),
            ("/creditorName", json!(7)),
            ("/remittanceInformationUnstructured", wide(141)),
            ("/remittanceInformationUnstructured", json!("a\nb")),
            ("/remittanceInformationUnstructured", json!("")),
            ("/endToEndIdentification", json!("a".repeat(36))),
            ("/endToEndIdentification", json!("ä")),
            ("/endToEndIdentification", json!("/a")),
            ("/creditorAgent", json!("NDEAFIH")),
            ("/creditorAgent", json!("ndeafihh")),
            ("/creditorAgent", json!("NDEAFI1O")),
        ] {
            let (code, path) = refused(with(pointer, value));
            assert_eq!(
                (code.as_str(), format!("/{path}")),
                ("FORMAT_ERROR", pointer.to_owned())
            );
        }
    }

    #[test]
    fn what_would_change_the_payment_is_never_ignored() {
        for name in NOT_OFFERED {
            let refusal = refused(with(&format!("/{name}"), json!("x")));
            assert_eq!(
                refusal,
                ("PARAMETER_NOT_SUPPORTED".to_owned(), (*name).to_owned())
            );
        }
    }

    #[test]
    fn products_that_are_not_offered_are_unknown() {
        assert!(PaymentProduct::parse("payments", "sepa-credit-transfers").is_ok());
        for (service, product, code) in [
            (
                "payments",
                "instant-sepa-credit-transfers",
                "product-unknown",
            ),
            ("bulk-payments", "sepa-credit-transfers", "product-unknown"),
            ("payments", "", "product-unknown"),
            ("x", "sepa-credit-transfers", "resource-unknown"),
        ] {
            let refusal = PaymentProduct::parse(service, product).unwrap_err();
            assert_eq!(branchline_kernel::Refusal::code(&refusal), code);
        }
    }
}
