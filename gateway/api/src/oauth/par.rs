//! Pushed authorization requests (RFC 9126).

use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use branchline_consent::{consents, oauth, payments, sca};
use branchline_db::{TenantTx, audit};
use branchline_oauth::{AuthorizationRequest, OAuthError, RequestUri, ResourceScope};
use branchline_xs2a::{ConsentState, Moment};

use super::client::Client;
use super::docs::{OAuthErrors, TenantPath};
use super::random_32;
use super::refused::Refused;
use crate::Gateway;

/// Takes an authorization request from an authenticated client and gives it a name for the browser.
#[utoipa::path(
    post, path = "/t/{tenant}/oauth/par", operation_id = "pushAuthorizationRequest", tag = "OAuth",
    params(TenantPath),
    request_body(content = Object, content_type = "application/x-www-form-urlencoded",
        description = "client_assertion, response_type, redirect_uri, scope, code_challenge … (RFC 9126)"),
    responses((status = 201, description = "Its name and its life", body = Object), OAuthErrors)
)]
pub(crate) async fn push_authorization_request(
    gateway: Data<Gateway>,
    request: HttpRequest,
    sent: Result<Bytes, actix_web::Error>,
) -> Result<HttpResponse, Refused> {
    let client = Client::of(&gateway, &request, sent).await?;
    let tpp = &client.tpp;
    let wanted = AuthorizationRequest::parse(&client.params, tpp.client(), &tpp.registration)?;
    let uri = RequestUri::mint(&random_32()?);
    let moment = gateway.moment();
    gateway
        .change(&client.tenant.id, &client.actor(), async |tx| {
            waits(tx, &wanted, moment).await?;
            oauth::push(tx, &uri, &wanted).await?;
            let event = client.event("pushAuthorizationRequest", &wanted.scope.to_string());
            audit::record(tx, event).await?;
            Ok::<_, Refused>(())
        })
        .await?;
    Ok(HttpResponse::Created()
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(uri.answer()))
}

/// The consent or payment must be this client's and wait for its member.
async fn waits(
    tx: &TenantTx,
    wanted: &AuthorizationRequest,
    moment: Moment,
) -> Result<(), Refused> {
    let tpp = wanted.client.tpp();
    let waits = match wanted.scope {
        ResourceScope::Consent(id) => {
            let found = consents::find(tx, id, moment).await?;
            found.is_some_and(|consent| {
                consent.tpp == tpp && matches!(consent.state, ConsentState::Received { .. })
            })
        }
        ResourceScope::Payment(id) => {
            let found = payments::find_tpp(tx, id).await?;
            let is_own = found == Some(tpp);
            is_own
                && !sca::of(tx, sca::Object::Payment(id))
                    .await?
                    .state
                    .is_final()
        }
    };
    match waits {
        true => Ok(()),
        false => Err(OAuthError::UnknownResource.into()),
    }
}
