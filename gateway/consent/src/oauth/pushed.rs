//! Authorization requests as their clients pushed them.

use branchline_db::{DbError, TenantTx};
use branchline_kernel::TppId;
use branchline_oauth::{AuthorizationRequest, ClientId, OAuthError, PushedState, RequestUri};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::rows::pushed_request;
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
    let row = pushed_request::ActiveModel {
        hash: Set(uri.hash().bytes().to_vec()),
        tpp: Set(request.client.tpp().uuid()),
        redirect_uri: Set(request.redirect_uri.to_string()),
        scope: Set(request.scope.to_string()),
        state: Set(request.state.clone()),
        code_challenge: Set(request.challenge.as_str().to_owned()),
        expires_at: Set(expires_at),
        completed_at: Set(None),
    };
    pushed_request::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// The request behind a name that a browser shows.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn find_pushed(tx: &TenantTx, uri: &RequestUri) -> Result<Option<Pushed>, DbError> {
    find(tx, uri.hash().bytes().to_vec()).await
}

/// The request with this key.
///
/// # Errors
/// [`OAuthError::InvalidRequestUri`] when there is none, and failures of the database.
pub async fn get_pushed(tx: &TenantTx, key: &PushedKey) -> Result<Pushed, Refused> {
    let found = find(tx, key.0.clone()).await?;
    found.ok_or_else(|| OAuthError::InvalidRequestUri.into())
}

async fn find(tx: &TenantTx, hash: Vec<u8>) -> Result<Option<Pushed>, DbError> {
    let row = pushed_request::Entity::find_by_id(hash).one(tx).await?;
    row.map(Pushed::try_from).transpose()
}

/// Uses the request up.
///
/// # Errors
/// [`OAuthError::InvalidRequestUri`] when it was used up before, and failures of the database.
pub async fn complete(tx: &TenantTx, key: &PushedKey) -> Result<(), Refused> {
    let done = pushed_request::Entity::update_many()
        .col_expr(pushed_request::Column::CompletedAt, Expr::value(tx.now()))
        .filter(pushed_request::Column::Hash.eq(key.0.clone()))
        .filter(pushed_request::Column::CompletedAt.is_null())
        .exec(tx)
        .await?;
    if done.rows_affected == 1 {
        Ok(())
    } else {
        Err(OAuthError::InvalidRequestUri.into())
    }
}

fn inconsistent(column: &'static str) -> DbError {
    DbError::Inconsistent {
        table: "pushed_request",
        column,
    }
}

impl TryFrom<pushed_request::Model> for Pushed {
    type Error = DbError;

    fn try_from(row: pushed_request::Model) -> Result<Self, DbError> {
        let redirect_uri = row.redirect_uri.try_into();
        let request = AuthorizationRequest {
            client: ClientId::of(TppId::from(row.tpp)),
            redirect_uri: redirect_uri.map_err(|_refused| inconsistent("redirect_uri"))?,
            scope: row
                .scope
                .parse()
                .map_err(|_refused| inconsistent("scope"))?,
            state: row.state,
            challenge: row
                .code_challenge
                .parse()
                .map_err(|_refused| inconsistent("code_challenge"))?,
        };
        Ok(Self {
            key: PushedKey(row.hash),
            request,
            state: match row.completed_at {
                Some(at) => PushedState::Completed { at },
                None => PushedState::Open {
                    expires_at: row.expires_at,
                },
            },
        })
    }
}
