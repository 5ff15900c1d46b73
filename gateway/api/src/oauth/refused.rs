//! What a client of the authorization server is told when something was refused or failed.

use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use branchline_consent::Refused as StoreRefused;
use branchline_consent::oauth::RedeemError;
use branchline_db::DbError;
use branchline_kernel::{Kind, Refusal};
use branchline_oauth::{ErrorCode, OAuthError};
use serde::Serialize;
use tracing::error;
use utoipa::ToSchema;

/// A refusal on its way to a client; failures of ours were logged when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) OAuthError);

/// The body of a refusal (RFC 6749 §5.2).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OAuthProblem {
    /// The registered code.
    error: String,
    /// What happened and what to do next.
    error_description: String,
}

impl OAuthProblem {
    pub(crate) fn new(error: &str, description: &str) -> Self {
        Self {
            error: error.to_owned(),
            error_description: description.to_owned(),
        }
    }
}

fn log(failure: &dyn Refusal) {
    if matches!(failure.kind(), Kind::Broken | Kind::Unavailable) {
        let causes = std::iter::successors(failure.source(), |cause| cause.source());
        let chain = causes.fold(failure.to_string(), |text, cause| {
            format!("{text}: {cause}")
        });
        error!(error.code = failure.code(), "Failed: {chain}");
    }
}

impl From<OAuthError> for Refused {
    fn from(refusal: OAuthError) -> Self {
        Self(refusal)
    }
}

impl From<StoreRefused> for Refused {
    fn from(refused: StoreRefused) -> Self {
        log(&refused);
        Self(refused.oauth())
    }
}

impl From<DbError> for Refused {
    fn from(error: DbError) -> Self {
        StoreRefused::Db(error).into()
    }
}

impl From<RedeemError> for Refused {
    fn from(error: RedeemError) -> Self {
        StoreRefused::from(error).into()
    }
}

impl From<branchline_iam::NoRandomness> for Refused {
    fn from(error: branchline_iam::NoRandomness) -> Self {
        log(&error);
        Self(OAuthError::TemporarilyUnavailable)
    }
}

impl std::fmt::Display for Refused {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.oauth_code().as_str())
    }
}

impl ResponseError for Refused {
    fn status_code(&self) -> StatusCode {
        let status = self.0.oauth_code().status();
        StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((CACHE_CONTROL, "no-store"));
        let code = self.0.oauth_code();
        if matches!(code, ErrorCode::InvalidToken) {
            response.insert_header((WWW_AUTHENTICATE, "Bearer error=\"invalid_token\""));
        }
        if matches!(code, ErrorCode::TemporarilyUnavailable) {
            response.insert_header((RETRY_AFTER, "1"));
        }
        let body = self.0.body();
        response.json(OAuthProblem::new(body.error, &body.error_description))
    }
}
