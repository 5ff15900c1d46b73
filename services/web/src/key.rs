//! The key under which a caller repeats a request (`Idempotency-Key`).

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage, HttpRequest};
use branchline_db::Digest;
use branchline_kernel::RequestId;
use uuid::Uuid;

use crate::body::BodyHash;
use crate::problem::Problem;

/// The caller's key, the operation it is for, and what the request said.
pub struct IdempotencyKey {
    key: Uuid,
    request: HttpRequest,
}

impl IdempotencyKey {
    /// The key.
    #[must_use]
    pub const fn key(&self) -> Uuid {
        self.key
    }

    /// The operation: method and path pattern.
    #[must_use]
    pub fn operation(&self) -> String {
        operation(&self.request)
    }

    /// The SHA-256 of method, path and body.
    #[must_use]
    pub fn request_hash(&self) -> [u8; 32] {
        let body = self.request.extensions().get::<BodyHash>().copied();
        let body = body.map_or([0; 32], |hash| hash.0);
        let method = self.request.method().as_str();
        Digest::of(&[method.as_bytes(), self.request.path().as_bytes(), &body]).bytes()
    }
}

/// Names an operation in keys, audit rows and metrics: its method and path pattern.
pub(crate) fn operation(request: &HttpRequest) -> String {
    let pattern = request
        .match_pattern()
        .unwrap_or_else(|| "unknown".to_owned());
    format!("{} {pattern}", request.method())
}

impl FromRequest for IdempotencyKey {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let named = request
            .headers()
            .get("Idempotency-Key")
            .and_then(|value| value.to_str().ok());
        let key = named.and_then(|text| text.parse::<RequestId>().ok());
        ready(match key {
            Some(id) => Ok(Self {
                key: id.uuid(),
                request: request.clone(),
            }),
            None => Err(Problem::invalid(
                "The header Idempotency-Key is missing or no UUID: make one per request and send \
                 the same one when you repeat it.",
            )),
        })
    }
}
