//! Access tokens.

use branchline_db::{DbError, TenantTx};
use branchline_kernel::{Timestamp, TppId};
use branchline_oauth::{
    ClientId, OAuthError, OpaqueToken, ResourceScope, Role, Roles, ServiceScope, TokenState,
};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::codes::GrantId;
use super::rows::access_token;

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
    let (text, grant) = match scope {
        TokenScope::Service(scope) => (scope.to_string(), None),
        TokenScope::Granted(scope, grant) => (scope.to_string(), Some(grant.0)),
    };
    let row = access_token::ActiveModel {
        hash: Set(token.hash().bytes().to_vec()),
        tpp: Set(client.tpp().uuid()),
        oauth_grant: Set(grant),
        scope: Set(text),
        issued_at: Set(tx.now()),
        expires_at: Set(expires_at),
        revoked_at: Set(None),
    };
    access_token::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
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
    let row = access_token::Entity::find_by_id(token.hash().bytes().to_vec())
        .one(tx)
        .await?;
    let found = row.map(AccessToken::try_from).transpose()?;
    Ok(found.map(|token| AccessToken {
        state: token.state.seen_at(tx.now()),
        ..token
    }))
}

/// Ends a token of `client`; one that is not its own stays as it is.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn revoke_token(
    tx: &TenantTx,
    client: ClientId,
    token: &OpaqueToken,
) -> Result<(), DbError> {
    access_token::Entity::update_many()
        .col_expr(access_token::Column::RevokedAt, Expr::value(tx.now()))
        .filter(access_token::Column::Hash.eq(token.hash().bytes().to_vec()))
        .filter(access_token::Column::Tpp.eq(client.tpp().uuid()))
        .filter(access_token::Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

fn inconsistent(_refused: OAuthError) -> DbError {
    DbError::Inconsistent {
        table: "access_token",
        column: "scope",
    }
}

impl TryFrom<access_token::Model> for AccessToken {
    type Error = DbError;

    fn try_from(row: access_token::Model) -> Result<Self, DbError> {
        let scope = match row.oauth_grant {
            Some(grant) => {
                TokenScope::Granted(row.scope.parse().map_err(inconsistent)?, GrantId(grant))
            }
            None => {
                // The roles were checked when the token was issued and are checked at each call.
                let all = Roles::try_from(vec![Role::Aisp, Role::Pisp]).map_err(inconsistent)?;
                let scope = ServiceScope::parse(Some(&row.scope), &all);
                TokenScope::Service(scope.map_err(inconsistent)?)
            }
        };
        Ok(Self {
            client: ClientId::of(TppId::from(row.tpp)),
            scope,
            state: match row.revoked_at {
                Some(at) => TokenState::Revoked { at },
                None => TokenState::Active {
                    expires_at: row.expires_at,
                },
            },
        })
    }
}
