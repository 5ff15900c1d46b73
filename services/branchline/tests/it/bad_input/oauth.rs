//! Bad input at the authorization server. Parameters that nobody knows are ignored there (RFC 6749
//! §3, RFC 7591 §2).

use branchline::demo::LION;
use reqwest::Method;
use serde_json::{Value, json};

use super::bodies::{Case, texts};
use super::{Bad, all_refused};
use crate::access::oauth::{own, pushed, registration};
use crate::scene::Scene;
use crate::wire::Ask;

type Fields = Vec<(&'static str, String)>;

pub(super) async fn send_all(scene: &Scene) -> anyhow::Result<()> {
    let invitation = scene
        .stage
        .operate(&["tpp", "invite", "--note", "bad input"])
        .await?;
    let case = register(scene, invitation.trim());
    all_refused(scene, &case.bad()).await?;
    case.good
        .clone()
        .json(&case.body)
        .send(&scene.journey.http)
        .await?
        .answer()
        .expect(201)?;
    let ais = scene.fintech.own_token(LION.slug, "AIS").await?;
    let consent = scene
        .journey
        .create_consent(&scene.fintech, &scene.lion, &ais)
        .await?;
    let push = pushed(&format!("AIS:{consent}"));
    let code = vec![
        ("grant_type", "authorization_code".to_owned()),
        ("code", format!("bl_ac_{}", "A".repeat(43))),
        ("redirect_uri", crate::wire::CALLBACK.to_owned()),
        ("code_verifier", "A".repeat(43)),
    ];
    for (operation, path, good, optional) in [
        ("pushAuthorizationRequest", "par", push, &["state"][..]),
        ("issueToken", "token", own("AIS"), &["scope"]),
        ("issueToken", "token", code, &[]),
        ("revokeToken", "revoke", vec![("token", ais)], &[]),
    ] {
        let url = scene.at(&format!("/t/lion/oauth/{path}"));
        let good = Good {
            scene,
            operation,
            url,
            fields: good,
        };
        all_refused(scene, &good.bad(optional)?).await?;
    }
    let begun = scene
        .fintech
        .ask_for(LION.slug, &format!("AIS:{consent}"))
        .await?;
    all_refused(scene, &authorize(&begun.url)).await
}

/// A form that is right but for its proof, which is made anew each time.
struct Good<'a> {
    scene: &'a Scene,
    operation: &'static str,
    url: String,
    fields: Fields,
}

