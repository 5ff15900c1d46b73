//! The development identity over HTTP.

use std::collections::HashMap;
use std::path::PathBuf;

use actix_web::{App, HttpServer};
use branchline_kernel::{FakeClock, Timestamp};
use chrono::TimeDelta;
use reqwest::{Client, Response, StatusCode, Url};
use serde_json::Value;

use super::*;
use crate::identity::{Identity, Person};
use crate::random::random_token;
use crate::{AccessTokens, IssuerDirectory, IssuerEntry, Job, Right, TokenError};

// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const CALLBACK: &str = "http://127.0.0.1:8080/t/lion/login/callback";

fn now() -> Timestamp {
    Timestamp::from_timestamp(1_800_000_000, 0).unwrap()
}

/// A running development identity with the realm of Lion.
struct House {
    http: Client,
    clock: FakeClock,
    dev: DevIdentity,
    realm: Realm,
    directory: PathBuf,
}

impl Drop for House {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.directory).unwrap();
    }
}

fn new_directory() -> PathBuf {
    std::env::temp_dir().join(format!("branchline-dev-{}", random_token(8).unwrap()))
}

fn spec(slug: &str) -> RealmSpec {
    let person = |username: &str, full_name: &str, job| Person {
        username: username.to_owned(),
        full_name: full_name.to_owned(),
        jobs: vec![job],
        password: None,
    };
    RealmSpec {
        slug: slug.parse().unwrap(),
        name: "Lion <Credit> Union".to_owned(),
        people: vec![
            person("amina", "Amina Diallo", Job::Member),
            person("tom", "Tom Berg", Job::Teller),
        ],
        redirect_uris: vec![CALLBACK.to_owned()],
    }
}

impl House {
    async fn open() -> Self {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let directory = new_directory();
        let config = DevIdentityConfig {
            public_url: format!("http://{}", listener.local_addr().unwrap()),
            is_dev_profile: true,
            directory: directory.clone(),
        };
        let clock = FakeClock::at(now());
        let dev = DevIdentity::open(config, Arc::new(clock.clone())).unwrap();
        let served = dev.clone();
        let server = HttpServer::new(move || App::new().configure(|app| served.configure(app)));
        let server = server.workers(1).listen(listener).unwrap();
        actix_web::rt::spawn(server.run());
        let realm = dev.provision(&spec("lion")).await.unwrap();
        let http = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        Self {
            http: http.build().unwrap(),
            clock,
            dev,
            realm,
            directory,
        }
    }

