//! People's tokens: what is accepted and what is not.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::{App, HttpResponse, HttpServer, web};
use branchline_kernel::Timestamp;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use super::*;
use crate::{ActorKind, ActorRef, Principal, Right};

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000, 0).unwrap()
}

fn after(seconds: i64) -> Timestamp {
    now()
        .checked_add_signed(chrono::TimeDelta::seconds(seconds))
        .unwrap()
}

fn new_key() -> EncodingKey {
    let pem = generate_internal_key().unwrap().private_pem;
    EncodingKey::from_ed_pem(pem.expose().as_bytes()).unwrap()
}

/// What the stand-in identity provider shows, and how often it was asked.
#[derive(Clone)]
struct Provider {
    keys: Arc<Mutex<Option<Value>>>,
    asked: Arc<AtomicUsize>,
    url: String,
}

impl Provider {
    /// Serves a key set on a free port.
    fn start() -> Self {
        let keys = Arc::new(Mutex::new(Some(json!({"keys": []}))));
        let asked = Arc::new(AtomicUsize::new(0));
        let shown = (Arc::clone(&keys), Arc::clone(&asked));
        let server = HttpServer::new(move || {
            let (keys, asked) = shown.clone();
            App::new().default_service(web::to(move || {
                asked.fetch_add(1, Ordering::SeqCst);
                let answer = match keys.lock().unwrap().clone() {
                    Some(keys) => HttpResponse::Ok().json(keys),
                    None => HttpResponse::ServiceUnavailable().finish(),
                };
                async move { answer }
            }))
        })
        .workers(1)
        .bind(("127.0.0.1", 0))
        .unwrap();
        let url = format!("http://{}", server.addrs()[0]);
        actix_web::rt::spawn(server.run());
        Self { keys, asked, url }
    }

    fn show(&self, keys: &[(&str, &EncodingKey)]) {
        let keys: Vec<Value> = keys.iter().map(|(kid, key)| public(kid, key)).collect();
        *self.keys.lock().unwrap() = Some(json!({ "keys": keys }));
    }

