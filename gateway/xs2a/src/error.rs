//! A refusal as a TPP meets it: status, code, place and a sentence.

use branchline_kernel::{Kind, Refusal};

use crate::codes::{
    BadRequest, Bare, Conflict, Forbidden, MessageCode, MethodNotAllowed, NotAcceptable, NotFound,
    TooManyRequests, Unauthorized,
};

/// Why an XS2A call is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Xs2aError {
    /// With a message (`tppMessages`).
    #[error("{text}")]
    Message {
        /// The code, which fixes the status.
        code: MessageCode,
        /// The member, header or parameter that is meant, e.g. `instructedAmount.amount`.
        path: Option<String>,
        /// What happened and what to change, at most 500 characters.
        text: String,
    },
    /// With a status only; the standard gives these no body.
    #[error("answered with status {} and no body", .0.status())]
    Bare(Bare),
}

/// The body of a refusal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TppMessages {
    tpp_messages: Vec<TppMessage>,
}

/// One message of a refusal.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct TppMessage {
    category: &'static str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    text: String,
}

const MAX_TEXT: usize = 500;

impl Xs2aError {
    /// A refusal with `code` and a sentence.
    #[must_use]
    pub fn new(code: MessageCode, text: &str) -> Self {
        Self::Message {
            code,
            path: None,
            text: text.chars().take(MAX_TEXT).collect(),
        }
    }

    /// The same, naming the place.
    #[must_use]
    pub fn at(code: MessageCode, path: &str, text: &str) -> Self {
        Self::Message {
            code,
            path: Some(path.to_owned()),
            text: text.chars().take(MAX_TEXT).collect(),
        }
    }

    /// 400 FORMAT_ERROR: `path` is missing or malformed; `text` says what to change.
    #[must_use]
    pub fn format(path: &str, text: &str) -> Self {
        Self::at(MessageCode::BadRequest(BadRequest::FormatError), path, text)
    }

    /// 400 FORMAT_ERROR: `path` is missing.
    #[must_use]
    pub fn missing(path: &str) -> Self {
        Self::format(path, &format!("{path} is missing: send it"))
    }

    /// 400 PARAMETER_NOT_SUPPORTED: known to the standard, not offered here.
    #[must_use]
    pub fn not_supported(path: &str) -> Self {
        Self::at(
            MessageCode::BadRequest(BadRequest::ParameterNotSupported),
            path,
            &format!("{path} is not supported here: leave it out or choose another value"),
        )
    }

    /// 400 PARAMETER_NOT_CONSISTENT: the same `X-Request-ID` with other content.
    #[must_use]
    pub fn request_id_reused() -> Self {
        Self::at(
            MessageCode::BadRequest(BadRequest::ParameterNotConsistent),
            "X-Request-ID",
            "this X-Request-ID was used with other content: send a new one",
        )
    }

    /// 400 PERIOD_INVALID.
    #[must_use]
    pub fn period(path: &str, text: &str) -> Self {
        Self::at(
            MessageCode::BadRequest(BadRequest::PeriodInvalid),
            path,
            text,
        )
    }

    /// 400 SERVICE_INVALID.
    #[must_use]
    pub fn service_invalid(path: &str, text: &str) -> Self {
        Self::at(
            MessageCode::BadRequest(BadRequest::ServiceInvalid),
            path,
            text,
        )
    }

    /// 400 SESSIONS_NOT_SUPPORTED.
    #[must_use]
    pub fn sessions_not_supported() -> Self {
        Self::at(
            MessageCode::BadRequest(BadRequest::SessionsNotSupported),
            "combinedServiceIndicator",
            "account information and payments in one session are not offered: send false",
        )
    }

    /// 400 CONSENT_UNKNOWN: `Consent-ID` names no consent of this TPP.
    #[must_use]
    pub fn consent_unknown() -> Self {
        Self::at(
            MessageCode::BadRequest(BadRequest::ConsentUnknown),
            "Consent-ID",
            "no consent of yours has this id at this institution",
        )
    }

    /// 404 RESOURCE_UNKNOWN: the path names nothing of this TPP.
    #[must_use]
    pub fn resource_unknown() -> Self {
        Self::new(
            MessageCode::NotFound(NotFound::ResourceUnknown),
            "nothing of yours has this id at this institution",
        )
    }

    /// 404 PRODUCT_UNKNOWN.
    #[must_use]
    pub fn product_unknown() -> Self {
        Self::new(
            MessageCode::NotFound(NotFound::ProductUnknown),
            "this payment product is not offered: use payments/sepa-credit-transfers",
        )
    }

