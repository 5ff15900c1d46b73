//! The caller of an operation, with the right that the operation needs in its type.

use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use branchline_db::audit;
use branchline_db::idempotency::Key;
use branchline_iam::{NeedsRight, Principal};
use branchline_kernel::Kind;

use crate::app::App;
use crate::key::IdempotencyKey;
use crate::problem::Problem;
use crate::telemetry::RequestContext;

/// A verified caller who has the right `R`.
pub struct Actor<R> {
    principal: Principal,
    context: RequestContext,
    right: PhantomData<R>,
}

impl<R> Actor<R> {
    /// Who calls, and within which limits.
    #[must_use]
    pub const fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Who calls, as rows name them.
    #[must_use]
    pub fn name(&self) -> String {
        self.principal.actor.to_string()
    }

    /// Whose key the request's key is, and for what.
    #[must_use]
    pub fn scope(&self, key: &IdempotencyKey) -> Key {
        Key {
            client: self.name(),
            operation: key.operation(),
            key: key.key(),
        }
    }

    /// The audit row of a change that the caller asked for.
    #[must_use]
    pub fn audited(&self, key: &IdempotencyKey, outcome: &str) -> audit::Event {
        let principal = &self.principal;
        audit::Event {
            operation: key.operation(),
            outcome: outcome.to_owned(),
            object: principal.on_behalf_of.as_ref().map(ToString::to_string),
            request_id: Some(self.context.request_id().uuid()),
            reference: principal.reference.clone(),
            detail: None,
        }
    }
}

impl<R: NeedsRight + 'static> FromRequest for Actor<R> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let app = request.app_data::<web::Data<App>>().ok_or_else(not_wired)?;
            let token = bearer(&request).ok_or_else(no_token)?;
            let principal = app.callers().verify(app.db(), token).await?;
            let context = crate::telemetry::request_context(&request);
            context.set_tenant(&principal.tenant);
            request.extensions_mut().insert(context.clone());
            let may = principal.may(R::RIGHT) || R::OR.is_some_and(|other| principal.may(other));
            if !may {
                return Err(forbidden(R::RIGHT.as_str()));
            }
            Ok(Self {
                principal,
                context,
                right: PhantomData,
            })
        })
    }
}

/// The token of an `Authorization: Bearer` header (RFC 6750 §2.1).
#[must_use]
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = header.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty()).then_some(token)
}

fn no_token() -> Problem {
    let detail = "A token is needed: sign in and send Authorization: Bearer with the access token.";
    Problem::new(Kind::Unauthenticated, "token-missing", detail)
}

fn forbidden(right: &str) -> Problem {
    let detail = format!("Your job does not bring the right {right}: ask your administrator.");
    Problem::new(Kind::Forbidden, "right-missing", &detail)
}

fn not_wired() -> Problem {
    Problem::new(Kind::Broken, "internal", "Something on our side is broken.")
}
