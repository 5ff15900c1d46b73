//! The login page: one button per person, no password.

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse, web};
use reqwest::Url;
use serde::Deserialize;

use super::codes::Grant;
use super::store::RealmFile;
use super::{DevIdentity, pages};
use crate::identity::{CLI_CLIENT, GATEWAY_CLIENT};

/// The clients of a realm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Client {
    Gateway,
    Cli,
}

/// An authorization request (RFC 6749 §4.1.1, RFC 7636 §4.3); members that we do not know are
/// ignored, as RFC 6749 §3.1 demands.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct AuthorizationRequest {
    pub(super) client_id: Option<String>,
    pub(super) redirect_uri: Option<String>,
    pub(super) response_type: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) state: Option<String>,
    pub(super) nonce: Option<String>,
    pub(super) code_challenge: Option<String>,
    pub(super) code_challenge_method: Option<String>,
    pub(super) prompt: Option<String>,
    /// The button pressed; absent while the page is asked for.
    person: Option<String>,
}

/// A request that may go on to the choice of a person.
pub(super) struct Accepted {
    client: Client,
    pub(super) redirect_uri: Url,
    scope: String,
    challenge: String,
}

/// Why a request may not go on, and who is told.
enum Refused {
    /// The person: sending the browser on could send it to an attacker (RFC 6749 §4.1.2.1).
    OnPage(&'static str),
    /// The client, through the browser.
    AtClient(Url, &'static str, &'static str),
}

impl Client {
    pub(super) fn find(client_id: &str) -> Option<Self> {
        match client_id {
            GATEWAY_CLIENT => Some(Self::Gateway),
            CLI_CLIENT => Some(Self::Cli),
            _ => None,
        }
    }

    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Gateway => GATEWAY_CLIENT,
            Self::Cli => CLI_CLIENT,
        }
    }

    /// The redirect that the client may use, exactly as registered; the port of a loopback one
    /// is free (RFC 8252 §7.3).
    fn redirect(self, realm: &RealmFile, wanted: &str) -> Option<Url> {
        let url = Url::parse(wanted).ok()?;
        let fits = match self {
            Self::Gateway => realm.redirect_uris.iter().any(|uri| uri == wanted),
            Self::Cli => url.port().is_some_and(|port| {
                let at = |host: &str| wanted == format!("http://{host}:{port}/callback");
                at("127.0.0.1") || at("[::1]")
            }),
        };
        fits.then_some(url)
    }
}

impl AuthorizationRequest {
    fn accept(&self, realm: &RealmFile) -> Result<Accepted, Refused> {
        let client = self.client_id.as_deref().and_then(Client::find);
        let client = client.ok_or(Refused::OnPage("The application is not known here."))?;
        let wanted = self.redirect_uri.as_deref().unwrap_or_default();
        let redirect_uri = client.redirect(realm, wanted).ok_or(Refused::OnPage(
            "The application asked to come back to an address that it did not register.",
        ))?;
        let refuse = |error, why| Err(Refused::AtClient(redirect_uri.clone(), error, why));
        if self.response_type.as_deref() != Some("code") {
            return refuse("unsupported_response_type", "response_type must be code");
        }
        let scope = self.scope.clone().unwrap_or_default();
        if !scope.split(' ').any(|name| name == "openid") {
            return refuse("invalid_scope", "scope must contain openid");
        }
        if self.prompt.as_deref() == Some("none") {
            return refuse("login_required", "nobody stays signed in here");
        }
        // RFC 7636 §4.2: the challenge is the base64url of 32 bytes.
        let challenge = self.code_challenge.clone().unwrap_or_default();
        if self.code_challenge_method.as_deref() != Some("S256") || challenge.len() != 43 {
            return refuse(
                "invalid_request",
                "a code_challenge of method S256 is needed",
            );
        }
        Ok(Accepted {
            client,
            redirect_uri,
            scope,
            challenge,
        })
    }
}

/// GET: shows who can sign in.
pub(super) async fn show(
    dev: web::Data<DevIdentity>,
    slug: web::Path<String>,
    request: HttpRequest,
) -> HttpResponse {
    match web::Query::<AuthorizationRequest>::from_query(request.query_string()) {
        Ok(asked) => answer(&dev, &slug, &asked).await,
        Err(_) => pages::refused("The address of this page is damaged."),
    }
}

/// POST: somebody pressed a button.
pub(super) async fn choose(
    dev: web::Data<DevIdentity>,
    slug: web::Path<String>,
    asked: Result<web::Form<AuthorizationRequest>, actix_web::Error>,
) -> HttpResponse {
    match asked {
        Ok(asked) => answer(&dev, &slug, &asked).await,
        Err(_) => pages::refused("The form is damaged."),
    }
}

async fn answer(dev: &DevIdentity, slug: &str, asked: &AuthorizationRequest) -> HttpResponse {
    let (slug, realm) = match dev.find_realm(slug).await {
        Ok(Some(found)) => found,
        Ok(None) => return pages::unknown(),
        Err(error) => return pages::broken(&error),
    };
    let issuer = dev.issuer(&slug);
    let state = asked.state.as_deref();
    let accepted = match asked.accept(&realm) {
        Ok(accepted) => accepted,
        Err(Refused::OnPage(why)) => return pages::refused(why),
        Err(Refused::AtClient(uri, error, why)) => {
            let outcome = [("error", error), ("error_description", why)];
            return go_to(&back_to(uri, &outcome, state, &issuer));
        }
    };
    let Some(username) = asked.person.as_deref() else {
        let cancel = [("error", "access_denied")];
        let cancel = back_to(accepted.redirect_uri.clone(), &cancel, state, &issuer);
        return pages::login(&realm, asked, &accepted, &cancel);
    };
    if realm.person(username).is_none() {
        return pages::refused("This person is not known here.");
    }
    let redirect_uri = accepted.redirect_uri;
    let grant = Grant {
        slug,
        client: accepted.client,
        redirect_uri: asked.redirect_uri.clone().unwrap_or_default(),
        challenge: accepted.challenge,
        scope: accepted.scope,
        nonce: asked.nonce.clone(),
        username: username.to_owned(),
        signed_in_at: dev.0.clock.now(),
    };
    match dev.0.codes.issue(grant) {
        Ok(Some(code)) => go_to(&back_to(redirect_uri, &[("code", &code)], state, &issuer)),
        Ok(None) => {
            let outcome = [("error", "temporarily_unavailable")];
            go_to(&back_to(redirect_uri, &outcome, state, &issuer))
        }
        Err(error) => pages::broken(&error),
    }
}

/// The client's redirect with the outcome, its state, and who answers (RFC 9207).
fn back_to(mut uri: Url, outcome: &[(&str, &str)], state: Option<&str>, issuer: &str) -> Url {
    let state = state.map(|state| ("state", state));
    uri.query_pairs_mut()
        .extend_pairs(outcome)
        .extend_pairs(state)
        .append_pair("iss", issuer);
    uri
}

fn go_to(uri: &Url) -> HttpResponse {
    let mut answer = HttpResponse::SeeOther();
    answer.insert_header((LOCATION, uri.as_str()));
    answer.insert_header(("Cache-Control", "no-store"));
    answer.insert_header(("Referrer-Policy", "no-referrer"));
    answer.finish()
}
