//! The core's listener inside the test, and callers with real tokens.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use actix_web::http::Method;
use actix_web::test::{TestRequest, call_service, init_service, read_body};
use actix_web::{App as ActixApp, web};
use branchline_banking::{self as banking, Institution};
use branchline_db::Access;
use branchline_iam::{
    ActorKind, ActorRef, InternalSigner, InternalVerifier, Principal, Right, generate_internal_key,
};
use branchline_kernel::{AccountId, IdSource, RandomIds, TenantId};
use branchline_ledger::{Engine, EngineLimits};
use branchline_testkit::{Installation, installation};
use branchline_web::{App, Callers, input_limits};
use serde_json::{Value, json};
use uuid::Uuid;

/// What a call was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Value,
}

impl Answered {
    /// The code of a refusal.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        (self.status, self.body["code"].as_str().unwrap_or(""))
    }

    pub(crate) fn text(&self, field: &str) -> String {
        self.body[field].as_str().unwrap().to_owned()
    }
}

type Calling = Pin<Box<dyn Future<Output = Answered>>>;

/// The core with two institutions.
pub(crate) struct Api {
    service: Box<dyn Fn(TestRequest) -> Calling>,
    signer: InternalSigner,
    pub(crate) engine: Engine,
    pub(crate) made: Installation,
}

/// Somebody with a token.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) principal: Principal,
}

impl Caller {
    fn new(tenant: &TenantId, actor: ActorRef, rights: &[Right]) -> Self {
        Self {
            principal: Principal {
                tenant: tenant.clone(),
                actor,
                on_behalf_of: None,
                rights: rights.iter().copied().collect(),
                accounts: None,
                reference: None,
            },
        }
    }

    /// A member with every right of members.
    pub(crate) fn member(tenant: &TenantId, name: &str) -> Self {
        let rights = branchline_iam::Job::Member.rights();
        Self::new(tenant, person(name), rights)
    }

    /// Staff with every right of staff.
    pub(crate) fn staff(tenant: &TenantId) -> Self {
        let actor = ActorRef::new(ActorKind::Staff, "https://id.test", "teller");
        Self::new(tenant, actor, branchline_iam::Job::Supervisor.rights())
    }

    /// A third party that acts for nobody yet.
    pub(crate) fn tpp(tenant: &TenantId, name: &str) -> Self {
        let actor = ActorRef::own(ActorKind::Tpp, name);
        Self::new(tenant, actor, &[Right::InitiatePayment, Right::ReadPayment])
    }

    /// The same third party for a member.
    pub(crate) fn for_member(mut self, name: &str) -> Self {
        self.principal.on_behalf_of = Some(person(name));
        self.principal.rights = branchline_iam::Job::Member
            .rights()
            .iter()
            .copied()
            .collect();
        self
    }

    /// Staff who keep the institution's settings.
    pub(crate) fn admin(tenant: &TenantId) -> Self {
        let actor = ActorRef::new(ActorKind::Staff, "https://id.test", "admin");
        Self::new(tenant, actor, branchline_iam::Job::TenantAdmin.rights())
    }

    /// Limited to these accounts.
    pub(crate) fn only(mut self, accounts: &[&str]) -> Self {
        let ids = accounts.iter().map(|id| id.parse::<AccountId>().unwrap());
        self.principal.accounts = Some(ids.collect());
        self
    }
}

fn person(name: &str) -> ActorRef {
    ActorRef::new(ActorKind::Member, "https://id.test", name)
}

/// Starts the core inside the test.
pub(crate) async fn api() -> Option<Api> {
    api_with(EngineLimits::STANDARD).await
}

/// The same with an engine of those limits.
pub(crate) async fn api_with(limits: EngineLimits) -> Option<Api> {
    let made = installation("the core's operations", 4).await?;
    for (tenant, bank_code) in [(&made.lion, "70010001"), (&made.elephant, "70010002")] {
        let tx = made
            .core
            .tenant(tenant, "system:provisioning", Access::Write)
            .await
            .unwrap();
        let institution = Institution {
            country: "DE".to_owned(),
            bank_code: bank_code.to_owned(),
            currency: "EUR".parse().unwrap(),
        };
        banking::establish(&tx, &institution).await.unwrap();
        tx.commit().await.unwrap();
    }
    let keys = generate_internal_key().unwrap();
    let signer = InternalSigner::try_new(&keys.private_pem).unwrap();
    let verifier = InternalVerifier::try_new(&keys.public_pem, None).unwrap();
    let callers = Callers {
        people: None,
        programs: Some(verifier),
    };
    let app = web::Data::new(App::new(made.core.clone(), callers));
    let engine = Engine::try_new(&made.core, limits).unwrap();
    let shared = web::Data::new(engine.clone());
    let service = Rc::new(
        init_service(
            ActixApp::new()
                .app_data(app)
                .app_data(shared)
                .configure(input_limits)
                .configure(branchline_core_api::configure),
        )
        .await,
    );
    let service = move |request: TestRequest| -> Calling {
        let service = Rc::clone(&service);
        Box::pin(async move {
            let response = call_service(&*service, request.to_request()).await;
            let status = response.status().as_u16();
            let retry_after = response.headers().get("Retry-After");
            let retry_after = retry_after.map(|value| value.to_str().unwrap().to_owned());
            let bytes = read_body(response).await;
            let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
            Answered {
                status,
                retry_after,
                body,
            }
        })
    };
    Some(Api {
        service: Box::new(service),
        signer,
        engine,
        made,
    })
}

impl Api {
    pub(crate) fn bearer(&self, caller: &Caller) -> String {
        let now = self.made.core.clock().now();
        format!(
            "Bearer {}",
            self.signer.sign(&caller.principal, now).unwrap()
        )
    }

    pub(crate) async fn get(&self, caller: &Caller, path: &str) -> Answered {
        let request =
            TestRequest::with_uri(path).insert_header(("Authorization", self.bearer(caller)));
        self.call(request).await
    }

    /// A change with a key of its own.
    pub(crate) async fn post(&self, caller: &Caller, path: &str, body: &Value) -> Answered {
        self.post_with(caller, path, body, RandomIds.next()).await
    }

    /// A change with that key.
    pub(crate) async fn post_with(
        &self,
        caller: &Caller,
        path: &str,
        body: &Value,
        key: Uuid,
    ) -> Answered {
        let request = TestRequest::with_uri(path)
            .method(Method::POST)
            .insert_header(("Authorization", self.bearer(caller)))
            .insert_header(("Idempotency-Key", key.to_string()))
            .set_json(body);
        self.call(request).await
    }

    pub(crate) async fn call(&self, request: TestRequest) -> Answered {
        (self.service)(request).await
    }

    /// An account of a new member with that name and that much cash on it.
    pub(crate) async fn account(&self, tenant: &TenantId, name: &str, amount: &str) -> Answered {
        let staff = Caller::staff(tenant);
        let login = json!({"issuer": "https://id.test", "subject": name});
        let member = json!({"name": name, "login": login});
        let member = self.post(&staff, "/v1/members", &member).await;
        let new =
            json!({"member_id": member.body["member_id"], "currency": "EUR", "product": "current"});
        let account = self.post(&staff, "/v1/accounts", &new).await;
        assert_eq!(account.status, 201, "{account:?}");
        if amount != "0.00" {
            let path = format!("/v1/accounts/{}/deposits", account.text("account_id"));
            let cash = json!({"amount": {"amount": amount, "currency": "EUR"}});
            assert_eq!(self.post(&staff, &path, &cash).await.status, 201);
        }
        account
    }
}
