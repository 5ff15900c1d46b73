//! Authorization requests as their clients pushed them.

use branchline_db::{DbError, TenantTx};
use branchline_oauth::{AuthorizationRequest, OAuthError, PushedState, RequestUri};

use super::store;
use crate::Refused;

/// Names a pushed request inside the gateway; it is a hash and opens nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushedKey(pub(crate) Vec<u8>);

/// A request as it was pushed, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Its name.
    pub key: PushedKey,
    /// What was asked.
    pub request: AuthorizationRequest,
    /// Whether it can still be opened or completed.
    pub state: PushedState,
}

/// Keeps a request under the hash of its name.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn push(
    tx: &TenantTx,
    uri: &RequestUri,
    request: &AuthorizationRequest,
) -> Result<(), DbError> {
    let expires_at = match PushedState::pushed(tx.now()) {
        PushedState::Open { expires_at } => expires_at,
        PushedState::Completed { at } => at,
    };
    store::insert_pushed(tx, uri.hash().bytes().to_vec(), request, expires_at).await
}

/// The request behind a name that a browser shows.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn find_pushed(tx: &TenantTx, uri: &RequestUri) -> Result<Option<Pushed>, DbError> {
    store::find_pushed(tx, uri.hash().bytes().to_vec()).await
}

/// The request with this key.
///
/// # Errors
/// [`OAuthError::InvalidRequestUri`] when there is none, and failures of the database.
pub async fn get_pushed(tx: &TenantTx, key: &PushedKey) -> Result<Pushed, Refused> {
    let found = store::find_pushed(tx, key.0.clone()).await?;
    found.ok_or_else(|| OAuthError::InvalidRequestUri.into())
}

/// Uses the request up.
///
/// # Errors
/// [`OAuthError::InvalidRequestUri`] when it was used up before, and failures of the database.
pub async fn complete(tx: &TenantTx, key: &PushedKey) -> Result<(), Refused> {
    if store::use_pushed(tx, key).await? {
        Ok(())
    } else {
        Err(OAuthError::InvalidRequestUri.into())
    }
}
