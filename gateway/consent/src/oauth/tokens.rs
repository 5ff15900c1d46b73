//! Access tokens.

use branchline_db::{DbError, TenantTx};
use branchline_kernel::Timestamp;
use branchline_oauth::{ClientId, OpaqueToken, ResourceScope, ServiceScope, TokenState};

use super::codes::GrantId;
use super::store;

/// What a token opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenScope {
    /// Creating consents, initiating payments: the client's own token.
    Service(ServiceScope),
    /// One consent or payment that a member granted.
    Granted(ResourceScope, GrantId),
}

/// A token as it was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// Who holds it.
    pub client: ClientId,
    /// What it opens.
    pub scope: TokenScope,
    /// Whether it is still good.
    pub state: TokenState,
}

/// Keeps the hash of a fresh token and says when it ends.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn issue_token(
    tx: &TenantTx,
    token: &OpaqueToken,
    client: ClientId,
    scope: &TokenScope,
) -> Result<Timestamp, DbError> {
    let expires_at = match TokenState::issued(tx.now()) {
        TokenState::Active { expires_at } => expires_at,
        TokenState::Expired { since: at } | TokenState::Revoked { at } => at,
    };
    let scope = match scope {
        TokenScope::Service(scope) => (scope.to_string(), None),
        TokenScope::Granted(scope, grant) => (scope.to_string(), Some(*grant)),
    };
    store::insert_token(tx, (token, client), scope, expires_at).await?;
    Ok(expires_at)
}

/// The token behind what a caller shows, as it stands now.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn find_token(
    tx: &TenantTx,
    token: &OpaqueToken,
) -> Result<Option<AccessToken>, DbError> {
    let found = store::find_token(tx, token).await?;
    Ok(found.map(|token| AccessToken {
        state: token.state.seen_at(tx.now()),
        ..token
    }))
}
