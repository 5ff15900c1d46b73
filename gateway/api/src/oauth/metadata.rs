//! The metadata document of an institution's issuer (RFC 8414).

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use branchline_oauth::ServerMetadata;

use super::client::tenant;
use super::docs::OAuthErrors;
use super::refused::Refused;
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
    let tenant = tenant(&gateway, &request).await?;
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
