//! Queries over members at their browsers.

use branchline_db::{DbError, TenantTx};
use branchline_kernel::Timestamp;
use branchline_xs2a::Psu;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};

use super::interactions::{Interaction, InteractionId};
use super::logins::{Destination, LoginAttempt};
use super::rows::{interaction, login_attempt, member_session};
use super::{SecretHash, Session};

pub(super) async fn insert(tx: &TenantTx, session: &Session) -> Result<(), DbError> {
    let row = member_session::ActiveModel {
        hash: Set(session.hash.0.clone()),
        psu_issuer: Set(session.psu.issuer.clone()),
        psu_subject: Set(session.psu.subject.clone()),
        name: Set(session.name.clone()),
        created_at: Set(tx.now()),
        expires_at: Set(session.expires_at),
        ended_at: Set(None),
    };
    member_session::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
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
    Ok(row.map(Session::from))
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

pub(super) async fn insert_interaction(
    tx: &TenantTx,
    opened: &Interaction,
    expires_at: Timestamp,
) -> Result<(), DbError> {
    let row = interaction::ActiveModel {
        id: Set(opened.id.uuid()),
        pushed: Set(opened.pushed.0.clone()),
        session: Set(opened.session.as_ref().map(|hash| hash.0.clone())),
        opened_at: Set(opened.opened_at),
        expires_at: Set(expires_at),
    };
    interaction::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Gives an interaction to the session of the member who has signed in for it.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn bind(tx: &TenantTx, id: InteractionId, session: &SecretHash) -> Result<(), DbError> {
    interaction::Entity::update_many()
        .col_expr(interaction::Column::Session, Expr::value(session.0.clone()))
        .filter(interaction::Column::Id.eq(id.uuid()))
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
    let row = interaction::Entity::find_by_id(id.uuid())
        .filter(interaction::Column::ExpiresAt.gt(tx.now()))
        .one(tx)
        .await?;
    Ok(row.map(Interaction::from))
}

pub(super) async fn insert_login(
    tx: &TenantTx,
    (state, browser): (&SecretHash, &SecretHash),
    attempt: &LoginAttempt,
    expires_at: Timestamp,
) -> Result<(), DbError> {
    let (destination, interaction) = match attempt.destination {
        Destination::Approve(id) => ("approve", Some(id.uuid())),
        Destination::Me => ("me", None),
    };
    let row = login_attempt::ActiveModel {
        hash: Set(state.0.clone()),
        browser: Set(browser.0.clone()),
        nonce: Set(attempt.nonce.clone()),
        verifier: Set(attempt.verifier.clone()),
        destination: Set(destination.to_owned()),
        interaction: Set(interaction),
        expires_at: Set(expires_at),
        used_at: Set(None),
    };
    login_attempt::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Whether the sign-in was this browser's and open until now; it is used up then.
pub(super) async fn use_login(
    tx: &TenantTx,
    state: &SecretHash,
    browser: &SecretHash,
) -> Result<bool, DbError> {
    let used = login_attempt::Entity::update_many()
        .col_expr(login_attempt::Column::UsedAt, Expr::value(tx.now()))
        .filter(login_attempt::Column::Hash.eq(state.0.clone()))
        .filter(login_attempt::Column::Browser.eq(browser.0.clone()))
        .filter(login_attempt::Column::UsedAt.is_null())
        .filter(login_attempt::Column::ExpiresAt.gt(tx.now()))
        .exec(tx)
        .await?;
    Ok(used.rows_affected == 1)
}

pub(super) async fn find_login(
    tx: &TenantTx,
    state: &SecretHash,
) -> Result<Option<LoginAttempt>, DbError> {
    let row = login_attempt::Entity::find_by_id(state.0.clone())
        .one(tx)
        .await?;
    Ok(row.map(LoginAttempt::from))
}
