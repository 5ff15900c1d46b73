//! Which client calls, and whether it proved so.

use actix_web::HttpRequest;
use actix_web::web::Bytes;
use branchline_consent::tpp::{self, Tpp};
use branchline_db::{Tenant, audit};
use branchline_kernel::RequestId;
use branchline_oauth::{ClientAssertion, OAuthError, Params};
use branchline_web::request_context;

use super::refused::Refused;
use crate::Gateway;

/// A client that proved who it is, at one institution.
pub(super) struct Client {
    /// The institution of the path.
    pub(super) tenant: Tenant,
    /// Who calls.
    pub(super) tpp: Tpp,
    /// The form that was sent.
    pub(super) params: Params,
    request: RequestId,
}

impl Client {
    /// Reads the form and verifies the client assertion in it (private_key_jwt).
    pub(super) async fn of(
        gateway: &Gateway,
        request: &HttpRequest,
        sent: Result<Bytes, actix_web::Error>,
    ) -> Result<Self, Refused> {
        let tenant = tenant(gateway, request).await?;
        let issuer = gateway.issuer(&tenant.slug);
        let params = form(request, sent)?;
        let assertion = ClientAssertion::read(&params)?;
        let claimed = assertion.claimed_client();
        let tpp = gateway
            .look_up(async |tx| tpp::find_enabled(tx, &tenant.id, claimed.tpp()).await)
            .await?
            .ok_or(OAuthError::UnknownClient)?;
        let now = gateway.now();
        let proved = assertion.verify(&tpp.registration.jwks, &issuer, now)?;
        let replay = format!("{issuer} {} {}", proved.client, proved.replay.jti);
        let until = proved.replay.expires_at;
        if !gateway.replays().is_first_use(&replay, now, until).await {
            return Err(OAuthError::ReplayedAssertion.into());
        }
        Ok(Self {
            tenant,
            tpp,
            params,
            request: request_context(request).request_id(),
        })
    }

    /// The name under which rows of audit know the client.
    pub(super) fn actor(&self) -> String {
        format!("tpp:{}", self.tpp.client())
    }

    /// What the audit keeps of this call.
    pub(super) fn event(&self, operation: &'static str, object: &str) -> audit::Event {
        audit::Event {
            operation: operation.to_owned(),
            object: Some(object.to_owned()),
            outcome: "done".to_owned(),
            request_id: Some(self.request.uuid()),
            ..audit::Event::default()
        }
    }
}

/// The institution of the path; nobody registers a client at one that is not there.
async fn tenant(gateway: &Gateway, request: &HttpRequest) -> Result<Tenant, Refused> {
    let slug = request.match_info().get("tenant").unwrap_or_default();
    let tenant = gateway.find_tenant(slug).await?;
    let tenant = tenant.ok_or(OAuthError::UnknownClient)?;
    request_context(request).set_tenant(&tenant.id);
    Ok(tenant)
}

fn form(request: &HttpRequest, sent: Result<Bytes, actix_web::Error>) -> Result<Params, Refused> {
    let kind = request
        .headers()
        .get("Content-Type")
        .and_then(|value| value.to_str().ok());
    let is_form = kind.is_some_and(|kind| {
        let essence = kind.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/x-www-form-urlencoded")
    });
    match sent {
        Ok(sent) if is_form => Ok(Params::decode(&sent)?),
        Ok(_) | Err(_) => Err(OAuthError::MalformedForm.into()),
    }
}
