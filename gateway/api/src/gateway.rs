//! The gateway put together: what its handlers share.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use branchline_consent::keys;
use branchline_db::{Access, Db, DbError, PlatformTx, Tenant, TenantTx};
use branchline_iam::{InternalSigner, KeyPurpose, MasterKey, MasterKeyError};
use branchline_kernel::{Kind, Refusal, Secret, TenantId, TenantSlug, Timestamp};
use branchline_oauth::{Issuer, LoopbackHttp};
use branchline_web::{App, Replays};
use branchline_xs2a::Moment;

use crate::core_client::Core;
use crate::login::Providers;

/// Which rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A laptop, a demo, a test: loopback, and a page that shows members' messages.
    Dev,
    /// Anything that others can reach.
    Production,
}

/// What a gateway is put together from.
pub struct Parts {
    /// The wrapper around operations, with the door to the databases.
    pub app: Arc<App>,
    /// Assertions that were used.
    pub replays: Arc<Replays>,
    /// The one client for calls to others.
    pub http: reqwest::Client,
    /// Signs what the core is told.
    pub signer: InternalSigner,
    /// Unwraps the tenants' keys.
    pub master: MasterKey,
    /// The core's address, without a slash at the end.
    pub core_url: String,
    /// Our address as others see it, without a slash at the end.
    pub public_url: String,
    /// Which rules hold.
    pub profile: Profile,
}

/// A key of a tenant, unwrapped.
pub(crate) type TenantKey = Arc<Secret<Vec<u8>>>;

/// The gateway; its handlers share one.
pub struct Gateway {
    app: Arc<App>,
    replays: Arc<Replays>,
    master: MasterKey,
    keys: RwLock<HashMap<(TenantId, KeyPurpose), TenantKey>>,
    core: Core,
    providers: Providers,
    public_url: String,
    profile: Profile,
}

/// A tenant's key could not be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// Provisioning did not make it.
    #[error("the tenant has no key for {0}")]
    Missing(&'static str),
    /// It does not unwrap.
    #[error("a key of the tenant could not be unwrapped")]
    Wrapped(#[from] MasterKeyError),
    /// The database failed.
    #[error("a key of the tenant could not be read")]
    Db(#[from] DbError),
}

impl Refusal for KeyError {
    fn kind(&self) -> Kind {
        match self {
            Self::Missing(_) | Self::Wrapped(_) => Kind::Broken,
            Self::Db(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Missing(_) | Self::Wrapped(_) => "internal",
            Self::Db(error) => error.code(),
        }
    }

    fn public(&self) -> String {
        match self {
            Self::Missing(_) | Self::Wrapped(_) => {
                "Something on our side is broken. Tell your institution.".to_owned()
            }
            Self::Db(error) => error.public(),
        }
    }
}

impl Gateway {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self {
            core: Core::new(parts.http.clone(), parts.core_url, parts.signer),
            providers: Providers::new(parts.http),
            app: parts.app,
            replays: parts.replays,
            master: parts.master,
            keys: RwLock::default(),
            public_url: parts.public_url.trim_end_matches('/').to_owned(),
            profile: parts.profile,
        }
    }

    pub(crate) fn app(&self) -> &App {
        &self.app
    }

    pub(crate) fn db(&self) -> &Db {
        self.app.db()
    }

    pub(crate) fn core(&self) -> &Core {
        &self.core
    }

    pub(crate) fn providers(&self) -> &Providers {
        &self.providers
    }

    pub(crate) fn replays(&self) -> &Replays {
        &self.replays
    }

    pub(crate) fn public_url(&self) -> &str {
        &self.public_url
    }

    pub(crate) fn is_dev(&self) -> bool {
        match self.profile {
            Profile::Dev => true,
            Profile::Production => false,
        }
    }

    /// Plain HTTP back to a client's own machine is for laptops only.
    pub(crate) fn loopback(&self) -> LoopbackHttp {
        match self.profile {
            Profile::Dev => LoopbackHttp::Allowed,
            Profile::Production => LoopbackHttp::Refused,
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.db().clock().now()
    }

    /// Institutions count their days in UTC until they have a calendar of their own.
    pub(crate) fn moment(&self) -> Moment {
        Moment::utc(self.now())
    }

    pub(crate) fn issuer(&self, slug: &TenantSlug) -> Issuer {
        Issuer::of(&self.public_url, slug)
    }

    /// The tenant of a path; a text that cannot be a name is nobody's.
    pub(crate) async fn find_tenant(&self, slug: &str) -> Result<Option<Tenant>, DbError> {
        match slug.parse() {
            Ok(slug) => self.db().find_tenant(&slug).await,
            Err(_) => Ok(None),
        }
    }

    /// Reads one consistent state of a tenant.
    pub(crate) async fn look<T, E: From<DbError>>(
        &self,
        tenant: &TenantId,
        actor: &str,
        work: impl AsyncFnOnce(&TenantTx) -> Result<T, E>,
    ) -> Result<T, E> {
        let tx = self.db().tenant(tenant, actor, Access::Read).await?;
        let seen = work(&tx).await?;
        tx.rollback().await?;
        Ok(seen)
    }

    /// Changes something of a tenant; what `work` refuses changes nothing.
    pub(crate) async fn change<T, E: From<DbError>>(
        &self,
        tenant: &TenantId,
        actor: &str,
        work: impl AsyncFnOnce(&TenantTx) -> Result<T, E>,
    ) -> Result<T, E> {
        let tx = self.db().tenant(tenant, actor, Access::Write).await?;
        let done = work(&tx).await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Reads the register.
    pub(crate) async fn look_up<T, E: From<DbError>>(
        &self,
        work: impl AsyncFnOnce(&PlatformTx) -> Result<T, E>,
    ) -> Result<T, E> {
        let tx = self.db().platform(Access::Read).await?;
        let seen = work(&tx).await?;
        tx.rollback().await?;
        Ok(seen)
    }

    /// A key of the tenant, unwrapped once and then kept in memory.
    pub(crate) async fn key(
        &self,
        tenant: &TenantId,
        purpose: KeyPurpose,
    ) -> Result<TenantKey, KeyError> {
        let name = (tenant.clone(), purpose);
        let known = {
            let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
            keys.get(&name).map(Arc::clone)
        };
        if let Some(key) = known {
            return Ok(key);
        }
        let wrapped = self
            .look(tenant, "system:keys", async |tx| {
                keys::find(tx, purpose.as_str()).await
            })
            .await?
            .ok_or(KeyError::Missing(purpose.as_str()))?;
        let key = Arc::new(self.master.unwrap(tenant, purpose, &wrapped)?);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.insert(name, Arc::clone(&key));
        Ok(key)
    }
}
