//! Keys of idempotency, and the audit chain.

use branchline_db::idempotency::{Claim, Key, answer, claim};
use branchline_db::{Access, Values, audit};
use branchline_kernel::{IdSource, RandomIds};
use chrono::TimeDelta;
use serde_json::json;

use crate::installation;

fn key() -> Key {
    Key {
        client: "tpp:1".to_owned(),
        operation: "createConsent".to_owned(),
        key: RandomIds.next(),
    }
}

#[tokio::test]
async fn a_repeat_gets_the_stored_answer_and_other_content_is_refused() {
    let Some(at) = installation().await else {
        return;
    };
    let key = key();
    let tx = at
        .gateway
        .tenant(&at.lion, "t", Access::Write)
        .await
        .unwrap();
    let lease = tx.now() + TimeDelta::seconds(30);
    let first = claim(&tx, &key, b"same", lease).await.unwrap();
    assert!(matches!(first, Claim::Mine { .. }));
    assert_eq!(
        claim(&tx, &key, b"same", lease).await.unwrap(),
        Claim::InFlight
    );
    answer(&tx, &key, 201, &json!({ "id": 1 })).await.unwrap();
    let again = claim(&tx, &key, b"same", lease).await.unwrap();
    assert_eq!(
        again,
        Claim::Answered {
            status: 201,
            answer: json!({ "id": 1 })
        }
    );
    assert_eq!(
        claim(&tx, &key, b"other", lease).await.unwrap(),
        Claim::OtherContent
    );
}

#[tokio::test]
async fn a_lease_that_ran_out_gives_the_same_id_again() {
    let Some(at) = installation().await else {
        return;
    };
    let key = key();
    let tx = at
        .gateway
        .tenant(&at.lion, "t", Access::Write)
        .await
        .unwrap();
    let past = tx.now() - TimeDelta::seconds(1);
    let first = claim(&tx, &key, b"same", past).await.unwrap();
    assert_eq!(claim(&tx, &key, b"same", past).await.unwrap(), first);
}

#[tokio::test]
async fn keys_of_two_clients_do_not_meet() {
    let Some(at) = installation().await else {
        return;
    };
    let (one, mut other) = (key(), key());
    other.key = one.key;
    other.client = "tpp:2".to_owned();
    let tx = at
        .gateway
        .tenant(&at.lion, "t", Access::Write)
        .await
        .unwrap();
    let lease = tx.now() + TimeDelta::seconds(30);
    assert!(matches!(
        claim(&tx, &one, b"a", lease).await.unwrap(),
        Claim::Mine { .. }
    ));
    assert!(matches!(
        claim(&tx, &other, b"b", lease).await.unwrap(),
        Claim::Mine { .. }
    ));
}

#[tokio::test]
async fn the_audit_chain_shows_a_changed_row() {
    let Some(at) = installation().await else {
        return;
    };
    let tx = at
        .core
        .tenant(&at.lion, "staff:x", Access::Write)
        .await
        .unwrap();
    for object in ["a", "b", "c"] {
        let object = Some(object.to_owned());
        let event = audit::Event {
            operation: "openAccount".to_owned(),
            object,
            outcome: "done".into(),
            ..Default::default()
        };
        audit::record(&tx, event).await.unwrap();
    }
    assert_eq!(audit::seal(&tx).await.unwrap(), 3);
    assert_eq!(audit::seal(&tx).await.unwrap(), 0);
    assert_eq!(audit::first_broken_seal(&tx).await.unwrap(), None);
    tx.commit().await.unwrap();
    at.as_superuser(
        &format!("t_{}", at.lion),
        "ALTER TABLE audit_event DISABLE TRIGGER ALL; UPDATE audit_event SET outcome = 'x' WHERE object = 'b'",
    )
    .await;
    let tx = at.core.tenant(&at.lion, "t", Access::Read).await.unwrap();
    assert_eq!(audit::first_broken_seal(&tx).await.unwrap(), Some(2));
    drop(tx);
    at.as_superuser(
        &format!("t_{}", at.lion),
        "DELETE FROM audit_event WHERE object = 'c'; UPDATE audit_event SET outcome = 'done'",
    )
    .await;
    let tx = at.core.tenant(&at.lion, "t", Access::Read).await.unwrap();
    assert_eq!(audit::first_broken_seal(&tx).await.unwrap(), Some(3));
}

#[tokio::test]
async fn audit_rows_cannot_be_changed_by_their_owner_either() {
    let Some(at) = installation().await else {
        return;
    };
    let tx = at.core.tenant(&at.lion, "t", Access::Write).await.unwrap();
    let event = audit::Event {
        operation: "x".to_owned(),
        outcome: "done".into(),
        ..Default::default()
    };
    audit::record(&tx, event).await.unwrap();
    tx.commit().await.unwrap();
    for attempt in [
        "UPDATE audit_event SET outcome = 'x'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
    ] {
        let schema = format!("t_{}", at.lion);
        let refusal = at
            .refusal_of(&format!("{schema}_owner"), &schema, attempt)
            .await;
        assert_eq!(refusal.as_deref(), Some("23001"), "{attempt}");
    }
    let tx = at.core.tenant(&at.lion, "t", Access::Read).await.unwrap();
    assert_eq!(
        tx.named("SELECT 1 FROM audit_event", Values::new())
            .await
            .unwrap()
            .len(),
        1
    );
}
