//! Queries of the register.

use branchline_db::{DbError, OnConstraint, PlatformTx};
use branchline_kernel::{TenantId, Timestamp, TppId};
use branchline_oauth::OAuthError;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use uuid::Uuid;

use super::Tpp;
use super::rows::{tenant_tpp, tpp, tpp_invitation, write_registration};
use crate::Refused;

pub(super) async fn insert_invitation(
    tx: &PlatformTx,
    hash: Vec<u8>,
    note: &str,
    expires_at: Timestamp,
) -> Result<(), DbError> {
    let row = tpp_invitation::ActiveModel {
        hash: Set(hash),
        note: Set(note.to_owned()),
        created_at: Set(tx.now()),
        expires_at: Set(expires_at),
        used_at: Set(None),
        tpp: Set(None),
    };
    tpp_invitation::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Whether the invitation was open until now; it is used up by `id` then.
pub(super) async fn use_invitation(
    tx: &PlatformTx,
    hash: Vec<u8>,
    id: Uuid,
) -> Result<bool, DbError> {
    let used = tpp_invitation::Entity::update_many()
        .col_expr(tpp_invitation::Column::UsedAt, Expr::value(tx.now()))
        .col_expr(tpp_invitation::Column::Tpp, Expr::value(id))
        .filter(tpp_invitation::Column::Hash.eq(hash))
        .filter(tpp_invitation::Column::UsedAt.is_null())
        .filter(tpp_invitation::Column::ExpiresAt.gt(tx.now()))
        .exec(tx)
        .await?;
    Ok(used.rows_affected == 1)
}

pub(super) async fn insert(tx: &PlatformTx, registered: &Tpp) -> Result<(), DbError> {
    let row = tpp::ActiveModel {
        id: Set(registered.id.uuid()),
        name: Set(registered.name().to_owned()),
        registration: Set(write_registration(&registered.registration)?),
        registered_at: Set(registered.registered_at),
        blocked_at: Set(None),
    };
    tpp::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

/// Whether `tenant` lets this third party in.
pub(super) async fn is_enabled(
    tx: &PlatformTx,
    tenant: &TenantId,
    id: TppId,
) -> Result<bool, DbError> {
    let row = tenant_tpp::Entity::find_by_id((tenant.to_string(), id.uuid()))
        .filter(tenant_tpp::Column::BlockedAt.is_null())
        .one(tx)
        .await?;
    Ok(row.is_some())
}

/// A third party that the installation has not shut out.
pub(super) async fn find(tx: &PlatformTx, id: TppId) -> Result<Option<Tpp>, DbError> {
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
    let again = OnConflict::columns([tenant_tpp::Column::Tenant, tenant_tpp::Column::Tpp])
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

/// Which tenant lets which third party in, by tenant.
pub(super) async fn all_enabled(tx: &PlatformTx) -> Result<Vec<(TppId, TenantId)>, DbError> {
    let rows = tenant_tpp::Entity::find()
        .filter(tenant_tpp::Column::BlockedAt.is_null())
        .order_by_asc(tenant_tpp::Column::Tenant)
        .all(tx)
        .await?;
    let read = |row: tenant_tpp::Model| {
        let tenant = row.tenant.parse();
        let tenant = tenant.map_err(|_malformed| DbError::Inconsistent {
            table: "tenant_tpp",
            column: "tenant",
        })?;
        Ok((TppId::from(row.tpp), tenant))
    };
    rows.into_iter().map(read).collect()
}

/// All third parties, in the order in which they came.
pub(super) async fn all(tx: &PlatformTx) -> Result<Vec<Tpp>, DbError> {
    let rows = tpp::Entity::find()
        .order_by_asc(tpp::Column::RegisteredAt)
        .all(tx)
        .await?;
    rows.into_iter().map(Tpp::try_from).collect()
}

pub(super) async fn names(tx: &PlatformTx, ids: &[TppId]) -> Result<Vec<(TppId, String)>, DbError> {
    let rows = tpp::Entity::find()
        .filter(tpp::Column::Id.is_in(ids.iter().map(|id| id.uuid())))
        .all(tx)
        .await?;
    let named = rows.into_iter().map(|row| (TppId::from(row.id), row.name));
    Ok(named.collect())
}
