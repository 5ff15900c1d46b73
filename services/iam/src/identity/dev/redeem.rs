//! The token endpoint: a code and its proof for tokens.

use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use actix_web::{HttpRequest, HttpResponse, web};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::codes::Grant;
use super::login::Client;
use super::store::{KnownPerson, RealmFile};
use super::{DevIdentity, pages};
use crate::identity::{IdentityError, split_name};
use crate::random::random_token;
use crate::token::CORE_AUDIENCE;

const LIFE_SECS: i64 = 300;

/// A token request (RFC 6749 §4.1.3); members that we do not know are ignored.
#[derive(Deserialize)]
pub(super) struct TokenRequest {
    grant_type: Option<String>,
    code: Option<String>,
    redirect_uri: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    code_verifier: Option<String>,
}

/// A refusal in the words of RFC 6749 §5.2.
struct Refused(&'static str, &'static str);

const UNKNOWN_CLIENT: Refused = Refused("invalid_client", "the client or its secret is wrong");

/// POST: gives tokens for a code.
pub(super) async fn token(
    dev: web::Data<DevIdentity>,
    slug: web::Path<String>,
    request: HttpRequest,
    form: Result<web::Form<TokenRequest>, actix_web::Error>,
) -> HttpResponse {
    let (slug, realm) = match dev.find_realm(&slug).await {
        Ok(Some(found)) => found,
        Ok(None) => return HttpResponse::NotFound().finish(),
        Err(error) => return pages::broken(&error),
    };
    let Ok(form) = form else {
        return refuse(&Refused("invalid_request", "the form cannot be read"));
    };
    let now = dev.0.clock.now();
    let redeemed = authenticate(&request, &form, &realm).and_then(|client| {
        let code = form.code.as_deref().unwrap_or_default();
        let grant = dev.0.codes.take(code, now);
        let grant = grant.filter(|grant| grant.slug == slug && grant.client == client);
        form.redeem(grant)
    });
    let grant = match redeemed {
        Ok(grant) => grant,
        Err(refused) => return refuse(&refused),
    };
    let Some(person) = realm.person(&grant.username) else {
        return refuse(&Refused(
            "invalid_grant",
            "the person is not known any more",
        ));
    };
    match issue(&dev, &grant, person, now.timestamp()) {
        Ok(tokens) => HttpResponse::Ok()
            .insert_header(("Cache-Control", "no-store"))
            .json(tokens),
        Err(error) => pages::broken(&error),
    }
}

impl TokenRequest {
    fn redeem(&self, grant: Option<Grant>) -> Result<Grant, Refused> {
        if self.grant_type.as_deref() != Some("authorization_code") {
            return Err(Refused(
                "unsupported_grant_type",
                "grant_type must be authorization_code",
            ));
        }
        let wrong = Refused("invalid_grant", "the code is wrong, used up or too old");
        let grant = grant.ok_or(wrong)?;
        if self.redirect_uri.as_deref() != Some(grant.redirect_uri.as_str()) {
            return Err(Refused("invalid_grant", "redirect_uri is another one"));
        }
        // RFC 7636 §4.6.
        let verifier = self.code_verifier.as_deref().unwrap_or_default();
        let proof = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        if !(43..=128).contains(&verifier.len()) || proof != grant.challenge {
            return Err(Refused("invalid_grant", "code_verifier does not fit"));
        }
        Ok(grant)
    }
}

/// Who asks: the gateway with its secret, in the header or the form; the command line by name.
fn authenticate(
    request: &HttpRequest,
    form: &TokenRequest,
    realm: &RealmFile,
) -> Result<Client, Refused> {
    let header = request.headers().get(AUTHORIZATION);
    let (name, secret) = match header {
        Some(header) => {
            let (name, secret) = header.to_str().ok().and_then(basic).ok_or(UNKNOWN_CLIENT)?;
            if form.client_secret.is_some() {
                let why = "the client may authenticate in one way only";
                return Err(Refused("invalid_request", why));
            }
            (name, Some(secret))
        }
        None => (
            form.client_id.clone().unwrap_or_default(),
            form.client_secret.clone(),
        ),
    };
    let client = Client::find(&name).ok_or(UNKNOWN_CLIENT)?;
    let is_known = match (client, secret) {
        (Client::Cli, None) => true,
        (Client::Gateway, Some(secret)) => {
            let (given, right) = (secret.as_bytes(), realm.client_secret.as_bytes());
            verify_slices_are_equal(given, right).is_ok()
        }
        (Client::Cli, Some(_)) | (Client::Gateway, None) => false,
    };
    is_known.then_some(client).ok_or(UNKNOWN_CLIENT)
}

/// Name and secret of a Basic header; both are form-encoded inside (RFC 6749 §2.3.1).
fn basic(header: &str) -> Option<(String, String)> {
    let encoded = header.strip_prefix("Basic ")?;
    let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (name, secret) = decoded.split_once(':')?;
    let plain = |text: &str| {
        let pairs = format!("text={text}");
        let pairs = web::Query::<Vec<(String, String)>>::from_query(&pairs).ok()?;
        pairs.into_inner().into_iter().next().map(|(_, text)| text)
    };
    Some((plain(name)?, plain(secret)?))
}

fn issue(
    dev: &DevIdentity,
    grant: &Grant,
    person: &KnownPerson,
    now: i64,
) -> Result<Value, IdentityError> {
    let expires_at = now.saturating_add(LIFE_SECS);
    let (given_name, family_name) = split_name(&person.full_name);
    let common = json!({
        "iss": dev.issuer(&grant.slug), "sub": person.subject, "azp": grant.client.id(),
        "iat": now, "exp": expires_at, "auth_time": grant.signed_in_at.timestamp(),
        "preferred_username": person.username, "name": person.full_name,
        "given_name": given_name, "family_name": family_name,
    });
    let mut access = with(
        &common,
        json!({
            "typ": "Bearer", "scope": grant.scope, "jti": random_token(16)?,
            "realm_access": { "roles": person.jobs },
        }),
    );
    // As at Keycloak: only the command line's tokens are meant for the core.
    if grant.client == Client::Cli {
        access = with(&access, json!({ "aud": CORE_AUDIENCE }));
    }
    let mut id = with(
        &common,
        json!({
            "typ": "ID", "aud": grant.client.id(), "jti": random_token(16)?,
        }),
    );
    if let Some(nonce) = &grant.nonce {
        id = with(&id, json!({ "nonce": nonce }));
    }
    Ok(json!({
        "access_token": dev.0.key.sign(&access)?,
        "token_type": "Bearer",
        "expires_in": LIFE_SECS,
        "scope": grant.scope,
        "id_token": dev.0.key.sign(&id)?,
    }))
}

fn with(claims: &Value, more: Value) -> Value {
    let mut all = claims.clone();
    if let (Some(all), Value::Object(more)) = (all.as_object_mut(), more) {
        all.extend(more);
    }
    all
}

fn refuse(refused: &Refused) -> HttpResponse {
    let Refused(error, why) = refused;
    let mut answer = HttpResponse::build(if *error == UNKNOWN_CLIENT.0 {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::BAD_REQUEST
    });
    if *error == UNKNOWN_CLIENT.0 {
        answer.insert_header((WWW_AUTHENTICATE, "Basic realm=\"dev-identity\""));
    }
    answer
        .insert_header(("Cache-Control", "no-store"))
        .json(json!({ "error": error, "error_description": why }))
}
