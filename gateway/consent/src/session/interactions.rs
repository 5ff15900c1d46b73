//! One browser working through one pushed request.

use branchline_db::{DbError, TenantTx};
use branchline_kernel::Timestamp;
use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::SecretHash;
use super::rows::interaction;
use crate::oauth::PushedKey;

/// Names an interaction in the address of its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InteractionId(Uuid);

impl From<Uuid> for InteractionId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl std::fmt::Display for InteractionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl InteractionId {
    pub(crate) const fn uuid(self) -> Uuid {
        self.0
    }
}

/// How long a member may take to sign in, read, choose and type her code.
const INTERACTION_LIFE: TimeDelta = TimeDelta::minutes(30);

/// A browser and the request it works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interaction {
    /// Its name.
    pub id: InteractionId,
    /// The request.
    pub pushed: PushedKey,
    /// The session it belongs to, once somebody has signed in.
    pub session: Option<SecretHash>,
    /// When it was opened.
    pub opened_at: Timestamp,
}

/// Opens the pages of a pushed request for one browser.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn open(
    tx: &TenantTx,
    pushed: &PushedKey,
    session: Option<&SecretHash>,
) -> Result<InteractionId, DbError> {
    let id = tx.next_id();
    let row = interaction::ActiveModel {
        id: Set(id),
        pushed: Set(pushed.0.clone()),
        session: Set(session.map(|hash| hash.0.clone())),
        opened_at: Set(tx.now()),
        expires_at: Set(tx
            .now()
            .checked_add_signed(INTERACTION_LIFE)
            .unwrap_or(tx.now())),
    };
    interaction::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(InteractionId(id))
}

/// Gives an interaction to the session of the member who has signed in for it.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn bind(tx: &TenantTx, id: InteractionId, session: &SecretHash) -> Result<(), DbError> {
    interaction::Entity::update_many()
        .col_expr(interaction::Column::Session, Expr::value(session.0.clone()))
        .filter(interaction::Column::Id.eq(id.0))
        .exec(tx)
        .await?;
    Ok(())
}

/// The interaction with this id, while it lasts.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn find_interaction(
    tx: &TenantTx,
    id: InteractionId,
) -> Result<Option<Interaction>, DbError> {
    let row = interaction::Entity::find_by_id(id.0)
        .filter(interaction::Column::ExpiresAt.gt(tx.now()))
        .one(tx)
        .await?;
    Ok(row.map(|row| Interaction {
        id: InteractionId(row.id),
        pushed: PushedKey(row.pushed),
        session: row.session.map(SecretHash),
        opened_at: row.opened_at,
    }))
}