    /// 401 CONSENT_INVALID.
    #[must_use]
    pub fn consent_invalid(text: &str) -> Self {
        Self::new(
            MessageCode::Unauthorized(Unauthorized::ConsentInvalid),
            text,
        )
    }

    /// 401 CONSENT_EXPIRED.
    #[must_use]
    pub fn consent_expired() -> Self {
        Self::new(
            MessageCode::Unauthorized(Unauthorized::ConsentExpired),
            "the consent has expired: ask the member for a new one",
        )
    }

    /// 401 TOKEN_UNKNOWN: also without a token and with one of another institution.
    #[must_use]
    pub fn token_unknown() -> Self {
        Self::new(
            MessageCode::Unauthorized(Unauthorized::TokenUnknown),
            "the access token is missing or unknown at this institution: get one from its issuer",
        )
    }

    /// 401 TOKEN_INVALID: revoked, or not for this resource.
    #[must_use]
    pub fn token_invalid(text: &str) -> Self {
        Self::new(MessageCode::Unauthorized(Unauthorized::TokenInvalid), text)
    }

    /// 401 TOKEN_EXPIRED.
    #[must_use]
    pub fn token_expired() -> Self {
        Self::new(
            MessageCode::Unauthorized(Unauthorized::TokenExpired),
            "the access token has expired: get a new one",
        )
    }

    /// 401 ROLE_INVALID.
    #[must_use]
    pub fn role_invalid() -> Self {
        Self::new(
            MessageCode::Unauthorized(Unauthorized::RoleInvalid),
            "the TPP is not registered with the role that this operation needs",
        )
    }

    /// 403 SERVICE_BLOCKED.
    #[must_use]
    pub fn service_blocked(text: &str) -> Self {
        Self::new(MessageCode::Forbidden(Forbidden::ServiceBlocked), text)
    }

    /// 403 SERVICE_BLOCKED: the token is of another grant than the operation needs.
    #[must_use]
    pub fn wrong_grant() -> Self {
        Self::service_blocked(
            "this operation needs a token of the client_credentials grant: get one and repeat",
        )
    }

    /// 405 SERVICE_INVALID.
    #[must_use]
    pub fn method_not_allowed() -> Self {
        Self::new(
            MessageCode::MethodNotAllowed(MethodNotAllowed::ServiceInvalid),
            "this method is not offered here",
        )
    }

    /// 405 CANCELLATION_INVALID.
    #[must_use]
    pub fn cancellation_invalid() -> Self {
        Self::new(
            MessageCode::MethodNotAllowed(MethodNotAllowed::CancellationInvalid),
            "the payment cannot be cancelled any more: its member approved it, or it has ended",
        )
    }

    /// 406 REQUESTED_FORMATS_INVALID (account information).
    #[must_use]
    pub fn formats_invalid() -> Self {
        Self::at(
            MessageCode::NotAcceptable(NotAcceptable::RequestedFormatsInvalid),
            "Accept",
            "only application/json is offered: accept it",
        )
    }

    /// 409 STATUS_INVALID.
    #[must_use]
    pub fn status_invalid(text: &str) -> Self {
        Self::new(MessageCode::Conflict(Conflict::StatusInvalid), text)
    }

    /// 409 STATUS_INVALID: the first request with this `X-Request-ID` still runs.
    #[must_use]
    pub fn in_flight() -> Self {
        Self::status_invalid("a request with this X-Request-ID is being worked on: repeat it later")
    }

    /// 429 ACCESS_EXCEEDED.
    #[must_use]
    pub fn access_exceeded() -> Self {
        Self::new(
            MessageCode::TooManyRequests(TooManyRequests::AccessExceeded),
            "the consent allows no more reads of this kind without the member: see frequencyPerDay",
        )
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::Message { code, .. } => code.status(),
            Self::Bare(bare) => bare.status(),
        }
    }

    /// The body, when the status has one.
    #[must_use]
    pub fn body(&self) -> Option<TppMessages> {
        match self {
            Self::Message { code, path, text } => Some(TppMessages {
                tpp_messages: vec![TppMessage {
                    category: "ERROR",
                    code: code.as_str(),
                    path: path.clone(),
                    text: text.clone(),
                }],
            }),
            Self::Bare(_) => None,
        }
    }
}

