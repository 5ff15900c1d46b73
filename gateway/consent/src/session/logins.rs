//! Sign-ins under way at the institution's issuer.

use branchline_db::{DbError, TenantTx};
use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::SecretHash;
use super::interactions::InteractionId;
use super::rows::login_attempt;

/// Where the member goes once she has signed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    /// The pages of a pushed request.
    Approve(InteractionId),
    /// The list of what she has allowed.
    Me,
}

/// What must fit when the browser comes back.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginAttempt {
    /// The nonce that the ID token must repeat.
    pub nonce: String,
    /// The PKCE verifier.
    pub verifier: String,
    /// Where she goes then.
    pub destination: Destination,
}

/// How long a sign-in may take.
const LOGIN_LIFE: TimeDelta = TimeDelta::minutes(15);

/// Keeps a sign-in under the hash of its `state`, bound to the browser's own secret.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn begin_login(
    tx: &TenantTx,
    state: &SecretHash,
    browser: &SecretHash,
    attempt: &LoginAttempt,
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
        expires_at: Set(tx.now().checked_add_signed(LOGIN_LIFE).unwrap_or(tx.now())),
        used_at: Set(None),
    };
    login_attempt::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// The sign-in that comes back to this browser with this `state`; it is used up.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn take_login(
    tx: &TenantTx,
    state: &SecretHash,
    browser: &SecretHash,
) -> Result<Option<LoginAttempt>, DbError> {
    let used = login_attempt::Entity::update_many()
        .col_expr(login_attempt::Column::UsedAt, Expr::value(tx.now()))
        .filter(login_attempt::Column::Hash.eq(state.0.clone()))
        .filter(login_attempt::Column::Browser.eq(browser.0.clone()))
        .filter(login_attempt::Column::UsedAt.is_null())
        .filter(login_attempt::Column::ExpiresAt.gt(tx.now()))
        .exec(tx)
        .await?;
    if used.rows_affected != 1 {
        return Ok(None);
    }
    let row = login_attempt::Entity::find_by_id(state.0.clone())
        .one(tx)
        .await?;
    Ok(row.map(|row| LoginAttempt {
        nonce: row.nonce,
        verifier: row.verifier,
        destination: row.interaction.map_or(Destination::Me, |id| {
            Destination::Approve(InteractionId::from(id))
        }),
    }))
}
