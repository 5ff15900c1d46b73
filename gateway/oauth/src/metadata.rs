//! The metadata document of an issuer (RFC 8414).

use crate::Issuer;

/// Only registered members: unknown ones give warnings in conformance tests.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct ServerMetadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    pushed_authorization_request_endpoint: String,
    revocation_endpoint: String,
    registration_endpoint: String,
    require_pushed_authorization_requests: bool,
    authorization_response_iss_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    scopes_supported: &'static [&'static str],
    response_types_supported: &'static [&'static str],
    response_modes_supported: &'static [&'static str],
    grant_types_supported: &'static [&'static str],
    code_challenge_methods_supported: &'static [&'static str],
    token_endpoint_auth_methods_supported: &'static [&'static str],
    token_endpoint_auth_signing_alg_values_supported: &'static [&'static str],
    revocation_endpoint_auth_methods_supported: &'static [&'static str],
    revocation_endpoint_auth_signing_alg_values_supported: &'static [&'static str],
}

const METHODS: &[&str] = &["private_key_jwt"];
const ALGORITHMS: &[&str] = &["ES256", "PS256", "EdDSA"];

impl ServerMetadata {
    /// The document of `issuer`; registration is the platform's, not the tenant's.
    #[must_use]
    pub fn of(issuer: &Issuer) -> Self {
        Self {
            issuer: issuer.to_string(),
            authorization_endpoint: issuer.at("oauth/authorize"),
            token_endpoint: issuer.at("oauth/token"),
            pushed_authorization_request_endpoint: issuer.at("oauth/par"),
            revocation_endpoint: issuer.at("oauth/revoke"),
            registration_endpoint: issuer.on_platform("register"),
            require_pushed_authorization_requests: true,
            authorization_response_iss_parameter_supported: true,
            // OpenID Discovery's name for unpushed addresses; RFC 9126 §5 keeps PAR apart.
            request_uri_parameter_supported: false,
            scopes_supported: &["AIS", "PIS"],
            response_types_supported: &["code"],
            response_modes_supported: &["query"],
            grant_types_supported: &["authorization_code", "client_credentials"],
            code_challenge_methods_supported: &["S256"],
            token_endpoint_auth_methods_supported: METHODS,
            token_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
            revocation_endpoint_auth_methods_supported: METHODS,
            revocation_endpoint_auth_signing_alg_values_supported: ALGORITHMS,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_names_what_fapi_wants() {
        let issuer = Issuer::of("https://pay.example", &"lion".parse().unwrap());
        let document = serde_json::to_value(ServerMetadata::of(&issuer)).unwrap();
        assert_eq!(document["issuer"], "https://pay.example/t/lion");
        assert_eq!(
            document["pushed_authorization_request_endpoint"],
            "https://pay.example/t/lion/oauth/par"
        );
        assert_eq!(
            document["registration_endpoint"],
            "https://pay.example/register"
        );
        assert_eq!(document["require_pushed_authorization_requests"], true);
        assert_eq!(
            document["authorization_response_iss_parameter_supported"],
            true
        );
        assert_eq!(document["code_challenge_methods_supported"][0], "S256");
        assert_eq!(document["response_types_supported"][0], "code");
    }
}
