//! Dynamic client registration (RFC 7591): once for the installation, with an invitation.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{self, Bytes, Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use branchline_consent::tpp;
use branchline_db::Access;
use branchline_oauth::{OAuthError, OpaqueToken, RegistrationRequest, TokenKind};
use branchline_xs2a::{has_member_twice, json_content};

use crate::Gateway;
use crate::oauth::docs::OAuthErrors;
use crate::oauth::refused::Refused;

/// Adds the endpoint.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(crate::oauth::on("/register", "POST").route(web::post().to(register_client)));
}

/// Registers a third party. The invitation is the bearer token and is used up.
#[utoipa::path(
    post, path = "/register", operation_id = "registerClient", tag = "OAuth",
    request_body(content = Object, content_type = "application/json",
        description = "client_name, redirect_uris, jwks, roles, grant_types … (RFC 7591)"),
    responses((status = 201, description = "The client", body = Object), OAuthErrors),
    security(("bearer" = []))
)]
pub(crate) async fn register_client(
    gateway: Data<Gateway>,
    request: HttpRequest,
    sent: Result<Bytes, actix_web::Error>,
) -> Result<HttpResponse, Refused> {
    let invitation = branchline_web::bearer(&request).ok_or(OAuthError::InvalidInvitation)?;
    let invitation = OpaqueToken::parse(TokenKind::Invitation, invitation)?;
    let sent = sent.map_err(|_unread| OAuthError::MalformedJson)?;
    let kind = request.headers().get(CONTENT_TYPE);
    json_content(kind.and_then(|kind| kind.to_str().ok()))
        .map_err(|_other_type| OAuthError::MalformedJson)?;
    let body = serde_json::from_slice(&sent).map_err(|_not_json| OAuthError::MalformedJson)?;
    if has_member_twice(&sent, &body) {
        return Err(OAuthError::MalformedJson.into());
    }
    let wanted = RegistrationRequest::parse(body)?.validate(gateway.loopback())?;
    let tx = gateway.db().platform(Access::Write).await?;
    let made = tpp::register(&tx, &invitation, &wanted).await?;
    tx.commit().await?;
    let answer = made.registration.answer(made.client(), made.registered_at);
    Ok(HttpResponse::Created()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(answer))
}
