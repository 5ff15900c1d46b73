//! Members and accounts.

use serde_json::json;

use crate::api::{Caller, api};

#[actix_web::test]
async fn a_member_sees_her_own_accounts_and_what_is_on_them() {
    let Some(api) = api().await else { return };
    let lion = api.made.lion.clone();
    let account = api.account(&lion, "amina", "120.50").await;
    let amina = Caller::member(&lion, "amina");
    let list = api.get(&amina, "/v1/accounts").await;
    assert_eq!(list.body["accounts"], json!([account.body]));
    let id = account.text("account_id");
    let balances = api
        .get(&amina, &format!("/v1/accounts/{id}/balances"))
        .await;
    assert_eq!(
        balances.body["booked"],
        json!({"amount": "120.50", "currency": "EUR"})
    );
    let page = api.get(&amina, &format!("/v1/accounts/{id}/entries")).await;
    assert_eq!(page.body["entries"][0]["kind"], "cash-deposit");
    assert_eq!(page.body["entries"][0]["side"], "credit");
}

#[actix_web::test]
async fn anothers_account_looks_like_one_that_does_not_exist() {
    let Some(api) = api().await else { return };
    let (lion, elephant) = (api.made.lion.clone(), api.made.elephant.clone());
    let id = api.account(&lion, "amina", "1.00").await.text("account_id");
    let other = api.account(&lion, "chege", "1.00").await.text("account_id");
    api.account(&elephant, "amina", "1.00").await;
    let nobody = "0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f";
    let unknown = api
        .get(
            &Caller::member(&lion, "amina"),
            &format!("/v1/accounts/{nobody}"),
        )
        .await;
    assert_eq!(unknown.refusal(), (404, "account-not-found"));
    for (caller, id) in [
        (Caller::member(&lion, "amina"), &other),
        (Caller::member(&elephant, "amina"), &id),
        (Caller::tpp(&lion, "savanna").for_member("chege"), &id),
        (Caller::member(&lion, "amina").only(&[&other]), &id),
    ] {
        for path in ["", "/balances", "/entries"] {
            let answer = api.get(&caller, &format!("/v1/accounts/{id}{path}")).await;
            assert_eq!(answer.body, unknown.body, "{path}");
        }
    }
}

#[actix_web::test]
async fn a_limited_token_lists_only_its_accounts() {
    let Some(api) = api().await else { return };
    let lion = api.made.lion.clone();
    api.account(&lion, "amina", "1.00").await;
    let amina = Caller::member(&lion, "amina").only(&["0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f"]);
    assert_eq!(
        api.get(&amina, "/v1/accounts").await.body,
        json!({"accounts": []})
    );
}

#[actix_web::test]
async fn entries_come_page_by_page_and_none_is_lost() {
    let Some(api) = api().await else { return };
    let lion = api.made.lion.clone();
    let id = api.account(&lion, "amina", "1.00").await.text("account_id");
    let cash = json!({"amount": {"amount": "2.00", "currency": "EUR"}});
    for _ in 0..2 {
        api.post(
            &Caller::staff(&lion),
            &format!("/v1/accounts/{id}/deposits"),
            &cash,
        )
        .await;
    }
    let amina = Caller::member(&lion, "amina");
    let first = api
        .get(&amina, &format!("/v1/accounts/{id}/entries?limit=2"))
        .await;
    let cursor = first.text("next_cursor");
    let path = format!("/v1/accounts/{id}/entries?limit=2&cursor={cursor}");
    let second = api.get(&amina, &path).await;
    let numbers = |page: &crate::api::Answered| -> Vec<i64> {
        let entries = page.body["entries"].as_array().unwrap().iter();
        entries
            .map(|entry| entry["entry"].as_i64().unwrap())
            .collect()
    };
    assert_eq!((numbers(&first), numbers(&second)), (vec![3, 2], vec![1]));
    assert!(second.body["next_cursor"].is_null());
}

