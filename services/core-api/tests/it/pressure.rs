//! More than the ledger can do at once.

use branchline_kernel::{IdSource, RandomIds};
use branchline_ledger::EngineLimits;
use futures::future::join_all;
use serde_json::json;

use crate::api::{Caller, api_with};

#[actix_web::test]
async fn what_does_not_fit_the_queue_is_told_to_come_again_and_is_done_once_when_it_does() {
    let limits = EngineLimits {
        queue: 1,
        batch: 1,
        ..EngineLimits::STANDARD
    };
    let Some(api) = api_with(limits).await else {
        return;
    };
    let lion = api.made.lion.clone();
    let account = api.account(&lion, "amina", "0.00").await;
    let path = format!("/v1/accounts/{}/deposits", account.text("account_id"));
    let staff = Caller::staff(&lion);
    let cash = json!({"amount": {"amount": "1.00", "currency": "EUR"}});
    let keys: Vec<_> = (0..30).map(|_| RandomIds.next()).collect();
    let first = join_all(
        keys.iter()
            .map(|key| api.post_with(&staff, &path, &cash, *key)),
    )
    .await;
    let refused = first.iter().filter(|answer| answer.status != 201);
    let refused: Vec<_> = refused.collect();
    assert!(!refused.is_empty(), "the queue of one took all of them");
    for answer in refused {
        assert_eq!(answer.refusal(), (503, "ledger-full"));
        assert_eq!(answer.retry_after.as_deref(), Some("1"));
    }
    for key in keys {
        let again = api.post_with(&staff, &path, &cash, key).await;
        assert_eq!(again.status, 201, "{again:?}");
    }
    let balances = path.replace("deposits", "balances");
    let amina = Caller::member(&lion, "amina");
    let balances = api.get(&amina, &balances).await;
    assert_eq!(balances.body["booked"]["amount"], "30.00");
}

#[actix_web::test]
async fn a_flood_at_one_tenant_is_refused_at_the_door_and_another_tenant_is_served() {
    let limits = EngineLimits {
        queue: 20,
        readers: 2,
        batch: 5,
        lanes: 1,
        ..EngineLimits::STANDARD
    };
    let Some(api) = api_with(limits).await else {
        return;
    };
    let (lion, elephant) = (api.made.lion.clone(), api.made.elephant.clone());
    let path = async |tenant| {
        let account = api.account(tenant, "amina", "0.00").await;
        format!("/v1/accounts/{}/deposits", account.text("account_id"))
    };
    let (busy, quiet) = (path(&lion).await, path(&elephant).await);
    let (staff, others) = (Caller::staff(&lion), Caller::staff(&elephant));
    let cash = json!({"amount": {"amount": "1.00", "currency": "EUR"}});
    let flood = join_all((0..200).map(|_| api.post(&staff, &busy, &cash)));
    let few = join_all((0..3).map(|_| api.post(&others, &quiet, &cash)));
    let (flood, few) = futures::join!(flood, few);
    assert!(few.iter().all(|answer| answer.status == 201), "{few:?}");
    let (done, refused): (Vec<_>, Vec<_>) = flood.iter().partition(|one| one.status == 201);
    assert!(done.len() >= 20 && !refused.is_empty());
    for answer in refused {
        assert_eq!(answer.refusal(), (503, "ledger-full"));
        assert_eq!(answer.retry_after.as_deref(), Some("1"));
    }
    let tallied = api.engine.tallied();
    assert!(tallied.most_inside <= 20, "{tallied:?}");
    assert!(tallied.most_turns_waited <= 2, "{tallied:?}");
}

#[actix_web::test]
async fn one_key_given_many_times_at_once_has_one_effect_and_one_answer() {
    let Some(api) = api_with(EngineLimits::STANDARD).await else {
        return;
    };
    let lion = api.made.lion.clone();
    let account = api.account(&lion, "amina", "0.00").await;
    let path = format!("/v1/accounts/{}/deposits", account.text("account_id"));
    let staff = Caller::staff(&lion);
    let cash = json!({"amount": {"amount": "1.00", "currency": "EUR"}});
    let more = json!({"amount": {"amount": "2.00", "currency": "EUR"}});
    let key = RandomIds.next();
    let same = (0..10).map(|_| api.post_with(&staff, &path, &cash, key));
    let answers = join_all(same).await;
    for answer in &answers {
        assert_eq!((answer.status, &answer.body), (201, &answers[0].body));
    }
    let other = api.post_with(&staff, &path, &more, key).await;
    assert_eq!(other.refusal(), (422, "key-reused"));
    let amina = Caller::member(&lion, "amina");
    let balances = api.get(&amina, &path.replace("deposits", "balances")).await;
    assert_eq!(balances.body["booked"]["amount"], "1.00");
}

#[actix_web::test]
async fn a_refusal_of_the_ledger_is_the_lasting_answer_to_its_key() {
    let Some(api) = api_with(EngineLimits::STANDARD).await else {
        return;
    };
    let lion = api.made.lion.clone();
    let account = api.account(&lion, "amina", "0.00").await.text("account_id");
    let staff = Caller::staff(&lion);
    let reason = json!({"reason": "Court order 17/2026"});
    let freeze = format!("/v1/accounts/{account}/freeze");
    assert_eq!(api.post(&staff, &freeze, &reason).await.status, 200);
    let path = format!("/v1/accounts/{account}/deposits");
    let cash = json!({"amount": {"amount": "1.00", "currency": "EUR"}});
    let key = RandomIds.next();
    let refused = api.post_with(&staff, &path, &cash, key).await;
    assert_eq!(refused.refusal(), (409, "account-frozen"));
    let thaw = format!("/v1/accounts/{account}/unfreeze");
    assert_eq!(api.post(&staff, &thaw, &reason).await.status, 200);
    let again = api.post_with(&staff, &path, &cash, key).await;
    assert_eq!(again.refusal(), (409, "account-frozen"));
    assert_eq!(api.post(&staff, &path, &cash).await.status, 201);
}
