//! The OpenAPI document of the gateway.

use utoipa::Modify;
use utoipa::OpenApi;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

use crate::oauth::refused::OAuthProblem;
use crate::{oauth, pages, register, xs2a};

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let parts = document.components.get_or_insert_default();
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        parts.add_security_scheme("bearer", scheme);
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Branchline gateway",
        description = "Open Banking after the Berlin Group's NextGenPSD2 XS2A framework 1.3, \
                       with an OAuth 2 authorization server for each institution.",
        license(name = "Apache-2.0")
    ),
    modifiers(&Bearer),
    components(schemas(
        OAuthProblem,
        branchline_web::Problem,
        branchline_xs2a::TppMessages
    )),
    paths(
        oauth::metadata, oauth::metadata_below, register::register_client,
        oauth::push_authorization_request, pages::authorize, oauth::issue_token,
        oauth::revoke_token,
        xs2a::create_consent, xs2a::get_consent_information, xs2a::delete_consent,
        xs2a::get_consent_status, xs2a::get_consent_authorisation, xs2a::get_consent_sca_status,
        xs2a::get_account_list, xs2a::read_account_details, xs2a::get_balances,
        xs2a::get_transaction_list,
        xs2a::initiate_payment, xs2a::get_payment_information, xs2a::cancel_payment,
        xs2a::get_payment_initiation_status, xs2a::get_payment_initiation_authorisation,
        xs2a::get_payment_initiation_sca_status,
    )
)]
struct Document;

/// The OpenAPI document of what third parties may call.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let document = serde_json::to_value(openapi()).unwrap();
        let mut names = Vec::new();
        for item in document["paths"].as_object().unwrap().values() {
            for operation in item.as_object().unwrap().values() {
                if let Some(name) = operation.get("operationId") {
                    names.push(name.as_str().unwrap().to_owned());
                }
            }
        }
        let all = names.len();
        names.sort();
        names.dedup();
        assert_eq!((names.len(), all), (23, 23));
    }
}