impl Good<'_> {
    fn bad(&self, optional: &[&str]) -> anyhow::Result<Vec<Bad>> {
        let mut bad = Vec::new();
        for (at, (name, value)) in self.fields.iter().enumerate() {
            let with = |other: &str| {
                let mut fields = self.fields.clone();
                if let Some(field) = fields.get_mut(at) {
                    field.1 = other.to_owned();
                }
                self.ask(&fields)
            };
            if !optional.contains(name) {
                let mut fields = self.fields.clone();
                fields.remove(at);
                bad.push((format!("without {name}"), self.ask(&fields)?));
                bad.push((format!("{name} is empty"), with("")?));
            }
            let twice = [self.fields.as_slice(), &[(*name, value.clone())]].concat();
            bad.push((format!("{name} stands twice"), self.ask(&twice)?));
            // RFC 7009 §2.2: what is no token of the client's is answered like one that is.
            if *name != "token" {
                bad.push((format!("{name} is long"), with(&"a".repeat(60_000))?));
            }
            for other in wrong(name) {
                bad.push((format!("{name} is {other:?}"), with(other)?));
            }
        }
        let proof = self.scene.fintech.client_auth(LION.slug)?;
        for (what, body) in [
            ("an empty body", Vec::new()),
            (
                "invalid UTF-8",
                b"client_id=%FF%FE&grant_type=\xff".to_vec(),
            ),
            ("a NUL byte", b"client_id=\0&grant_type=%00".to_vec()),
            (
                "a megabyte",
                [b"x=".to_vec(), vec![b'a'; 1_000_000]].concat(),
            ),
            ("JSON", json!({ "client_id": "x" }).to_string().into_bytes()),
        ] {
            let ask = Ask::new(self.operation, Method::POST, &self.url);
            bad.push((
                what.to_owned(),
                ask.bytes("application/x-www-form-urlencoded", body),
            ));
        }
        let all = [proof, self.fields.clone()].concat();
        let all: Vec<_> = all
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        for kind in [
            "application/json",
            "text/plain",
            "multipart/form-data; boundary=x",
        ] {
            let ask = Ask::new(self.operation, Method::POST, &self.url).form(&all);
            bad.push((format!("sent as {kind}"), ask.header("Content-Type", kind)));
        }
        Ok(bad)
    }

    fn ask(&self, fields: &[(&'static str, String)]) -> anyhow::Result<Ask> {
        let all = [self.scene.fintech.client_auth(LION.slug)?, fields.to_vec()].concat();
        let all: Vec<_> = all
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Ok(Ask::new(self.operation, Method::POST, &self.url).form(&all))
    }
}

/// What a parameter must not be.
fn wrong(name: &str) -> &'static [&'static str] {
    match name {
        "response_type" => &["token", "code id_token", "CODE"],
        "redirect_uri" => &[
            "https://evil.example/",
            "javascript:alert(1)",
            "x",
            "http://127.0.0.1:9/callback/../x",
        ],
        "scope" => &[
            "PIIS",
            "AIS:",
            "AIS:x",
            "openid",
            "\u{0}",
            "AIS:00000000-0000-7000-8000-000000000000",
        ],
        "code_challenge" => &["x", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=", "\u{0}"],
        "code_challenge_method" => &["plain", "s256", "S512"],
        "grant_type" => &["password", "implicit", "refresh_token", "\u{0}"],
        "code" => &["x", "bl_at_AAAA", "\u{0}"],
        "code_verifier" => &["x", "\u{0}"],
        _ => &[],
    }
}

fn register(scene: &Scene, invitation: &str) -> Case {
    let good = registration(scene).bearer(invitation);
    let body = good.sent();
    let addresses = [
        "http://evil.example/",
        "javascript:alert(1)",
        "x",
        "",
        "https://",
        "https://a.example/#b",
        "https://a@b.example/",
        "https://a b",
    ];
    let key = |name: &str, value: Value| {
        let mut keys = body.get("jwks").cloned().unwrap_or_default();
        if let Some(Value::Object(key)) = keys.pointer_mut("/keys/0") {
            key.insert(name.to_owned(), value);
        }
        keys
    };
    Case {
        wrong: vec![
            ("/client_name", [texts(70), vec![json!("")]].concat()),
            (
                "/redirect_uris",
                [
                    addresses.map(|address| json!([address])).to_vec(),
                    vec![json!([1]), json!(vec!["https://a.example/"; 11])],
                ]
                .concat(),
            ),
            (
                "/token_endpoint_auth_method",
                vec![json!("none"), json!("client_secret_basic"), json!("")],
            ),
            (
                "/grant_types",
                vec![
                    json!(["implicit"]),
                    json!([1]),
                    json!(["password", "authorization_code"]),
                ],
            ),
            ("/response_types", vec![json!(["token"]), json!([1])]),
            (
                "/roles",
                vec![
                    json!([]),
                    json!(["x"]),
                    json!([1]),
                    json!(["AISP", "ASPSP"]),
                ],
            ),
            (
                "/jwks",
                vec![
                    json!({ "keys": [] }),
                    json!({ "keys": [1] }),
                    json!({ "keys": [{}] }),
                    key("d", json!("AAAA")),
                    key("crv", json!("P-512")),
                    key("x", json!("x")),
                    key("kty", json!("oct")),
                ],
            ),
        ],
        good,
        body,
        status: 201,
        required: &["/redirect_uris", "/jwks", "/roles"],
        refuses_unknown: false,
    }
}

fn authorize(good: &str) -> Vec<Bad> {
    let (path, query) = good.split_once('?').unwrap_or_default();
    let (client, request) = query.split_once('&').unwrap_or_default();
    let queries = [
        String::new(),
        client.to_owned(),
        request.to_owned(),
        format!("{query}&{client}"),
        format!("{query}&{request}"),
        format!("client_id=x&{request}"),
        format!("client_id=&{request}"),
        format!("{client}&request_uri="),
        format!("{client}&request_uri=x"),
        format!("{client}&request_uri=%00"),
        format!("{client}&request_uri=%FF%FE"),
        format!("{client}&request_uri=%ZZ"),
        format!("{client}&request_uri=https://evil.example/"),
        format!("{client}&response_type=code&redirect_uri=https://evil.example/"),
        format!("{client}&request_uri={}", "a".repeat(20_000)),
    ];
    let all = queries.map(|query| {
        let what: String = query.chars().take(120).collect();
        (
            format!("the query {what}"),
            Ask::new("authorize", Method::GET, &format!("{path}?{query}")),
        )
    });
    all.into()
}
