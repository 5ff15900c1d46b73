//! Asks the core. No transaction is open while it answers.

use branchline_core_contract::{
    AccountListDto, AuthorisePaymentDto, BalancesDto, EntryPageDto, NewPaymentDto, PaymentDto,
};
use branchline_iam::{ActorKind, ActorRef, InternalSigner, KeyError, Principal, Right};
use branchline_kernel::{
    AccountId, Kind, PaymentId, Refusal, RequestId, TenantId, Timestamp, TppId,
};
use branchline_oauth::ClientId;
use branchline_xs2a::Psu;
use chrono::NaiveDate;
use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

/// The core's API, and our right to speak to it.
pub(crate) struct Core {
    http: reqwest::Client,
    url: String,
    signer: InternalSigner,
}

/// For whom the core is asked, and by whose wish.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    /// The tenant.
    pub(crate) tenant: TenantId,
    /// The third party whose call it is; none when the member herself is at our pages, so that
    /// the core shows only what is hers.
    pub(crate) tpp: Option<TppId>,
    /// The member, once she is known.
    pub(crate) psu: Option<Psu>,
    /// The only accounts that may be touched.
    pub(crate) accounts: Option<Vec<AccountId>>,
    /// What the core's audit rows repeat.
    pub(crate) request: RequestId,
    /// Now.
    pub(crate) now: Timestamp,
}