impl Refusal for Xs2aError {
    fn kind(&self) -> Kind {
        match self {
            Self::Message { code, .. } => match code {
                MessageCode::BadRequest(_)
                | MessageCode::MethodNotAllowed(_)
                | MessageCode::NotAcceptable(_) => Kind::Invalid,
                MessageCode::Unauthorized(_) => Kind::Unauthenticated,
                MessageCode::Forbidden(_) => Kind::Forbidden,
                MessageCode::NotFound(_) => Kind::NotFound,
                MessageCode::Conflict(_) => Kind::Conflict,
                MessageCode::TooManyRequests(_) => Kind::TooMany,
            },
            Self::Bare(bare) => match bare {
                Bare::NotAcceptable | Bare::RequestTimeout | Bare::UnsupportedMediaType => {
                    Kind::Invalid
                }
                Bare::RateLimited => Kind::TooMany,
                Bare::Broken => Kind::Broken,
                Bare::Unavailable => Kind::Unavailable,
            },
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Message { code, .. } => code.names().1,
            Self::Bare(bare) => match bare {
                Bare::NotAcceptable => "not-acceptable",
                Bare::RequestTimeout => "request-timeout",
                Bare::UnsupportedMediaType => "unsupported-media-type",
                Bare::RateLimited => "rate-limited",
                Bare::Broken => "broken",
                Bare::Unavailable => "unavailable",
            },
        }
    }

    fn public(&self) -> String {
        self.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_refusal_has_the_shape_of_the_standard() {
        let refusal = Xs2aError::format("validUntil", "validUntil is no date");
        assert_eq!(
            serde_json::to_value(refusal.body()).unwrap(),
            json!({"tppMessages": [{"category": "ERROR", "code": "FORMAT_ERROR",
                "path": "validUntil", "text": "validUntil is no date"}]})
        );
        assert_eq!(refusal.status(), 400);
        let pathless = serde_json::to_value(Xs2aError::resource_unknown().body()).unwrap();
        assert!(pathless["tppMessages"][0].get("path").is_none());
    }

    #[test]
    fn the_named_refusals_have_the_status_and_code_that_were_decided() {
        for (refusal, status, code) in [
            (Xs2aError::missing("x"), 400, "FORMAT_ERROR"),
            (
                Xs2aError::not_supported("x"),
                400,
                "PARAMETER_NOT_SUPPORTED",
            ),
            (
                Xs2aError::request_id_reused(),
                400,
                "PARAMETER_NOT_CONSISTENT",
            ),
            (Xs2aError::in_flight(), 409, "STATUS_INVALID"),
            (Xs2aError::consent_unknown(), 400, "CONSENT_UNKNOWN"),
            (Xs2aError::resource_unknown(), 404, "RESOURCE_UNKNOWN"),
            (Xs2aError::product_unknown(), 404, "PRODUCT_UNKNOWN"),
            (Xs2aError::consent_invalid("x"), 401, "CONSENT_INVALID"),
            (Xs2aError::consent_expired(), 401, "CONSENT_EXPIRED"),
            (Xs2aError::token_unknown(), 401, "TOKEN_UNKNOWN"),
            (Xs2aError::token_invalid("x"), 401, "TOKEN_INVALID"),
            (Xs2aError::token_expired(), 401, "TOKEN_EXPIRED"),
            (Xs2aError::role_invalid(), 401, "ROLE_INVALID"),
            (Xs2aError::wrong_grant(), 403, "SERVICE_BLOCKED"),
            (
                Xs2aError::cancellation_invalid(),
                405,
                "CANCELLATION_INVALID",
            ),
            (
                Xs2aError::formats_invalid(),
                406,
                "REQUESTED_FORMATS_INVALID",
            ),
            (Xs2aError::access_exceeded(), 429, "ACCESS_EXCEEDED"),
            (
                Xs2aError::sessions_not_supported(),
                400,
                "SESSIONS_NOT_SUPPORTED",
            ),
        ] {
            let body = serde_json::to_value(refusal.body()).unwrap();
            assert_eq!(refusal.status(), status, "{code}");
            assert_eq!(body["tppMessages"][0]["code"], code);
            let kebab = code.to_lowercase().replace('_', "-");
            assert_eq!(refusal.code(), kebab);
        }
    }

    #[test]
    fn a_text_is_cut_to_what_the_standard_allows() {
        let refusal = Xs2aError::format("x", &"ä".repeat(1000));
        assert_eq!(refusal.public().chars().count(), 500);
    }

    #[test]
    fn a_bare_refusal_has_no_body() {
        let refusal = Xs2aError::Bare(Bare::UnsupportedMediaType);
        assert_eq!((refusal.status(), refusal.body()), (415, None));
    }
}
