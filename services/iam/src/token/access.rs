//! People's access tokens, as Keycloak and the development identity issue them.

use branchline_kernel::{TenantId, Timestamp};
use jsonwebtoken::Algorithm;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::directory::IssuerDirectory;
use super::jwks::KeyCache;
use super::jws::Jws;
use super::{Audience, CORE_AUDIENCE, Lifetime, TokenError};
use crate::identity::CLI_CLIENT;
use crate::{ActorKind, ActorRef, Job, Principal, Rights};

/// Realms give five minutes; an hour is the most that a changed realm may give.
const MOST_LIFE_SECS: i64 = 3600;
const ALGORITHMS: [Algorithm; 3] = [Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA];
/// The clients whose users may call the core directly.
const CLIENTS: [&str; 1] = [CLI_CLIENT];

#[derive(Deserialize)]
struct Issuer {
    iss: String,
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    aud: Audience,
    /// Keycloak's own mark of what a token is: `Bearer`, `ID`, `Refresh`, `DPoP`.
    typ: String,
    azp: String,
    realm_access: Option<RealmAccess>,
    /// Present when the token is bound to a key of its holder (RFC 7800).
    cnf: Option<IgnoredAny>,
    #[serde(flatten)]
    life: Lifetime,
}

#[derive(Deserialize)]
struct RealmAccess {
    roles: Vec<String>,
}

/// Verifies people's access tokens and says who they are in which tenant.
pub struct AccessTokens {
    issuers: IssuerDirectory,
    keys: KeyCache,
}

impl AccessTokens {
    /// Verifies tokens of these issuers, with keys fetched through this client.
    #[must_use]
    pub fn new(http: reqwest::Client, issuers: IssuerDirectory) -> Self {
        Self {
            issuers,
            keys: KeyCache::new(http),
        }
    }

    /// The person that the token names, in the tenant that its issuer belongs to.
    ///
    /// # Errors
    /// [`TokenError`] saying what is wrong with the token; [`TokenError::KeysUnavailable`] when
    /// the issuer's keys were never seen and cannot be fetched.
    pub async fn verify(&self, token: &str, now: Timestamp) -> Result<Principal, TokenError> {
        let jws = Jws::parse(token)?;
        // Refused before anything is looked up or fetched.
        if !ALGORITHMS.contains(&jws.header.alg) {
            return Err(TokenError::Algorithm);
        }
        let kid = jws.header.kid.as_deref().ok_or(TokenError::Malformed)?;
        let Issuer { iss } = jws.unverified()?;
        let issuer = self.issuers.lookup(&iss).ok_or(TokenError::UnknownIssuer)?;
        let key = self.keys.key(&issuer.jwks_uri, kid, now).await?;
        let claims: Claims = jws.verified(&key.key, key.algorithm)?;
        claims.check(now)?;
        Ok(claims.principal(issuer.tenant, &iss))
    }
}

impl Claims {
    fn check(&self, now: Timestamp) -> Result<(), TokenError> {
        if self.typ != "Bearer" || self.cnf.is_some() || self.sub.is_empty() {
            return Err(TokenError::NotAnAccessToken);
        }
        self.life.check(now, MOST_LIFE_SECS)?;
        if !self.aud.names(CORE_AUDIENCE) {
            return Err(TokenError::Audience);
        }
        if !CLIENTS.contains(&self.azp.as_str()) {
            return Err(TokenError::NotAnAccessToken);
        }
        Ok(())
    }

    fn principal(self, tenant: TenantId, issuer: &str) -> Principal {
        let roles = self.realm_access.map(|access| access.roles);
        let jobs: Vec<Job> = roles
            .iter()
            .flatten()
            .filter_map(|role| Job::find_by_role(role))
            .collect();
        let kind = if jobs.iter().any(|job| job.is_staff()) {
            ActorKind::Staff
        } else {
            ActorKind::Member
        };
        Principal {
            tenant,
            actor: ActorRef::new(kind, issuer, &self.sub),
            on_behalf_of: None,
            rights: jobs
                .iter()
                .flat_map(|job| job.rights().iter().copied())
                .collect::<Rights>(),
            accounts: None,
            reference: None,
        }
    }
}
