//! Message codes by HTTP status: a pair that the standard does not list cannot be built.

/// The service an operation belongs to; each has codes of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Account information, consents included.
    Ais,
    /// Payment initiation.
    Pis,
}

/// A code together with the status it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageCode {
    /// 400.
    BadRequest(BadRequest),
    /// 401.
    Unauthorized(Unauthorized),
    /// 403.
    Forbidden(Forbidden),
    /// 404.
    NotFound(NotFound),
    /// 405.
    MethodNotAllowed(MethodNotAllowed),
    /// 406, account information only.
    NotAcceptable(NotAcceptable),
    /// 409.
    Conflict(Conflict),
    /// 429, account information only.
    TooManyRequests(TooManyRequests),
}

/// Codes of status 400.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRequest {
    /// A member or header is missing or malformed.
    FormatError,
    /// Two members, or two requests of one id, contradict each other.
    ParameterNotConsistent,
    /// Known to the standard, not offered here.
    ParameterNotSupported,
    /// The service does not fit the resource.
    ServiceInvalid,
    /// The resource in the body is unknown.
    ResourceUnknown,
    /// The resource was there and is gone.
    ResourceExpired,
    /// The resource cannot be addressed now.
    ResourceBlocked,
    /// A time lies outside what is accepted.
    TimestampInvalid,
    /// A period is the wrong way round or too long.
    PeriodInvalid,
    /// The SCA method is unknown.
    ScaMethodUnknown,
    /// SCA cannot be done this way.
    ScaInvalid,
    /// The consent in the header is unknown or another TPP's.
    ConsentUnknown,
    /// The payment failed (payments only).
    PaymentFailed,
    /// The execution date is not accepted (payments only).
    ExecutionDateInvalid,
    /// Account information and payment in one session (account information only).
    SessionsNotSupported,
}

/// Codes of status 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unauthorized {
    /// The TPP has not the role for this.
    RoleInvalid,
    /// The consent is this TPP's, but not good for this.
    ConsentInvalid,
    /// The consent has run out.
    ConsentExpired,
    /// The token is unknown, also one of another institution.
    TokenUnknown,
    /// The token was revoked or is not for this resource.
    TokenInvalid,
    /// The token has run out.
    TokenExpired,
    /// The member is another one than expected, or could not be authenticated.
    PsuCredentialsInvalid,
}

/// Codes of status 403.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forbidden {
    /// The consent may not be used so.
    ConsentUnknown,
    /// The TPP is blocked here, or the token is of another grant.
    ServiceBlocked,
    /// The resource may not be used so.
    ResourceUnknown,
    /// The resource has run out.
    ResourceExpired,
    /// The member may not use the product (payments only).
    ProductInvalid,
}

/// Codes of status 404.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotFound {
    /// The resource in the path is unknown or another TPP's.
    ResourceUnknown,
    /// The product is not offered (payments only).
    ProductUnknown,
}

/// Codes of status 405.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MethodNotAllowed {
    /// The method is not offered for this resource.
    ServiceInvalid,
    /// The payment cannot be cancelled any more (payments only).
    CancellationInvalid,
}

/// Codes of status 406.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotAcceptable {
    /// None of the formats that the TPP accepts is offered.
    RequestedFormatsInvalid,
}

/// Codes of status 409.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// The state of the resource does not allow it.
    StatusInvalid,
}

/// Codes of status 429.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TooManyRequests {
    /// More unattended reads than the consent allows.
    AccessExceeded,
}

/// Statuses that the standard answers without a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bare {
    /// 406 outside account information.
    NotAcceptable,
    /// 408.
    RequestTimeout,
    /// 415.
    UnsupportedMediaType,
    /// 429 of the rate limiter, which is no quota of a consent.
    RateLimited,
    /// 500.
    Broken,
    /// 503.
    Unavailable,
}

impl Bare {
    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::NotAcceptable => 406,
            Self::RequestTimeout => 408,
            Self::UnsupportedMediaType => 415,
            Self::RateLimited => 429,
            Self::Broken => 500,
            Self::Unavailable => 503,
        }
    }
}

