//! Consents: asked for, read and ended by third parties.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use branchline_consent::{consents, sca};
use branchline_db::{TenantTx, audit};
use branchline_kernel::{AuthorisationId, ConsentId};
use branchline_oauth::{ResourceScope, Role};
use branchline_web::Answer;
use branchline_xs2a::{
    AuthorisationsBody, Consent, ConsentBody, ConsentCreated, ConsentRequest, ConsentStatusBody,
    Href, InitiationLinks, ScaFailure, ScaStatusBody, Xs2aError, id_in_path, json_content,
    parse_json, presence, psu_ip_address, tpp_redirect_uri,
};

use super::caller::{Caller, header, part};
use super::docs::{CallHeaders, ConsentPath, InitiationHeaders, RunPath, Xs2aErrors};
use super::once::Once;
use super::refused::Refused;
use super::{Read, body};
use crate::Gateway;

/// Asks for a permission to read accounts. The member approves it through `scaOAuth`.
#[utoipa::path(
    post, path = "/t/{tenant}/v1/consents", operation_id = "createConsent", tag = "AIS",
    params(InitiationHeaders),
    request_body(content = Object, content_type = "application/json",
        description = "access, recurringIndicator, validUntil, frequencyPerDay, combinedServiceIndicator (NextGenPSD2 1.3)"),
    responses((status = 201, description = "Asked for", body = ConsentCreated), Xs2aErrors),
    security(("bearer" = []))
)]
pub(crate) async fn create_consent(
    gateway: Data<Gateway>,
    request: HttpRequest,
    sent: Result<Bytes, actix_web::Error>,
) -> Result<HttpResponse, Refused> {
    let caller = Caller::of(&gateway, &request, Role::Aisp).await?;
    caller.for_itself()?;
    let sent = initiation(&request, sent)?;
    let moment = gateway.moment();
    let wanted = ConsentRequest::parse(&parse_json(&sent)?, moment)?;
    let once = Once {
        caller: &caller,
        operation: "createConsent",
        content: &[&sent],
    };
    once.run(
        &gateway,
        async |_id| Ok(()),
        async |tx, (), id| {
            let id = ConsentId::from(id);
            let asked = Consent::received(id, caller.tpp.id, wanted.clone(), moment);
            consents::insert(tx, &asked).await?;
            let run = sca::insert(tx, sca::Object::Consent(id)).await?;
            let itself = caller.issuer.at(&format!("v1/consents/{id}"));
            Ok(Answer::created(&ConsentCreated {
                consent_status: asked.status(),
                consent_id: id,
                links: links(&caller, &itself, run),
            }))
        },
    )
    .await
}

/// The checks that every initiation has in common, and its body.
pub(super) fn initiation(
    request: &HttpRequest,
    sent: Result<Bytes, actix_web::Error>,
) -> Result<Bytes, Refused> {
    psu_ip_address(header(request, "PSU-IP-Address").as_deref())?;
    tpp_redirect_uri(header(request, "TPP-Redirect-URI").as_deref())?;
    json_content(header(request, "Content-Type").as_deref())?;
    body(sent)
}

/// The links of what was just created.
pub(super) fn links(caller: &Caller, itself: &str, run: AuthorisationId) -> InitiationLinks {
    InitiationLinks {
        sca_oauth: Href::to(caller.issuer.metadata_url()),
        itself: Href::to(itself),
        status: Href::to(format!("{itself}/status")),
        sca_status: Href::to(format!("{itself}/authorisations/{run}")),
    }
}

/// The consent of the path, when it is the caller's; the read is written down.
async fn own(gateway: &Gateway, caller: &Caller, read: &Read) -> Result<Consent, Refused> {
    let id: ConsentId = id_in_path(&read.id)?;
    let moment = gateway.moment();
    let found = gateway
        .change(&caller.tenant.id, &caller.actor(), async |tx| {
            let consent = find_own(tx, caller, id, moment).await?;
            caller.may_touch(ResourceScope::Consent(id))?;
            audit::record(tx, read.event(caller)).await?;
            Ok::<_, Refused>(consent)
        })
        .await?;
    Ok(found)
}

/// Unknown and another third party's look alike.
async fn find_own(
    tx: &TenantTx,
    caller: &Caller,
    id: ConsentId,
    moment: branchline_xs2a::Moment,
) -> Result<Consent, Refused> {
    let found = consents::find(tx, id, moment).await?;
    found
        .filter(|consent| consent.tpp == caller.tpp.id)
        .ok_or_else(|| Xs2aError::resource_unknown().into())
}

async fn begin(
    gateway: &Gateway,
    request: &HttpRequest,
    operation: &'static str,
) -> Result<(Caller, Consent), Refused> {
    let caller = Caller::of(gateway, request, Role::Aisp).await?;
    presence(header(request, "PSU-IP-Address").as_deref())?;
    let read = Read {
        operation,
        id: part(request, "consentId").to_owned(),
    };
    let consent = own(gateway, &caller, &read).await?;
    Ok((caller, consent))
}

