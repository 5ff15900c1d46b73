//! Signing in: out to the institution's provider and back.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use branchline_consent::session::{
    self, Destination, InteractionId, LoginAttempt, SecretHash, Session,
};
use branchline_db::{Tenant, audit};
use branchline_iam::{KeyPurpose, random_token};
use branchline_kernel::Secret;
use branchline_web::request_context;
use serde::Deserialize;

use super::cookies::Which;
use super::page::{Frame, go_to, show};
use super::refused::Refused;
use super::views::MessagePage;
use crate::Gateway;
use crate::login::{LoginError, Provider, SignedIn};

const ACTOR: &str = "system:pages";

/// The institution of the path.
pub(super) async fn tenant(gateway: &Gateway, request: &HttpRequest) -> Result<Tenant, Refused> {
    let slug = request.match_info().get("tenant").unwrap_or_default();
    let tenant = gateway
        .find_tenant(slug)
        .await?
        .ok_or(Refused::NothingHere)?;
    request_context(request).set_tenant(&tenant.id);
    Ok(tenant)
}

/// The session of the browser, while it lasts.
pub(super) async fn session(
    gateway: &Gateway,
    tenant: &Tenant,
    request: &HttpRequest,
) -> Result<Option<Session>, Refused> {
    let Some(hash) = Which::Session.hash(request) else {
        return Ok(None);
    };
    gateway
        .look(&tenant.id, ACTOR, async |tx| {
            Ok(session::find(tx, &hash).await?)
        })
        .await
}

/// Sends the browser to the institution's provider.
pub(super) async fn begin(
    gateway: &Gateway,
    tenant: &Tenant,
    request: &HttpRequest,
    destination: Destination,
) -> Result<HttpResponse, Refused> {
    let provider = provider(gateway, tenant).await?;
    let begun = gateway
        .providers()
        .send_away(&provider, gateway.now())
        .await?;
    // A browser that signs in in two windows keeps one mark for both.
    let browser = match Which::Browser.of(request) {
        Some(known) => known,
        None => random_token(32)?,
    };
    let attempt = LoginAttempt {
        nonce: begun.nonce,
        verifier: begun.verifier,
        destination,
    };
    gateway
        .change(&tenant.id, ACTOR, async |tx| {
            let state = SecretHash::of(&begun.state);
            session::begin_login(tx, &state, &SecretHash::of(&browser), &attempt).await
        })
        .await?;
    let mut response = go_to(&begun.address);
    let cookie = Which::Browser.set(gateway, tenant, &browser);
    // A name and a value of our own making always fit a header.
    let _fits = response.add_cookie(&cookie);
    Ok(response)
}

async fn provider(gateway: &Gateway, tenant: &Tenant) -> Result<Provider, Refused> {
    let issuers = gateway.db().issuers().await?;
    let issuer = issuers
        .into_iter()
        .find(|issuer| issuer.tenant == tenant.id)
        .ok_or(LoginError::NoProvider)?;
    let secret = gateway.key(&tenant.id, KeyPurpose::LoginClient).await?;
    Ok(Provider {
        issuer: issuer.issuer,
        client_id: issuer.client_id,
        secret: Secret::new(String::from_utf8_lossy(secret.expose()).into_owned()),
        callback: gateway.issuer(&tenant.slug).at("login/callback"),
    })
}

/// What the provider sends back.
#[derive(Deserialize)]
pub(super) struct Back {
    code: Option<String>,
    state: Option<String>,
}

/// The browser comes back from the provider.
pub(super) async fn come_back(
    gateway: Data<Gateway>,
    request: HttpRequest,
    back: Result<Query<Back>, actix_web::Error>,
) -> Result<HttpResponse, Refused> {
    let tenant = tenant(&gateway, &request).await?;
    let back = back
        .map_err(|_malformed| Refused::NothingHere)?
        .into_inner();
    let browser = Which::Browser.hash(&request).ok_or(Refused::NothingHere)?;
    let state = SecretHash::of(&back.state.unwrap_or_default());
    let attempt = gateway
        .change(&tenant.id, ACTOR, async |tx| {
            Ok::<_, Refused>(session::take_login(tx, &state, &browser).await?)
        })
        .await?
        .ok_or(Refused::NothingHere)?;
    let Some(code) = back.code else {
        return not_signed_in(&gateway, &tenant);
    };
    let provider = provider(&gateway, &tenant).await?;
    let proofs = (attempt.nonce.as_str(), attempt.verifier.as_str());
    let signed_in = gateway
        .providers()
        .finish(&provider, &code, proofs, gateway.now())
        .await?;
    let secret = random_token(32)?;
    let hash = SecretHash::of(&secret);
    let bound = match attempt.destination {
        Destination::Approve(interaction) => Some(interaction),
        Destination::Me => None,
    };
    open(&gateway, (&tenant, &request), &signed_in, (&hash, bound)).await?;
    let issuer = gateway.issuer(&tenant.slug);
    let mut response = go_to(&match bound {
        Some(interaction) => issuer.at(&format!("approve/{interaction}")),
        None => issuer.at("me"),
    });
    let cookie = Which::Session.set(&gateway, &tenant, &secret);
    // A name and a value of our own making always fit a header.
    let _fits = response.add_cookie(&cookie);
    Ok(response)
}

/// A fresh session, never one that the browser brought along (session fixation).
async fn open(
    gateway: &Gateway,
    (tenant, request): (&Tenant, &HttpRequest),
    signed_in: &SignedIn,
    (hash, bound): (&SecretHash, Option<InteractionId>),
) -> Result<(), Refused> {
    let actor = format!("member:{}#{}", signed_in.psu.issuer, signed_in.psu.subject);
    gateway
        .change(&tenant.id, &actor, async |tx| {
            session::begin(tx, hash, &signed_in.psu, &signed_in.name).await?;
            if let Some(interaction) = bound {
                session::bind(tx, interaction, hash).await?;
            }
            let event = audit::Event {
                operation: "signIn".to_owned(),
                outcome: "done".to_owned(),
                request_id: Some(request_context(request).request_id().uuid()),
                ..audit::Event::default()
            };
            audit::record(tx, event).await
        })
        .await?;
    Ok(())
}

fn not_signed_in(gateway: &Gateway, tenant: &Tenant) -> Result<HttpResponse, Refused> {
    let page = MessagePage {
        frame: Frame::of(gateway, tenant, None),
        heading: "You are not signed in".to_owned(),
        text: "The sign-in was not finished, so nothing was approved. Go back to the app and \
               start again."
            .to_owned(),
        link: None,
        reference: None,
    };
    show(StatusCode::OK, &page, None)
}
