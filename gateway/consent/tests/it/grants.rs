//! Pushed requests, grants, codes and tokens.

use branchline_consent::oauth::{
    RedeemError, TokenScope, complete, find_pushed, find_token, get_pushed, grant, issue_token,
    push, redeem, revoke_grant, revoke_token,
};
use branchline_db::TenantTx;
use branchline_kernel::{ConsentId, IdSource, RandomIds, TppId};
use branchline_oauth::{
    AuthorizationRequest, ClientId, CodeExchange, CodeRefused, OpaqueToken, RequestUri,
    ResourceScope, TokenKind, TokenState,
};
use chrono::TimeDelta;

use crate::scene::{Scene, installation, registration, token};

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

fn client() -> ClientId {
    ClientId::of(TppId::from(RandomIds.next()))
}

fn request(client: ClientId) -> AuthorizationRequest {
    let [back] = registration("x").redirect_uris.try_into().unwrap();
    AuthorizationRequest {
        client,
        redirect_uri: back,
        scope: ResourceScope::Consent(ConsentId::from(RandomIds.next())),
        state: Some("a state & more".to_owned()),
        challenge: CHALLENGE.parse().unwrap(),
    }
}

fn exchange(code: &OpaqueToken) -> CodeExchange {
    CodeExchange {
        code: code.clone(),
        redirect_uri: "https://tpp.example/back".to_owned(),
        verifier: VERIFIER.parse().unwrap(),
    }
}

/// A granted request, its code redeemed and a token issued.
async fn redeemed(tx: &TenantTx, asked: &AuthorizationRequest) -> (OpaqueToken, OpaqueToken) {
    let code = token(TokenKind::Code, 1);
    grant(tx, asked, &code).await.unwrap();
    let done = redeem(tx, asked.client, &exchange(&code)).await.unwrap();
    assert_eq!(done.scope, asked.scope);
    let access = token(TokenKind::Access, 2);
    let scope = TokenScope::Granted(done.scope, done.grant);
    issue_token(tx, &access, asked.client, &scope)
        .await
        .unwrap();
    (code, access)
}

#[tokio::test]
async fn a_pushed_request_comes_back_as_it_was_and_is_used_up_once() {
    let Some(world) = installation().await else {
        return;
    };
    let tx = world.at_lion().await;
    let (uri, asked) = (RequestUri::mint(&[7; 32]), request(client()));
    push(&tx, &uri, &asked).await.unwrap();
    let found = find_pushed(&tx, &uri).await.unwrap().unwrap();
    assert_eq!(found.request, asked);
    complete(&tx, &found.key).await.unwrap();
    assert!(complete(&tx, &found.key).await.is_err());
    let used = get_pushed(&tx, &found.key).await.unwrap();
    assert!(used.state.open(tx.now()).is_err());
    let other = RequestUri::mint(&[8; 32]);
    assert_eq!(find_pushed(&tx, &other).await.unwrap(), None);
}

#[tokio::test]
async fn a_code_shown_twice_revokes_what_came_of_it() {
    let Some(world) = installation().await else {
        return;
    };
    let asked = request(client());
    let tx = world.at_lion().await;
    let (code, access) = redeemed(&tx, &asked).await;
    let again = redeem(&tx, asked.client, &exchange(&code))
        .await
        .unwrap_err();
    let grant = again.revokes().expect("the grant must be revoked");
    revoke_grant(&tx, grant).await.unwrap();
    let found = find_token(&tx, &access).await.unwrap().unwrap();
    assert!(matches!(found.state, TokenState::Revoked { .. }));
}

#[tokio::test]
async fn another_clients_attempt_does_not_void_the_code() {
    let Some(world) = installation().await else {
        return;
    };
    let asked = request(client());
    let tx = world.at_lion().await;
    let code = token(TokenKind::Code, 1);
    grant(&tx, &asked, &code).await.unwrap();
    let thief = redeem(&tx, client(), &exchange(&code)).await.unwrap_err();
    assert!(matches!(
        thief,
        RedeemError::Code {
            refused: CodeRefused::Foreign,
            ..
        }
    ));
    assert_eq!(thief.revokes(), None);
    assert!(redeem(&tx, asked.client, &exchange(&code)).await.is_ok());
    let unknown = exchange(&token(TokenKind::Code, 9));
    let unknown = redeem(&tx, asked.client, &unknown).await.unwrap_err();
    assert!(matches!(unknown, RedeemError::Unknown));
}

#[tokio::test]
async fn a_token_is_sought_in_its_own_tenant_only() {
    let Some(world) = installation().await else {
        return;
    };
    let asked = request(client());
    let tx = world.at_lion().await;
    let (_, access) = redeemed(&tx, &asked).await;
    tx.commit().await.unwrap();
    let door = &world.gateway;
    let access_mode = branchline_db::Access::Read;
    let tx = door
        .tenant(&world.elephant, "test:consent", access_mode)
        .await
        .unwrap();
    assert_eq!(find_token(&tx, &access).await.unwrap(), None);
}

#[tokio::test]
async fn a_token_ends_by_time_and_by_its_own_client() {
    let Some(world) = installation().await else {
        return;
    };
    let asked = request(client());
    let tx = world.at_lion().await;
    let (_, access) = redeemed(&tx, &asked).await;
    revoke_token(&tx, client(), &access).await.unwrap();
    let found = find_token(&tx, &access).await.unwrap().unwrap();
    assert!(matches!(found.state, TokenState::Active { .. }));
    tx.commit().await.unwrap();
    world.clock.advance(TimeDelta::minutes(16));
    let tx = world.at_lion().await;
    let found = find_token(&tx, &access).await.unwrap().unwrap();
    assert!(matches!(found.state, TokenState::Expired { .. }));
    revoke_token(&tx, asked.client, &access).await.unwrap();
    let found = find_token(&tx, &access).await.unwrap().unwrap();
    assert!(matches!(found.state, TokenState::Revoked { .. }));
    assert_eq!(
        find_token(&tx, &token(TokenKind::Access, 99))
            .await
            .unwrap(),
        None
    );
}
