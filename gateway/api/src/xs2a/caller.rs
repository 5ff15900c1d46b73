//! Who calls, with which token: the first checks of every XS2A operation, in their order.

use actix_web::HttpRequest;
use branchline_consent::oauth::{AccessToken, TokenScope, find_token};
use branchline_consent::tpp::{self, Tpp};
use branchline_db::Tenant;
use branchline_kernel::{ConsentId, RequestId};
use branchline_oauth::{Issuer, ResourceScope, Role, TokenState, bearer_token};
use branchline_web::request_context;
use branchline_xs2a::{Psu, Xs2aError, request_id};

use super::refused::Refused;
use crate::Gateway;
use crate::core_client::Asker;

/// A third party whose token was good and which may call this service here.
pub(crate) struct Caller {
    /// The institution of the path.
    pub(crate) tenant: Tenant,
    /// Who calls.
    pub(crate) tpp: Tpp,
    /// The issuer of the institution.
    pub(crate) issuer: Issuer,
    /// The caller's name for this request.
    pub(crate) request: RequestId,
    scope: TokenScope,
    role: Role,
}

/// A header as text; one that is no text is as wrong as one that is malformed.
pub(crate) fn header(request: &HttpRequest, name: &str) -> Option<String> {
    let value = request.headers().get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// A part of the path.
pub(crate) fn part<'a>(request: &'a HttpRequest, name: &str) -> &'a str {
    request.match_info().get(name).unwrap_or_default()
}

impl Caller {
    /// Tenant, token, third party, role, request id.
    pub(crate) async fn of(
        gateway: &Gateway,
        request: &HttpRequest,
        role: Role,
    ) -> Result<Self, Refused> {
        let slug = part(request, "tenant");
        let tenant = gateway
            .find_tenant(slug)
            .await?
            .ok_or_else(Xs2aError::resource_unknown)?;
        request_context(request).set_tenant(&tenant.id);
        let token = token(gateway, request, &tenant).await?;
        let tpp = gateway
            .look_up(async |tx| tpp::find_enabled(tx, &tenant.id, token.client.tpp()).await)
            .await?
            .ok_or_else(|| {
                Xs2aError::service_blocked("this institution does not let you in: ask it")
            })?;
        if !tpp.registration.roles.has(role) {
            return Err(Xs2aError::role_invalid().into());
        }
        let named = header(request, "X-Request-ID");
        Ok(Self {
            request: request_id(named.as_deref())?,
            issuer: gateway.issuer(&tenant.slug),
            scope: token.scope,
            tenant,
            tpp,
            role,
        })
    }

    /// The name under which rows of audit and keys know the caller.
    pub(crate) fn actor(&self) -> String {
        format!("tpp:{}", self.tpp.client())
    }

    /// The caller must come with its own token, for the service.
    pub(crate) fn for_itself(&self) -> Result<(), Refused> {
        match &self.scope {
            TokenScope::Service(scope) if scope.opens(self.role) => Ok(()),
            TokenScope::Service(_) => Err(Xs2aError::token_invalid(
                "the token's scope does not open this service: get one with the right scope",
            )
            .into()),
            TokenScope::Granted(..) => Err(Xs2aError::wrong_grant().into()),
        }
    }

    /// The caller's own token opens everything it made; a member's token opens the one thing that
    /// she granted.
    pub(crate) fn may_touch(&self, resource: ResourceScope) -> Result<(), Refused> {
        match &self.scope {
            TokenScope::Service(_) => self.for_itself(),
            TokenScope::Granted(granted, _) if *granted == resource => Ok(()),
            TokenScope::Granted(..) => {
                Err(Xs2aError::token_invalid("the token is for something else").into())
            }
        }
    }

    /// The consent that a member's token is bound to; a client's own token reads no accounts.
    pub(crate) fn granted_consent(&self) -> Result<ConsentId, Refused> {
        match &self.scope {
            TokenScope::Granted(ResourceScope::Consent(id), _) => Ok(*id),
            TokenScope::Granted(ResourceScope::Payment(_), _) => {
                Err(Xs2aError::token_invalid("the token is for a payment").into())
            }
            TokenScope::Service(_) => Err(Xs2aError::service_blocked(
                "accounts are read with the token of the member's authorization: get one with \
                 the authorization_code grant",
            )
            .into()),
        }
    }

    /// Asks the core for this caller.
    pub(crate) fn asker(&self, gateway: &Gateway, psu: Option<Psu>) -> Asker {
        Asker {
            tenant: self.tenant.id.clone(),
            tpp: Some(self.tpp.id),
            psu,
            accounts: None,
            request: self.request,
            now: gateway.now(),
        }
    }
}

/// The token, sought only at the tenant of the path: another institution's is as unknown as a
/// random one.
async fn token(
    gateway: &Gateway,
    request: &HttpRequest,
    tenant: &Tenant,
) -> Result<AccessToken, Refused> {
    let shown = header(request, "Authorization");
    let shown = match bearer_token(shown.as_deref()) {
        Ok(Some(token)) => token,
        Ok(None) | Err(_) => return Err(Xs2aError::token_unknown().into()),
    };
    let found = gateway
        .look(&tenant.id, "system:token", async |tx| {
            find_token(tx, &shown).await
        })
        .await?
        .ok_or_else(Xs2aError::token_unknown)?;
    match found.state {
        TokenState::Active { .. } => Ok(found),
        TokenState::Expired { .. } => Err(Xs2aError::token_expired().into()),
        TokenState::Revoked { .. } => {
            Err(Xs2aError::token_invalid("the token was revoked: get a new one").into())
        }
    }
}
