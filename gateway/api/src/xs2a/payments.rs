//! Payments: initiated, watched and called off by third parties.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use branchline_consent::{payments, sca};
use branchline_core_contract::{AmountDto, NewPaymentDto, PaymentDto};
use branchline_db::audit;
use branchline_kernel::PaymentId;
use branchline_oauth::{ResourceScope, Role};
use branchline_web::Answer;
use branchline_xs2a::{
    AuthorisationsBody, BadRequest, MessageCode, PaymentBody, PaymentCreated, PaymentProduct,
    PaymentStatusBody, ScaFailure, ScaStatusBody, SepaCreditTransfer, Xs2aError, id_in_path,
    parse_json, presence,
};
use uuid::Uuid;

use super::Read;
use super::caller::{Caller, header, part};
use super::consents::{initiation, links, run_of, sca_status};
use super::docs::{CallHeaders, InitiationHeaders, PaymentPath, ProductPath, RunPath, Xs2aErrors};
use super::once::Once;
use super::refused::Refused;
use super::show::{show_payment, show_status};
use crate::Gateway;
use crate::core_client::CoreError;

/// What travels when the payer gave no reference of her own (EPC115-06).
pub(super) const NO_REFERENCE: &str = "NOTPROVIDED";

/// Initiates a payment. The member approves it through `scaOAuth`; nothing is held before.
#[utoipa::path(
    post, path = "/t/{tenant}/v1/payments/{paymentProduct}", operation_id = "initiatePayment",
    tag = "PIS", params(InitiationHeaders, ProductPath),
    request_body(content = Object, content_type = "application/json",
        description = "debtorAccount, instructedAmount, creditorAccount, creditorName … (NextGenPSD2 1.3)"),
    responses((status = 201, description = "Received", body = PaymentCreated), Xs2aErrors),
    security(("bearer" = []))
)]
pub(crate) async fn initiate_payment(
    gateway: Data<Gateway>,
    request: HttpRequest,
    sent: Result<Bytes, actix_web::Error>,
) -> Result<HttpResponse, Refused> {
    let caller = Caller::of(&gateway, &request, Role::Pisp).await?;
    caller.for_itself()?;
    let product = product(&request)?;
    let sent = initiation(&request, sent)?;
    let wanted = SepaCreditTransfer::parse(&parse_json(&sent)?)?;
    let once = Once {
        caller: &caller,
        operation: "initiatePayment",
        content: &[product.as_str().as_bytes(), &sent],
    };
    once.run(
        &gateway,
        async |id| {
            let asked = gateway
                .core()
                .initiate(&caller.asker(&gateway, None), &new_payment(id, &wanted))
                .await;
            asked.map_err(refuse_initiation)
        },
        async |tx, told: PaymentDto, id| {
            let id = PaymentId::from(id);
            payments::insert(tx, id, caller.tpp.id, product.as_str()).await?;
            let run = sca::insert(tx, sca::Object::Payment(id)).await?;
            let path = format!("v1/payments/{}/{id}", product.as_str());
            Ok(Answer::created(&PaymentCreated {
                transaction_status: show_status(told.status),
                payment_id: id,
                links: links(&caller, &caller.issuer.at(&path), run),
            }))
        },
    )
    .await
}

/// The core knows no such payer, or does not take the payment: the body is what must change.
fn refuse_initiation(error: CoreError) -> Refused {
    match error {
        CoreError::Refused { detail, .. } => {
            Xs2aError::new(MessageCode::BadRequest(BadRequest::PaymentFailed), &detail).into()
        }
        CoreError::Unreachable(_)
        | CoreError::Failed(_)
        | CoreError::Unreadable(_)
        | CoreError::Impossible(_)
        | CoreError::Token(_) => error.into(),
    }
}

fn product(request: &HttpRequest) -> Result<PaymentProduct, Refused> {
    Ok(PaymentProduct::parse(
        "payments",
        part(request, "paymentProduct"),
    )?)
}

fn new_payment(id: Uuid, wanted: &SepaCreditTransfer) -> NewPaymentDto {
    NewPaymentDto {
        payment_id: id,
        debtor_account_id: None,
        debtor_iban: Some(wanted.debtor.to_string()),
        creditor_iban: wanted.creditor.to_string(),
        creditor_name: wanted.creditor_name.clone(),
        amount: AmountDto {
            amount: wanted.amount.decimal(),
            currency: wanted.amount.currency().code().to_owned(),
        },
        end_to_end_id: wanted
            .end_to_end_id
            .clone()
            .unwrap_or_else(|| NO_REFERENCE.to_owned()),
        remittance: wanted.remittance.clone(),
    }
}

/// A read of the payment of the path, when it is the caller's.
async fn begin(
    gateway: &Gateway,
    request: &HttpRequest,
    operation: &'static str,
) -> Result<(Caller, PaymentId), Refused> {
    let caller = Caller::of(gateway, request, Role::Pisp).await?;
    presence(header(request, "PSU-IP-Address").as_deref())?;
    let product = product(request)?;
    let read = Read {
        operation,
        id: part(request, "paymentId").to_owned(),
    };
    let id: PaymentId = id_in_path(&read.id)?;
    gateway
        .change(&caller.tenant.id, &caller.actor(), async |tx| {
            if !payments::is_of(tx, id, caller.tpp.id, product.as_str()).await? {
                return Err(Refused::from(Xs2aError::resource_unknown()));
            }
            caller.may_touch(ResourceScope::Payment(id))?;
            audit::record(tx, read.event(&caller)).await?;
            Ok(())
        })
        .await?;
    Ok((caller, id))
}

