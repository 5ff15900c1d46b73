//! What an XS2A caller is told when something was refused or failed.

use actix_web::http::StatusCode;
use actix_web::http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use branchline_consent::consents::ChangeError;
use branchline_db::DbError;
use branchline_kernel::{Kind, Refusal};
use branchline_web::{Answer, Remembered};
use branchline_xs2a::{Bare, Xs2aError};
use tracing::error;

use crate::core_client::CoreError;

/// A refusal on its way to a third party; failures of ours were logged when it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) Xs2aError);

impl Refused {
    /// The refusal for a failure of ours: logged here, told without detail.
    fn failed(failure: &dyn Refusal) -> Self {
        let told = match failure.kind() {
            Kind::Unavailable | Kind::TooMany => Xs2aError::Bare(Bare::Unavailable),
            Kind::Forbidden => Xs2aError::service_blocked(&failure.public()),
            Kind::NotFound => Xs2aError::resource_unknown(),
            Kind::Conflict => Xs2aError::status_invalid(&failure.public()),
            Kind::Invalid
            | Kind::Unauthenticated
            | Kind::TooLarge
            | Kind::Unprocessable
            | Kind::Broken => Xs2aError::Bare(Bare::Broken),
        };
        if matches!(told, Xs2aError::Bare(_)) {
            error!(error.code = failure.code(), "Failed: {}", chain(failure));
        }
        Self(told)
    }
}

/// The error and its causes, one line.
fn chain(failure: &dyn Refusal) -> String {
    let causes = std::iter::successors(failure.source(), |cause| cause.source());
    causes.fold(failure.to_string(), |text, cause| {
        format!("{text}: {cause}")
    })
}

impl From<Xs2aError> for Refused {
    fn from(refusal: Xs2aError) -> Self {
        Self(refusal)
    }
}

impl From<DbError> for Refused {
    fn from(error: DbError) -> Self {
        Self::failed(&error)
    }
}

impl From<CoreError> for Refused {
    fn from(error: CoreError) -> Self {
        Self::failed(&error)
    }
}

impl From<ChangeError> for Refused {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Unknown => Self(Xs2aError::resource_unknown()),
            ChangeError::Standard(refusal) => Self(refusal),
            ChangeError::Rule(_) | ChangeError::Db(_) => Self::failed(&error),
        }
    }
}

impl Remembered for Refused {
    /// What depends on the state of things: a repeat gets the same refusal.
    fn remembered(&self) -> Option<Answer> {
        let status = self.0.status();
        let lasting = matches!(status, 403 | 404 | 405 | 409);
        let body = self.0.body().filter(|_| lasting)?;
        Some(Answer {
            status,
            body: serde_json::to_value(body).unwrap_or_default(),
        })
    }

    fn outcome(&self) -> String {
        self.0.code().to_owned()
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.code())
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let status = self.status_code();
        let mut response = HttpResponse::build(status);
        match status {
            StatusCode::UNAUTHORIZED => {
                response.insert_header((WWW_AUTHENTICATE, "Bearer"));
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                response.insert_header((RETRY_AFTER, "1"));
            }
            _ => {}
        }
        match self.0.body() {
            Some(body) => response.json(body),
            None => response.finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_of_ours_shows_no_cause() {
        let refused = Refused::from(DbError::Inconsistent {
            table: "consent",
            column: "status",
        });
        assert_eq!(refused.0, Xs2aError::Bare(Bare::Broken));
        assert!(refused.remembered().is_none());
    }

    #[test]
    fn a_ledger_that_is_full_is_503_without_a_body_and_says_when_to_come_again() {
        let refused = Refused::from(CoreError::Failed(503));
        assert_eq!(refused.0, Xs2aError::Bare(Bare::Unavailable));
        assert!(refused.remembered().is_none());
        let response = refused.error_response();
        assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(response.headers().contains_key(RETRY_AFTER));
    }

    #[test]
    fn only_refusals_that_depend_on_state_are_remembered() {
        let malformed = Refused(Xs2aError::missing("access"));
        assert!(malformed.remembered().is_none());
        let unknown = Refused(Xs2aError::resource_unknown());
        assert_eq!(unknown.remembered().map(|answer| answer.status), Some(404));
    }
}
