//! What members see: signing in, approving, typing a code, and what they have allowed.
//!
//! # Invariants
//! - Everything works without JavaScript, and no page may run any.
//! - A form carries a token that is bound to the session, to the form and to what it is about; a
//!   form that was changed on its way does nothing.
//! - Nothing is decided by what a form says that could be looked up: accounts, amounts and payees
//!   are read anew at each step.

mod approve;
mod authorize;
mod case;
mod code;
mod conclude;
mod consent;
mod cookies;
mod forms;
mod me;
mod page;
mod payment;
mod phone;
mod refused;
mod sign_in;
mod views;

use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{Error, HttpRequest, HttpResponse, Resource};

pub(crate) use authorize::{__path_authorize, authorize};

/// Adds the pages.
pub(crate) fn configure(config: &mut ServiceConfig) {
    let approve = "/t/{tenant}/approve/{interaction}";
    config
        .service(on("/assets/pages.css", "GET").route(web::get().to(styles)))
        .service(on("/t/{tenant}/oauth/authorize", "GET").route(web::get().to(authorize)))
        .service(on("/t/{tenant}/login/callback", "GET").route(web::get().to(sign_in::come_back)))
        .service(
            on(&format!("{approve}/decision"), "GET, POST")
                .route(web::get().to(approve::again))
                .route(web::post().to(approve::decide)),
        )
        .service(on(approve, "GET").route(web::get().to(approve::show)))
        .service(
            on(&format!("{approve}/code"), "GET, POST")
                .route(web::get().to(code::show))
                .route(web::post().to(code::decide)),
        )
        .service(on("/t/{tenant}/me", "GET").route(web::get().to(me::show)))
        .service(on("/t/{tenant}/me/sign-out", "POST").route(web::post().to(me::sign_out)))
        .service(
            on("/t/{tenant}/me/consents/{consentId}/withdraw", "POST")
                .route(web::post().to(me::withdraw)),
        )
        .service(on("/t/{tenant}/phone", "GET").route(web::get().to(phone::show)));
}

/// An address whose other methods are refused.
fn on(
    path: &str,
    allowed: &'static str,
) -> Resource<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse,
        Error = Error,
        InitError = (),
    > + use<>,
> {
    let refuse =
        move |request: HttpRequest| async move { refused::method_not_allowed(&request, allowed) };
    web::resource(path)
        .default_service(web::to(refuse))
        .wrap(from_fn(refused::say_development))
}

async fn styles() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/css; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "public, max-age=3600"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(include_str!("../../templates/pages.css"))
}
