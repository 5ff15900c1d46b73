//! Payments, from the initiation to the member's word.

use branchline_kernel::{IdSource, RandomIds};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{Answered, Caller, api};

fn payment(id: Uuid, from: &Answered, to: &Answered, amount: &str) -> Value {
    json!({
        "payment_id": id,
        "debtor_iban": from.body["iban"],
        "creditor_iban": to.body["iban"],
        "creditor_name": "Baraka",
        "amount": {"amount": amount, "currency": "EUR"},
        "end_to_end_id": "INV-17",
    })
}

#[actix_web::test]
async fn a_third_party_initiates_and_only_the_member_who_pays_authorises() {
    let Some(api) = api().await else { return };
    let (lion, elephant) = (api.made.lion.clone(), api.made.elephant.clone());
    let from = api.account(&lion, "amina", "100.00").await;
    let to = api.account(&elephant, "baraka", "0.00").await;
    api.account(&lion, "chege", "0.00").await;
    let tpp = Caller::tpp(&lion, "savanna");
    let id = RandomIds.next();
    let new = payment(id, &from, &to, "30.00");
    let made = api.post_with(&tpp, "/v1/payments", &new, id).await;
    assert_eq!(
        (made.status, made.text("status").as_str()),
        (201, "RCVD"),
        "{made:?}"
    );
    let path = format!("/v1/payments/{id}/authorise");
    let word = json!({"fingerprint": made.body["fingerprint"]});
    let foreign = tpp.clone().for_member("chege");
    assert_eq!(
        api.post(&foreign, &path, &word).await.refusal(),
        (404, "payment-not-found")
    );
    let amina = tpp.clone().for_member("amina");
    let done = api.post(&amina, &path, &word).await;
    assert_eq!(
        (done.status, done.text("state").as_str()),
        (200, "RESERVED"),
        "{done:?}"
    );
    let again = api.post(&amina, &path, &word).await;
    assert_eq!(again.body, done.body);
    let balances = format!("/v1/accounts/{}/balances", from.text("account_id"));
    let balances = api.get(&Caller::member(&lion, "amina"), &balances).await;
    assert_eq!(balances.body["available"]["amount"], "70.00");
    assert_eq!(balances.body["booked"]["amount"], "100.00");
}

#[actix_web::test]
async fn a_payment_is_seen_by_its_initiator_and_by_the_member_who_pays() {
    let Some(api) = api().await else { return };
    let (lion, elephant) = (api.made.lion.clone(), api.made.elephant.clone());
    let from = api.account(&lion, "amina", "100.00").await;
    let to = api.account(&elephant, "baraka", "0.00").await;
    let tpp = Caller::tpp(&lion, "savanna");
    let id = RandomIds.next();
    api.post_with(&tpp, "/v1/payments", &payment(id, &from, &to, "1.00"), id)
        .await;
    let path = format!("/v1/payments/{id}");
    for (caller, status) in [
        (tpp, 200),
        (Caller::member(&lion, "amina"), 200),
        (Caller::tpp(&lion, "other"), 404),
        (Caller::member(&lion, "chege"), 404),
        (Caller::tpp(&elephant, "savanna"), 404),
        (Caller::member(&elephant, "baraka"), 404),
    ] {
        let answer = api.get(&caller, &path).await;
        assert_eq!(answer.status, status, "{}", caller.principal.actor);
    }
}

#[actix_web::test]
async fn a_payment_above_the_balance_is_received_and_rejected_when_authorised() {
    let Some(api) = api().await else { return };
    let (lion, elephant) = (api.made.lion.clone(), api.made.elephant.clone());
    let from = api.account(&lion, "amina", "100.00").await;
    let to = api.account(&elephant, "baraka", "0.00").await;
    let amina = Caller::member(&lion, "amina");
    let id = RandomIds.next();
    let new = payment(id, &from, &to, "100.01");
    let made = api.post_with(&amina, "/v1/payments", &new, id).await;
    assert_eq!(made.status, 201);
    let word = json!({"fingerprint": made.body["fingerprint"]});
    let answer = api
        .post(&amina, &format!("/v1/payments/{id}/authorise"), &word)
        .await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        (
            answer.text("status").as_str(),
            answer.text("reason_code").as_str()
        ),
        ("RJCT", "AM04")
    );
}

#[actix_web::test]
async fn a_row_that_was_changed_behind_the_page_is_not_authorised_and_nothing_is_held() {
    let Some(api) = api().await else { return };
    let (lion, elephant) = (api.made.lion.clone(), api.made.elephant.clone());
    let from = api.account(&lion, "amina", "100.00").await;
    let to = api.account(&elephant, "baraka", "0.00").await;
    let amina = Caller::member(&lion, "amina");
    let id = RandomIds.next();
    let made = api
        .post_with(&amina, "/v1/payments", &payment(id, &from, &to, "1.00"), id)
        .await;
    let sql = format!("UPDATE payment SET amount_minor = 9900 WHERE id = '{id}'");
    api.made.as_superuser(&format!("t_{lion}"), &sql).await;
    let word = json!({"fingerprint": made.body["fingerprint"]});
    let answer = api
        .post(&amina, &format!("/v1/payments/{id}/authorise"), &word)
        .await;
    assert_eq!(answer.refusal(), (409, "payment-changed"));
    let balances = format!("/v1/accounts/{}/balances", from.text("account_id"));
    assert_eq!(
        api.get(&amina, &balances).await.body["available"]["amount"],
        "100.00"
    );
}

#[actix_web::test]
async fn a_cancelled_payment_cannot_be_authorised() {
    let Some(api) = api().await else { return };
    let (lion, elephant) = (api.made.lion.clone(), api.made.elephant.clone());
    let from = api.account(&lion, "amina", "100.00").await;
    let to = api.account(&elephant, "baraka", "0.00").await;
    let amina = Caller::member(&lion, "amina");
    let id = RandomIds.next();
    let made = api
        .post_with(&amina, "/v1/payments", &payment(id, &from, &to, "1.00"), id)
        .await;
    let cancelled = api
        .post(&amina, &format!("/v1/payments/{id}/cancel"), &Value::Null)
        .await;
    assert_eq!(
        (cancelled.status, cancelled.text("status").as_str()),
        (200, "CANC")
    );
    let word = json!({"fingerprint": made.body["fingerprint"]});
    let answer = api
        .post(&amina, &format!("/v1/payments/{id}/authorise"), &word)
        .await;
    assert_eq!(answer.refusal(), (409, "wrong-state"));
}

#[actix_web::test]
async fn nobody_initiates_from_anothers_account() {
    let Some(api) = api().await else { return };
    let (lion, elephant) = (api.made.lion.clone(), api.made.elephant.clone());
    let from = api.account(&lion, "amina", "100.00").await;
    let to = api.account(&elephant, "baraka", "0.00").await;
    api.account(&lion, "chege", "0.00").await;
    for caller in [
        Caller::member(&lion, "chege"),
        Caller::tpp(&elephant, "savanna"),
    ] {
        let id = RandomIds.next();
        let new = payment(id, &from, &to, "1.00");
        let answer = api.post_with(&caller, "/v1/payments", &new, id).await;
        assert_eq!(answer.refusal(), (404, "account-not-found"));
    }
}
