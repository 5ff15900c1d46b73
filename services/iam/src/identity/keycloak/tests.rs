//! Against a real Keycloak: `BRANCHLINE_TEST_KEYCLOAK_URL=http://admin:password@127.0.0.1:8180`.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use branchline_kernel::{Clock, Kind, Refusal, SystemClock};
use reqwest::Url;
use serde_json::Value;

use super::*;
use crate::random::random_token;
use crate::{AccessTokens, ActorKind, IssuerDirectory, IssuerEntry, Right, TokenError};

const PASSWORD: &str = "correct horse battery";

fn http() -> reqwest::Client {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

fn admin_at(url: &str, username: &str, password: &str) -> KeycloakAdmin {
    let config = KeycloakConfig {
        url: url.to_owned(),
        username: username.to_owned(),
        password: Secret::new(password.to_owned()),
        are_passwords_temporary: false,
    };
    KeycloakAdmin::try_new(config, http()).unwrap()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test is told by environment where its servers are"
)]
fn keycloak_or_skip() -> Option<KeycloakAdmin> {
    let Ok(url) = std::env::var("BRANCHLINE_TEST_KEYCLOAK_URL") else {
        let missing =
            "Keycloak provisioning needs BRANCHLINE_TEST_KEYCLOAK_URL (cargo xtask test sets it)";
        assert!(
            std::env::var("BRANCHLINE_REQUIRE_ALL").as_deref() != Ok("1"),
            "{missing}"
        );
        println!("skipped: {missing}");
        return None;
    };
    let mut url = Url::parse(&url).unwrap();
    let (username, password) = (
        url.username().to_owned(),
        url.password().unwrap().to_owned(),
    );
    url.set_username("").unwrap();
    url.set_password(None).unwrap();
    Some(admin_at(url.as_str(), &username, &password))
}

fn spec(slug: &str) -> RealmSpec {
    let person = |username: &str, full_name: &str, jobs: &[Job]| Person {
        username: username.to_owned(),
        full_name: full_name.to_owned(),
        jobs: jobs.to_vec(),
        password: Some(Secret::new(PASSWORD.to_owned())),
    };
    RealmSpec {
        slug: slug.parse().unwrap(),
        name: "Lion Credit Union".to_owned(),
        people: vec![
            person("amina", "Amina", &[Job::Member]),
            person("tom", "Tom van der Berg", &[Job::Teller]),
        ],
        redirect_uris: vec!["http://127.0.0.1:8080/t/lion/login/callback".to_owned()],
    }
}

fn new_slug() -> String {
    let name: String = random_token(16).unwrap();
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    format!(
        "test-{}",
        letters.take(8).collect::<String>().to_lowercase()
    )
}

/// Signs in through Keycloak's own login page, as a browser without scripts does.
async fn sign_in(realm: &Realm, username: &str) -> HashMap<String, Value> {
    let verifier = random_token(32).unwrap();
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
    let redirect_uri = "http://127.0.0.1:45678/callback";
    let protocol = format!("{}/protocol/openid-connect", realm.issuer);
    let asked = [
        ("response_type", "code"),
        ("scope", "openid"),
        ("client_id", realm.cli_client_id.as_str()),
        ("redirect_uri", redirect_uri),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    let url = Url::parse_with_params(&format!("{protocol}/auth"), asked).unwrap();
    let page = http().get(url).send().await.unwrap();
    assert_eq!(page.status(), 200, "the login page");
    let cookies: Vec<String> = page
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|cookie| {
            cookie
                .to_str()
                .unwrap()
                .split(';')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    let page = page.text().await.unwrap();
    let action = page.split("action=\"").nth(1).unwrap();
    let action = action.split('"').next().unwrap().replace("&amp;", "&");
    let answer = http()
        .post(action)
        .header("cookie", cookies.join("; "))
        .form(&[("username", username), ("password", PASSWORD)])
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 302, "signing {username} in");
    let back = answer.headers().get("location").unwrap().to_str().unwrap();
    let back = Url::parse(back).unwrap();
    let code = back.query_pairs().find(|(name, _)| name == "code").unwrap();
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.1.as_ref()),
        ("redirect_uri", redirect_uri),
        ("client_id", realm.cli_client_id.as_str()),
        ("code_verifier", verifier.as_str()),
    ];
    let tokens = http().post(format!("{protocol}/token")).form(&form);
    let tokens = tokens.send().await.unwrap();
    assert_eq!(tokens.status(), 200, "the token endpoint");
    tokens.json().await.unwrap()
}

