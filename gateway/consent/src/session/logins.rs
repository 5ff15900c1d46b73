//! Sign-ins under way at the institution's issuer.

use branchline_db::{DbError, TenantTx};
use chrono::TimeDelta;

use super::interactions::InteractionId;
use super::{SecretHash, store};

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
    let expires_at = tx.now().checked_add_signed(LOGIN_LIFE);
    store::insert_login(
        tx,
        (state, browser),
        attempt,
        expires_at.unwrap_or(tx.now()),
    )
    .await
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
    if store::use_login(tx, state, browser).await? {
        store::find_login(tx, state).await
    } else {
        Ok(None)
    }
}
