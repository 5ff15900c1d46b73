//! The authorization server of each institution, as clients meet it; members meet its pages.

mod client;
pub(crate) mod docs;
mod metadata;
mod par;
pub(crate) mod refused;
mod token;

use actix_web::HttpResponse;
use actix_web::http::header::ALLOW;
use actix_web::web::{self, ServiceConfig};
use branchline_iam::{NoRandomness, random_bytes};
use refused::OAuthProblem;

pub(crate) use metadata::{__path_metadata, __path_metadata_below, metadata, metadata_below};
pub(crate) use par::{__path_push_authorization_request, push_authorization_request};
pub(crate) use token::{__path_issue_token, __path_revoke_token, issue_token, revoke_token};

/// Adds the endpoints.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(
            on("/.well-known/oauth-authorization-server/t/{tenant}", "GET")
                .route(web::get().to(metadata)),
        )
        .service(
            on("/t/{tenant}/.well-known/oauth-authorization-server", "GET")
                .route(web::get().to(metadata_below)),
        )
        .service(
            on("/t/{tenant}/oauth/par", "POST").route(web::post().to(push_authorization_request)),
        )
        .service(on("/t/{tenant}/oauth/token", "POST").route(web::post().to(issue_token)))
        .service(on("/t/{tenant}/oauth/revoke", "POST").route(web::post().to(revoke_token)));
}

/// An address whose other methods are refused.
pub(crate) fn on(path: &str, allowed: &'static str) -> actix_web::Resource {
    let refuse = move || async move {
        HttpResponse::MethodNotAllowed()
            .insert_header((ALLOW, allowed))
            .json(OAuthProblem::new(
                "invalid_request",
                "this method is not offered here: see the header Allow",
            ))
    };
    web::resource(path).default_service(web::to(refuse))
}

/// Fresh bytes for a token.
pub(crate) fn random_32() -> Result<[u8; 32], NoRandomness> {
    let bytes = random_bytes(32)?;
    <[u8; 32]>::try_from(bytes).map_err(|_length| NoRandomness)
}
