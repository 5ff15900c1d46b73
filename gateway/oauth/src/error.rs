//! What an OAuth endpoint may refuse, and the code and status the standards give it.

use branchline_kernel::{Kind, Refusal};

/// An error code of the OAuth registry (RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 7591 §3.2.2,
/// RFC 9101 §6, RFC 9396 §5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorCode {
    /// The member, or a rule of ours, said no.
    AccessDenied,
    /// Something does not fit in `authorization_details`.
    InvalidAuthorizationDetails,
    /// The client did not prove who it is.
    InvalidClient,
    /// The client asked to be registered with something we do not accept.
    InvalidClientMetadata,
    /// The code is unknown, used, expired or somebody else's.
    InvalidGrant,
    /// A registered redirect address is not acceptable.
    InvalidRedirectUri,
    /// A parameter is missing, malformed or stands twice.
    InvalidRequest,
    /// The `request_uri` is unknown, expired or somebody else's.
    InvalidRequestUri,
    /// The scope is unknown, malformed or more than the client may have.
    InvalidScope,
    /// A software statement was sent that we cannot check.
    InvalidSoftwareStatement,
    /// The access token is unknown, expired or revoked.
    InvalidToken,
    /// Signed request objects are not supported.
    RequestNotSupported,
    /// A `request_uri` was sent where none may stand.
    RequestUriNotSupported,
    /// Something of ours is broken.
    ServerError,
    /// For the moment it cannot be done.
    TemporarilyUnavailable,
    /// The client may not use this grant.
    UnauthorizedClient,
    /// The grant type is not offered.
    UnsupportedGrantType,
    /// The response type is not offered.
    UnsupportedResponseType,
}

impl ErrorCode {
    /// The code as it stands in `error`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.names().0
    }

    /// The status of an answer that is not a redirect.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::InvalidClient | Self::InvalidToken => 401,
            Self::AccessDenied => 403,
            Self::ServerError => 500,
            Self::TemporarilyUnavailable => 503,
            Self::InvalidAuthorizationDetails
            | Self::InvalidClientMetadata
            | Self::InvalidGrant
            | Self::InvalidRedirectUri
            | Self::InvalidRequest
            | Self::InvalidRequestUri
            | Self::InvalidScope
            | Self::InvalidSoftwareStatement
            | Self::RequestNotSupported
            | Self::RequestUriNotSupported
            | Self::UnauthorizedClient
            | Self::UnsupportedGrantType
            | Self::UnsupportedResponseType => 400,
        }
    }

    /// The registered code, and the same in the kebab case of our own codes.
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::AccessDenied => ("access_denied", "access-denied"),
            Self::InvalidAuthorizationDetails => (
                "invalid_authorization_details",
                "invalid-authorization-details",
            ),
            Self::InvalidClient => ("invalid_client", "invalid-client"),
            Self::InvalidClientMetadata => ("invalid_client_metadata", "invalid-client-metadata"),
            Self::InvalidGrant => ("invalid_grant", "invalid-grant"),
            Self::InvalidRedirectUri => ("invalid_redirect_uri", "invalid-redirect-uri"),
            Self::InvalidRequest => ("invalid_request", "invalid-request"),
            Self::InvalidRequestUri => ("invalid_request_uri", "invalid-request-uri"),
            Self::InvalidScope => ("invalid_scope", "invalid-scope"),
            Self::InvalidSoftwareStatement => {
                ("invalid_software_statement", "invalid-software-statement")
            }
            Self::InvalidToken => ("invalid_token", "invalid-token"),
            Self::RequestNotSupported => ("request_not_supported", "request-not-supported"),
            Self::RequestUriNotSupported => {
                ("request_uri_not_supported", "request-uri-not-supported")
            }
            Self::ServerError => ("server_error", "server-error"),
            Self::TemporarilyUnavailable => ("temporarily_unavailable", "temporarily-unavailable"),
            Self::UnauthorizedClient => ("unauthorized_client", "unauthorized-client"),
            Self::UnsupportedGrantType => ("unsupported_grant_type", "unsupported-grant-type"),
            Self::UnsupportedResponseType => {
                ("unsupported_response_type", "unsupported-response-type")
            }
        }
    }
}

