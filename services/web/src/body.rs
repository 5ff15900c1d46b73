//! Input that arrives checked: bodies, paths and queries with limits and problems of our shape.

use std::future::Future;
use std::ops::Deref;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::error::{JsonPayloadError, PathError, QueryPayloadError};
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use branchline_db::Digest;
use branchline_kernel::Kind;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// Most bytes of a JSON body.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// The JSON body of a request, at most 64 KiB.
pub struct Body<T>(T);

/// The SHA-256 of the body that was read, left in the request for the key of idempotency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyHash(pub [u8; 32]);

impl<T> Body<T> {
    /// The value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let bytes = web::Bytes::from_request(&request, payload);
        Box::pin(async move {
            let bytes = bytes.await.map_err(|error| too_large_or_unread(&error))?;
            if !is_json(&request) {
                let detail = "The body must be JSON: send Content-Type: application/json.";
                return Err(Problem {
                    status: 415,
                    ..Problem::new(Kind::Invalid, "unsupported-media-type", detail)
                });
            }
            request
                .extensions_mut()
                .insert(BodyHash(Digest::of(&[&bytes]).bytes()));
            serde_json::from_slice(&bytes)
                .map(Self)
                .map_err(|error| malformed(&error))
        })
    }
}

fn is_json(request: &HttpRequest) -> bool {
    let named = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    named.is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default().trim();
        essence.eq_ignore_ascii_case("application/json")
    })
}

fn too_large_or_unread(error: &actix_web::Error) -> Problem {
    if error.as_response_error().status_code().as_u16() == 413 {
        let detail = format!("The body is larger than {MAX_BODY_BYTES} bytes: send less.");
        return Problem::new(Kind::TooLarge, "too-large", &detail);
    }
    Problem::invalid("The body could not be read to its end: send it again.")
}

fn malformed(error: &serde_json::Error) -> Problem {
    Problem::invalid(&format!(
        "The body does not fit: {error}. Correct it and send it again."
    ))
}

/// Limits and error shapes of input; every listener registers them.
pub fn input_limits(config: &mut web::ServiceConfig) {
    config
        .app_data(web::PayloadConfig::new(MAX_BODY_BYTES))
        .app_data(
            web::JsonConfig::default()
                .limit(MAX_BODY_BYTES)
                .error_handler(|error: JsonPayloadError, _| {
                    Problem::invalid(&format!("The body does not fit: {error}")).into()
                }),
        )
        .app_data(web::PathConfig::default().error_handler(|_: PathError, _| {
            Problem::new(
                Kind::NotFound,
                "not-found",
                "There is nothing at this address: check the ids in it.",
            )
            .into()
        }))
        .app_data(
            web::QueryConfig::default().error_handler(|error: QueryPayloadError, _| {
                Problem::invalid(&format!("A query parameter does not fit: {error}.")).into()
            }),
        );
}

/// Parameters from the path; an id that cannot exist is answered like one that does not.
pub struct PathOf<T>(web::Path<T>);

/// Parameters from the query.
pub struct QueryOf<T>(web::Query<T>);

impl<T> PathOf<T> {
    /// The value.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T> Deref for PathOf<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> QueryOf<T> {
    /// The value.
    pub fn into_inner(self) -> T {
        self.0.into_inner()
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for PathOf<T> {
    type Error = actix_web::Error;
    type Future = std::future::Ready<Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let path = futures::FutureExt::now_or_never(web::Path::from_request(request, payload));
        let unread = || Problem::invalid("The address could not be read.").into();
        std::future::ready(path.unwrap_or_else(|| Err(unread())).map(Self))
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for QueryOf<T> {
    type Error = actix_web::Error;
    type Future = std::future::Ready<Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let query = futures::FutureExt::now_or_never(web::Query::from_request(request, payload));
        let unread = || Problem::invalid("The query could not be read.").into();
        std::future::ready(query.unwrap_or_else(|| Err(unread())).map(Self))
    }
}
