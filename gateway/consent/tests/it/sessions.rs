//! Members at their browsers.

use branchline_consent::oauth::{find_pushed, push};
use branchline_consent::session::{
    self, Destination, LoginAttempt, SESSION_LIFE, SecretHash, begin_login, take_login,
};
use branchline_kernel::{IdSource, PaymentId, RandomIds, TppId};
use branchline_oauth::{AuthorizationRequest, ClientId, RequestUri, ResourceScope};

use crate::scene::{Scene, amina, installation, registration};

fn attempt(destination: Destination) -> LoginAttempt {
    LoginAttempt {
        nonce: "n".to_owned(),
        verifier: "v".to_owned(),
        destination,
    }
}

#[tokio::test]
async fn a_sign_in_comes_back_once_and_to_its_own_browser() {
    let Some(world) = installation().await else {
        return;
    };
    let tx = world.at_lion().await;
    let (state, hers, another) = (
        SecretHash::of("state"),
        SecretHash::of("hers"),
        SecretHash::of("another"),
    );
    let begun = attempt(Destination::Me);
    begin_login(&tx, &state, &hers, &begun).await.unwrap();
    assert!(take_login(&tx, &state, &another).await.unwrap().is_none());
    assert!(take_login(&tx, &another, &hers).await.unwrap().is_none());
    let back = take_login(&tx, &state, &hers).await.unwrap();
    assert!(back.is_some_and(|back| back == begun));
    assert!(take_login(&tx, &state, &hers).await.unwrap().is_none());
}

#[tokio::test]
async fn a_session_ends_by_time_and_by_signing_out() {
    let Some(world) = installation().await else {
        return;
    };
    let hash = SecretHash::of("cookie");
    let tx = world.at_lion().await;
    let begun = session::begin(&tx, &hash, &amina(), "Amina").await.unwrap();
    assert_eq!(session::find(&tx, &hash).await.unwrap(), Some(begun));
    session::end(&tx, &hash).await.unwrap();
    assert_eq!(session::find(&tx, &hash).await.unwrap(), None);
    let other = SecretHash::of("other");
    session::begin(&tx, &other, &amina(), "Amina")
        .await
        .unwrap();
    tx.commit().await.unwrap();
    world.clock.advance(SESSION_LIFE);
    let tx = world.at_lion().await;
    assert_eq!(session::find(&tx, &other).await.unwrap(), None);
    let name = session::find_name(&tx, &amina()).await.unwrap();
    assert_eq!(name.as_deref(), Some("Amina"));
}

#[tokio::test]
async fn pages_belong_to_the_session_they_were_bound_to() {
    let Some(world) = installation().await else {
        return;
    };
    let tx = world.at_lion().await;
    let [back] = registration("x").redirect_uris.try_into().unwrap();
    let asked = AuthorizationRequest {
        client: ClientId::of(TppId::from(RandomIds.next())),
        redirect_uri: back,
        scope: ResourceScope::Payment(PaymentId::from(RandomIds.next())),
        state: None,
        challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
            .parse()
            .unwrap(),
    };
    let uri = RequestUri::mint(&[3; 32]);
    push(&tx, &uri, &asked).await.unwrap();
    let pushed = find_pushed(&tx, &uri).await.unwrap().unwrap();
    let id = session::open(&tx, &pushed.key, None).await.unwrap();
    let hash = SecretHash::of("cookie");
    session::begin(&tx, &hash, &amina(), "Amina").await.unwrap();
    session::bind(&tx, id, &hash).await.unwrap();
    let found = session::find_interaction(&tx, id).await.unwrap().unwrap();
    assert_eq!((found.session, found.pushed), (Some(hash), pushed.key));
}
