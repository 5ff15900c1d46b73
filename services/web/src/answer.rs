//! An answer that can be stored with its key and given again.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::Value;

/// A status and a JSON body.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; `null` means none.
    pub body: Value,
}

/// An error that may be the lasting answer to a request: it depends on the state of things, so
/// the same request must meet the same refusal even when the state has changed.
pub trait Remembered {
    /// The answer to remember, or `None` when a repeat should be tried anew (malformed requests,
    /// failures of our own).
    fn remembered(&self) -> Option<Answer>;

    /// The word that the audit row keeps.
    fn outcome(&self) -> String;
}

impl Answer {
    /// 200 with a body.
    #[must_use]
    pub fn ok(body: &impl Serialize) -> Self {
        Self::with(StatusCode::OK, body)
    }

    /// 201 with a body.
    #[must_use]
    pub fn created(body: &impl Serialize) -> Self {
        Self::with(StatusCode::CREATED, body)
    }

    /// 204.
    #[must_use]
    pub fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT.as_u16(),
            body: Value::Null,
        }
    }

    /// Any status with a body. A body that cannot be written as JSON becomes an empty one; our
    /// own types always can.
    #[must_use]
    pub fn with(status: StatusCode, body: &impl Serialize) -> Self {
        Self {
            status: status.as_u16(),
            body: serde_json::to_value(body).unwrap_or_default(),
        }
    }

    /// The answer as a response.
    #[must_use]
    pub fn respond(&self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        if status.as_u16() >= 400 {
            // A refusal that was remembered is a problem like one that was not.
            response.content_type("application/problem+json");
        }
        if self.body.is_null() {
            response.finish()
        } else {
            response.json(&self.body)
        }
    }
}
