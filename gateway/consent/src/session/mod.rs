//! Members at their browsers: sign-ins under way, sessions, and the request each browser works on.
//!
//! # Invariants
//! - Cookies and the `state` of a sign-in are kept as hashes.
//! - A sign-in comes back once, to the browser that began it.

mod interactions;
mod logins;
mod rows;

use aws_lc_rs::digest;
use branchline_db::{DbError, TenantTx};
use branchline_kernel::Timestamp;
use branchline_xs2a::Psu;
use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

pub use interactions::{Interaction, InteractionId, bind, find_interaction, open};
pub use logins::{Destination, LoginAttempt, begin_login, take_login};
use rows::member_session;

/// How long a session lasts; a member signs in anew for the next request after that.
pub const SESSION_LIFE: TimeDelta = TimeDelta::minutes(15);

/// The hash of a secret that a browser holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretHash(Vec<u8>);

impl SecretHash {
    /// The hash of what the browser shows.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(
            digest::digest(&digest::SHA256, secret.as_bytes())
                .as_ref()
                .to_vec(),
        )
    }

    /// The bytes, to derive form tokens from.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A signed-in member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The hash of the cookie.
    pub hash: SecretHash,
    /// Who signed in.
    pub psu: Psu,
    /// The name that her issuer gave.
    pub name: String,
    /// When the session ends.
    pub expires_at: Timestamp,
}

/// Keeps a session for a member who has just signed in.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn begin(
    tx: &TenantTx,
    hash: &SecretHash,
    psu: &Psu,
    name: &str,
) -> Result<Session, DbError> {
    let expires_at = tx
        .now()
        .checked_add_signed(SESSION_LIFE)
        .unwrap_or(tx.now());
    let row = member_session::ActiveModel {
        hash: Set(hash.0.clone()),
        psu_issuer: Set(psu.issuer.clone()),
        psu_subject: Set(psu.subject.clone()),
        name: Set(name.to_owned()),
        created_at: Set(tx.now()),
        expires_at: Set(expires_at),
        ended_at: Set(None),
    };
    member_session::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(Session {
        hash: hash.clone(),
        psu: psu.clone(),
        name: name.to_owned(),
        expires_at,
    })
}

/// The session behind a cookie, while it lasts.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn find(tx: &TenantTx, hash: &SecretHash) -> Result<Option<Session>, DbError> {
    let row = member_session::Entity::find_by_id(hash.0.clone())
        .filter(member_session::Column::EndedAt.is_null())
        .filter(member_session::Column::ExpiresAt.gt(tx.now()))
        .one(tx)
        .await?;
    Ok(row.map(|row| Session {
        hash: SecretHash(row.hash),
        psu: Psu {
            issuer: row.psu_issuer,
            subject: row.psu_subject,
        },
        name: row.name,
        expires_at: row.expires_at,
    }))
}

/// Signs a member out.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn end(tx: &TenantTx, hash: &SecretHash) -> Result<(), DbError> {
    member_session::Entity::update_many()
        .col_expr(member_session::Column::EndedAt, Expr::value(tx.now()))
        .filter(member_session::Column::Hash.eq(hash.0.clone()))
        .filter(member_session::Column::EndedAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

/// The name under which a member signed in last.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn find_name(tx: &TenantTx, psu: &Psu) -> Result<Option<String>, DbError> {
    let row = member_session::Entity::find()
        .filter(member_session::Column::PsuIssuer.eq(psu.issuer.clone()))
        .filter(member_session::Column::PsuSubject.eq(psu.subject.clone()))
        .order_by_desc(member_session::Column::CreatedAt)
        .one(tx)
        .await?;
    Ok(row.map(|row| row.name))
}
