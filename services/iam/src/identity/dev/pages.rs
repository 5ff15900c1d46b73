//! What people see: plain pages without scripts.

use std::error::Error;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use reqwest::Url;
use tracing::error;

use super::login::{Accepted, AuthorizationRequest};
use super::store::{KnownPerson, RealmFile};
use crate::identity::IdentityError;

#[derive(Template)]
#[template(path = "dev_identity_login.html")]
struct LoginPage<'a> {
    institution: &'a str,
    hidden: Vec<(&'static str, &'a str)>,
    people: Vec<Choice<'a>>,
    cancel: &'a str,
}

struct Choice<'a> {
    username: &'a str,
    full_name: &'a str,
    jobs: String,
}

#[derive(Template)]
#[template(path = "dev_identity_refused.html")]
struct RefusedPage<'a> {
    why: &'a str,
}

/// The page with a button per person.
pub(super) fn login(
    realm: &RealmFile,
    asked: &AuthorizationRequest,
    accepted: &Accepted,
    cancel: &Url,
) -> HttpResponse {
    let page = LoginPage {
        institution: &realm.name,
        hidden: hidden(asked),
        people: realm.people.iter().map(choice).collect(),
        cancel: cancel.as_str(),
    };
    // Browsers apply form-action to the redirects behind a form as well.
    let back = accepted.redirect_uri.origin().ascii_serialization();
    html(StatusCode::OK, &page, &format!("'self' {back}"))
}

/// A page that says why nobody can sign in.
pub(super) fn refused(why: &str) -> HttpResponse {
    html(StatusCode::BAD_REQUEST, &RefusedPage { why }, "'none'")
}

/// A page for a realm that does not exist.
pub(super) fn unknown() -> HttpResponse {
    let why = "There is no such institution here.";
    html(StatusCode::NOT_FOUND, &RefusedPage { why }, "'none'")
}

/// The answer to trouble of our own, which is logged here.
pub(super) fn broken(trouble: &IdentityError) -> HttpResponse {
    error!(
        error = %trouble,
        cause = trouble.source().map(tracing::field::display),
        "The development identity could not answer"
    );
    let why = "The development identity is broken: look at the server's log.";
    html(
        StatusCode::INTERNAL_SERVER_ERROR,
        &RefusedPage { why },
        "'none'",
    )
}

/// The pages' style sheet.
pub(super) async fn style(_request: HttpRequest) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .body(include_str!("../../../templates/dev_identity.css"))
}

/// The request's own members, to come back with the choice.
fn hidden(asked: &AuthorizationRequest) -> Vec<(&'static str, &str)> {
    let members = [
        ("client_id", &asked.client_id),
        ("redirect_uri", &asked.redirect_uri),
        ("response_type", &asked.response_type),
        ("scope", &asked.scope),
        ("state", &asked.state),
        ("nonce", &asked.nonce),
        ("code_challenge", &asked.code_challenge),
        ("code_challenge_method", &asked.code_challenge_method),
        ("prompt", &asked.prompt),
    ];
    members
        .into_iter()
        .filter_map(|(name, value)| Some((name, value.as_deref()?)))
        .collect()
}

fn choice(person: &KnownPerson) -> Choice<'_> {
    let jobs: Vec<&str> = person.jobs.iter().map(|job| job.role()).collect();
    Choice {
        username: &person.username,
        full_name: &person.full_name,
        jobs: jobs.join(", "),
    }
}

fn html(status: StatusCode, page: &impl Template, form_action: &str) -> HttpResponse {
    let Ok(text) = page.render() else {
        return HttpResponse::InternalServerError().finish();
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action {form_action}; base-uri 'none'; \
         frame-ancestors 'none'"
    );
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header(("Content-Security-Policy", policy))
        .insert_header(("X-Content-Type-Options", "nosniff"))
        .insert_header(("Referrer-Policy", "no-referrer"))
        .insert_header(("Cache-Control", "no-store"))
        .body(text)
}
