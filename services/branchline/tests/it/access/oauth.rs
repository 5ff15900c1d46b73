//! The authorization server's operations: who proves nothing, or for somebody else, gets nothing.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use branchline::demo::{ELEPHANT, Fintech, LION};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Refusal, refused_without_trace};
use crate::cast::Cast;
use crate::scene::Scene;
use crate::wire::{Ask, CALLBACK};

const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

type Fields = Vec<(&'static str, String)>;

/// Probes every operation; the ids of those that were.
pub(super) async fn probe_all(scene: &Scene, cast: &Cast) -> anyhow::Result<BTreeSet<String>> {
    let mut probed = BTreeSet::new();
    let mut probe = async |refusals: Vec<Refusal>, good: Ask, status: u16| {
        refused_without_trace(scene, &refusals).await?;
        let reply = good.send(&scene.journey.http).await?;
        super::expect("those who may", good.operation, &reply.answer(), status, "")?;
        probed.insert(good.operation.to_owned());
        anyhow::Ok(())
    };
    for good in [
        get(
            scene,
            "getAuthorizationServerMetadata",
            "/.well-known/oauth-authorization-server/t/lion",
        ),
        get(
            scene,
            "getAuthorizationServerMetadataBelowIssuer",
            "/t/lion/.well-known/oauth-authorization-server",
        ),
    ] {
        let nowhere = good.elsewhere("/t/lion", "/t/nowhere");
        let refusal = Refusal::new(
            "a tenant that is not there",
            nowhere,
            404,
            "invalid_request",
        );
        probe(vec![refusal], good, 200).await?;
    }
    probe(
        of_authorize(scene, cast).await?,
        authorize(scene).await?,
        303,
    )
    .await?;
    for (operation, fields) in [
        (
            "pushAuthorizationRequest",
            pushed(&format!("AIS:{}", cast.waiting)),
        ),
        ("issueToken", own("AIS")),
        ("revokeToken", vec![("token", cast.elsewhere.clone())]),
    ] {
        let mut refusals = without_proof(scene, cast, operation, &fields).await?;
        refusals.extend(of_others(scene, cast, operation)?);
        let good = post(
            scene,
            operation,
            &[scene.fintech.client_auth(LION.slug)?, fields].concat(),
        );
        let status = if operation == "pushAuthorizationRequest" {
            201
        } else {
            200
        };
        probe(refusals, good, status).await?;
    }
    let used = scene
        .stage
        .operate(&["tpp", "invite", "--note", "used"])
        .await?;
    registration(scene)
        .bearer(used.trim())
        .send(&scene.journey.http)
        .await?
        .answer()
        .expect(201)?;
    let refusals = [
        ("nobody", registration(scene)),
        ("a malformed invitation", registration(scene).bearer("x")),
        (
            "a random invitation",
            registration(scene).bearer(&format!("bl_inv_{}", "A".repeat(43))),
        ),
        ("a used invitation", registration(scene).bearer(used.trim())),
        ("an access token", registration(scene).bearer(&cast.ais)),
    ];
    let refusals = refusals.map(|(who, ask)| Refusal::new(who, ask, 401, "invalid_token"));
    let fresh = scene
        .stage
        .operate(&["tpp", "invite", "--note", "fresh"])
        .await?;
    probe(
        refusals.into(),
        registration(scene).bearer(fresh.trim()),
        201,
    )
    .await?;
    Ok(probed)
}

fn get(scene: &Scene, operation: &'static str, path: &str) -> Ask {
    Ask::new(operation, Method::GET, &scene.at(path))
}

fn post(scene: &Scene, operation: &'static str, fields: &[(&'static str, String)]) -> Ask {
    let path = match operation {
        "pushAuthorizationRequest" => "par",
        "issueToken" => "token",
        _ => "revoke",
    };
    let fields: Vec<_> = fields
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    Ask::new(
        operation,
        Method::POST,
        &scene.at(&format!("/t/lion/oauth/{path}")),
    )
    .form(&fields)
}

/// What is pushed to ask for a member's approval.
pub(crate) fn pushed(scope: &str) -> Fields {
    vec![
        ("response_type", "code".to_owned()),
        ("redirect_uri", CALLBACK.to_owned()),
        ("scope", scope.to_owned()),
        ("state", "a-state".to_owned()),
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
        ),
        ("code_challenge_method", "S256".to_owned()),
    ]
}

/// What is sent for a token of the client's own.
pub(crate) fn own(scope: &str) -> Fields {
    vec![
        ("grant_type", "client_credentials".to_owned()),
        ("scope", scope.to_owned()),
    ]
}

/// A registration that lacks nothing but its invitation; the key is the example of RFC 7517 §A.1.
pub(crate) fn registration(scene: &Scene) -> Ask {
    let key = json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1",
        "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    });
    Ask::new("registerClient", Method::POST, &scene.at("/register")).json(&json!({
        "client_name": "Registered by a test",
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": ["authorization_code", "client_credentials"],
        "response_types": ["code"],
        "jwks": { "keys": [key] },
        "roles": ["AISP", "PISP"],
    }))
}

async fn authorize(scene: &Scene) -> anyhow::Result<Ask> {
    let consent = scene.fintech.own_token(LION.slug, "AIS").await?;
    let consent = scene
        .journey
        .create_consent(&scene.fintech, &scene.lion, &consent)
        .await?;
    let begun = scene
        .fintech
        .ask_for(LION.slug, &format!("AIS:{consent}"))
        .await?;
    Ok(Ask::new("authorize", Method::GET, &begun.url))
}

