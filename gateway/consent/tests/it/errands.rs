//! What the core still has to be told.

use branchline_consent::payments::{self, CoreCall, Errand};
use branchline_kernel::{IdSource, PaymentId, RandomIds, TppId};
use chrono::TimeDelta;

use crate::scene::{Scene, amina, installation};

fn call() -> CoreCall {
    CoreCall {
        payment: PaymentId::from(RandomIds.next()),
        errand: Errand::Authorise {
            fingerprint: "a".repeat(64),
        },
        psu: amina(),
    }
}

#[tokio::test]
async fn a_call_is_due_until_the_core_has_answered() {
    let Some(world) = installation().await else {
        return;
    };
    let call = call();
    let tx = world.at_lion().await;
    payments::put(&tx, &call).await.unwrap();
    // Whoever wrote it makes it first.
    assert_eq!(payments::take_due(&tx).await.unwrap(), []);
    tx.commit().await.unwrap();
    world.clock.advance(TimeDelta::seconds(10));
    let tx = world.at_lion().await;
    assert_eq!(
        payments::take_due(&tx).await.unwrap(),
        std::slice::from_ref(&call)
    );
    // While it is in hand nobody else takes it.
    assert_eq!(payments::take_due(&tx).await.unwrap(), []);
    tx.commit().await.unwrap();
    world.clock.advance(TimeDelta::minutes(1));
    let tx = world.at_lion().await;
    assert_eq!(
        payments::take_due(&tx).await.unwrap(),
        std::slice::from_ref(&call)
    );
    payments::settle(&tx, call.payment, "done").await.unwrap();
    tx.commit().await.unwrap();
    world.clock.advance(TimeDelta::hours(1));
    let tx = world.at_lion().await;
    assert_eq!(payments::take_due(&tx).await.unwrap(), []);
}

#[tokio::test]
async fn a_payment_is_decided_once() {
    let Some(world) = installation().await else {
        return;
    };
    let call = call();
    let tx = world.at_lion().await;
    payments::put(&tx, &call).await.unwrap();
    let refused = CoreCall {
        errand: Errand::Cancel,
        ..call
    };
    let again = payments::put(&tx, &refused).await.unwrap_err();
    assert!(again.is_constraint("core_call_pkey"));
}

#[tokio::test]
async fn a_payment_is_known_to_its_own_client_under_its_own_product() {
    let Some(world) = installation().await else {
        return;
    };
    let (payment, tpp) = (
        PaymentId::from(RandomIds.next()),
        TppId::from(RandomIds.next()),
    );
    let product = "sepa-credit-transfers";
    let tx = world.at_lion().await;
    payments::insert(&tx, payment, tpp, product).await.unwrap();
    assert!(payments::is_of(&tx, payment, tpp, product).await.unwrap());
    let other = TppId::from(RandomIds.next());
    assert!(!payments::is_of(&tx, payment, other, product).await.unwrap());
    assert!(
        !payments::is_of(&tx, payment, tpp, "other-product")
            .await
            .unwrap()
    );
}
