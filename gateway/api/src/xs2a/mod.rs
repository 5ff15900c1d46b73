//! NextGenPSD2 XS2A: what third parties may read and start.
//!
//! Each operation checks in the same order: tenant of the path, token, third party and role,
//! request id, what the token is for, body or query, consent, quota; then it asks the core.

mod accounts;
mod caller;
mod consents;
pub(crate) mod docs;
mod once;
mod payments;
mod refused;
mod show;

use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use branchline_db::audit;
use branchline_xs2a::Xs2aError;

use caller::Caller;
use refused::Refused;

pub(crate) use show::{read_iban, read_money};

/// The operations, for the OpenAPI document.
pub(crate) use accounts::{
    __path_get_account_list, __path_get_balances, __path_get_transaction_list,
    __path_read_account_details, get_account_list, get_balances, get_transaction_list,
    read_account_details,
};
pub(crate) use consents::{
    __path_create_consent, __path_delete_consent, __path_get_consent_authorisation,
    __path_get_consent_information, __path_get_consent_sca_status, __path_get_consent_status,
    create_consent, delete_consent, get_consent_authorisation, get_consent_information,
    get_consent_sca_status, get_consent_status,
};
pub(crate) use payments::{
    __path_cancel_payment, __path_get_payment_information,
    __path_get_payment_initiation_authorisation, __path_get_payment_initiation_sca_status,
    __path_get_payment_initiation_status, __path_initiate_payment, cancel_payment,
    get_payment_information, get_payment_initiation_authorisation,
    get_payment_initiation_sca_status, get_payment_initiation_status, initiate_payment,
};

/// Adds the operations below `/t/{tenant}/v1`.
pub(crate) fn configure(config: &mut ServiceConfig) {
    let scope = web::scope("/t/{tenant}/v1")
        .configure(configure_consents)
        .configure(configure_accounts)
        .configure(configure_payments)
        .default_service(web::to(nothing_here));
    config.service(scope);
}

fn configure_consents(config: &mut ServiceConfig) {
    let run = "/consents/{consentId}/authorisations";
    config
        .service(on("/consents", "POST").route(web::post().to(create_consent)))
        .service(
            on("/consents/{consentId}", "GET, DELETE")
                .route(web::get().to(get_consent_information))
                .route(web::delete().to(delete_consent)),
        )
        .service(on("/consents/{consentId}/status", "GET").route(web::get().to(get_consent_status)))
        .service(on(run, "GET").route(web::get().to(get_consent_authorisation)))
        .service(
            on(&format!("{run}/{{authorisationId}}"), "GET")
                .route(web::get().to(get_consent_sca_status)),
        );
}

fn configure_accounts(config: &mut ServiceConfig) {
    let account = "/accounts/{accountId}";
    config
        .service(on("/accounts", "GET").route(web::get().to(get_account_list)))
        .service(on(account, "GET").route(web::get().to(read_account_details)))
        .service(on(&format!("{account}/balances"), "GET").route(web::get().to(get_balances)))
        .service(
            on(&format!("{account}/transactions"), "GET")
                .route(web::get().to(get_transaction_list)),
        );
}

fn configure_payments(config: &mut ServiceConfig) {
    let payment = "/payments/{paymentProduct}/{paymentId}";
    let run = format!("{payment}/authorisations");
    config
        .service(on("/payments/{paymentProduct}", "POST").route(web::post().to(initiate_payment)))
        .service(
            on(payment, "GET, DELETE")
                .route(web::get().to(get_payment_information))
                .route(web::delete().to(cancel_payment)),
        )
        .service(
            on(&format!("{payment}/status"), "GET")
                .route(web::get().to(get_payment_initiation_status)),
        )
        .service(on(&run, "GET").route(web::get().to(get_payment_initiation_authorisation)))
        .service(
            on(&format!("{run}/{{authorisationId}}"), "GET")
                .route(web::get().to(get_payment_initiation_sca_status)),
        )
        // Services that the standard knows and that are not offered: their products are unknown.
        .service(
            on("/bulk-payments/{paymentProduct}", "POST").route(web::post().to(no_such_product)),
        )
        .service(
            on("/periodic-payments/{paymentProduct}", "POST")
                .route(web::post().to(no_such_product)),
        );
}

/// An address whose other methods are refused in the standard's words.
fn on(path: &str, allowed: &'static str) -> actix_web::Resource {
    let refuse = move || async move {
        let mut response = Refused(Xs2aError::method_not_allowed()).error_response();
        let headers = response.headers_mut();
        headers.insert(ALLOW, HeaderValue::from_static(allowed));
        response
    };
    web::resource(path).default_service(web::to(refuse))
}

async fn no_such_product() -> HttpResponse {
    Refused(Xs2aError::product_unknown()).error_response()
}

/// Whatever else stands below `/t`; registered last.
pub(crate) fn configure_rest(config: &mut ServiceConfig) {
    config.service(web::scope("/t").default_service(web::to(nothing_here)));
}

async fn nothing_here() -> HttpResponse {
    Refused(Xs2aError::resource_unknown()).error_response()
}

/// A body that was read to its end; XS2A has no 413.
fn body(sent: Result<Bytes, actix_web::Error>) -> Result<Bytes, Refused> {
    sent.map_err(|_unread| {
        Xs2aError::format("body", "the body is too long: send at most 65536 bytes").into()
    })
}

/// The decoded pairs of the query.
fn pairs(request: &HttpRequest) -> Result<Vec<(String, String)>, Refused> {
    let query = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
    query.map(web::Query::into_inner).map_err(|_malformed| {
        Xs2aError::format("query", "the query is badly escaped: escape it anew").into()
    })
}

/// A read on its way into the audit.
struct Read {
    operation: &'static str,
    id: String,
}

impl Read {
    fn event(&self, caller: &Caller) -> audit::Event {
        audit::Event {
            operation: self.operation.to_owned(),
            object: Some(self.id.clone()),
            outcome: "done".to_owned(),
            request_id: Some(caller.request.uuid()),
            ..audit::Event::default()
        }
    }
}
