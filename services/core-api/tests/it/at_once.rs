//! Postings that ask the ledger before they look for an answer: what a key tells is the same.

use branchline_db::provision::{Serving, set_serving};
use branchline_db::{Access, Values};
use branchline_kernel::{IdSource, RandomIds, TenantId};
use futures::future::join_all;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::api::{Api, Caller, api};

const POSTINGS: &str = "/v1/ledger/postings";

/// Two accounts of the ledger; the first must not be overdrawn.
async fn accounts(api: &Api, tenant: &TenantId) -> (i64, i64) {
    let account = async |code: &str, floor: Option<&str>| {
        let new = json!({
            "code": code,
            "currency": "EUR",
            "normal_side": "debit",
            "gl_account": "opening-equity",
            "floor": floor,
        });
        let staff = Caller::staff(tenant);
        let made = api.post(&staff, "/v1/ledger/accounts", &new).await;
        made.body["ledger_account_id"].as_i64().unwrap()
    };
    let one = account("float/a", Some("0.00")).await;
    (one, account("float/b", None).await)
}

/// What each of these tests begins with.
struct Desk {
    api: Api,
    lion: TenantId,
    staff: Caller,
    pair: (i64, i64),
}

async fn desk() -> Option<Desk> {
    let api = api().await?;
    let lion = api.made.lion.clone();
    let (staff, pair) = (Caller::staff(&lion), accounts(&api, &lion).await);
    Some(Desk {
        api,
        lion,
        staff,
        pair,
    })
}

fn posting((to, from): (i64, i64), amount: &str) -> Value {
    let amount = json!({"amount": amount, "currency": "EUR"});
    json!({
        "kind": "correction",
        "legs": [
            {"ledger_account_id": to, "side": "debit", "amount": amount},
            {"ledger_account_id": from, "side": "credit", "amount": amount},
        ],
    })
}

async fn booked(api: &Api, tenant: &TenantId, id: i64) -> String {
    let path = format!("/v1/ledger/accounts/{id}");
    let shown = api.get(&Caller::staff(tenant), &path).await;
    shown.body["booked"]["amount"].as_str().unwrap().to_owned()
}

/// Posts, gives the stored row of that key to a key that the ledger has never seen, and changes
/// it. The row says what was asked, so the same request fits it.
async fn stored(api: &Api, body: &Value, change: &'static str) -> Uuid {
    let lion = &api.made.lion;
    let (posted, key) = (RandomIds.next(), RandomIds.next());
    let staff = Caller::staff(lion);
    let made = api.post_with(&staff, POSTINGS, body, posted).await;
    assert_eq!(made.status, 201, "{made:?}");
    let tx = api.made.core.tenant(lion, "system:test", Access::Write);
    let tx = tx.await.unwrap();
    let values = Values::new().with(posted).with(key);
    assert_eq!(tx.run(change, values).await.unwrap(), 1);
    tx.commit().await.unwrap();
    key
}

#[actix_web::test]
async fn one_key_given_many_times_at_once_posts_once_and_gives_one_answer() {
    let Some(Desk {
        api,
        lion,
        staff,
        pair: (a, b),
    }) = desk().await
    else {
        return;
    };
    let (body, key) = (posting((a, b), "5.00"), RandomIds.next());
    let same = (0..10).map(|_| api.post_with(&staff, POSTINGS, &body, key));
    let answers = join_all(same).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (201, &answers[0].body));
    }
    let later = api.post_with(&staff, POSTINGS, &body, key).await;
    assert_eq!((later.status, &later.body), (201, &answers[0].body));
    assert_eq!(booked(&api, &lion, a).await, "5.00");
}

