//! What a member agrees to, as one short text.
//!
//! The gateway computes it over what it shows and binds the one-time code to it; the core computes
//! it over what it has stored. They agree, or nothing is held (RTS 2018/389 Art. 5).

use aws_lc_rs::digest::{SHA256, digest};
use uuid::Uuid;

use crate::AmountDto;

/// What of a payment a member agrees to.
#[derive(Debug, Clone, Copy)]
pub struct PaymentFacts<'a> {
    /// The payment.
    pub payment_id: Uuid,
    /// The account that pays.
    pub debtor_iban: &'a str,
    /// The account that is paid.
    pub creditor_iban: &'a str,
    /// Who is paid.
    pub creditor_name: &'a str,
    /// How much.
    pub amount: &'a AmountDto,
}

/// SHA-256, in hexadecimal, of the payment's facts. Each fact carries its length in front, so that
/// no two payments spell the same text.
#[must_use]
pub fn payment_fingerprint(facts: &PaymentFacts<'_>) -> String {
    let PaymentFacts {
        payment_id,
        debtor_iban,
        creditor_iban,
        creditor_name,
        amount,
    } = facts;
    let payment_id = payment_id.hyphenated().to_string();
    let mut text = String::from("branchline payment 1\n");
    for fact in [
        payment_id.as_str(),
        debtor_iban,
        creditor_iban,
        creditor_name,
        &amount.amount,
        &amount.currency,
    ] {
        text.push_str(&format!("{}:{fact}\n", fact.len()));
    }
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn amount(text: &str) -> AmountDto {
        AmountDto {
            amount: text.to_owned(),
            currency: "EUR".to_owned(),
        }
    }

    fn facts(amount: &AmountDto) -> PaymentFacts<'_> {
        PaymentFacts {
            payment_id: Uuid::from_u128(7),
            debtor_iban: "DE89370400440532013000",
            creditor_iban: "DE02120300000000202051",
            creditor_name: "Baraka",
            amount,
        }
    }

    #[test]
    fn every_fact_changes_the_fingerprint() {
        let (ten, more) = (amount("10.00"), amount("10.01"));
        let base = facts(&ten);
        let others = [
            PaymentFacts {
                payment_id: Uuid::from_u128(8),
                ..base
            },
            PaymentFacts {
                debtor_iban: "DE89370400440532013001",
                ..base
            },
            PaymentFacts {
                creditor_iban: "DE02120300000000202052",
                ..base
            },
            PaymentFacts {
                creditor_name: "Barakas",
                ..base
            },
            PaymentFacts {
                amount: &more,
                ..base
            },
        ];
        let mut seen = vec![payment_fingerprint(&base)];
        seen.extend(others.iter().map(payment_fingerprint));
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 6);
    }

    #[test]
    fn the_fingerprint_is_fixed_for_good() {
        let ten = amount("10.00");
        assert_eq!(payment_fingerprint(&facts(&ten)).len(), 64);
        assert_eq!(
            payment_fingerprint(&facts(&ten)),
            "6789e2e2c15bee5afcf509b018f89c8fd6f8aea9a075a1bb3df63ebded1fe7f9"
        );
    }

    #[test]
    fn text_cannot_move_from_one_fact_to_the_next() {
        let ten = amount("10.00");
        let left = PaymentFacts {
            creditor_iban: "A",
            creditor_name: "B\n1:C",
            ..facts(&ten)
        };
        let right = PaymentFacts {
            creditor_iban: "A\n1:B",
            creditor_name: "C",
            ..facts(&ten)
        };
        assert_ne!(payment_fingerprint(&left), payment_fingerprint(&right));
    }
}
