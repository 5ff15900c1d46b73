//! What a signed-in member is working on: her session, the request behind the page, who asks.

use actix_web::HttpRequest;
use branchline_consent::oauth::{self, Pushed};
use branchline_consent::sca;
use branchline_consent::session::{self, Interaction, InteractionId, Session};
use branchline_consent::tpp::{self, Tpp};
use branchline_db::{Tenant, audit};
use branchline_iam::KeyPurpose;
use branchline_kernel::RequestId;
use branchline_oauth::{Issuer, OAuthError, PushedState, ResourceScope};
use branchline_web::request_context;
use uuid::Uuid;

use super::forms::{Form, Subject};
use super::page::Frame;
use super::refused::Refused;
use super::sign_in;
use crate::Gateway;
use crate::core_client::Asker;
use crate::gateway::TenantKey;

/// A member at work.
pub(super) struct Case {
    /// The institution.
    pub(super) tenant: Tenant,
    /// Its issuer.
    pub(super) issuer: Issuer,
    /// Her session.
    pub(super) session: Session,
    /// The pages she is on.
    pub(super) interaction: Interaction,
    /// What was asked.
    pub(super) pushed: Pushed,
    /// Who asked.
    pub(super) tpp: Tpp,
    request: RequestId,
    key: TenantKey,
}

/// What became of an address below `/approve`.
pub(super) enum Found {
    /// Her pages.
    Case(Box<Case>),
    /// Nobody is signed in; this is what she would work on.
    SignIn(Tenant, InteractionId),
}

impl Case {
    /// The case of the address. Somebody else's looks like none.
    pub(super) async fn of(gateway: &Gateway, request: &HttpRequest) -> Result<Found, Refused> {
        let tenant = sign_in::tenant(gateway, request).await?;
        let id = request.match_info().get("interaction").unwrap_or_default();
        let id: Uuid = id.parse().map_err(|_malformed| Refused::NothingHere)?;
        let id = InteractionId::from(id);
        let Some(session) = sign_in::session(gateway, &tenant, request).await? else {
            return Ok(Found::SignIn(tenant, id));
        };
        let (interaction, pushed) = gateway
            .look(&tenant.id, "system:pages", async |tx| {
                let interaction = session::find_interaction(tx, id)
                    .await?
                    .filter(|interaction| interaction.session.as_ref() == Some(&session.hash))
                    .ok_or(Refused::NothingHere)?;
                let pushed = oauth::get_pushed(tx, &interaction.pushed).await?;
                Ok::<_, Refused>((interaction, pushed))
            })
            .await?;
        if matches!(pushed.state, PushedState::Completed { .. }) {
            return Err(Refused::NothingHere);
        }
        let asking = pushed.request.client.tpp();
        let tpp = gateway
            .look_up(async |tx| tpp::find_enabled(tx, &tenant.id, asking).await)
            .await?
            .ok_or(OAuthError::UnknownClient)?;
        Ok(Found::Case(Box::new(Self {
            issuer: gateway.issuer(&tenant.slug),
            request: request_context(request).request_id(),
            key: gateway.key(&tenant.id, KeyPurpose::Pages).await?,
            tenant,
            session,
            interaction,
            pushed,
            tpp,
        })))
    }

    /// The same for a form: who is not signed in any more sends nothing.
    pub(super) async fn of_form(
        gateway: &Gateway,
        request: &HttpRequest,
    ) -> Result<Box<Self>, Refused> {
        match Self::of(gateway, request).await? {
            Found::Case(case) => Ok(case),
            Found::SignIn(..) => Err(Refused::Form),
        }
    }

    /// What is approved.
    pub(super) const fn object(&self) -> sca::Object {
        match self.pushed.request.scope {
            ResourceScope::Consent(id) => sca::Object::Consent(id),
            ResourceScope::Payment(id) => sca::Object::Payment(id),
        }
    }

    /// Who acts, as audit rows name her.
    pub(super) fn actor(&self) -> String {
        let psu = &self.session.psu;
        format!("member:{}#{}", psu.issuer, psu.subject)
    }

    /// What the audit keeps of a step.
    pub(super) fn event(&self, operation: &'static str, outcome: &str) -> audit::Event {
        audit::Event {
            operation: operation.to_owned(),
            object: Some(self.pushed.request.scope.to_string()),
            outcome: outcome.to_owned(),
            request_id: Some(self.request.uuid()),
            reference: Some(self.tpp.client().to_string()),
            ..audit::Event::default()
        }
    }

    /// Asks the core in her name.
    pub(super) fn asker(&self, gateway: &Gateway) -> Asker {
        Asker {
            tenant: self.tenant.id.clone(),
            tpp: None,
            psu: Some(self.session.psu.clone()),
            accounts: None,
            request: self.request,
            now: gateway.now(),
        }
    }

    pub(super) fn frame(&self, gateway: &Gateway) -> Frame {
        Frame::of(gateway, &self.tenant, Some(&self.session.name))
    }

    /// The address of the first page, or of the one behind it.
    pub(super) fn address(&self, behind: &str) -> String {
        self.issuer
            .at(&format!("approve/{}{behind}", self.interaction.id))
    }

    /// The path of a form; forms stay on the origin whatever our address is called.
    pub(super) fn path(&self, behind: &str) -> String {
        let (slug, id) = (&self.tenant.slug, self.interaction.id);
        format!("/t/{slug}/approve/{id}{behind}")
    }

    /// The token of a form about these things.
    pub(super) fn token(&self, form: &'static str, about: &[&str]) -> String {
        let id = self.interaction.id.to_string();
        let about = [&[id.as_str()], about].concat();
        let subject = Subject {
            form,
            about: &about,
        };
        subject.token(self.key.expose(), &self.session.hash)
    }

    /// Refuses a form that is not about these things any more.
    pub(super) fn check(
        &self,
        form: &'static str,
        about: &[&str],
        sent: &Form,
    ) -> Result<(), Refused> {
        let id = self.interaction.id.to_string();
        let about = [&[id.as_str()], about].concat();
        let subject = Subject {
            form,
            about: &about,
        };
        subject.check(self.key.expose(), &self.session.hash, sent)
    }
}
