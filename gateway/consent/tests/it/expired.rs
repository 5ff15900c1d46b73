//! Forgetting what has run out.

use branchline_consent::expired::{Forgotten, forget_expired};
use branchline_consent::oauth::{
    TokenScope, complete, find_pushed, find_token, grant, issue_token, push, redeem, revoke_grant,
};
use branchline_consent::session::{
    self, Destination, LoginAttempt, SecretHash, begin_login, find_interaction,
};
use branchline_consent::{consents, payments, sca};
use branchline_db::{TenantTx, Values};
use branchline_kernel::{ConsentId, IdSource, PaymentId, RandomIds, TppId};
use branchline_oauth::{
    AuthorizationRequest, ClientId, CodeExchange, OpaqueToken, RequestUri, ResourceScope,
    TokenKind, TokenState,
};
use branchline_testkit::Installation;
use chrono::TimeDelta;

use crate::scene::{Scene, amina, asked, chosen, installation, registration, token};

const NOTHING: Forgotten = Forgotten {
    logins: 0,
    interactions: 0,
    pushed_requests: 0,
    sessions: 0,
    tokens: 0,
    codes: 0,
};

/// One of each that runs out, and of each that is evidence.
struct Written {
    consent: ConsentId,
    payment: PaymentId,
    client: ClientId,
    uri: RequestUri,
    cookie: SecretHash,
    interaction: session::InteractionId,
    code: CodeExchange,
    access: OpaqueToken,
}

async fn written(tx: &TenantTx, moment: branchline_xs2a::Moment) -> Written {
    let client = ClientId::of(TppId::from(RandomIds.next()));
    let consent = asked(tx, client.tpp(), moment).await;
    consents::approve(tx, consent, (&amina(), chosen(tx)), moment)
        .await
        .unwrap();
    let payment = PaymentId::from(tx.next_id());
    payments::insert(tx, payment, client.tpp(), "sepa-credit-transfers")
        .await
        .unwrap();
    let [back] = registration("x").redirect_uris.try_into().unwrap();
    let request = AuthorizationRequest {
        client,
        redirect_uri: back,
        scope: ResourceScope::Consent(consent),
        state: None,
        challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
            .parse()
            .unwrap(),
    };
    let (uri, cookie) = (RequestUri::mint(&[5; 32]), SecretHash::of("cookie"));
    push(tx, &uri, &request).await.unwrap();
    let pushed = find_pushed(tx, &uri).await.unwrap().unwrap();
    session::begin(tx, &cookie, &amina(), "Amina")
        .await
        .unwrap();
    let interaction = session::open(tx, &pushed.key, Some(&cookie)).await.unwrap();
    let attempt = LoginAttempt {
        nonce: "n".to_owned(),
        verifier: "v".to_owned(),
        destination: Destination::Approve(interaction),
    };
    begin_login(tx, &SecretHash::of("state"), &cookie, &attempt)
        .await
        .unwrap();
    complete(tx, &pushed.key).await.unwrap();
    let code = CodeExchange {
        code: token(TokenKind::Code, 1),
        redirect_uri: "https://tpp.example/back".to_owned(),
        verifier: "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
            .parse()
            .unwrap(),
    };
    grant(tx, &request, &code.code).await.unwrap();
    let done = redeem(tx, client, &code).await.unwrap();
    let access = token(TokenKind::Access, 2);
    let scope = TokenScope::Granted(done.scope, done.grant);
    issue_token(tx, &access, client, &scope).await.unwrap();
    Written {
        consent,
        payment,
        client,
        uri,
        cookie,
        interaction,
        code,
        access,
    }
}

/// A world in which one of each was written that long ago, and what it was.
async fn after(time: TimeDelta) -> Option<(Installation, Written)> {
    let world = installation().await?;
    let tx = world.at_lion().await;
    let was = written(&tx, world.moment()).await;
    tx.commit().await.unwrap();
    world.clock.advance(time);
    Some((world, was))
}

async fn grants(tx: &TenantTx) -> usize {
    let rows = tx.named("SELECT id FROM oauth_grant", Values::new());
    rows.await.unwrap().len()
}

#[tokio::test]
async fn what_ran_out_long_enough_ago_is_forgotten_and_evidence_stays() {
    let Some((world, was)) = after(TimeDelta::hours(25)).await else {
        return;
    };
    let tx = world.at_lion().await;
    let before = tx.now() - TimeDelta::days(1);
    let forgotten = forget_expired(&tx, before).await.unwrap();
    let one_of_each = Forgotten {
        logins: 1,
        interactions: 1,
        pushed_requests: 1,
        sessions: 1,
        tokens: 1,
        codes: 1,
    };
    assert_eq!((forgotten, forgotten.total()), (one_of_each, 6));
    assert_eq!(find_pushed(&tx, &was.uri).await.unwrap(), None);
    assert_eq!(find_token(&tx, &was.access).await.unwrap(), None);
    let consent = consents::find(&tx, was.consent, world.moment()).await;
    assert!(consent.unwrap().is_some());
    let run = sca::of(&tx, sca::Object::Consent(was.consent)).await;
    assert!(run.is_ok());
    let starter = payments::find_tpp(&tx, was.payment).await.unwrap();
    assert_eq!((starter, grants(&tx).await), (Some(was.client.tpp()), 1));
    assert_eq!(forget_expired(&tx, before).await.unwrap(), NOTHING);
}

#[tokio::test]
async fn what_ran_out_a_moment_ago_is_kept_for_a_while() {
    let Some((world, _was)) = after(TimeDelta::hours(23)).await else {
        return;
    };
    let tx = world.at_lion().await;
    let before = tx.now() - TimeDelta::days(1);
    assert_eq!(forget_expired(&tx, before).await.unwrap(), NOTHING);
}

#[tokio::test]
async fn what_is_live_stays_whatever_the_caller_asks() {
    // The pushed request and the code have run out; session, pages, sign-in and token have not.
    let Some((world, was)) = after(TimeDelta::minutes(10)).await else {
        return;
    };
    let tx = world.at_lion().await;
    let tomorrow = tx.now() + TimeDelta::days(1);
    assert_eq!(forget_expired(&tx, tomorrow).await.unwrap(), NOTHING);
    assert!(session::find(&tx, &was.cookie).await.unwrap().is_some());
    let pages = find_interaction(&tx, was.interaction).await.unwrap();
    assert!(pages.is_some());
}

#[tokio::test]
async fn a_code_shown_again_still_revokes_a_live_token_after_a_sweep() {
    let Some((world, was)) = after(TimeDelta::minutes(10)).await else {
        return;
    };
    let tx = world.at_lion().await;
    forget_expired(&tx, tx.now()).await.unwrap();
    let again = redeem(&tx, was.client, &was.code).await.unwrap_err();
    revoke_grant(&tx, again.revokes().unwrap()).await.unwrap();
    let found = find_token(&tx, &was.access).await.unwrap().unwrap();
    assert!(matches!(found.state, TokenState::Revoked { .. }));
}
