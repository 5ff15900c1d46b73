//! The page on which a member approves a payment.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use branchline_core_contract::{
    PaymentDto, PaymentFacts as Facts, PaymentStateDto, payment_fingerprint,
};
use branchline_kernel::{Money, PaymentId};
use branchline_xs2a::ContentHash;

use super::approve::Draft;
use super::case::Case;
use super::consent::spaced;
use super::page::show;
use super::refused::Refused;
use super::views::{PaymentFacts, PaymentPage};
use crate::Gateway;
use crate::core_client::CoreError;
use crate::xs2a::read_money;

/// The payment as the core has it now, read in the member's name: another member's is not there.
pub(super) async fn find(
    gateway: &Gateway,
    case: &Case,
    id: PaymentId,
) -> Result<PaymentDto, Refused> {
    let told = gateway.core().payment(&case.asker(gateway), id).await;
    let told = told.map_err(|error| match error {
        CoreError::Refused { .. } => Refused::NothingHere,
        CoreError::Unreachable(_)
        | CoreError::Failed(_)
        | CoreError::Unreadable(_)
        | CoreError::Impossible(_)
        | CoreError::Token(_) => Refused::Core(error),
    })?;
    match told.state {
        PaymentStateDto::Received => Ok(told),
        PaymentStateDto::Authorised
        | PaymentStateDto::Reserved
        | PaymentStateDto::Dispatching
        | PaymentStateDto::Unknown
        | PaymentStateDto::Completed
        | PaymentStateDto::Rejected
        | PaymentStateDto::Cancelled => Err(Refused::NothingHere),
    }
}

/// An amount as people read it: thousands apart, so that no digit is lost in a row of zeros.
fn written(money: Money) -> String {
    let decimal = money.decimal();
    let (whole, fraction) = decimal.split_once('.').unwrap_or((&decimal, ""));
    let last = whole.len();
    let mut text = String::new();
    for (index, character) in whole.chars().enumerate() {
        let follow = last.saturating_sub(index);
        let after_digit = text.ends_with(|before: char| before.is_ascii_digit());
        if after_digit && follow.checked_rem(3) == Some(0) {
            text.push(',');
        }
        text.push(character);
    }
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{text}{point}{fraction} {}", money.currency())
}

/// What she reads.
pub(super) fn facts(told: &PaymentDto) -> Result<PaymentFacts, Refused> {
    Ok(PaymentFacts {
        amount: written(read_money(&told.amount)?),
        payee: told.creditor_name.clone(),
        creditor_iban: spaced(&told.creditor_iban),
        debtor_iban: spaced(&told.debtor_iban),
        remittance: told.remittance.clone(),
    })
}

/// The fingerprint of what she reads, reckoned here: the core's own word for it is not taken.
pub(super) fn content(told: &PaymentDto) -> Result<ContentHash, Refused> {
    let fingerprint = payment_fingerprint(&Facts {
        payment_id: told.payment_id,
        debtor_iban: &told.debtor_iban,
        creditor_iban: &told.creditor_iban,
        creditor_name: &told.creditor_name,
        amount: &told.amount,
    });
    fingerprint
        .parse()
        .map_err(|_malformed| Refused::Core(CoreError::Impossible("fingerprint")))
}

/// The page.
pub(super) async fn show_page(
    gateway: &Gateway,
    case: &Case,
    id: PaymentId,
) -> Result<HttpResponse, Refused> {
    let told = find(gateway, case, id).await?;
    let page = PaymentPage {
        frame: case.frame(gateway),
        problem: None,
        tpp: case.tpp.name().to_owned(),
        payment: facts(&told)?,
        action: case.path("/decision"),
        csrf: case.token("approve", &[]),
    };
    show(
        StatusCode::OK,
        &page,
        Some(case.pushed.request.redirect_uri.as_str()),
    )
}

/// What she approves, ready to be bound to a code.
pub(super) async fn draft(gateway: &Gateway, case: &Case, id: PaymentId) -> Result<Draft, Refused> {
    let told = find(gateway, case, id).await?;
    let amount = written(read_money(&told.amount)?);
    Ok(Draft {
        content: content(&told)?,
        shown: format!(
            "Pay {amount} to {}, account {}",
            told.creditor_name,
            spaced(&told.creditor_iban)
        ),
        choice: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_stand_apart_in_every_currency() {
        for (amount, currency, text) in [
            ("0.05", "EUR", "0.05 EUR"),
            ("999.00", "EUR", "999.00 EUR"),
            ("1000.00", "EUR", "1,000.00 EUR"),
            ("1234567.89", "EUR", "1,234,567.89 EUR"),
            ("-100.00", "EUR", "-100.00 EUR"),
            ("-1000.00", "EUR", "-1,000.00 EUR"),
            ("123456", "JPY", "123,456 JPY"),
            ("1234.567", "KWD", "1,234.567 KWD"),
        ] {
            let money = Money::parse(amount, currency.parse().unwrap()).unwrap();
            assert_eq!(written(money), text);
        }
    }
}
