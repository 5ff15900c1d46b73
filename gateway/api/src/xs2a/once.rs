//! What a third party changes, it changes once per `X-Request-ID`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, LOCATION};
use branchline_db::idempotency::Key;
use branchline_db::{Digest, TenantTx, audit};
use branchline_web::{Answer, Outcome, Relay};
use branchline_xs2a::Xs2aError;
use uuid::Uuid;

use super::caller::Caller;
use super::refused::Refused;
use crate::Gateway;

/// A change under its key.
pub(crate) struct Once<'a> {
    /// Who calls.
    pub(crate) caller: &'a Caller,
    /// The operation, by its id in the OpenAPI document.
    pub(crate) operation: &'static str,
    /// What makes two requests the same: ids of the path, the body.
    pub(crate) content: &'a [&'a [u8]],
}

impl Once<'_> {
    /// Asks the core with nothing open, then writes with `finish`. A repeat gets the answer that
    /// was given; another request under the same key is refused.
    pub(crate) async fn run<T>(
        &self,
        gateway: &Gateway,
        ask: impl AsyncFn(Uuid) -> Result<T, Refused>,
        finish: impl AsyncFn(&TenantTx, T, Uuid) -> Result<Answer, Refused>,
    ) -> Result<HttpResponse, Refused> {
        let caller = self.caller;
        let relay = Relay {
            tenant: caller.tenant.id.clone(),
            actor: caller.actor(),
            key: Key {
                client: caller.tpp.client().to_string(),
                operation: self.operation.to_owned(),
                key: caller.request.uuid(),
            },
            request_hash: Digest::of(self.content).bytes(),
        };
        let outcome = gateway
            .app()
            .relay(
                &relay,
                async |_tx, id| Ok::<_, Refused>(id),
                async |_prepared, id| ask(id).await,
                async |tx, id, told| {
                    let answer = finish(tx, told, *id).await?;
                    self.record(tx, *id).await?;
                    Ok(answer)
                },
            )
            .await?;
        match outcome {
            Outcome::Done(answer) | Outcome::Repeated(answer) => Ok(respond(&answer)),
            Outcome::InFlight => Err(Xs2aError::in_flight().into()),
            Outcome::OtherContent => Err(Xs2aError::request_id_reused().into()),
        }
    }

    async fn record(&self, tx: &TenantTx, id: Uuid) -> Result<(), Refused> {
        let event = audit::Event {
            operation: self.operation.to_owned(),
            object: Some(id.to_string()),
            outcome: "done".to_owned(),
            request_id: Some(self.caller.request.uuid()),
            ..audit::Event::default()
        };
        Ok(audit::record(tx, event).await?)
    }
}

/// What was created says where it is and how its member approves it.
fn respond(answer: &Answer) -> HttpResponse {
    let mut response = answer.respond();
    if answer.status >= 400 {
        // A remembered refusal is in the words of the standard, not in those of our own interfaces.
        let json = actix_web::http::header::HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
    }
    if answer.status != StatusCode::CREATED.as_u16() {
        return response;
    }
    let headers = response.headers_mut();
    let itself = answer.body.pointer("/_links/self/href");
    if let Some(Ok(address)) = itself.and_then(|href| href.as_str()).map(str::parse) {
        headers.insert(LOCATION, address);
    }
    headers.insert(
        actix_web::http::header::HeaderName::from_static("aspsp-sca-approach"),
        actix_web::http::header::HeaderValue::from_static("REDIRECT"),
    );
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_remembered_refusal_is_not_a_problem_of_our_own_interfaces() {
        let body = serde_json::json!({"tppMessages": []});
        let told = respond(&Answer { status: 404, body });
        let kind = told.headers().get(CONTENT_TYPE).cloned();
        assert_eq!(kind, "application/json".parse().ok());
    }

    #[test]
    fn what_was_created_names_its_address_and_approach() {
        let body =
            serde_json::json!({"_links": {"self": {"href": "http://h/t/lion/v1/consents/1"}}});
        let created = respond(&Answer { status: 201, body });
        let header = |name: &str| created.headers().get(name).cloned();
        let address = "http://h/t/lion/v1/consents/1".parse().ok();
        assert_eq!(header("location"), address);
        assert_eq!(header("aspsp-sca-approach"), "REDIRECT".parse().ok());
        let ended = respond(&Answer::no_content());
        assert!(!ended.headers().contains_key("location"));
    }
}
