//! Errors on the wire: RFC 9457 problem details with a stable `code`.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use branchline_kernel::{Kind, Refusal};
use serde::Serialize;
use serde_json::Value;
use tracing::{error, info};

use crate::answer::{Answer, Remembered};

/// What a caller is told when something was refused or failed.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Problem {
    /// The class of the problem, by its code.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// A stable word that programs may match on.
    pub code: String,
    /// What happened, why, and what to do next.
    pub detail: String,
}

const RETRY_SECS: &str = "1";

impl Problem {
    /// A problem of that kind with its code and its sentence.
    #[must_use]
    pub fn new(kind: Kind, code: &str, detail: &str) -> Self {
        let status = status_of(kind);
        Self {
            kind: format!("urn:branchline:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail: detail.to_owned(),
        }
    }

    /// The input is wrong.
    #[must_use]
    pub fn invalid(detail: &str) -> Self {
        Self::new(Kind::Invalid, "invalid-request", detail)
    }

    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

const fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Kind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Broken => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl<E: Refusal> From<E> for Problem {
    /// The one place where an error of the domain meets HTTP; what is broken is logged here.
    fn from(refusal: E) -> Self {
        let kind = refusal.kind();
        match kind {
            Kind::Broken | Kind::Unavailable => {
                error!(error.code = refusal.code(), "Failed: {}", chain(&refusal));
            }
            Kind::Invalid
            | Kind::Unauthenticated
            | Kind::Forbidden
            | Kind::NotFound
            | Kind::Conflict
            | Kind::TooLarge
            | Kind::Unprocessable
            | Kind::TooMany => {
                info!(
                    error.code = refusal.code(),
                    "Refused a request: {}",
                    refusal.code()
                );
            }
        }
        Self::new(kind, refusal.code(), &refusal.public())
    }
}

/// The error and its causes, one line.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl Remembered for Problem {
    fn remembered(&self) -> Option<Answer> {
        let depends_on_state = matches!(self.status, 403 | 404 | 409 | 422);
        depends_on_state.then(|| Answer {
            status: self.status,
            body: serde_json::to_value(self).unwrap_or(Value::Null),
        })
    }

    fn outcome(&self) -> String {
        self.code.clone()
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.code)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status());
        response.insert_header((CONTENT_TYPE, "application/problem+json"));
        match self.status {
            401 => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer"));
            }
            429 => {
                response.insert_header((RETRY_AFTER, RETRY_SECS));
            }
            // Whoever is to come again need not hold a connection, and its memory, meanwhile.
            503 => {
                response.insert_header((RETRY_AFTER, RETRY_SECS));
                response.force_close();
            }
            _ => {}
        }
        response.body(serde_json::to_string(self).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not store")]
    struct Broken(#[source] std::io::Error);

    impl Refusal for Broken {
        fn kind(&self) -> Kind {
            Kind::Broken
        }
        fn code(&self) -> &'static str {
            "internal"
        }
        fn public(&self) -> String {
            "Something on our side is broken.".to_owned()
        }
    }

    #[test]
    fn a_broken_thing_shows_no_cause() {
        let problem = Problem::from(Broken(std::io::Error::other("password=hunter2")));
        let shown = serde_json::to_string(&problem).unwrap();
        assert_eq!(problem.status, 500);
        assert!(
            !shown.contains("hunter2") && !shown.contains("store"),
            "{shown}"
        );
    }

    #[test]
    fn refusals_that_depend_on_state_are_remembered_and_others_are_not() {
        for (kind, remembered) in [
            (Kind::Conflict, true),
            (Kind::Unprocessable, true),
            (Kind::NotFound, true),
            (Kind::Invalid, false),
            (Kind::Unauthenticated, false),
            (Kind::Unavailable, false),
            (Kind::Broken, false),
        ] {
            assert_eq!(
                Problem::new(kind, "x", "y").remembered().is_some(),
                remembered,
                "{kind:?}"
            );
        }
    }
}