/// Shows a consent; once it is valid, with the accounts that the member chose.
#[utoipa::path(
    get, path = "/t/{tenant}/v1/consents/{consentId}", operation_id = "getConsentInformation",
    tag = "AIS", params(CallHeaders, ConsentPath),
    responses((status = 200, description = "The consent", body = ConsentBody), Xs2aErrors),
    security(("bearer" = []))
)]
pub(crate) async fn get_consent_information(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let (caller, consent) = begin(&gateway, &request, "getConsentInformation").await?;
    let accounts = caller.issuer.at("v1/accounts");
    Ok(HttpResponse::Ok().json(ConsentBody::of(&consent, accounts)))
}

/// Shows where a consent stands.
#[utoipa::path(
    get, path = "/t/{tenant}/v1/consents/{consentId}/status", operation_id = "getConsentStatus",
    tag = "AIS", params(CallHeaders, ConsentPath),
    responses((status = 200, description = "Its status", body = ConsentStatusBody), Xs2aErrors),
    security(("bearer" = []))
)]
pub(crate) async fn get_consent_status(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let (_, consent) = begin(&gateway, &request, "getConsentStatus").await?;
    Ok(HttpResponse::Ok().json(ConsentStatusBody {
        consent_status: consent.status(),
    }))
}

/// Lists the runs of authentication of a consent: one, which starts with it.
#[utoipa::path(
    get, path = "/t/{tenant}/v1/consents/{consentId}/authorisations",
    operation_id = "getConsentAuthorisation", tag = "AIS", params(CallHeaders, ConsentPath),
    responses((status = 200, description = "Their ids", body = AuthorisationsBody), Xs2aErrors),
    security(("bearer" = []))
)]
pub(crate) async fn get_consent_authorisation(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let (caller, consent) = begin(&gateway, &request, "getConsentAuthorisation").await?;
    let run = run_of(&gateway, &caller, sca::Object::Consent(consent.id)).await?;
    Ok(HttpResponse::Ok().json(AuthorisationsBody {
        authorisation_ids: vec![run.id],
    }))
}

pub(super) async fn run_of(
    gateway: &Gateway,
    caller: &Caller,
    object: sca::Object,
) -> Result<sca::Run, Refused> {
    gateway
        .look(&caller.tenant.id, &caller.actor(), async |tx| {
            Ok(sca::of(tx, object).await?)
        })
        .await
}

/// Where the run of the path stands, when it belongs to this consent or payment.
pub(super) fn sca_status(request: &HttpRequest, run: &sca::Run) -> Result<HttpResponse, Refused> {
    let id: AuthorisationId = id_in_path(part(request, "authorisationId"))?;
    if id != run.id {
        return Err(Xs2aError::resource_unknown().into());
    }
    Ok(HttpResponse::Ok().json(ScaStatusBody {
        sca_status: run.state.status(),
    }))
}

/// Shows where the authentication of a consent stands.
#[utoipa::path(
    get, path = "/t/{tenant}/v1/consents/{consentId}/authorisations/{authorisationId}",
    operation_id = "getConsentScaStatus", tag = "AIS",
    params(CallHeaders, ConsentPath, RunPath),
    responses((status = 200, description = "Its status", body = ScaStatusBody), Xs2aErrors),
    security(("bearer" = []))
)]
pub(crate) async fn get_consent_sca_status(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let (caller, consent) = begin(&gateway, &request, "getConsentScaStatus").await?;
    let run = run_of(&gateway, &caller, sca::Object::Consent(consent.id)).await?;
    sca_status(&request, &run)
}

/// Ends a consent for the third party. No authentication of the member is needed.
#[utoipa::path(
    delete, path = "/t/{tenant}/v1/consents/{consentId}", operation_id = "deleteConsent",
    tag = "AIS", params(CallHeaders, ConsentPath),
    responses((status = 204, description = "Ended"), Xs2aErrors), security(("bearer" = []))
)]
pub(crate) async fn delete_consent(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let caller = Caller::of(&gateway, &request, Role::Aisp).await?;
    presence(header(&request, "PSU-IP-Address").as_deref())?;
    let id: ConsentId = id_in_path(part(&request, "consentId"))?;
    let moment = gateway.moment();
    let named = id.uuid();
    let once = Once {
        caller: &caller,
        operation: "deleteConsent",
        content: &[named.as_bytes()],
    };
    once.run(
        &gateway,
        async |_id| Ok(()),
        async |tx, (), _| {
            let mut run = match consents::find(tx, id, moment).await? {
                Some(consent) if consent.tpp == caller.tpp.id => {
                    sca::of_locked(tx, sca::Object::Consent(id)).await?
                }
                Some(_) | None => return Err(Xs2aError::resource_unknown().into()),
            };
            caller.may_touch(ResourceScope::Consent(id))?;
            let consent = consents::get_locked(tx, id, moment).await?;
            let ended = consent.terminate(moment)?;
            consents::end(tx, &ended, moment).await?;
            if let Ok(state) = run.state.clone().fail(ScaFailure::Refused, moment.now) {
                run.state = state;
                sca::update(tx, &run).await?;
            }
            Ok(Answer::no_content())
        },
    )
    .await
}