/// Why an OAuth endpoint refuses. The text is the `error_description`, so it stays inside the
/// character set of RFC 6749 §5.2 and repeats nothing that the caller sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OAuthError {
    /// A parameter is absent or empty.
    #[error("the parameter '{0}' is missing: send it once with a value")]
    MissingParameter(&'static str),
    /// A parameter stands more than once (RFC 6749 §3.1).
    #[error("the parameter '{0}' stands more than once: send it once")]
    RepeatedParameter(&'static str),
    /// A parameter breaks its grammar; the second text says what is expected.
    #[error("the parameter '{0}' is malformed: expected {1}")]
    MalformedParameter(&'static str, &'static str),
    /// A parameter is longer than we keep.
    #[error("the parameter '{0}' is too long: send at most {1} bytes")]
    OversizedParameter(&'static str, usize),
    /// The body is no form.
    #[error(
        "the body is not a form: send application/x-www-form-urlencoded in UTF-8, at most 64 kB"
    )]
    MalformedForm,
    /// The body is no JSON object.
    #[error(
        "the body is not a JSON object in UTF-8 with each member once: send one with content type application/json"
    )]
    MalformedJson,
    /// `client_id` names another client than the assertion.
    #[error("client_id differs from the client that signed the assertion: send the same")]
    ClientMismatch,
    /// No client assertion was sent.
    #[error("the client is not authenticated: send client_assertion and client_assertion_type")]
    MissingAssertion,
    /// The client is unknown, or not enabled at this institution.
    #[error(
        "the client is unknown here or not enabled: register it and have this institution enable it"
    )]
    UnknownClient,
    /// The assertion is refused; the text says which check failed.
    #[error("the client assertion is refused: {0}")]
    RefusedAssertion(&'static str),
    /// The assertion was used before.
    #[error("the client assertion was used before: sign a new one with a new jti")]
    ReplayedAssertion,
    /// The redirect address is none of the registered ones.
    #[error(
        "redirect_uri is not registered for this client: send one of the registered addresses, character for character"
    )]
    UnregisteredRedirect,
    /// Another response type than `code`.
    #[error("the response type is not offered: send response_type=code")]
    UnsupportedResponseType,
    /// `request` at the PAR endpoint.
    #[error("signed request objects are not supported: send the parameters as a form")]
    RequestObjectNotSupported,
    /// `request_uri` at the PAR endpoint (RFC 9126 §2.1).
    #[error("request_uri must not be pushed: send the parameters themselves")]
    RequestUriNotSupported,
    /// `authorization_details` (RFC 9396) is not offered yet.
    #[error("authorization_details is not supported: name the consent or payment in scope")]
    AuthorizationDetailsNotSupported,
    /// The scope breaks its grammar.
    #[error(
        "the scope is malformed: expected AIS:{{consentId}} or PIS:{{paymentId}} for a member's approval, AIS or PIS for the client itself"
    )]
    MalformedScope,
    /// The scope needs a role that the client has not.
    #[error("the client is not registered for this scope: AIS needs role AISP, PIS needs PISP")]
    ScopeNotAllowed,
    /// The consent or payment that the scope names cannot be authorized by this client.
    #[error(
        "the scope names no consent or payment of this client that waits for its member: create one first"
    )]
    UnknownResource,
    /// The `request_uri` is unknown, expired, used or another client's.
    #[error("the request_uri is unknown, expired, used or of another client: push a new request")]
    InvalidRequestUri,
    /// An authorization request that was not pushed.
    #[error("the authorization request was not pushed: use the PAR endpoint and send request_uri")]
    NotPushed,
    /// The grant type is not offered.
    #[error("the grant type is not offered: use authorization_code or client_credentials")]
    UnsupportedGrantType,
    /// The client is not registered for the grant type.
    #[error("the client is not registered for this grant type: register it with grant_types")]
    GrantNotRegistered,
    /// The code is unknown, used, expired, or was given to another client.
    #[error("the code is unknown, used, expired or of another client: start a new authorization")]
    InvalidCode,
    /// `redirect_uri` differs from the one the code was issued for.
    #[error("redirect_uri differs from the one in the authorization request: send the same")]
    RedirectMismatch,
    /// The verifier does not fit the challenge (RFC 7636 §4.6).
    #[error("code_verifier does not fit the code_challenge of the authorization request")]
    WrongVerifier,
    /// The access token is unknown, expired or revoked.
    #[error("the access token is unknown, expired or revoked: get a new one")]
    InvalidToken,
    /// The initial access token of a registration is missing or not good.
    #[error(
        "the initial access token is missing, used or expired: ask the platform for an invitation"
    )]
    InvalidInvitation,
    /// A member of the registration is missing or not acceptable.
    #[error("the member '{0}' is not acceptable: expected {1}")]
    InvalidMetadata(&'static str, &'static str),
    /// A redirect address of the registration is not acceptable.
    #[error(
        "redirect_uris is not acceptable: expected 1 to 10 absolute https addresses without fragment, user name or blanks"
    )]
    InvalidRedirectUri,
    /// A key of the registration is not acceptable.
    #[error("jwks is not acceptable: {0}")]
    InvalidKeys(&'static str),
    /// A software statement was sent.
    #[error("software statements are not accepted yet: register without one, with roles")]
    SoftwareStatementNotSupported,
    /// The member refused.
    #[error("the member refused")]
    RefusedByMember,
    /// Strong customer authentication failed.
    #[error("the member could not be authenticated")]
    AuthenticationFailed,
    /// Something of ours is broken.
    #[error("something of ours is broken: try again later")]
    ServerError,
    /// For the moment it cannot be done; nothing was changed.
    #[error("this cannot be done for the moment and nothing was changed: try again later")]
    TemporarilyUnavailable,
}

