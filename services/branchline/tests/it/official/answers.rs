//! The file is there, it bites, and every kind of answer was held against it.

use serde_json::{Value, json};

use super::{file_or_skip, found};

#[test]
fn the_file_is_at_hand() {
    let Some(file) = file_or_skip() else { return };
    assert_eq!(
        file.pointer("/info/version")
            .and_then(Value::as_str)
            .map(|text| text.starts_with("1.3.8")),
        Some(true)
    );
}

#[test]
fn a_wrong_answer_is_found() {
    if file_or_skip().is_none() {
        return;
    }
    let right = json!({"consentStatus": "valid"});
    assert_eq!(
        found("getConsentStatus", 200, &right).unwrap(),
        Vec::<String>::new()
    );
    for (operation, status, body) in [
        ("getConsentStatus", 200, json!({})),
        (
            "getConsentStatus",
            200,
            json!({"consentStatus": "approved"}),
        ),
        ("getConsentStatus", 200, json!({"consentStatus": 1})),
        ("getConsentStatus", 200, Value::Null),
        ("getConsentStatus", 201, right.clone()),
        (
            "getConsentStatus",
            400,
            json!({"tppMessages": [{"category": "ERROR", "code": "TOKEN_UNKNOWN"}]}),
        ),
        (
            "getConsentStatus",
            401,
            json!({"tppMessages": [{"category": "BAD", "code": "TOKEN_UNKNOWN"}]}),
        ),
        (
            "getConsentStatus",
            401,
            json!({"tppMessages": [{"code": "TOKEN_UNKNOWN"}]}),
        ),
        ("getConsentStatus", 503, json!({"tppMessages": []})),
        ("deleteConsent", 204, json!({})),
        (
            "getAccountList",
            200,
            json!({"accounts": [{"currency": "eur"}]}),
        ),
        (
            "getAccountList",
            200,
            json!({"accounts": [{"currency": "EUR", "iban": "x"}]}),
        ),
    ] {
        let broken = found(operation, status, &body).unwrap();
        assert!(!broken.is_empty(), "{operation} {status} {body}");
    }
}