    fn fall_over(&self) {
        *self.keys.lock().unwrap() = None;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn issuer(&self, tenant: &str) -> String {
        format!("{}/realms/{tenant}", self.url)
    }

    /// Verifies tokens of the realms of Lion and Elephant.
    fn verifier(&self) -> AccessTokens {
        let entry = |tenant: &str| {
            let entry = IssuerEntry {
                tenant: tenant.parse().unwrap(),
                jwks_uri: format!("{}/realms/{tenant}/certs", self.url),
            };
            (self.issuer(tenant), entry)
        };
        let issuers: HashMap<_, _> = ["lion", "elephant"].map(entry).into();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        AccessTokens::new(http, IssuerDirectory::new(issuers))
    }
}

fn public(kid: &str, key: &EncodingKey) -> Value {
    let mut jwk = Jwk::from_encoding_key(key, Algorithm::EdDSA).unwrap();
    jwk.common.key_id = Some(kid.to_owned());
    serde_json::to_value(jwk).unwrap()
}

fn claims(issuer: &str) -> Value {
    json!({
        "iss": issuer, "sub": "4711", "aud": ["branchline-core", "account"], "typ": "Bearer",
        "azp": "branchline-cli", "iat": now().timestamp(), "exp": after(300).timestamp(),
        "realm_access": {"roles": ["teller", "offline_access"]}, "preferred_username": "amina",
    })
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

fn signed(kid: &str, key: &EncodingKey, claims: &Value) -> String {
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some(kid.to_owned());
    jsonwebtoken::encode(&header, claims, key).unwrap()
}

#[actix_web::test]
async fn the_person_belongs_to_the_tenant_of_the_issuer_and_holds_the_rights_of_the_job() {
    let (provider, key) = (Provider::start(), new_key());
    provider.show(&[("k1", &key)]);
    let issuer = provider.issuer("lion");
    let token = signed("k1", &key, &claims(&issuer));
    let principal: Principal = provider.verifier().verify(&token, now()).await.unwrap();
    assert_eq!(principal.tenant.as_str(), "lion");
    assert_eq!(
        principal.actor,
        ActorRef::new(ActorKind::Staff, &issuer, "4711")
    );
    assert!(principal.may(Right::OpenAccount) && !principal.may(Right::FreezeAccount));
}

#[actix_web::test]
async fn a_member_is_no_staff_and_a_person_without_a_job_may_nothing() {
    let (provider, key) = (Provider::start(), new_key());
    provider.show(&[("k1", &key)]);
    let (verifier, issuer) = (provider.verifier(), provider.issuer("lion"));
    let member = with(
        claims(&issuer),
        "realm_access",
        json!({"roles": ["member"]}),
    );
    let seen = verifier.verify(&signed("k1", &key, &member), now()).await;
    let seen = seen.unwrap();
    assert_eq!(seen.actor.kind, ActorKind::Member);
    assert!(seen.may(Right::InitiatePayment) && !seen.may(Right::OpenAccount));
    let nobody = with(claims(&issuer), "realm_access", Value::Null);
    let seen = verifier.verify(&signed("k1", &key, &nobody), now()).await;
    assert_eq!(seen.unwrap().rights.iter().count(), 0);
}

#[actix_web::test]
async fn a_token_that_is_not_an_access_token_for_the_core_is_refused() {
    let (provider, key) = (Provider::start(), new_key());
    provider.show(&[("k1", &key)]);
    let (verifier, good) = (provider.verifier(), claims(&provider.issuer("lion")));
    let not_access: [(&str, Value); 5] = [
        ("typ", json!("ID")),
        ("typ", json!("Refresh")),
        ("azp", json!("branchline-gateway")),
        ("cnf", json!({"jkt": "x"})),
        ("sub", json!("")),
    ];
    for (name, value) in not_access {
        let token = signed("k1", &key, &with(good.clone(), name, value));
        let refusal = verifier.verify(&token, now()).await.unwrap_err();
        assert!(matches!(refusal, TokenError::NotAnAccessToken), "{name}");
    }
    for audience in [json!("account"), json!([]), json!(["branchline-core2"])] {
        let token = signed("k1", &key, &with(good.clone(), "aud", audience));
        let refusal = verifier.verify(&token, now()).await.unwrap_err();
        assert!(matches!(refusal, TokenError::Audience));
    }
    for missing in ["sub", "aud", "typ", "azp", "iat", "exp"] {
        let mut less = good.clone();
        less.as_object_mut().unwrap().remove(missing);
        let refusal = verifier.verify(&signed("k1", &key, &less), now()).await;
        assert!(
            matches!(refusal, Err(TokenError::Malformed)),
            "without {missing}"
        );
    }
}

#[actix_web::test]
async fn a_token_is_refused_before_after_and_beyond_its_time() {
    let (provider, key) = (Provider::start(), new_key());
    provider.show(&[("k1", &key)]);
    let (verifier, good) = (provider.verifier(), claims(&provider.issuer("lion")));
    let token = signed("k1", &key, &good);
    assert!(matches!(
        verifier.verify(&token, after(300)).await,
        Err(TokenError::Expired)
    ));
    assert!(matches!(
        verifier.verify(&token, after(-11)).await,
        Err(TokenError::NotYetValid)
    ));
    let later = with(good.clone(), "nbf", json!(after(60).timestamp()));
    assert!(matches!(
        verifier.verify(&signed("k1", &key, &later), now()).await,
        Err(TokenError::NotYetValid)
    ));
    let eternal = with(good, "exp", json!(253_402_300_799_i64));
    assert!(matches!(
        verifier.verify(&signed("k1", &key, &eternal), now()).await,
        Err(TokenError::LivesTooLong { .. })
    ));
}

#[actix_web::test]
async fn an_issuer_of_no_tenant_is_refused_without_asking_it() {
    let (provider, key) = (Provider::start(), new_key());
    provider.show(&[("k1", &key)]);
    let verifier = provider.verifier();
    for issuer in [
        provider.issuer("giraffe"),
        format!("{}/", provider.issuer("lion")),
    ] {
        let token = signed("k1", &key, &claims(&issuer));
        let refusal = verifier.verify(&token, now()).await.unwrap_err();
        assert!(matches!(refusal, TokenError::UnknownIssuer));
    }
    assert_eq!(provider.asked(), 0);
}

#[actix_web::test]
async fn one_tenants_key_does_not_sign_for_another() {
    let (lion, elephant) = (Provider::start(), Provider::start());
    let (lion_key, elephant_key) = (new_key(), new_key());
    lion.show(&[("k1", &lion_key)]);
    elephant.show(&[("k1", &elephant_key)]);
    let entry = |tenant: &str, provider: &Provider| {
        let entry = IssuerEntry {
            tenant: tenant.parse().unwrap(),
            jwks_uri: format!("{}/certs", provider.url),
        };
        (provider.issuer(tenant), entry)
    };
    let issuers = [entry("lion", &lion), entry("elephant", &elephant)].into();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let verifier = AccessTokens::new(http, IssuerDirectory::new(issuers));
    let forged = signed("k1", &lion_key, &claims(&elephant.issuer("elephant")));
    assert!(matches!(
        verifier.verify(&forged, now()).await,
        Err(TokenError::Signature)
    ));
    let own = signed("k1", &elephant_key, &claims(&elephant.issuer("elephant")));
    assert!(verifier.verify(&own, now()).await.is_ok());
}

#[actix_web::test]
async fn a_tampered_token_and_a_foreign_algorithm_are_refused() {
    let (provider, key) = (Provider::start(), new_key());
    provider.show(&[("k1", &key)]);
    let (verifier, good) = (provider.verifier(), claims(&provider.issuer("lion")));
    let token = signed("k1", &key, &good);
    let richer = with(
        good.clone(),
        "realm_access",
        json!({"roles": ["supervisor"]}),
    );
    let richer = signed("k1", &new_key(), &richer);
    let (head, _) = richer.rsplit_once('.').unwrap();
    let (_, signature) = token.rsplit_once('.').unwrap();
    assert!(matches!(
        verifier.verify(&format!("{head}.{signature}"), now()).await,
        Err(TokenError::Signature)
    ));
    let public_text = public("k1", &key).to_string();
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("k1".to_owned());
    let secret = EncodingKey::from_secret(public_text.as_bytes());
    let shared = jsonwebtoken::encode(&header, &good, &secret).unwrap();
    let (_, payload) = head.split_once('.').unwrap();
    // {"alg":"none","kid":"k1"} and {"alg":"RS256","kid":"k1"}
    let unsigned = format!("eyJhbGciOiJub25lIiwia2lkIjoiazEifQ.{payload}.");
    let other = format!("eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.{payload}.{signature}");
    for token in [shared, unsigned, other] {
        assert!(matches!(
            verifier.verify(&token, now()).await,
            Err(TokenError::Algorithm)
        ));
    }
}

#[actix_web::test]
async fn a_flood_of_unknown_keys_asks_the_issuer_once_in_thirty_seconds() {
    let (provider, key) = (Provider::start(), new_key());
    provider.show(&[("k1", &key)]);
    let (verifier, issuer) = (provider.verifier(), provider.issuer("lion"));
    let flood: Vec<String> = (0..50)
        .map(|number| signed(&format!("x{number}"), &key, &claims(&issuer)))
        .collect();
    let answers = flood.iter().map(|token| verifier.verify(token, now()));
    for answer in futures::future::join_all(answers).await {
        assert!(matches!(answer, Err(TokenError::UnknownKey)));
    }
    assert_eq!(provider.asked(), 1);
    let good = signed("k1", &key, &claims(&issuer));
    assert!(verifier.verify(&good, after(29)).await.is_ok());
    assert!(verifier.verify(&flood[0], after(29)).await.is_err());
    assert_eq!(provider.asked(), 1);
    assert!(verifier.verify(&flood[0], after(30)).await.is_err());
    assert_eq!(provider.asked(), 2);
}

#[actix_web::test]
async fn a_new_key_is_found_and_a_withdrawn_one_stops_working() {
    let (provider, old, new) = (Provider::start(), new_key(), new_key());
    provider.show(&[("k1", &old)]);
    let (verifier, issuer) = (provider.verifier(), provider.issuer("lion"));
    let by_old = signed(
        "k1",
        &old,
        &with(claims(&issuer), "exp", json!(after(900).timestamp())),
    );
    let by_new = signed(
        "k2",
        &new,
        &with(claims(&issuer), "exp", json!(after(900).timestamp())),
    );
    assert!(verifier.verify(&by_old, now()).await.is_ok());
    provider.show(&[("k1", &old), ("k2", &new)]);
    assert!(verifier.verify(&by_new, after(31)).await.is_ok());
    provider.show(&[("k2", &new)]);
    assert!(verifier.verify(&by_old, after(600)).await.is_ok());
    assert!(matches!(
        verifier.verify(&by_old, after(640)).await,
        Err(TokenError::UnknownKey)
    ));
}

#[actix_web::test]
async fn known_keys_go_on_working_while_the_issuer_is_down() {
    let (provider, key) = (Provider::start(), new_key());
    provider.show(&[("k1", &key)]);
    let (verifier, issuer) = (provider.verifier(), provider.issuer("lion"));
    let long = with(claims(&issuer), "exp", json!(after(3600).timestamp()));
    let token = signed("k1", &key, &long);
    assert!(verifier.verify(&token, now()).await.is_ok());
    provider.fall_over();
    assert!(verifier.verify(&token, after(3000)).await.is_ok());
    let unknown = signed("k2", &key, &long);
    assert!(verifier.verify(&unknown, after(3060)).await.is_err());
    assert!(verifier.verify(&token, after(3061)).await.is_ok());
}

#[actix_web::test]
async fn keys_that_were_never_seen_while_the_issuer_is_down_are_our_trouble_not_the_callers() {
    let (provider, key) = (Provider::start(), new_key());
    provider.fall_over();
    let verifier = provider.verifier();
    let token = signed("k1", &key, &claims(&provider.issuer("lion")));
    for _ in 0..3 {
        let refusal = verifier.verify(&token, now()).await.unwrap_err();
        assert_eq!(refusal.kind(), Kind::Unavailable);
    }
    assert_eq!(provider.asked(), 1);
    provider.show(&[("k1", &key)]);
    assert!(verifier.verify(&token, after(30)).await.is_ok());
}

#[actix_web::test]
async fn keys_of_other_sorts_in_the_set_do_not_lock_anybody_out() {
    let (provider, key) = (Provider::start(), new_key());
    let encryption = with(public("k2", &key), "use", json!("enc"));
    let keys = [
        json!({"kty": "FUTURE", "kid": "k9", "x": "AA"}),
        json!({"kty": "oct", "kid": "k8", "k": "c2VjcmV0"}),
        json!("not even an object"),
        encryption,
        public("k1", &key),
    ];
    *provider.keys.lock().unwrap() = Some(json!({ "keys": keys }));
    let (verifier, issuer) = (provider.verifier(), provider.issuer("lion"));
    let good = signed("k1", &key, &claims(&issuer));
    assert!(verifier.verify(&good, now()).await.is_ok());
    let by_encryption_key = signed("k2", &key, &claims(&issuer));
    assert!(matches!(
        verifier.verify(&by_encryption_key, now()).await,
        Err(TokenError::UnknownKey)
    ));
}