#[actix_web::test]
async fn a_key_with_other_content_is_refused_whether_or_not_it_makes_a_posting() {
    let Some(Desk {
        api,
        lion,
        staff,
        pair: (a, b),
    }) = desk().await
    else {
        return;
    };
    let key = RandomIds.next();
    let body = posting((a, b), "5.00");
    let made = api.post_with(&staff, POSTINGS, &body, key).await;
    assert_eq!(made.status, 201, "{made:?}");
    let mut crooked = body.clone();
    crooked["legs"][1]["amount"]["amount"] = json!("5.01");
    for other in [posting((a, b), "6.00"), crooked] {
        let refused = api.post_with(&staff, POSTINGS, &other, key).await;
        assert_eq!(refused.refusal(), (422, "key-reused"));
    }
    assert_eq!(booked(&api, &lion, a).await, "5.00");
}

#[actix_web::test]
async fn a_refusal_lasts_for_its_key_when_the_reason_is_gone() {
    let Some(Desk {
        api,
        staff,
        pair: (a, b),
        ..
    }) = desk().await
    else {
        return;
    };
    let key = RandomIds.next();
    let out = posting((b, a), "1.00");
    let poor = api.post_with(&staff, POSTINGS, &out, key).await;
    assert_eq!(poor.status, 409, "{poor:?}");
    let paid = api.post(&staff, POSTINGS, &posting((a, b), "5.00")).await;
    assert_eq!(paid.status, 201, "{paid:?}");
    let again = api.post_with(&staff, POSTINGS, &out, key).await;
    assert_eq!((again.status, &again.body), (409, &poor.body));
    assert_eq!(api.post(&staff, POSTINGS, &out).await.status, 201);
}

#[actix_web::test]
async fn a_stored_answer_that_the_ledger_knows_nothing_of_is_given_and_nothing_is_posted() {
    let Some(Desk {
        api,
        lion,
        staff,
        pair: (a, b),
    }) = desk().await
    else {
        return;
    };
    let body = posting((a, b), "5.00");
    let change = "UPDATE idempotency_key SET key = $2, status = 404, answer = '{\"code\": \"gone\"}' \
                  WHERE key = $1";
    let key = stored(&api, &body, change).await;
    for _ in 0..2 {
        let answer = api.post_with(&staff, POSTINGS, &body, key).await;
        assert_eq!(answer.refusal(), (404, "gone"));
    }
    let other = posting((a, b), "6.00");
    let refused = api.post_with(&staff, POSTINGS, &other, key).await;
    assert_eq!(refused.refusal(), (422, "key-reused"));
    assert_eq!(booked(&api, &lion, a).await, "5.00");
}

#[actix_web::test]
async fn a_key_that_is_in_use_is_left_to_whoever_uses_it_and_its_neighbors_are_posted() {
    let Some(Desk {
        api,
        lion,
        staff,
        pair: (a, b),
    }) = desk().await
    else {
        return;
    };
    let body = posting((a, b), "5.00");
    let change = "UPDATE idempotency_key SET key = $2, status = NULL, answer = NULL, \
                  lease_until = '9999-01-01' WHERE key = $1";
    let key = stored(&api, &body, change).await;
    let mine = api.post_with(&staff, POSTINGS, &body, key);
    let others = join_all((0..5).map(|_| api.post(&staff, POSTINGS, &body)));
    let (mine, others) = futures::join!(mine, others);
    assert_eq!(mine.refusal(), (409, "key-in-flight"));
    assert!(others.iter().all(|one| one.status == 201), "{others:?}");
    assert_eq!(booked(&api, &lion, a).await, "30.00");
}

#[actix_web::test]
async fn a_suspended_tenant_gets_its_stored_answers_and_no_posting() {
    let Some(Desk {
        api,
        lion,
        staff,
        pair: (a, b),
    }) = desk().await
    else {
        return;
    };
    let key = RandomIds.next();
    let body = posting((a, b), "5.00");
    let made = api.post_with(&staff, POSTINGS, &body, key).await;
    set_serving(&api.made.admin, &lion, Serving::Suspended, "a test")
        .await
        .unwrap();
    let again = api.post_with(&staff, POSTINGS, &body, key).await;
    assert_eq!((again.status, &again.body), (201, &made.body));
    let new = api.post(&staff, POSTINGS, &body).await;
    assert_eq!(new.refusal(), (403, "tenant-suspended"));
    assert_eq!(booked(&api, &lion, a).await, "5.00");
}