impl OAuthError {
    /// The registered code of this refusal.
    #[must_use]
    pub const fn oauth_code(&self) -> ErrorCode {
        match self {
            Self::MissingParameter(_)
            | Self::RepeatedParameter(_)
            | Self::MalformedParameter(..)
            | Self::OversizedParameter(..)
            | Self::MalformedForm
            | Self::MalformedJson
            | Self::ClientMismatch
            | Self::UnregisteredRedirect
            | Self::UnknownResource
            | Self::NotPushed => ErrorCode::InvalidRequest,
            Self::MissingAssertion
            | Self::UnknownClient
            | Self::RefusedAssertion(_)
            | Self::ReplayedAssertion => ErrorCode::InvalidClient,
            Self::UnsupportedResponseType => ErrorCode::UnsupportedResponseType,
            Self::RequestObjectNotSupported => ErrorCode::RequestNotSupported,
            Self::RequestUriNotSupported => ErrorCode::RequestUriNotSupported,
            Self::AuthorizationDetailsNotSupported => ErrorCode::InvalidAuthorizationDetails,
            Self::MalformedScope | Self::ScopeNotAllowed => ErrorCode::InvalidScope,
            Self::InvalidRequestUri => ErrorCode::InvalidRequestUri,
            Self::UnsupportedGrantType => ErrorCode::UnsupportedGrantType,
            Self::GrantNotRegistered => ErrorCode::UnauthorizedClient,
            Self::InvalidCode | Self::RedirectMismatch | Self::WrongVerifier => {
                ErrorCode::InvalidGrant
            }
            Self::InvalidToken | Self::InvalidInvitation => ErrorCode::InvalidToken,
            Self::InvalidMetadata(..) | Self::InvalidKeys(_) => ErrorCode::InvalidClientMetadata,
            Self::InvalidRedirectUri => ErrorCode::InvalidRedirectUri,
            Self::SoftwareStatementNotSupported => ErrorCode::InvalidSoftwareStatement,
            Self::RefusedByMember | Self::AuthenticationFailed => ErrorCode::AccessDenied,
            Self::ServerError => ErrorCode::ServerError,
            Self::TemporarilyUnavailable => ErrorCode::TemporarilyUnavailable,
        }
    }