async fn ask(
    gateway: &Gateway,
    request: &HttpRequest,
    operation: &'static str,
) -> Result<PaymentDto, Refused> {
    let (caller, id) = begin(gateway, request, operation).await?;
    Ok(gateway
        .core()
        .payment(&caller.asker(gateway, None), id)
        .await?)
}

/// Shows a payment.
#[utoipa::path(
    get, path = "/t/{tenant}/v1/payments/{paymentProduct}/{paymentId}",
    operation_id = "getPaymentInformation", tag = "PIS",
    params(CallHeaders, ProductPath, PaymentPath),
    responses((status = 200, description = "The payment", body = PaymentBody), Xs2aErrors),
    security(("bearer" = []))
)]
pub(crate) async fn get_payment_information(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let told = ask(&gateway, &request, "getPaymentInformation").await?;
    let payment = show_payment(&told)?;
    Ok(HttpResponse::Ok().json(PaymentBody::of(&payment, show_status(told.status))))
}

/// Shows where a payment stands.
#[utoipa::path(
    get, path = "/t/{tenant}/v1/payments/{paymentProduct}/{paymentId}/status",
    operation_id = "getPaymentInitiationStatus", tag = "PIS",
    params(CallHeaders, ProductPath, PaymentPath),
    responses((status = 200, description = "Its status", body = PaymentStatusBody), Xs2aErrors),
    security(("bearer" = []))
)]
pub(crate) async fn get_payment_initiation_status(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let told = ask(&gateway, &request, "getPaymentInitiationStatus").await?;
    Ok(HttpResponse::Ok().json(PaymentStatusBody {
        transaction_status: show_status(told.status),
        psu_message: told
            .reason_text
            .map(|text| text.chars().take(500).collect()),
    }))
}

/// Lists the runs of authentication of a payment: one, which starts with it.
#[utoipa::path(
    get, path = "/t/{tenant}/v1/payments/{paymentProduct}/{paymentId}/authorisations",
    operation_id = "getPaymentInitiationAuthorisation", tag = "PIS",
    params(CallHeaders, ProductPath, PaymentPath),
    responses((status = 200, description = "Their ids", body = AuthorisationsBody), Xs2aErrors),
    security(("bearer" = []))
)]
pub(crate) async fn get_payment_initiation_authorisation(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let (caller, id) = begin(&gateway, &request, "getPaymentInitiationAuthorisation").await?;
    let run = run_of(&gateway, &caller, sca::Object::Payment(id)).await?;
    Ok(HttpResponse::Ok().json(AuthorisationsBody {
        authorisation_ids: vec![run.id],
    }))
}

/// Shows where the authentication of a payment stands.
#[utoipa::path(
    get,
    path = "/t/{tenant}/v1/payments/{paymentProduct}/{paymentId}/authorisations/{authorisationId}",
    operation_id = "getPaymentInitiationScaStatus", tag = "PIS",
    params(CallHeaders, ProductPath, PaymentPath, RunPath),
    responses((status = 200, description = "Its status", body = ScaStatusBody), Xs2aErrors),
    security(("bearer" = []))
)]
pub(crate) async fn get_payment_initiation_sca_status(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let (caller, id) = begin(&gateway, &request, "getPaymentInitiationScaStatus").await?;
    let run = run_of(&gateway, &caller, sca::Object::Payment(id)).await?;
    sca_status(&request, &run)
}

/// Calls a payment off, while its member has not approved it.
#[utoipa::path(
    delete, path = "/t/{tenant}/v1/payments/{paymentProduct}/{paymentId}",
    operation_id = "cancelPayment", tag = "PIS", params(CallHeaders, ProductPath, PaymentPath),
    responses((status = 204, description = "Called off"), Xs2aErrors), security(("bearer" = []))
)]
pub(crate) async fn cancel_payment(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let (caller, id) = begin(&gateway, &request, "cancelPayment").await?;
    let named = id.uuid();
    let once = Once {
        caller: &caller,
        operation: "cancelPayment",
        content: &[named.as_bytes()],
    };
    once.run(
        &gateway,
        async |_key| {
            let run = run_of(&gateway, &caller, sca::Object::Payment(id)).await?;
            if run.state.is_final() {
                return Err(Xs2aError::cancellation_invalid().into());
            }
            let asker = caller.asker(&gateway, None);
            let asked = gateway.core().cancel(&asker, id).await;
            asked.map_err(refuse_cancellation)
        },
        async |tx, _told, _key| {
            let mut run = sca::of_locked(tx, sca::Object::Payment(id)).await?;
            if let Ok(state) = run.state.clone().fail(ScaFailure::Refused, tx.now()) {
                run.state = state;
                sca::update(tx, &run).await?;
            }
            Ok(Answer::no_content())
        },
    )
    .await
}

fn refuse_cancellation(error: CoreError) -> Refused {
    match error {
        CoreError::Refused { .. } => Xs2aError::cancellation_invalid().into(),
        CoreError::Unreachable(_)
        | CoreError::Failed(_)
        | CoreError::Unreadable(_)
        | CoreError::Impossible(_)
        | CoreError::Token(_) => error.into(),
    }
}
