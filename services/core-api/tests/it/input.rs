//! Bad input: refused with a code and a sentence, never a failure of ours, nothing written.

use actix_web::http::Method;
use actix_web::test::TestRequest;
use branchline_kernel::{IdSource, RandomIds};
use serde_json::{Value, json};

use crate::api::{Caller, api};

#[actix_web::test]
async fn each_field_of_a_payment_that_does_not_fit_is_named() {
    let Some(api) = api().await else { return };
    let lion = api.made.lion.clone();
    let from = api.account(&lion, "amina", "100.00").await;
    let amina = Caller::member(&lion, "amina");
    let money = |amount: &str, currency: &str| json!({"amount": amount, "currency": currency});
    for (field, value) in [
        ("creditor_iban", json!("DE89370400440532013001")),
        ("creditor_iban", json!(7)),
        ("creditor_name", json!("")),
        ("creditor_name", json!("a\u{0}b")),
        ("creditor_name", json!("x".repeat(141))),
        ("end_to_end_id", json!("x".repeat(36))),
        ("remittance", json!("a\nb")),
        ("amount", money("0", "EUR")),
        ("amount", money("-1.00", "EUR")),
        ("amount", money("1.001", "EUR")),
        ("amount", money("1e3", "EUR")),
        ("amount", money("99999999999999999999", "EUR")),
        ("amount", money("1.00", "XXX")),
        ("amount", json!(1.5)),
        ("amount", Value::Null),
        ("surprise", json!(true)),
        ("debtor_account_id", from.body["account_id"].clone()),
        ("payment_id", json!("7")),
    ] {
        let id = RandomIds.next();
        let mut new = json!({
            "payment_id": id,
            "debtor_iban": from.body["iban"],
            "creditor_iban": "DE89370400440532013000",
            "creditor_name": "Baraka",
            "amount": {"amount": "1.00", "currency": "EUR"},
            "end_to_end_id": "INV-17",
        });
        new[field] = value.clone();
        let answer = api.post_with(&amina, "/v1/payments", &new, id).await;
        assert_eq!(
            answer.refusal(),
            (400, "invalid-request"),
            "{field} {value}"
        );
        assert!(answer.text("detail").ends_with('.'), "{answer:?}");
        let path = format!("/v1/payments/{id}");
        assert_eq!(
            api.get(&amina, &path).await.status,
            404,
            "something was written"
        );
    }
}

#[actix_web::test]
async fn bodies_that_are_no_json_of_ours_are_refused() {
    let Some(api) = api().await else { return };
    let staff = Caller::staff(&api.made.lion);
    let token = api.bearer(&staff);
    let big = format!("{{\"name\": \"{}\"}}", "x".repeat(1_000_000));
    for (body, status) in [
        (b"".to_vec(), 400),
        (b"{".to_vec(), 400),
        (b"[]".to_vec(), 400),
        (vec![b'"', 0xff, 0xfe, b'"'], 400),
        (big.into_bytes(), 413),
    ] {
        let request = TestRequest::with_uri("/v1/members")
            .method(Method::POST)
            .insert_header(("Authorization", token.clone()))
            .insert_header(("Idempotency-Key", RandomIds.next().to_string()))
            .insert_header(("Content-Type", "application/json"))
            .set_payload(body);
        let answer = api.call(request).await;
        assert_eq!(answer.status, status, "{answer:?}");
        assert!(answer.body["code"].is_string());
    }
}

#[actix_web::test]
async fn a_page_of_entries_is_asked_for_within_bounds() {
    let Some(api) = api().await else { return };
    let lion = api.made.lion.clone();
    let id = api.account(&lion, "amina", "1.00").await.text("account_id");
    let amina = Caller::member(&lion, "amina");
    for query in [
        "limit=0",
        "limit=501",
        "limit=-1",
        "limit=x",
        "cursor=%25",
        "cursor=YWJj",
        "date_from=2026-13-01",
        "date_from=-9999-01-01",
        "date_to=12026-01-01",
        "date_from=2026-02-02&date_to=2026-02-01",
        "surprise=1",
    ] {
        let answer = api
            .get(&amina, &format!("/v1/accounts/{id}/entries?{query}"))
            .await;
        assert_eq!(answer.status, 400, "{query}: {answer:?}");
    }
    for query in ["date_from=1900-01-01", "date_to=9999-12-31", "limit=500"] {
        let answer = api
            .get(&amina, &format!("/v1/accounts/{id}/entries?{query}"))
            .await;
        assert_eq!(answer.status, 200, "{query}");
    }
}

#[actix_web::test]
async fn an_id_that_cannot_exist_is_not_found() {
    let Some(api) = api().await else { return };
    let amina = Caller::member(&api.made.lion, "amina");
    for path in [
        "/v1/accounts/7",
        "/v1/payments/x",
        "/v1/accounts/%FF/balances",
    ] {
        assert_eq!(api.get(&amina, path).await.status, 404, "{path}");
    }
}

#[actix_web::test]
async fn a_change_without_a_key_is_refused() {
    let Some(api) = api().await else { return };
    let token = api.bearer(&Caller::staff(&api.made.lion));
    for key in [None, Some(""), Some("7")] {
        let mut request = TestRequest::with_uri("/v1/members")
            .method(Method::POST)
            .insert_header(("Authorization", token.clone()))
            .set_json(json!({"name": "A", "login": {"issuer": "i", "subject": "s"}}));
        if let Some(key) = key {
            request = request.insert_header(("Idempotency-Key", key));
        }
        assert_eq!(api.call(request).await.refusal(), (400, "invalid-request"));
    }
}
