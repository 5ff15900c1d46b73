//! The authorization server of each institution, as clients meet it; members meet its pages.

mod client;
pub(crate) mod docs;
mod metadata;
mod par;
pub(crate) mod refused;
mod token;

use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpResponse, ResponseError};
use branchline_iam::{NoRandomness, random_bytes};
use branchline_oauth::OAuthError;

use refused::Refused;

pub(crate) use metadata::{__path_metadata, __path_metadata_below, metadata, metadata_below};
pub(crate) use par::{__path_push_authorization_request, push_authorization_request};
pub(crate) use token::{__path_issue_token, __path_revoke_token, issue_token, revoke_token};

/// Adds the endpoints.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(
            on("/.well-known/oauth-authorization-server/t/{tenant}").route(web::get().to(metadata)),
        )
        .service(
            on("/t/{tenant}/.well-known/oauth-authorization-server")
                .route(web::get().to(metadata_below)),
        )
        .service(on("/t/{tenant}/oauth/par").route(web::post().to(push_authorization_request)))
        .service(on("/t/{tenant}/oauth/token").route(web::post().to(issue_token)))
        .service(on("/t/{tenant}/oauth/revoke").route(web::post().to(revoke_token)));
}

pub(crate) fn on(path: &str) -> actix_web::Resource {
    web::resource(path).default_service(web::to(method_not_allowed))
}

async fn method_not_allowed() -> HttpResponse {
    let mut response = Refused(OAuthError::MalformedForm).error_response();
    *response.status_mut() = actix_web::http::StatusCode::METHOD_NOT_ALLOWED;
    response
}

/// Fresh bytes for a token.
pub(crate) fn random_32() -> Result<[u8; 32], NoRandomness> {
    let bytes = random_bytes(32)?;
    <[u8; 32]>::try_from(bytes).map_err(|_length| NoRandomness)
}
