//! The ledger's own operations.

use branchline_kernel::{Clock, TenantId};
use chrono::Datelike;
use serde_json::{Value, json};

use crate::api::{Answered, Api, Caller, api};

async fn account(api: &Api, tenant: &TenantId, code: &str, floor: Option<&str>) -> i64 {
    let new = json!({
        "code": code,
        "currency": "EUR",
        "normal_side": "debit",
        "gl_account": "opening-equity",
        "floor": floor,
    });
    let staff = Caller::staff(tenant);
    let made = api.post(&staff, "/v1/ledger/accounts", &new).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.body["ledger_account_id"].as_i64().unwrap()
}

fn eur(amount: &str) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

fn posting((to, from): (i64, i64), amount: &str) -> Value {
    json!({
        "kind": "correction",
        "memo": "Fee of March taken twice",
        "legs": [
            {"ledger_account_id": to, "side": "debit", "amount": eur(amount)},
            {"ledger_account_id": from, "side": "credit", "amount": eur(amount)},
        ],
    })
}

fn hold(of: i64, amount: &str) -> Value {
    json!({"ledger_account_id": of, "amount": eur(amount), "direction": "outgoing"})
}

async fn booked(api: &Api, tenant: &TenantId, id: i64) -> (String, String) {
    let path = format!("/v1/ledger/accounts/{id}");
    let shown = api.get(&Caller::staff(tenant), &path).await;
    let text = |field: &str| shown.body[field]["amount"].as_str().unwrap().to_owned();
    (text("booked"), text("available"))
}

async fn post(api: &Api, tenant: &TenantId, path: &str, body: &Value) -> Answered {
    api.post(&Caller::staff(tenant), path, body).await
}

#[actix_web::test]
async fn a_posting_is_shown_with_its_legs_and_undone_once() {
    let Some(api) = api().await else { return };
    let lion = api.made.lion.clone();
    let a = account(&api, &lion, "fees/card", None).await;
    let b = account(&api, &lion, "fees/cash", None).await;
    let made = post(&api, &lion, "/v1/ledger/postings", &posting((a, b), "5.00")).await;
    assert_eq!(made.status, 201, "{made:?}");
    let id = made.text("posting_id");
    let path = format!("/v1/ledger/postings/{id}");
    let shown = api.get(&Caller::staff(&lion), &path).await;
    assert_eq!(shown.body["legs"].as_array().unwrap().len(), 2);
    assert_eq!(shown.body["memo"], "Fee of March taken twice");
    assert_eq!(booked(&api, &lion, a).await.0, "5.00");
    let undo = format!("{path}/reverse");
    let undone = post(&api, &lion, &undo, &json!({})).await;
    assert_eq!(undone.status, 201, "{undone:?}");
    assert_eq!(booked(&api, &lion, a).await.0, "0.00");
    let twice = post(&api, &lion, &undo, &json!({})).await;
    assert_eq!(twice.refusal(), (409, "already-reversed"));
    let entries = format!("/v1/ledger/accounts/{a}/entries");
    let page = api.get(&Caller::staff(&lion), &entries).await;
    assert_eq!(page.body["entries"].as_array().unwrap().len(), 2);
    let foreign = api.get(&Caller::staff(&api.made.elephant), &path).await;
    assert_eq!(foreign.refusal(), (404, "posting-unknown"));
}

#[actix_web::test]
async fn a_hold_is_posted_in_part_or_voided_and_ends_once() {
    let Some(api) = api().await else { return };
    let lion = api.made.lion.clone();
    let a = account(&api, &lion, "float/a", Some("0.00")).await;
    let b = account(&api, &lion, "float/b", None).await;
    let postings = "/v1/ledger/postings";
    post(&api, &lion, postings, &posting((a, b), "10.00")).await;
    let held = post(&api, &lion, "/v1/ledger/holds", &hold(a, "6.00")).await;
    assert_eq!(held.status, 201, "{held:?}");
    let poor = post(&api, &lion, "/v1/ledger/holds", &hold(a, "4.01")).await;
    assert_eq!(poor.refusal(), (409, "insufficient-funds"));
    let mut part = posting((b, a), "2.50");
    part["hold_id"] = held.body["hold_id"].clone();
    let taken = post(&api, &lion, postings, &part).await;
    assert_eq!(taken.status, 201, "{taken:?}");
    let path = format!("/v1/ledger/holds/{}", held.text("hold_id"));
    let shown = api.get(&Caller::staff(&lion), &path).await;
    assert_eq!(
        (&shown.body["state"], &shown.body["taken"]["amount"]),
        (&json!("posted"), &json!("2.50"))
    );
    assert_eq!(
        booked(&api, &lion, a).await,
        ("7.50".to_owned(), "7.50".to_owned())
    );
    let late = post(&api, &lion, &format!("{path}/void"), &Value::Null).await;
    assert_eq!(late.refusal(), (409, "hold-ended"));
    let other = post(&api, &lion, "/v1/ledger/holds", &hold(a, "1.00")).await;
    let void = format!("/v1/ledger/holds/{}/void", other.text("hold_id"));
    assert_eq!(post(&api, &lion, &void, &Value::Null).await.status, 200);
    assert_eq!(booked(&api, &lion, a).await.1, "7.50");
}

