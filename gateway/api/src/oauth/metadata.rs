//! The metadata document of an institution's issuer (RFC 8414).

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use branchline_oauth::ServerMetadata;

use super::docs::OAuthErrors;
use super::refused::{OAuthProblem, Refused};
use crate::Gateway;

/// Shows what the institution's authorization server offers and where.
#[utoipa::path(
    get, path = "/.well-known/oauth-authorization-server/t/{tenant}",
    operation_id = "getAuthorizationServerMetadata", tag = "OAuth",
    params(("tenant" = String, Path, description = "The institution's name in addresses.")),
    responses((status = 200, description = "The document (RFC 8414)", body = Object), OAuthErrors)
)]
pub(crate) async fn metadata(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let slug = request.match_info().get("tenant").unwrap_or_default();
    let Some(tenant) = gateway.find_tenant(slug).await? else {
        let says = "there is no institution of this name: check the address";
        return Ok(HttpResponse::NotFound().json(OAuthProblem::new("invalid_request", says)));
    };
    let issuer = gateway.issuer(&tenant.slug);
    Ok(HttpResponse::Ok().json(ServerMetadata::of(&issuer)))
}

/// The same document below the issuer, where some clients look first.
#[utoipa::path(
    get, path = "/t/{tenant}/.well-known/oauth-authorization-server",
    operation_id = "getAuthorizationServerMetadataBelowIssuer", tag = "OAuth",
    params(("tenant" = String, Path, description = "The institution's name in addresses.")),
    responses((status = 200, description = "The document (RFC 8414)", body = Object), OAuthErrors)
)]
pub(crate) async fn metadata_below(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    metadata(gateway, request).await
}
