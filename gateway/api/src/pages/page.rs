//! A page on its way to a browser: its headers and what frames it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use askama::Template;
use branchline_db::Tenant;

use super::refused::Refused;
use crate::Gateway;

/// What stands around every page.
pub(super) struct Frame {
    /// The institution's name.
    pub(super) institution: String,
    /// The name of the member, once she has signed in.
    pub(super) signed_in: Option<String>,
    /// Whether the page must say that this is no real bank.
    pub(super) is_dev: bool,
}

impl Frame {
    pub(super) fn of(gateway: &Gateway, tenant: &Tenant, signed_in: Option<&str>) -> Self {
        Self {
            institution: tenant.name.clone(),
            signed_in: signed_in.map(str::to_owned),
            is_dev: gateway.is_dev(),
        }
    }
}

/// Where forms of a page may lead: to ourselves, and after the last one back to the application.
pub(super) fn origin_of(address: &str) -> Option<String> {
    let (scheme, rest) = address.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    Some(format!("{scheme}://{authority}"))
}

/// Renders a page. `also` is the one other origin that its forms may end at.
pub(super) fn show(
    status: StatusCode,
    page: &impl Template,
    also: Option<&str>,
) -> Result<HttpResponse, Refused> {
    let html = page.render().map_err(Refused::Template)?;
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action 'self' {}; frame-ancestors 'none'; \
         base-uri 'none'",
        also.and_then(origin_of).unwrap_or_default()
    );
    Ok(HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_SECURITY_POLICY, policy))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((X_FRAME_OPTIONS, "DENY"))
        .body(html))
}

/// Sends the browser on with a GET (RFC 9700 §4.12: never 307).
pub(super) fn go_to(address: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((LOCATION, address))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_origin_of_an_address_has_neither_path_nor_query() {
        for (address, origin) in [
            ("https://tpp.example/cb?x=1", Some("https://tpp.example")),
            ("http://127.0.0.1:9999/cb", Some("http://127.0.0.1:9999")),
            ("https://tpp.example?x", Some("https://tpp.example")),
            ("nonsense", None),
        ] {
            assert_eq!(origin_of(address).as_deref(), origin, "{address}");
        }
    }
}