#[actix_web::test]
async fn what_does_not_balance_or_names_a_reserved_account_is_malformed() {
    let Some(api) = api().await else { return };
    let lion = api.made.lion.clone();
    let a = account(&api, &lion, "fees/card", None).await;
    let mut crooked = posting((a, a), "5.00");
    crooked["legs"][1]["amount"] = eur("5.01");
    let refused = post(&api, &lion, "/v1/ledger/postings", &crooked).await;
    assert_eq!(refused.refusal(), (400, "invalid-request"));
    let reserved = json!({
        "code": "house/cash/KES", "currency": "KES", "normal_side": "debit", "gl_account": "cash",
    });
    let refused = post(&api, &lion, "/v1/ledger/accounts", &reserved).await;
    assert_eq!(refused.refusal(), (400, "invalid-request"));
    let unknown = post(
        &api,
        &lion,
        "/v1/ledger/postings",
        &posting((a, 9_000_000), "1.00"),
    )
    .await;
    assert_eq!(unknown.refusal(), (404, "ledger-account-unknown"));
}

#[actix_web::test]
async fn nothing_is_booked_under_a_closed_period_and_the_trial_balance_is_by_period() {
    let Some(api) = api().await else { return };
    let lion = api.made.lion.clone();
    let admin = Caller::admin(&lion);
    let a = account(&api, &lion, "fees/card", None).await;
    let b = account(&api, &lion, "fees/cash", None).await;
    let year = json!({"first_day": "2040-01-01", "last_day": "2040-12-31"});
    assert_eq!(api.post(&admin, "/v1/periods", &year).await.status, 201);
    let overlap = api.post(&admin, "/v1/periods", &year).await;
    assert_eq!(overlap.refusal(), (409, "period-overlaps"));
    let mut later = posting((a, b), "5.00");
    later["booking_date"] = json!("2040-03-01");
    let postings = "/v1/ledger/postings";
    assert_eq!(post(&api, &lion, postings, &later).await.status, 201);
    let closing = json!({"first_day": "2040-01-01"});
    let closed = api.post(&admin, "/v1/periods/close", &closing).await;
    assert_eq!(closed.status, 200, "{closed:?}");
    let refused = post(&api, &lion, postings, &later).await;
    assert_eq!(refused.refusal(), (409, "period-not-open"));
    let of = async |query: &str| {
        let path = format!("/v1/trial-balance{query}");
        let shown = api.get(&Caller::staff(&lion), &path).await;
        shown.body["rows"].as_array().unwrap().len()
    };
    assert_eq!(of("?date_from=2040-01-01&currency=EUR").await, 1);
    assert_eq!(of("?date_from=2040-01-01&currency=KES").await, 0);
    assert_eq!(of("?date_from=2041-01-01").await, 0);
    let refused = api.post(&Caller::staff(&lion), "/v1/periods", &year).await;
    assert_eq!(refused.refusal(), (403, "right-missing"));
}

#[actix_web::test]
async fn the_books_of_this_year_can_be_closed_month_by_month() {
    let Some(api) = api().await else { return };
    let admin = Caller::admin(&api.made.lion);
    let year = api.made.clock.now().year();
    for month in 1..=12 {
        let closing = json!({"first_day": format!("{year}-{month:02}-01")});
        let closed = api.post(&admin, "/v1/periods/close", &closing).await;
        assert_eq!(closed.status, 200, "{month}: {closed:?}");
    }
}
