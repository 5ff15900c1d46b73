//! The development identity: a small OpenID provider without passwords, so that a newcomer needs
//! neither Java nor Keycloak.
//!
//! # Invariants
//! - It exists in profile `dev` with a loopback public address only, answers loopback peers only,
//!   and says on every page that anyone can sign in as anyone.
//! - Its tokens carry the claims that Keycloak's carry, and it holds clients to the same rules, so
//!   that what works with it works with Keycloak.

mod codes;
mod login;
mod pages;
mod redeem;
mod signing;
mod store;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use actix_web::{HttpResponse, guard, web};
use branchline_kernel::{Clock, Secret, TenantSlug};
use serde_json::json;

use self::codes::Codes;
use self::signing::SigningKey;
use self::store::{RealmFile, Store};
use super::{CLI_CLIENT, GATEWAY_CLIENT, IdentityError, Realm, RealmSpec, is_loopback};

/// Where and whether the development identity may run.
pub struct DevIdentityConfig {
    /// The address under which browsers reach the gateway, such as `http://127.0.0.1:8080`.
    pub public_url: String,
    /// Whether the installation runs in profile `dev`.
    pub is_dev_profile: bool,
    /// Where its people and its signing key are kept.
    pub directory: PathBuf,
}

/// The development identity; clones are one and the same.
#[derive(Clone)]
pub struct DevIdentity(Arc<Inner>);

struct Inner {
    base_url: String,
    store: Store,
    key: SigningKey,
    codes: Codes,
    clock: Arc<dyn Clock>,
}

impl DevIdentity {
    /// Opens its directory and makes what is missing there.
    ///
    /// # Errors
    /// [`IdentityError::NotForDevelopment`] outside profile `dev` or with an address that others
    /// can reach; [`IdentityError::File`] and its like when the directory does not serve.
    pub fn open(config: DevIdentityConfig, clock: Arc<dyn Clock>) -> Result<Self, IdentityError> {
        let DevIdentityConfig {
            public_url,
            is_dev_profile,
            directory,
        } = config;
        if !is_dev_profile || !is_loopback(&public_url) {
            return Err(IdentityError::NotForDevelopment { public_url });
        }
        let store = Store::open(directory)?;
        let key = SigningKey::open(&store)?;
        Ok(Self(Arc::new(Inner {
            base_url: format!("{}/dev-identity", public_url.trim_end_matches('/')),
            store,
            key,
            codes: Codes::default(),
            clock,
        })))
    }

    /// Adds its addresses, `/dev-identity/{slug}/…`, to a server.
    pub fn configure(&self, config: &mut web::ServiceConfig) {
        let loopback_only = guard::fn_guard(|request| {
            let peer = request.head().peer_addr;
            peer.is_some_and(|peer| peer.ip().is_loopback())
        });
        let scope = web::scope("/dev-identity/{slug}")
            .guard(loopback_only)
            .app_data(web::Data::new(self.clone()))
            .route(
                "/.well-known/openid-configuration",
                web::get().to(discovery),
            )
            .route("/jwks", web::get().to(jwks))
            .route("/authorize", web::get().to(login::show))
            .route("/authorize", web::post().to(login::choose))
            .route("/token", web::post().to(redeem::token))
            .route("/style.css", web::get().to(pages::style));
        config.service(scope);
    }

    /// Makes or mends a realm; an existing client secret and everybody's subject stay.
    pub(super) async fn provision(&self, spec: &RealmSpec) -> Result<Realm, IdentityError> {
        let issuer = self.issuer(&spec.slug);
        let known = self.0.store.find(&spec.slug).await?;
        let file = RealmFile::of(spec, known, &issuer)?;
        self.0.store.save(&spec.slug, &file).await?;
        Ok(Realm {
            jwks_uri: format!("{issuer}/jwks"),
            issuer,
            client_id: GATEWAY_CLIENT.to_owned(),
            cli_client_id: CLI_CLIENT.to_owned(),
            people: file.subjects_of(&spec.people),
            client_secret: Secret::new(file.client_secret),
        })
    }

    pub(super) async fn delete_realm(&self, slug: &TenantSlug) -> Result<(), IdentityError> {
        self.0.store.remove(slug).await
    }

    fn issuer(&self, slug: &TenantSlug) -> String {
        format!("{}/{slug}", self.0.base_url)
    }

    /// The realm of a path, and its issuer; whatever is no realm's name has none.
    async fn find_realm(
        &self,
        slug: &str,
    ) -> Result<Option<(TenantSlug, RealmFile)>, IdentityError> {
        let Ok(slug) = slug.parse::<TenantSlug>() else {
            return Ok(None);
        };
        let realm = self.0.store.find(&slug).await?;
        Ok(realm.map(|realm| (slug, realm)))
    }
}

/// What a client needs to know (OpenID Connect Discovery 1.0 §3, RFC 8414 §2, RFC 9207 §3).
async fn discovery(dev: web::Data<DevIdentity>, slug: web::Path<String>) -> HttpResponse {
    let issuer = match dev.find_realm(&slug).await {
        Ok(Some((slug, _))) => dev.issuer(&slug),
        Ok(None) => return HttpResponse::NotFound().finish(),
        Err(error) => return pages::broken(&error),
    };
    HttpResponse::Ok().json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/jwks"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile"],
        "token_endpoint_auth_methods_supported":
            ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "azp",
            "name", "given_name", "family_name", "preferred_username"],
    }))
}

async fn jwks(dev: web::Data<DevIdentity>, slug: web::Path<String>) -> HttpResponse {
    match dev.find_realm(&slug).await {
        Ok(Some(_)) => HttpResponse::Ok().json(json!({ "keys": [dev.0.key.public()] })),
        Ok(None) => HttpResponse::NotFound().finish(),
        Err(error) => pages::broken(&error),
    }
}