impl MessageCode {
    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::Unauthorized(_) => 401,
            Self::Forbidden(_) => 403,
            Self::NotFound(_) => 404,
            Self::MethodNotAllowed(_) => 405,
            Self::NotAcceptable(_) => 406,
            Self::Conflict(_) => 409,
            Self::TooManyRequests(_) => 429,
        }
    }

    /// The code as it stands in a message.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.names().0
    }

    /// Whether the standard lists the code for `service`.
    #[must_use]
    pub const fn is_listed_for(self, service: Service) -> bool {
        match self.only_for() {
            None => true,
            Some(Service::Ais) => matches!(service, Service::Ais),
            Some(Service::Pis) => matches!(service, Service::Pis),
        }
    }

    const fn only_for(self) -> Option<Service> {
        match self {
            Self::BadRequest(BadRequest::PaymentFailed | BadRequest::ExecutionDateInvalid)
            | Self::Forbidden(Forbidden::ProductInvalid)
            | Self::NotFound(NotFound::ProductUnknown)
            | Self::MethodNotAllowed(MethodNotAllowed::CancellationInvalid) => Some(Service::Pis),
            Self::BadRequest(BadRequest::SessionsNotSupported)
            | Self::NotAcceptable(_)
            | Self::TooManyRequests(_) => Some(Service::Ais),
            Self::BadRequest(_)
            | Self::Unauthorized(_)
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::MethodNotAllowed(_)
            | Self::Conflict(_) => None,
        }
    }

    /// The standard's code, and the same in the kebab case of our own codes.
    pub(crate) const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::BadRequest(code) => code.names(),
            Self::Unauthorized(code) => code.names(),
            Self::Forbidden(code) => code.names(),
            Self::NotFound(NotFound::ResourceUnknown) => ("RESOURCE_UNKNOWN", "resource-unknown"),
            Self::NotFound(NotFound::ProductUnknown) => ("PRODUCT_UNKNOWN", "product-unknown"),
            Self::MethodNotAllowed(MethodNotAllowed::ServiceInvalid) => {
                ("SERVICE_INVALID", "service-invalid")
            }
            Self::MethodNotAllowed(MethodNotAllowed::CancellationInvalid) => {
                ("CANCELLATION_INVALID", "cancellation-invalid")
            }
            Self::NotAcceptable(NotAcceptable::RequestedFormatsInvalid) => {
                ("REQUESTED_FORMATS_INVALID", "requested-formats-invalid")
            }
            Self::Conflict(Conflict::StatusInvalid) => ("STATUS_INVALID", "status-invalid"),
            Self::TooManyRequests(TooManyRequests::AccessExceeded) => {
                ("ACCESS_EXCEEDED", "access-exceeded")
            }
        }
    }
}

impl BadRequest {
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::FormatError => ("FORMAT_ERROR", "format-error"),
            Self::ParameterNotConsistent => {
                ("PARAMETER_NOT_CONSISTENT", "parameter-not-consistent")
            }
            Self::ParameterNotSupported => ("PARAMETER_NOT_SUPPORTED", "parameter-not-supported"),
            Self::ServiceInvalid => ("SERVICE_INVALID", "service-invalid"),
            Self::ResourceUnknown => ("RESOURCE_UNKNOWN", "resource-unknown"),
            Self::ResourceExpired => ("RESOURCE_EXPIRED", "resource-expired"),
            Self::ResourceBlocked => ("RESOURCE_BLOCKED", "resource-blocked"),
            Self::TimestampInvalid => ("TIMESTAMP_INVALID", "timestamp-invalid"),
            Self::PeriodInvalid => ("PERIOD_INVALID", "period-invalid"),
            Self::ScaMethodUnknown => ("SCA_METHOD_UNKNOWN", "sca-method-unknown"),
            Self::ScaInvalid => ("SCA_INVALID", "sca-invalid"),
            Self::ConsentUnknown => ("CONSENT_UNKNOWN", "consent-unknown"),
            Self::PaymentFailed => ("PAYMENT_FAILED", "payment-failed"),
            Self::ExecutionDateInvalid => ("EXECUTION_DATE_INVALID", "execution-date-invalid"),
            Self::SessionsNotSupported => ("SESSIONS_NOT_SUPPORTED", "sessions-not-supported"),
        }
    }
}

impl Unauthorized {
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::RoleInvalid => ("ROLE_INVALID", "role-invalid"),
            Self::ConsentInvalid => ("CONSENT_INVALID", "consent-invalid"),
            Self::ConsentExpired => ("CONSENT_EXPIRED", "consent-expired"),
            Self::TokenUnknown => ("TOKEN_UNKNOWN", "token-unknown"),
            Self::TokenInvalid => ("TOKEN_INVALID", "token-invalid"),
            Self::TokenExpired => ("TOKEN_EXPIRED", "token-expired"),
            Self::PsuCredentialsInvalid => ("PSU_CREDENTIALS_INVALID", "psu-credentials-invalid"),
        }
    }
}

impl Forbidden {
    const fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::ConsentUnknown => ("CONSENT_UNKNOWN", "consent-unknown"),
            Self::ServiceBlocked => ("SERVICE_BLOCKED", "service-blocked"),
            Self::ResourceUnknown => ("RESOURCE_UNKNOWN", "resource-unknown"),
            Self::ResourceExpired => ("RESOURCE_EXPIRED", "resource-expired"),
            Self::ProductInvalid => ("PRODUCT_INVALID", "product-invalid"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_of_one_service_are_not_listed_for_the_other() {
        let exceeded = MessageCode::TooManyRequests(TooManyRequests::AccessExceeded);
        assert!(exceeded.is_listed_for(Service::Ais) && !exceeded.is_listed_for(Service::Pis));
        let product = MessageCode::NotFound(NotFound::ProductUnknown);
        assert!(product.is_listed_for(Service::Pis) && !product.is_listed_for(Service::Ais));
        let format = MessageCode::BadRequest(BadRequest::FormatError);
        assert!(format.is_listed_for(Service::Pis) && format.is_listed_for(Service::Ais));
    }

    #[test]
    fn one_code_keeps_its_name_under_two_statuses() {
        let header = MessageCode::BadRequest(BadRequest::ConsentUnknown);
        let use_of_it = MessageCode::Forbidden(Forbidden::ConsentUnknown);
        assert_eq!(header.as_str(), use_of_it.as_str());
        assert_eq!((header.status(), use_of_it.status()), (400, 403));
    }
}
