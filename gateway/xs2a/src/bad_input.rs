//! Input that nobody planned for: it is refused with a code and a sentence, and nothing panics.

use branchline_kernel::ConsentId;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::test_runner::TestCaseError;
use proptest::{collection, prop_assert, prop_assert_eq, proptest};
use serde_json::{Value, json};

use crate::{
    ConsentRequest, Moment, SepaCreditTransfer, TransactionsQuery, Xs2aError, accept_json,
    consent_id, id_in_path, json_content, optional_flag, parse_json, presence, request_id,
    tpp_redirect_uri,
};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i64>().prop_map(|number| serde_json::from_str(&format!("{number}.5e3")).unwrap()),
        any::<String>().prop_map(Value::from),
        "-?[0-9]{1,25}(\\.[0-9]{1,5})?".prop_map(Value::from),
        "[0-9]{4}-[0-9]{2}-[0-9]{2}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            collection::btree_map("iban|accounts|balances|allPsd2|amount|.{0,8}", inner, 0..4)
                .prop_map(|members| members
                    .into_iter()
                    .collect::<serde_json::Map<_, _>>()
                    .into()),
        ]
    })
}

fn moment() -> Moment {
    Moment::utc(chrono::DateTime::from_timestamp(1_795_219_200, 0).unwrap_or_default())
}

/// A refusal has a 4xx status, and where it has a body, one sentence that fits.
fn check<T>(result: Result<T, Xs2aError>) -> Result<(), TestCaseError> {
    let Err(error) = result else {
        return Ok(());
    };
    prop_assert!((400..500).contains(&error.status()));
    let body = serde_json::to_value(error.body()).unwrap_or_default();
    if let Some(text) = body.pointer("/tppMessages/0/text").and_then(Value::as_str) {
        prop_assert!((1..=500).contains(&text.chars().count()));
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_bytes_are_json_or_a_format_error(bytes: Vec<u8>) {
        check(parse_json(&bytes))?;
    }

    #[test]
    fn any_member_of_a_payment_is_accepted_or_refused_in_words(
        pointer in "debtorAccount|instructedAmount|creditorAccount|creditorName|creditorAgent|endToEndIdentification|remittanceInformationUnstructured",
        value in any_json(),
    ) {
        let mut body = json!({
            "debtorAccount": {"iban": "DE89370400440532013000"},
            "instructedAmount": {"currency": "EUR", "amount": "12.50"},
            "creditorAccount": {"iban": "FI2112345600000785"},
            "creditorName": "Zoë Otieno",
        });
        body[&pointer] = value;
        check(SepaCreditTransfer::parse(&body))?;
    }

    #[test]
    fn any_amount_that_is_accepted_is_exactly_what_was_written(
        text in "-?[0-9]{1,12}(\\.[0-9]{1,4})?",
    ) {
        let body = json!({
            "debtorAccount": {"iban": "DE89370400440532013000"},
            "instructedAmount": {"currency": "EUR", "amount": text},
            "creditorAccount": {"iban": "FI2112345600000785"},
            "creditorName": "Zoë Otieno",
        });
        match SepaCreditTransfer::parse(&body) {
            Ok(payment) => {
                prop_assert!(payment.amount.is_positive());
                let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
                let written = format!("{}.{fraction:0<2}", whole.trim_start_matches('0'));
                let read = payment.amount.decimal();
                prop_assert_eq!(read.trim_start_matches('0'), written);
            }
            Err(error) => check(Err::<(), _>(error))?,
        }
    }

    #[test]
    fn any_member_of_a_consent_is_accepted_or_refused_in_words(
        member in "access|recurringIndicator|validUntil|frequencyPerDay|combinedServiceIndicator",
        value in any_json(),
    ) {
        let mut body = json!({"access": {"allPsd2": "allAccounts"}, "recurringIndicator": true,
            "validUntil": "2026-12-31", "frequencyPerDay": 4, "combinedServiceIndicator": false});
        body[&member] = value;
        let result = ConsentRequest::parse(&body, moment());
        if let Ok(request) = &result {
            prop_assert!((1..=4).contains(&request.frequency_per_day));
            prop_assert!(request.valid_until >= moment().today);
        }
        check(result)?;
    }

    #[test]
    fn any_query_is_accepted_or_refused_in_words(
        name in "bookingStatus|dateFrom|dateTo|withBalance|cursor|deltaList|entryReferenceFrom",
        value: String,
    ) {
        let good = [("bookingStatus", "booked"), ("dateFrom", "2026-11-01")];
        let mut pairs: Vec<_> = good
            .iter()
            .filter(|(key, _)| *key != name)
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        pairs.push((name, value));
        let result = TransactionsQuery::parse(&pairs, moment().today);
        if let Ok(query) = &result {
            prop_assert!(query.from <= query.to && query.to <= moment().today);
        }
        check(result)?;
    }

    #[test]
    fn any_header_is_accepted_or_refused_in_words(text: String) {
        let header = Some(text.as_str());
        prop_assert!(request_id(header).is_err());
        check(request_id(header))?;
        check(presence(header))?;
        check(consent_id(header))?;
        check(id_in_path::<ConsentId>(&text))?;
        check(tpp_redirect_uri(header))?;
        check(optional_flag("TPP-Redirect-Preferred", header))?;
        check(json_content(header))?;
        check(accept_json(header))?;
        prop_assert_eq!(consent_id(None).map_err(|error| error.status()), Err(400));
    }
}
