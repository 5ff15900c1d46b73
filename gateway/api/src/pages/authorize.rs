//! The authorization endpoint: where an application's browser arrives.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use branchline_consent::oauth;
use branchline_consent::session::{self, Destination};
use branchline_oauth::{AuthorizationCall, OAuthError, Params};

use super::page::go_to;
use super::refused::Refused;
use super::sign_in;
use crate::Gateway;
use crate::oauth::docs::TenantPath;

/// Opens a pushed request in the member's browser. Nothing but its name is read from the address.
#[utoipa::path(
    get, path = "/t/{tenant}/oauth/authorize", operation_id = "authorize", tag = "OAuth",
    params(TenantPath,
        ("client_id" = String, Query, description = "Who pushed the request."),
        ("request_uri" = String, Query, description = "The name of the pushed request.")),
    responses(
        (status = 303, description = "On to the sign-in, or to the page that asks"),
        (status = 400, description = "A page that says what is wrong", content_type = "text/html"),
        (status = 403, description = "A page: the institution is suspended", content_type = "text/html"),
        (status = 404, description = "A page: there is no such institution", content_type = "text/html"),
        (status = 405, description = "A page: the method is not offered", content_type = "text/html"),
        (status = 429, description = "Too many calls"),
        (status = 500, description = "A page: something of ours is broken", content_type = "text/html"),
        (status = 503, description = "A page: for the moment it cannot be done", content_type = "text/html"))
)]
pub(crate) async fn authorize(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let tenant = sign_in::tenant(&gateway, &request).await?;
    let query = Params::decode(request.query_string().as_bytes())?;
    let call = AuthorizationCall::parse(&query)?;
    let session = sign_in::session(&gateway, &tenant, &request).await?;
    let interaction = gateway
        .change(&tenant.id, "system:pages", async |tx| {
            let pushed = oauth::find_pushed(tx, &call.request_uri).await?;
            // Another client's request looks like none.
            let pushed = pushed
                .filter(|pushed| pushed.request.client == call.client)
                .ok_or(OAuthError::InvalidRequestUri)?;
            pushed.state.open(tx.now())?;
            let signed_in = session.as_ref().map(|session| &session.hash);
            let opened = session::open(tx, &pushed.key, signed_in).await?;
            Ok::<_, Refused>(opened)
        })
        .await?;
    if session.is_some() {
        let issuer = gateway.issuer(&tenant.slug);
        return Ok(go_to(&issuer.at(&format!("approve/{interaction}"))));
    }
    sign_in::begin(
        &gateway,
        &tenant,
        &request,
        Destination::Approve(interaction),
    )
    .await
}