/// Why the core gave no answer that can be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CoreError {
    /// It could not be reached, or broke off; what was asked may have been done.
    #[error("the core could not be reached")]
    Unreachable(#[source] reqwest::Error),
    /// It refused.
    #[error("the core refused with {status} {code}")]
    Refused {
        /// The status.
        status: u16,
        /// The code of its problem.
        code: String,
        /// Its sentence for the caller.
        detail: String,
    },
    /// It failed.
    #[error("the core failed with {0}")]
    Failed(u16),
    /// Its answer does not fit the contract.
    #[error("the core's answer does not fit the contract")]
    Unreadable(#[source] serde_json::Error),
    /// Its answer holds a value that cannot be.
    #[error("the core's answer holds a {0} that cannot be")]
    Impossible(&'static str),
    /// We could not sign who asks.
    #[error("the internal token could not be signed")]
    Token(#[from] KeyError),
}

impl CoreError {
    /// Whether asking again may help: also while another request with our key is being worked on.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Failed(_) | Self::Token(_) => true,
            Self::Refused { code, .. } => code == "key-in-flight",
            Self::Unreadable(_) | Self::Impossible(_) => false,
        }
    }
}

impl Refusal for CoreError {
    fn kind(&self) -> Kind {
        match self {
            Self::Unreachable(_) | Self::Token(_) | Self::Failed(503) => Kind::Unavailable,
            Self::Refused { status: 404, .. } => Kind::NotFound,
            Self::Refused {
                status: 409 | 422, ..
            } => Kind::Conflict,
            Self::Refused { .. } | Self::Failed(_) | Self::Unreadable(_) | Self::Impossible(_) => {
                Kind::Broken
            }
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unreachable(_) | Self::Token(_) => "core-unavailable",
            Self::Refused { .. } => "core-refused",
            Self::Failed(_) | Self::Unreadable(_) | Self::Impossible(_) => "core-failed",
        }
    }

    fn public(&self) -> String {
        match self {
            Self::Refused { detail, .. } => detail.clone(),
            Self::Unreachable(_)
            | Self::Token(_)
            | Self::Failed(_)
            | Self::Unreadable(_)
            | Self::Impossible(_) => {
                "The accounts cannot be reached for the moment. Try again in a minute.".to_owned()
            }
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Problem {
    code: String,
    detail: String,
}

/// Which part of a statement is wanted.
pub(crate) struct Period<'a> {
    pub(crate) from: NaiveDate,
    pub(crate) to: NaiveDate,
    pub(crate) cursor: Option<&'a str>,
}

impl Core {
    pub(crate) const fn new(http: reqwest::Client, url: String, signer: InternalSigner) -> Self {
        Self { http, url, signer }
    }

    pub(crate) async fn accounts(&self, asker: &Asker) -> Result<AccountListDto, CoreError> {
        let call = self.call(Method::GET, "accounts", asker, Right::ReadOwnAccounts)?;
        answer(call).await
    }

    pub(crate) async fn balances(
        &self,
        asker: &Asker,
        account: AccountId,
    ) -> Result<BalancesDto, CoreError> {
        let path = format!("accounts/{account}/balances");
        answer(self.call(Method::GET, &path, asker, Right::ReadOwnAccounts)?).await
    }

    pub(crate) async fn entries(
        &self,
        asker: &Asker,
        account: AccountId,
        period: &Period<'_>,
    ) -> Result<EntryPageDto, CoreError> {
        let path = format!("accounts/{account}/entries");
        let mut call = self
            .call(Method::GET, &path, asker, Right::ReadOwnAccounts)?
            .query(&[("date_from", period.from), ("date_to", period.to)]);
        if let Some(cursor) = period.cursor {
            call = call.query(&[("cursor", cursor)]);
        }
        answer(call).await
    }

    pub(crate) async fn initiate(
        &self,
        asker: &Asker,
        payment: &NewPaymentDto,
    ) -> Result<PaymentDto, CoreError> {
        let call = self
            .call(Method::POST, "payments", asker, Right::InitiatePayment)?
            .header("Idempotency-Key", payment.payment_id.to_string());
        answer(call.json(payment)).await
    }

    pub(crate) async fn payment(
        &self,
        asker: &Asker,
        payment: PaymentId,
    ) -> Result<PaymentDto, CoreError> {
        let path = format!("payments/{payment}");
        answer(self.call(Method::GET, &path, asker, Right::ReadPayment)?).await
    }

    pub(crate) async fn authorise(
        &self,
        asker: &Asker,
        payment: PaymentId,
        fingerprint: &str,
    ) -> Result<PaymentDto, CoreError> {
        let path = format!("payments/{payment}/authorise");
        let body = AuthorisePaymentDto {
            fingerprint: fingerprint.to_owned(),
        };
        let call = self
            .call(Method::POST, &path, asker, Right::AuthorisePayment)?
            .header(
                "Idempotency-Key",
                errand_key(payment, "authorise").to_string(),
            );
        answer(call.json(&body)).await
    }

    pub(crate) async fn cancel(
        &self,
        asker: &Asker,
        payment: PaymentId,
    ) -> Result<PaymentDto, CoreError> {
        let path = format!("payments/{payment}/cancel");
        let call = self
            .call(Method::POST, &path, asker, Right::InitiatePayment)?
            .header("Idempotency-Key", errand_key(payment, "cancel").to_string());
        answer(call).await
    }

    fn call(
        &self,
        method: Method,
        path: &str,
        asker: &Asker,
        right: Right,
    ) -> Result<RequestBuilder, CoreError> {
        let token = self.signer.sign(&principal(asker, right), asker.now)?;
        let url = format!("{}/v1/{path}", self.url);
        Ok(self
            .http
            .request(method, url)
            .bearer_auth(token)
            .header("X-Request-ID", asker.request.to_string()))
    }
}

/// One errand of one payment has one key, so that the core does it once however often it is told.
fn errand_key(payment: PaymentId, errand: &str) -> Uuid {
    Uuid::new_v5(&payment.uuid(), errand.as_bytes())
}

/// The one right that the call needs, and no other.
fn principal(asker: &Asker, right: Right) -> Principal {
    let actor = match asker.tpp {
        Some(tpp) => ActorRef::own(ActorKind::Tpp, &ClientId::of(tpp).to_string()),
        None => ActorRef::own(ActorKind::System, "gateway"),
    };
    Principal {
        tenant: asker.tenant.clone(),
        actor,
        on_behalf_of: asker
            .psu
            .as_ref()
            .map(|psu| ActorRef::new(ActorKind::Member, &psu.issuer, &psu.subject)),
        rights: [right].into_iter().collect(),
        accounts: asker.accounts.clone(),
        reference: Some(asker.request.to_string()),
    }
}

async fn answer<T: DeserializeOwned>(call: RequestBuilder) -> Result<T, CoreError> {
    let response = call.send().await.map_err(CoreError::Unreachable)?;
    let status = response.status();
    let body = response.bytes().await.map_err(CoreError::Unreachable)?;
    if status.is_success() {
        return serde_json::from_slice(&body).map_err(CoreError::Unreadable);
    }
    if !status.is_client_error() || matches!(status.as_u16(), 401 | 403 | 429) {
        // A core that does not take our token, or is overrun, is not the caller's fault.
        return Err(CoreError::Failed(status.as_u16()));
    }
    let Problem { code, detail } = serde_json::from_slice(&body).unwrap_or_default();
    Err(CoreError::Refused {
        status: status.as_u16(),
        code,
        detail,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use branchline_kernel::{Clock, IdSource, RandomIds, SystemClock};

    fn refused(status: u16, code: &str) -> CoreError {
        CoreError::Refused {
            status,
            code: code.to_owned(),
            detail: "The payment has changed.".to_owned(),
        }
    }

    #[test]
    fn only_what_may_pass_is_asked_again() {
        assert!(CoreError::Failed(503).may_pass());
        assert!(refused(409, "key-in-flight").may_pass());
        assert!(!refused(409, "payment-changed").may_pass());
        assert!(!refused(404, "not-found").may_pass());
    }

    #[test]
    fn a_refusal_is_told_in_the_cores_words_and_a_failure_is_not() {
        assert_eq!(refused(409, "x").public(), "The payment has changed.");
        assert!(!CoreError::Failed(500).public().contains("500"));
        assert_eq!(CoreError::Failed(500).kind(), Kind::Broken);
        assert_eq!(refused(404, "x").kind(), Kind::NotFound);
    }

    #[test]
    fn a_call_carries_one_right_and_the_member_it_is_for() {
        let asker = Asker {
            tenant: "lion".parse().unwrap(),
            tpp: None,
            psu: Some(Psu {
                issuer: "https://id.example".to_owned(),
                subject: "amina".to_owned(),
            }),
            accounts: Some(Vec::new()),
            request: RequestId::from(RandomIds.next()),
            now: SystemClock.now(),
        };
        let caller = principal(&asker, Right::ReadPayment);
        assert_eq!(caller.actor.to_string(), "system:gateway");
        assert_eq!(
            caller.person().to_string(),
            "member:https://id.example#amina"
        );
        assert_eq!(
            caller.rights.iter().collect::<Vec<_>>(),
            [Right::ReadPayment]
        );
        assert_eq!(caller.accounts, Some(Vec::new()));
    }

    #[test]
    fn two_errands_of_one_payment_have_two_keys() {
        let payment = PaymentId::from(RandomIds.next());
        assert_ne!(
            errand_key(payment, "authorise"),
            errand_key(payment, "cancel")
        );
        assert_eq!(errand_key(payment, "cancel"), errand_key(payment, "cancel"));
    }
}