#[actix_web::test]
async fn the_same_key_enrolls_once_and_other_content_is_refused() {
    let Some(api) = api().await else { return };
    let staff = Caller::staff(&api.made.lion);
    let key = "0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f".parse().unwrap();
    let member =
        |name: &str| json!({"name": name, "login": {"issuer": "https://id.test", "subject": "1"}});
    let first = api
        .post_with(&staff, "/v1/members", &member("Amina"), key)
        .await;
    let again = api
        .post_with(&staff, "/v1/members", &member("Amina"), key)
        .await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    let other = api
        .post_with(&staff, "/v1/members", &member("Chege"), key)
        .await;
    assert_eq!(other.refusal(), (422, "key-reused"));
    let taken = api.post(&staff, "/v1/members", &member("Chege")).await;
    assert_eq!(taken.refusal(), (409, "login-taken"));
}

#[actix_web::test]
async fn money_in_another_currency_is_refused() {
    let Some(api) = api().await else { return };
    let lion = api.made.lion.clone();
    let id = api.account(&lion, "amina", "0.00").await.text("account_id");
    let cash = json!({"amount": {"amount": "2.00", "currency": "KES"}});
    let path = format!("/v1/accounts/{id}/deposits");
    let answer = api.post(&Caller::staff(&lion), &path, &cash).await;
    assert_eq!(answer.refusal(), (422, "wrong-currency"));
}

#[actix_web::test]
async fn the_trial_balance_sums_to_zero() {
    let Some(api) = api().await else { return };
    let lion = api.made.lion.clone();
    api.account(&lion, "amina", "120.50").await;
    let books = api.get(&Caller::staff(&lion), "/v1/trial-balance").await;
    let rows = books.body["rows"].as_array().unwrap();
    let balance = |account: &str| {
        let row = rows
            .iter()
            .find(|row| row["gl_account"] == account)
            .unwrap();
        row["balance"]["amount"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (balance("cash"), balance("deposits")),
        ("120.50".to_owned(), "-120.50".to_owned())
    );
}

#[actix_web::test]
async fn a_frozen_account_takes_no_cash_until_it_is_unfrozen() {
    let Some(api) = api().await else { return };
    let lion = api.made.lion.clone();
    let id = api.account(&lion, "amina", "1.00").await.text("account_id");
    let staff = Caller::staff(&lion);
    let reason = json!({"reason": "Court order 17/2026"});
    let cash = json!({"amount": {"amount": "2.00", "currency": "EUR"}});
    let (freeze, unfreeze, deposits) = (
        format!("/v1/accounts/{id}/freeze"),
        format!("/v1/accounts/{id}/unfreeze"),
        format!("/v1/accounts/{id}/deposits"),
    );
    for _ in 0..2 {
        let frozen = api.post(&staff, &freeze, &reason).await;
        assert_eq!(
            (frozen.status, frozen.text("status").as_str()),
            (200, "frozen")
        );
    }
    let refused = api.post(&staff, &deposits, &cash).await;
    assert_eq!(refused.refusal(), (409, "account-frozen"));
    let open = api.post(&staff, &unfreeze, &reason).await;
    assert_eq!((open.status, open.text("status").as_str()), (200, "open"));
    assert_eq!(api.post(&staff, &deposits, &cash).await.status, 201);
}

#[actix_web::test]
async fn an_account_is_frozen_by_its_own_institution_for_a_reason() {
    let Some(api) = api().await else { return };
    let (lion, elephant) = (api.made.lion.clone(), api.made.elephant.clone());
    let id = api.account(&lion, "amina", "1.00").await.text("account_id");
    let path = format!("/v1/accounts/{id}/freeze");
    let reason = json!({"reason": "Court order 17/2026"});
    let foreign = api.post(&Caller::staff(&elephant), &path, &reason).await;
    assert_eq!(foreign.refusal(), (404, "account-not-found"));
    let member = api
        .post(&Caller::member(&lion, "amina"), &path, &reason)
        .await;
    assert_eq!(member.refusal(), (403, "right-missing"));
    let silent = api
        .post(&Caller::staff(&lion), &path, &json!({"reason": " "}))
        .await;
    assert_eq!(silent.refusal(), (400, "invalid-request"));
    let amina = Caller::member(&lion, "amina");
    let account = api.get(&amina, &format!("/v1/accounts/{id}")).await;
    assert_eq!(account.text("status"), "open");
}