    /// The JSON body of an answer that is not a redirect (RFC 6749 §5.2).
    #[must_use]
    pub fn body(&self) -> ErrorBody {
        ErrorBody {
            error: self.oauth_code().as_str(),
            error_description: self.to_string(),
        }
    }
}

impl Refusal for OAuthError {
    fn kind(&self) -> Kind {
        match self.oauth_code().status() {
            401 => Kind::Unauthenticated,
            403 => Kind::Forbidden,
            500 => Kind::Broken,
            503 => Kind::Unavailable,
            _ => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        self.oauth_code().names().1
    }

    fn public(&self) -> String {
        self.to_string()
    }
}

/// The JSON body of a refusal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct ErrorBody {
    /// The registered code.
    pub error: &'static str,
    /// What happened and what to do next.
    pub error_description: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOME_OF_EACH: &[OAuthError] = &[
        OAuthError::MissingParameter("scope"),
        OAuthError::RepeatedParameter("scope"),
        OAuthError::MalformedParameter("code_challenge", "43 characters of base64url"),
        OAuthError::OversizedParameter("state", 4096),
        OAuthError::MalformedForm,
        OAuthError::MalformedJson,
        OAuthError::ClientMismatch,
        OAuthError::MissingAssertion,
        OAuthError::UnknownClient,
        OAuthError::RefusedAssertion("it has expired"),
        OAuthError::ReplayedAssertion,
        OAuthError::UnregisteredRedirect,
        OAuthError::UnsupportedResponseType,
        OAuthError::RequestObjectNotSupported,
        OAuthError::RequestUriNotSupported,
        OAuthError::AuthorizationDetailsNotSupported,
        OAuthError::MalformedScope,
        OAuthError::ScopeNotAllowed,
        OAuthError::UnknownResource,
        OAuthError::InvalidRequestUri,
        OAuthError::NotPushed,
        OAuthError::UnsupportedGrantType,
        OAuthError::GrantNotRegistered,
        OAuthError::InvalidCode,
        OAuthError::RedirectMismatch,
        OAuthError::WrongVerifier,
        OAuthError::InvalidToken,
        OAuthError::InvalidInvitation,
        OAuthError::InvalidMetadata("roles", "AISP, PISP or both"),
        OAuthError::InvalidRedirectUri,
        OAuthError::InvalidKeys("it has no key"),
        OAuthError::SoftwareStatementNotSupported,
        OAuthError::RefusedByMember,
        OAuthError::AuthenticationFailed,
        OAuthError::ServerError,
        OAuthError::TemporarilyUnavailable,
    ];

    #[test]
    fn a_description_stays_in_the_character_set_of_rfc_6749() {
        for error in SOME_OF_EACH {
            let text = error.to_string();
            assert!(
                text.chars()
                    .all(|c| matches!(c, ' '..='!' | '#'..='[' | ']'..='~')),
                "{text}"
            );
        }
    }

    #[test]
    fn the_kebab_code_is_the_registered_code() {
        for error in SOME_OF_EACH {
            assert_eq!(
                error.code().replace('-', "_"),
                error.oauth_code().as_str(),
                "{error}"
            );
        }
    }

    #[test]
    fn only_an_unproven_client_or_token_is_a_401() {
        for error in SOME_OF_EACH {
            let unproven = matches!(
                error.oauth_code(),
                ErrorCode::InvalidClient | ErrorCode::InvalidToken
            );
            assert_eq!(error.oauth_code().status() == 401, unproven, "{error}");
        }
    }
}