#[test]
fn a_password_does_not_travel_readable() {
    for url in ["http://id.example", "http://127.0.0.1.example", "ftp://x"] {
        let config = KeycloakConfig {
            url: url.to_owned(),
            username: "admin".to_owned(),
            password: Secret::new("x".to_owned()),
            are_passwords_temporary: true,
        };
        let refusal = KeycloakAdmin::try_new(config, http()).err();
        assert!(
            matches!(refusal, Some(IdentityError::PlainHttp { .. })),
            "{url}"
        );
    }
}

#[actix_web::test]
async fn a_keycloak_that_does_not_answer_is_unavailable() {
    // Port 9 (discard) has no server; the connection is refused at once.
    let admin = admin_at("http://127.0.0.1:9", "admin", "x");
    let refusal = admin.provision(&spec("lion")).await.err().unwrap();
    assert_eq!(refusal.kind(), Kind::Unavailable);
}

#[actix_web::test]
async fn a_realm_is_provisioned_once_however_often_it_is_asked_for() {
    let Some(admin) = keycloak_or_skip() else {
        return;
    };
    let spec = spec(&new_slug());
    let first = admin.provision(&spec).await.unwrap();
    let second = admin.provision(&spec).await.unwrap();
    assert_eq!(first.people.len(), 2);
    assert_eq!(first.people, second.people);
    assert!(first.client_secret == second.client_secret);
    assert_eq!(first.issuer, second.issuer);
    admin.delete_realm(&spec.slug).await.unwrap();
    admin.delete_realm(&spec.slug).await.unwrap();
}

#[actix_web::test]
async fn roles_and_tenant_come_from_a_token_of_the_real_login_page() {
    let Some(admin) = keycloak_or_skip() else {
        return;
    };
    let spec = spec(&new_slug());
    let realm = admin.provision(&spec).await.unwrap();
    let entry = IssuerEntry {
        tenant: "t_lion".parse().unwrap(),
        jwks_uri: realm.jwks_uri.clone(),
    };
    let issuers = IssuerDirectory::new([(realm.issuer.clone(), entry)].into());
    let verifier = AccessTokens::new(http(), issuers);
    for (person, kind, right) in [
        ("amina", ActorKind::Member, Right::InitiatePayment),
        ("tom", ActorKind::Staff, Right::OpenAccount),
    ] {
        let tokens = sign_in(&realm, person).await;
        let access = tokens["access_token"].as_str().unwrap();
        let now = SystemClock.now();
        let principal = verifier.verify(access, now).await.unwrap();
        assert_eq!(principal.tenant.as_str(), "t_lion");
        assert_eq!((principal.actor.kind, principal.may(right)), (kind, true));
        let known = realm.people.iter().find(|one| one.username == person);
        assert_eq!(principal.actor.subject, known.unwrap().subject);
        for other in ["id_token", "refresh_token"] {
            let other = tokens[other].as_str().unwrap();
            let refusal = verifier.verify(other, now).await.unwrap_err();
            let is_right = matches!(
                refusal,
                TokenError::NotAnAccessToken | TokenError::Algorithm
            );
            assert!(is_right, "{refusal:?}");
        }
    }
    admin.delete_realm(&spec.slug).await.unwrap();
}