/// A page says so; there is no code for it.
async fn of_authorize(scene: &Scene, cast: &Cast) -> anyhow::Result<Vec<Refusal>> {
    let good = authorize(scene).await?;
    let used = authorize(scene).await?;
    let refused = |who, ask, status| Refusal::new(who, ask, status, "");
    let (path, query) = good.url.split_once('?').unwrap_or_default();
    let other = cast.other.client_id();
    let of_other = query.replace(scene.fintech.client_id(), other);
    let last = used.url.chars().last().unwrap_or_default();
    let unknown = if last == 'A' { "B" } else { "A" };
    let unknown = format!(
        "{}{unknown}",
        used.url.strip_suffix(last).unwrap_or_default()
    );
    let at = |url: &str| Ask::new("authorize", Method::GET, url);
    Ok(vec![
        refused("nobody", at(path), 400),
        refused(
            "another third party",
            at(&format!("{path}?{of_other}")),
            400,
        ),
        refused("an unknown request", at(&unknown), 400),
        refused(
            "another tenant's page",
            good.elsewhere("/t/lion/", "/t/elephant/"),
            400,
        ),
        refused(
            "a tenant that is not there",
            good.elsewhere("/t/lion/", "/t/nowhere/"),
            404,
        ),
    ])
}

/// Clients that did not prove who they are, or are not let in.
async fn without_proof(
    scene: &Scene,
    cast: &Cast,
    operation: &'static str,
    fields: &[(&'static str, String)],
) -> anyhow::Result<Vec<Refusal>> {
    let savanna = &scene.fintech;
    let used = savanna.client_auth(LION.slug)?;
    let first = post(scene, "issueToken", &[used.clone(), own("AIS")].concat());
    first
        .send(&scene.journey.http)
        .await?
        .answer()
        .expect(200)?;
    let mut stale = savanna.claims(LION.slug)?;
    set(&mut stale, "exp", json!(1_700_000_000));
    let mut early = savanna.claims(LION.slug)?;
    set(&mut early, "iat", json!(4_000_000_000_u64));
    let proof = |assertion: String| {
        vec![
            ("client_assertion_type", ASSERTION.to_owned()),
            ("client_assertion", assertion),
        ]
    };
    let claims = savanna.claims(LION.slug)?;
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims));
    let mut proofs = vec![
        ("nobody", Vec::new()),
        (
            "a name alone",
            vec![("client_id", savanna.client_id().to_owned())],
        ),
        ("a malformed assertion", proof("x.y".to_owned())),
        ("an unsigned assertion", proof(unsigned)),
        ("another's key", proof(cast.other.sign(&claims)?)),
        ("an expired assertion", proof(savanna.sign(&stale)?)),
        ("an assertion from the future", proof(savanna.sign(&early)?)),
        (
            "an assertion for another tenant",
            savanna.client_auth(ELEPHANT.slug)?,
        ),
        ("a used assertion", used),
        (
            "one that was never let in",
            cast.stranger.client_auth(LION.slug)?,
        ),
    ];
    for (who, fintech, _) in &cast.shut_out {
        proofs.push((who, fintech.client_auth(LION.slug)?));
    }
    let refusals = proofs.into_iter().map(|(who, proof)| {
        let ask = post(scene, operation, &[proof, fields.to_vec()].concat());
        Refusal::new(who, ask, 401, "invalid_client")
    });
    Ok(refusals.collect())
}

fn set(claims: &mut Value, name: &str, value: Value) {
    if let Some(member) = claims.get_mut(name) {
        *member = value;
    }
}

/// A client that is good asks for what is another's, or is not to be had any more.
fn of_others(scene: &Scene, cast: &Cast, operation: &'static str) -> anyhow::Result<Vec<Refusal>> {
    let by = |fintech: &Fintech, fields: Fields| {
        anyhow::Ok(post(
            scene,
            operation,
            &[fintech.client_auth(LION.slug)?, fields].concat(),
        ))
    };
    let code = vec![
        ("grant_type", "authorization_code".to_owned()),
        ("code", format!("bl_ac_{}", "A".repeat(43))),
        ("redirect_uri", CALLBACK.to_owned()),
        ("code_verifier", "A".repeat(43)),
    ];
    let revoke = vec![("token", cast.consent.token.clone())];
    Ok(match operation {
        "pushAuthorizationRequest" => {
            let ask = |who, fintech, scope: String, code| {
                anyhow::Ok(Refusal::new(who, by(fintech, pushed(&scope))?, 400, code))
            };
            vec![
                ask(
                    "another third party",
                    &cast.other,
                    format!("AIS:{}", cast.waiting),
                    "invalid_request",
                )?,
                ask(
                    "another's payment",
                    &cast.other,
                    format!("PIS:{}", cast.order),
                    "invalid_request",
                )?,
                ask(
                    "a consent in force",
                    &scene.fintech,
                    format!("AIS:{}", cast.consent.id),
                    "invalid_request",
                )?,
                ask(
                    "a withdrawn consent",
                    &scene.fintech,
                    format!("AIS:{}", cast.revoked.id),
                    "invalid_request",
                )?,
                ask(
                    "a paid payment",
                    &scene.fintech,
                    format!("PIS:{}", cast.paid.id),
                    "invalid_request",
                )?,
            ]
        }
        "issueToken" => vec![
            Refusal::new(
                "a code that is not there",
                by(&scene.fintech, code)?,
                400,
                "invalid_grant",
            ),
            Refusal::new(
                "a scope of no role",
                by(&scene.fintech, own("PIIS"))?,
                400,
                "invalid_scope",
            ),
        ],
        // RFC 7009 §2.2: what is no token of the client's is answered like one that is.
        _ => vec![Refusal::new(
            "another's token",
            by(&cast.other, revoke)?,
            200,
            "",
        )],
    })
}
