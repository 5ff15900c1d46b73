//! The register of third parties: one for the installation, enabled tenant by tenant.
//!
//! # Invariants
//! - An invitation registers one third party, once.
//! - Whoever is blocked, here or by the tenant, is found by nobody.

mod rows;
mod store;

use std::collections::BTreeMap;

use branchline_db::{DbError, PlatformTx};
use branchline_kernel::{TenantId, Timestamp, TppId};
use branchline_oauth::{ClientId, OAuthError, OpaqueToken, Registration};
use chrono::TimeDelta;

use crate::Refused;
pub use store::enable;

/// A third party as it registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tpp {
    /// Its id.
    pub id: TppId,
    /// What it registered with.
    pub registration: Registration,
    /// When.
    pub registered_at: Timestamp,
    /// Whether the installation has shut it out.
    pub is_blocked: bool,
}

impl Tpp {
    /// The name under which it authenticates.
    #[must_use]
    pub const fn client(&self) -> ClientId {
        ClientId::of(self.id)
    }

    /// The name that members read.
    #[must_use]
    pub fn name(&self) -> &str {
        self.registration.client_name.as_str()
    }
}

/// A line of the register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The third party.
    pub tpp: Tpp,
    /// The tenants that let it in.
    pub enabled_at: Vec<TenantId>,
}

/// How long an invitation may wait to be used.
pub const INVITATION_LIFE: TimeDelta = TimeDelta::days(7);

/// Keeps the hash of a fresh invitation. `note` says whom it is for.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn invite(tx: &PlatformTx, invitation: &OpaqueToken, note: &str) -> Result<(), DbError> {
    let expires_at = tx.now().checked_add_signed(INVITATION_LIFE);
    let hash = invitation.hash().bytes().to_vec();
    store::insert_invitation(tx, hash, note, expires_at.unwrap_or(tx.now())).await
}

/// Registers a third party and uses its invitation up.
///
/// # Errors
/// [`OAuthError::InvalidInvitation`], and failures of the database.
pub async fn register(
    tx: &PlatformTx,
    invitation: &OpaqueToken,
    registration: &Registration,
) -> Result<Tpp, Refused> {
    let id = tx.next_id();
    if !store::use_invitation(tx, invitation.hash().bytes().to_vec(), id).await? {
        return Err(OAuthError::InvalidInvitation.into());
    }
    let registered = Tpp {
        id: TppId::from(id),
        registration: registration.clone(),
        registered_at: tx.now(),
        is_blocked: false,
    };
    store::insert(tx, &registered).await?;
    Ok(registered)
}

/// A third party that neither the installation nor `tenant` has shut out.
///
/// # Errors
/// [`DbError`] when the register does not answer.
pub async fn find_enabled(
    tx: &PlatformTx,
    tenant: &TenantId,
    id: TppId,
) -> Result<Option<Tpp>, DbError> {
    if store::is_enabled(tx, tenant, id).await? {
        store::find(tx, id).await
    } else {
        Ok(None)
    }
}

/// All third parties, in the order in which they came.
///
/// # Errors
/// [`DbError`] when the register does not answer.
pub async fn list(tx: &PlatformTx) -> Result<Vec<Listed>, DbError> {
    let mut tenants: BTreeMap<_, Vec<TenantId>> = BTreeMap::new();
    for (id, tenant) in store::all_enabled(tx).await? {
        tenants.entry(id).or_default().push(tenant);
    }
    let registered = store::all(tx).await?.into_iter();
    let listed = registered.map(|tpp| Listed {
        enabled_at: tenants.remove(&tpp.id).unwrap_or_default(),
        tpp,
    });
    Ok(listed.collect())
}

/// The names of third parties by id, for pages that list what a member allowed.
///
/// # Errors
/// [`DbError`] when the register does not answer.
pub async fn names(tx: &PlatformTx, ids: &[TppId]) -> Result<BTreeMap<TppId, String>, DbError> {
    Ok(store::names(tx, ids).await?.into_iter().collect())
}
