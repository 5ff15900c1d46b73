//! The register of third parties: one for the installation, enabled tenant by tenant.
//!
//! # Invariants
//! - An invitation registers one third party, once.
//! - Whoever is blocked, here or by the tenant, is found by nobody.

mod rows;

use std::collections::BTreeMap;

use branchline_db::{DbError, OnConstraint, PlatformTx};
use branchline_kernel::{TenantId, Timestamp, TppId};
use branchline_oauth::{ClientId, OAuthError, OpaqueToken, Registration};
use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::Refused;
use rows::{tenant_tpp, tpp, tpp_invitation};

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
    let row = tpp_invitation::ActiveModel {
        hash: Set(invitation.hash().bytes().to_vec()),
        note: Set(note.to_owned()),
        created_at: Set(tx.now()),
        expires_at: Set(tx
            .now()
            .checked_add_signed(INVITATION_LIFE)
            .unwrap_or(tx.now())),
        used_at: Set(None),
        tpp: Set(None),
    };
    tpp_invitation::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
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
    let used = tpp_invitation::Entity::update_many()
        .col_expr(tpp_invitation::Column::UsedAt, Expr::value(tx.now()))
        .col_expr(tpp_invitation::Column::Tpp, Expr::value(id))
        .filter(tpp_invitation::Column::Hash.eq(invitation.hash().bytes().to_vec()))
        .filter(tpp_invitation::Column::UsedAt.is_null())
        .filter(tpp_invitation::Column::ExpiresAt.gt(tx.now()))
        .exec(tx)
        .await?;
    if used.rows_affected != 1 {
        return Err(OAuthError::InvalidInvitation.into());
    }
    let registered = Tpp {
        id: TppId::from(id),
        registration: registration.clone(),
        registered_at: tx.now(),
        is_blocked: false,
    };
    let row = tpp::ActiveModel {
        id: Set(id),
        name: Set(registered.name().to_owned()),
        registration: Set(serde_json::to_value(registration).map_err(unwritable)?),
        registered_at: Set(tx.now()),
        blocked_at: Set(None),
    };
    tpp::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(registered)
}

fn unwritable(_error: serde_json::Error) -> DbError {
    DbError::Inconsistent {
        table: "tpp",
        column: "registration",
    }
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
    let enabled = tenant_tpp::Entity::find_by_id((tenant.to_string(), id.uuid()))
        .filter(tenant_tpp::Column::BlockedAt.is_null())
        .one(tx)
        .await?;
    if enabled.is_none() {
        return Ok(None);
    }
    let row = tpp::Entity::find_by_id(id.uuid())
        .filter(tpp::Column::BlockedAt.is_null())
        .one(tx)
        .await?;
    row.map(Tpp::try_from).transpose()
}

/// Lets a third party in at `tenant`, also again after a block.
///
/// # Errors
/// [`OAuthError::UnknownClient`] when nobody registered under this id, and failures of the database.
pub async fn enable(tx: &PlatformTx, tenant: &TenantId, id: TppId) -> Result<(), Refused> {
    let row = tenant_tpp::ActiveModel {
        tenant: Set(tenant.to_string()),
        tpp: Set(id.uuid()),
        enabled_at: Set(tx.now()),
        blocked_at: Set(None),
    };
    let again = sea_orm::sea_query::OnConflict::columns([
        tenant_tpp::Column::Tenant,
        tenant_tpp::Column::Tpp,
    ])
    .update_columns([tenant_tpp::Column::EnabledAt, tenant_tpp::Column::BlockedAt])
    .to_owned();
    tenant_tpp::Entity::insert(row)
        .on_conflict(again)
        .exec_without_returning(tx)
        .await
        .on_constraint("tenant_tpp_tpp_fkey", || {
            Refused::from(OAuthError::UnknownClient)
        })?;
    Ok(())
}

/// All third parties, in the order in which they came.
///
/// # Errors
/// [`DbError`] when the register does not answer.
pub async fn list(tx: &PlatformTx) -> Result<Vec<Listed>, DbError> {
    let mut tenants: BTreeMap<_, Vec<TenantId>> = BTreeMap::new();
    let enabled = tenant_tpp::Entity::find()
        .filter(tenant_tpp::Column::BlockedAt.is_null())
        .order_by_asc(tenant_tpp::Column::Tenant)
        .all(tx)
        .await?;
    for row in enabled {
        let tenant = row
            .tenant
            .parse()
            .map_err(|_malformed| DbError::Inconsistent {
                table: "tenant_tpp",
                column: "tenant",
            })?;
        tenants.entry(row.tpp).or_default().push(tenant);
    }
    let rows = tpp::Entity::find()
        .order_by_asc(tpp::Column::RegisteredAt)
        .all(tx)
        .await?;
    rows.into_iter()
        .map(|row| {
            let enabled_at = tenants.remove(&row.id).unwrap_or_default();
            let tpp = Tpp::try_from(row)?;
            Ok(Listed { tpp, enabled_at })
        })
        .collect()
}

/// The names of third parties by id, for pages that list what a member allowed.
///
/// # Errors
/// [`DbError`] when the register does not answer.
pub async fn names(tx: &PlatformTx, ids: &[TppId]) -> Result<BTreeMap<TppId, String>, DbError> {
    let rows = tpp::Entity::find()
        .filter(tpp::Column::Id.is_in(ids.iter().map(|id| id.uuid())))
        .all(tx)
        .await?;
    let named = rows.into_iter().map(|row| (TppId::from(row.id), row.name));
    Ok(named.collect())
}