    fn request(&self, client_id: &str, redirect_uri: &str) -> HashMap<String, String> {
        texts(&[
            ("response_type", "code"),
            ("scope", "openid profile"),
            ("client_id", client_id),
            ("redirect_uri", redirect_uri),
            ("state", "st&te"),
            ("nonce", "n0nce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ])
    }

    async fn page(&self, request: &HashMap<String, String>) -> Response {
        let url = format!("{}/authorize", self.realm.issuer);
        let url = Url::parse_with_params(&url, request).unwrap();
        self.http.get(url).send().await.unwrap()
    }

    /// Presses the button of a person and gives what comes back to the client.
    async fn press(
        &self,
        request: &HashMap<String, String>,
        username: &str,
    ) -> HashMap<String, String> {
        let mut form = request.clone();
        form.insert("person".to_owned(), username.to_owned());
        let url = format!("{}/authorize", self.realm.issuer);
        returned(&self.http.post(url).form(&form).send().await.unwrap())
    }

    async fn code(&self, client_id: &str, redirect_uri: &str) -> String {
        let request = self.request(client_id, redirect_uri);
        self.press(&request, "tom").await["code"].clone()
    }

    async fn redeem(&self, form: &HashMap<String, String>) -> (StatusCode, Value) {
        let url = format!("{}/token", self.realm.issuer);
        let answer = self.http.post(url).form(form).send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    fn verifier(&self) -> AccessTokens {
        let entry = IssuerEntry {
            tenant: "t_lion".parse().unwrap(),
            jwks_uri: self.realm.jwks_uri.clone(),
        };
        let issuers = [(self.realm.issuer.clone(), entry)].into();
        AccessTokens::new(self.http.clone(), IssuerDirectory::new(issuers))
    }
}

fn texts(pairs: &[(&str, &str)]) -> HashMap<String, String> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn returned(answer: &Response) -> HashMap<String, String> {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    let location = answer.headers().get("location").unwrap().to_str().unwrap();
    Url::parse(location)
        .unwrap()
        .query_pairs()
        .into_owned()
        .collect()
}

fn cli_form(code: &str, redirect_uri: &str) -> HashMap<String, String> {
    texts(&[
        ("grant_type", "authorization_code"),
        ("client_id", CLI_CLIENT),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", VERIFIER),
    ])
}

fn claims(token: &Value) -> Value {
    use base64::Engine;
    let payload = token.as_str().unwrap().split('.').nth(1).unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload);
    serde_json::from_slice(&bytes.unwrap()).unwrap()
}

const LOOPBACK: &str = "http://127.0.0.1:45678/callback";

#[test]
fn it_does_not_open_outside_development_or_where_others_can_reach_it() {
    for (public_url, is_dev_profile) in [
        ("http://127.0.0.1:8080", false),
        ("http://bank.example", true),
        ("http://127.0.0.1.bank.example", true),
        ("http://localhost.bank.example", true),
        ("http://192.168.1.2:8080", true),
        ("http://0.0.0.0:8080", true),
        ("127.0.0.1", true),
    ] {
        let directory = new_directory();
        let config = DevIdentityConfig {
            public_url: public_url.to_owned(),
            is_dev_profile,
            directory: directory.clone(),
        };
        let refusal = DevIdentity::open(config, Arc::new(FakeClock::at(now()))).err();
        assert!(
            matches!(refusal, Some(IdentityError::NotForDevelopment { .. })),
            "{public_url}"
        );
        assert!(!directory.exists());
    }
}

#[actix_web::test]
async fn somebody_elses_machine_is_not_answered() {
    let house = House::open().await;
    let app = actix_web::test::init_service(App::new().configure(|app| house.dev.configure(app)));
    let app = app.await;
    for (peer, status) in [("127.0.0.1:1", 200), ("192.0.2.1:1", 404)] {
        let request = actix_web::test::TestRequest::get()
            .uri("/dev-identity/lion/jwks")
            .peer_addr(peer.parse().unwrap())
            .to_request();
        let answer = actix_web::test::call_service(&app, request).await;
        assert_eq!(answer.status().as_u16(), status, "{peer}");
    }
}

#[actix_web::test]
async fn discovery_names_addresses_that_answer() {
    let house = House::open().await;
    let url = format!("{}/.well-known/openid-configuration", house.realm.issuer);
    let found: Value = house
        .http
        .get(url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(found["issuer"], house.realm.issuer.as_str());
    assert_eq!(found["jwks_uri"], house.realm.jwks_uri.as_str());
    let keys = house.http.get(&house.realm.jwks_uri).send().await.unwrap();
    let keys: Value = keys.json().await.unwrap();
    assert_eq!(keys["keys"][0]["alg"], "RS256");
    assert!(keys["keys"][0].get("d").is_none());
}

#[actix_web::test]
async fn the_page_has_a_button_per_person_says_what_it_is_and_runs_no_script() {
    let house = House::open().await;
    let request = house.request(GATEWAY_CLIENT, CALLBACK);
    let page = house.page(&request).await;
    let policy = page.headers().get("content-security-policy").unwrap();
    let policy = policy.to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(
        policy.contains("form-action 'self' http://127.0.0.1:8080;"),
        "{policy}"
    );
    let text = page.text().await.unwrap();
    assert!(text.contains("<html lang=\"en\">") && !text.contains("<script"));
    assert!(text.contains("Development identity: anyone can sign in as anyone."));
    assert_eq!(text.matches("<button").count(), 2);
    assert!(!text.contains("<Credit>"), "the name is escaped");
}

#[actix_web::test]
async fn a_teller_signs_in_at_the_command_line_and_the_core_knows_her_rights() {
    let house = House::open().await;
    let request = house.request(CLI_CLIENT, LOOPBACK);
    let back = house.press(&request, "tom").await;
    assert_eq!(back["state"], "st&te");
    assert_eq!(back["iss"], house.realm.issuer);
    let (status, tokens) = house.redeem(&cli_form(&back["code"], LOOPBACK)).await;
    assert_eq!(status, StatusCode::OK);
    let verifier = house.verifier();
    let access = tokens["access_token"].as_str().unwrap();
    let principal = verifier.verify(access, now()).await.unwrap();
    assert!(principal.may(Right::OpenAccount) && !principal.may(Right::ReadOwnAccounts));
    assert_eq!(principal.actor.subject, house.realm.people[1].subject);
    let id = tokens["id_token"].as_str().unwrap();
    assert!(matches!(
        verifier.verify(id, now()).await,
        Err(TokenError::NotAnAccessToken)
    ));
    let id = claims(&tokens["id_token"]);
    assert_eq!(
        (&id["nonce"], &id["aud"]),
        (&json!("n0nce"), &json!(CLI_CLIENT))
    );
    assert_eq!(id["auth_time"], now().timestamp());
}

#[actix_web::test]
async fn the_gateway_redeems_with_its_secret_and_its_token_is_not_for_the_core() {
    let house = House::open().await;
    let secret = house.realm.client_secret.expose();
    let mut form = cli_form("", CALLBACK);
    form.remove("client_id");
    form.insert(
        "code".to_owned(),
        house.code(GATEWAY_CLIENT, CALLBACK).await,
    );
    let url = format!("{}/token", house.realm.issuer);
    let basic = house
        .http
        .post(&url)
        .form(&form)
        .basic_auth(GATEWAY_CLIENT, Some(secret));
    let basic = basic.send().await.unwrap();
    assert_eq!(basic.status(), StatusCode::OK);
    assert_eq!(basic.headers().get("cache-control").unwrap(), "no-store");
    let tokens: Value = basic.json().await.unwrap();
    let access = tokens["access_token"].as_str().unwrap();
    assert!(house.verifier().verify(access, now()).await.is_err());
    form.insert(
        "code".to_owned(),
        house.code(GATEWAY_CLIENT, CALLBACK).await,
    );
    form.insert("client_id".to_owned(), GATEWAY_CLIENT.to_owned());
    form.insert("client_secret".to_owned(), secret.clone());
    assert_eq!(house.redeem(&form).await.0, StatusCode::OK);
}

#[actix_web::test]
async fn a_client_without_the_right_secret_is_refused() {
    let house = House::open().await;
    for (client_id, secret) in [
        (GATEWAY_CLIENT, None),
        (GATEWAY_CLIENT, Some("guess")),
        (GATEWAY_CLIENT, Some("")),
        (CLI_CLIENT, Some("guess")),
        ("other", None),
    ] {
        let mut form = cli_form(&house.code(GATEWAY_CLIENT, CALLBACK).await, CALLBACK);
        form.insert("client_id".to_owned(), client_id.to_owned());
        if let Some(secret) = secret {
            form.insert("client_secret".to_owned(), secret.to_owned());
        }
        let (status, answer) = house.redeem(&form).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{client_id} {secret:?}");
        assert_eq!(answer["error"], "invalid_client");
    }
}

#[actix_web::test]
async fn a_code_works_once_for_its_client_redirect_and_verifier_and_for_a_minute() {
    let house = House::open().await;
    let code = house.code(CLI_CLIENT, LOOPBACK).await;
    assert_eq!(
        house.redeem(&cli_form(&code, LOOPBACK)).await.0,
        StatusCode::OK
    );
    let mut wrong = vec![cli_form(&code, LOOPBACK), cli_form("guess", LOOPBACK)];
    let other_uri = "http://127.0.0.1:45679/callback";
    wrong.push(cli_form(&house.code(CLI_CLIENT, LOOPBACK).await, other_uri));
    wrong.push(cli_form(
        &house.code(GATEWAY_CLIENT, CALLBACK).await,
        CALLBACK,
    ));
    for verifier in ["", "short", CHALLENGE] {
        let mut form = cli_form(&house.code(CLI_CLIENT, LOOPBACK).await, LOOPBACK);
        form.insert("code_verifier".to_owned(), verifier.to_owned());
        wrong.push(form);
    }
    for form in wrong {
        let (status, answer) = house.redeem(&form).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{form:?}");
        assert_eq!(answer["error"], "invalid_grant");
    }
    let late = house.code(CLI_CLIENT, LOOPBACK).await;
    house.clock.advance(TimeDelta::seconds(60));
    let (_, answer) = house.redeem(&cli_form(&late, LOOPBACK)).await;
    assert_eq!(answer["error"], "invalid_grant");
}

#[actix_web::test]
async fn a_code_of_one_realm_is_nothing_in_another() {
    let house = House::open().await;
    let elephant = house.dev.provision(&spec("elephant")).await.unwrap();
    let code = house.code(CLI_CLIENT, LOOPBACK).await;
    let answer = house
        .http
        .post(format!("{}/token", elephant.issuer))
        .form(&cli_form(&code, LOOPBACK))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_ne!(elephant.people[0].subject, house.realm.people[0].subject);
}

#[actix_web::test]
async fn a_browser_is_never_sent_where_the_client_did_not_register() {
    let house = House::open().await;
    for (client_id, uri) in [
        (
            GATEWAY_CLIENT,
            "http://127.0.0.1:8080/t/lion/login/callback/",
        ),
        (
            GATEWAY_CLIENT,
            "http://127.0.0.1:8080/t/elephant/login/callback",
        ),
        (GATEWAY_CLIENT, LOOPBACK),
        (GATEWAY_CLIENT, ""),
        (CLI_CLIENT, CALLBACK),
        (CLI_CLIENT, "https://evil.example/callback"),
        (CLI_CLIENT, "http://127.0.0.1:45678@evil.example/callback"),
        (CLI_CLIENT, "http://127.0.0.1:45678/callback?next=x"),
        (CLI_CLIENT, "http://127.0.0.1:45678/callback#x"),
        (CLI_CLIENT, "javascript:alert(1)"),
        ("other", LOOPBACK),
    ] {
        let request = house.request(client_id, uri);
        let page = house.page(&request).await;
        assert_eq!(page.status(), StatusCode::BAD_REQUEST, "{client_id} {uri}");
        assert!(page.headers().get("location").is_none());
    }
    let ipv6 = house.request(CLI_CLIENT, "http://[::1]:45678/callback");
    assert_eq!(house.page(&ipv6).await.status(), StatusCode::OK);
}

#[actix_web::test]
async fn a_wrong_request_goes_back_to_the_client_with_its_reason() {
    let house = House::open().await;
    for (name, value, error) in [
        ("response_type", "token", "unsupported_response_type"),
        ("scope", "profile", "invalid_scope"),
        ("prompt", "none", "login_required"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
    ] {
        let mut request = house.request(CLI_CLIENT, LOOPBACK);
        request.insert(name.to_owned(), value.to_owned());
        let back = returned(&house.page(&request).await);
        assert_eq!(
            (back["error"].as_str(), back["state"].as_str()),
            (error, "st&te")
        );
        let pressed = house.press(&request, "tom").await;
        assert!(pressed["error"] == error && !pressed.contains_key("code"));
    }
}

#[actix_web::test]
async fn strangers_unknown_realms_and_damaged_forms_get_a_page_and_no_code() {
    let house = House::open().await;
    let mut form = house.request(CLI_CLIENT, LOOPBACK);
    form.insert("person".to_owned(), "mallory".to_owned());
    let url = format!("{}/authorize", house.realm.issuer);
    let answer = house.http.post(&url).form(&form).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let twice = [("client_id", CLI_CLIENT), ("client_id", GATEWAY_CLIENT)];
    let answer = house.http.post(&url).form(&twice).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    let not_utf8 = house
        .http
        .post(&url)
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = not_utf8.body(vec![0xff, 0xfe]).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    for path in [
        "giraffe/authorize",
        "..%2Flion/jwks",
        "giraffe/jwks",
        "A/token",
    ] {
        let url = house.realm.issuer.replace("/lion", &format!("/{path}"));
        let answer = if path.ends_with("token") {
            house.http.post(url).form(&form).send().await.unwrap()
        } else {
            house.http.get(url).send().await.unwrap()
        };
        assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[actix_web::test]
async fn provisioning_again_keeps_secret_subjects_and_people_and_deleting_forgets_them() {
    let house = House::open().await;
    let identity = Identity::Dev(house.dev.clone());
    let mut again = spec("lion");
    again.people.truncate(1);
    let realm = identity.provision(&again).await.unwrap();
    assert!(realm.client_secret == house.realm.client_secret);
    assert_eq!(realm.people, house.realm.people[..1]);
    let request = house.request(CLI_CLIENT, LOOPBACK);
    assert!(house.press(&request, "tom").await.contains_key("code"));
    identity.delete_realm(&again.slug).await.unwrap();
    identity.delete_realm(&again.slug).await.unwrap();
    assert_eq!(house.page(&request).await.status(), StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_restart_keeps_the_signing_key() {
    let house = House::open().await;
    let config = DevIdentityConfig {
        public_url: "http://127.0.0.1:1".to_owned(),
        is_dev_profile: true,
        directory: house.directory.clone(),
    };
    let again = DevIdentity::open(config, Arc::new(house.clock.clone())).unwrap();
    assert_eq!(again.0.key.public(), house.dev.0.key.public());
}
