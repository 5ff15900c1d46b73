//! Queries over pushed requests, grants, codes and tokens.

use branchline_db::{DbError, TenantTx};
use branchline_kernel::Timestamp;
use branchline_oauth::{
    AuthorizationCode, AuthorizationRequest, ClientId, OpaqueToken, ResourceScope,
};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};

use super::codes::GrantId;
use super::pushed::{Pushed, PushedKey};
use super::rows::{access_token, authorization_code, oauth_grant, pushed_request, read_granted};
use super::tokens::AccessToken;

pub(super) async fn insert_pushed(
    tx: &TenantTx,
    hash: Vec<u8>,
    request: &AuthorizationRequest,
    expires_at: Timestamp,
) -> Result<(), DbError> {
    let row = pushed_request::ActiveModel {
        hash: Set(hash),
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

pub(super) async fn find_pushed(tx: &TenantTx, hash: Vec<u8>) -> Result<Option<Pushed>, DbError> {
    let row = pushed_request::Entity::find_by_id(hash).one(tx).await?;
    row.map(Pushed::try_from).transpose()
}

/// Whether the request was not used up before; it is now.
pub(super) async fn use_pushed(tx: &TenantTx, key: &PushedKey) -> Result<bool, DbError> {
    let done = pushed_request::Entity::update_many()
        .col_expr(pushed_request::Column::CompletedAt, Expr::value(tx.now()))
        .filter(pushed_request::Column::Hash.eq(key.0.clone()))
        .filter(pushed_request::Column::CompletedAt.is_null())
        .exec(tx)
        .await?;
    Ok(done.rows_affected == 1)
}

pub(super) async fn insert_grant(
    tx: &TenantTx,
    id: GrantId,
    request: &AuthorizationRequest,
) -> Result<(), DbError> {
    let granted = oauth_grant::ActiveModel {
        id: Set(id.0),
        tpp: Set(request.client.tpp().uuid()),
        scope: Set(request.scope.to_string()),
        created_at: Set(tx.now()),
        revoked_at: Set(None),
    };
    oauth_grant::Entity::insert(granted)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// What was granted, while the grant is not revoked.
pub(super) async fn find_granted(
    tx: &TenantTx,
    grant: GrantId,
) -> Result<Option<ResourceScope>, DbError> {
    let row = oauth_grant::Entity::find_by_id(grant.0)
        .filter(oauth_grant::Column::RevokedAt.is_null())
        .one(tx)
        .await?;
    row.map(|row| read_granted(&row)).transpose()
}

/// Revokes a grant and every token that came of it.
///
/// # Errors
/// [`DbError`] when the rows cannot be written.
pub async fn revoke_grant(tx: &TenantTx, grant: GrantId) -> Result<(), DbError> {
    oauth_grant::Entity::update_many()
        .col_expr(oauth_grant::Column::RevokedAt, Expr::value(tx.now()))
        .filter(oauth_grant::Column::Id.eq(grant.0))
        .filter(oauth_grant::Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    access_token::Entity::update_many()
        .col_expr(access_token::Column::RevokedAt, Expr::value(tx.now()))
        .filter(access_token::Column::OauthGrant.eq(grant.0))
        .filter(access_token::Column::RevokedAt.is_null())
        .exec(tx)
        .await?;
    Ok(())
}

pub(super) async fn insert_code(
    tx: &TenantTx,
    code: &OpaqueToken,
    (grant, request): (GrantId, &AuthorizationRequest),
    expires_at: Timestamp,
) -> Result<(), DbError> {
    let row = authorization_code::ActiveModel {
        hash: Set(code.hash().bytes().to_vec()),
        oauth_grant: Set(grant.0),
        tpp: Set(request.client.tpp().uuid()),
        redirect_uri: Set(request.redirect_uri.to_string()),
        code_challenge: Set(request.challenge.as_str().to_owned()),
        expires_at: Set(expires_at),
        redeemed_at: Set(None),
    };
    authorization_code::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// A code and the grant that it carries, locked until the transaction ends.
pub(super) async fn lock_code(
    tx: &TenantTx,
    code: &OpaqueToken,
) -> Result<Option<(GrantId, AuthorizationCode)>, DbError> {
    let row = authorization_code::Entity::find_by_id(code.hash().bytes().to_vec())
        .lock_exclusive()
        .one(tx)
        .await?;
    row.map(|row| {
        let grant = GrantId(row.oauth_grant);
        Ok((grant, AuthorizationCode::try_from(row)?))
    })
    .transpose()
}

pub(super) async fn mark_redeemed(tx: &TenantTx, code: &OpaqueToken) -> Result<(), DbError> {
    authorization_code::Entity::update_many()
        .col_expr(
            authorization_code::Column::RedeemedAt,
            Expr::value(tx.now()),
        )
        .filter(authorization_code::Column::Hash.eq(code.hash().bytes().to_vec()))
        .exec(tx)
        .await?;
    Ok(())
}

pub(super) async fn insert_token(
    tx: &TenantTx,
    (token, client): (&OpaqueToken, ClientId),
    (scope, grant): (String, Option<GrantId>),
    expires_at: Timestamp,
) -> Result<(), DbError> {
    let row = access_token::ActiveModel {
        hash: Set(token.hash().bytes().to_vec()),
        tpp: Set(client.tpp().uuid()),
        oauth_grant: Set(grant.map(|grant| grant.0)),
        scope: Set(scope),
        issued_at: Set(tx.now()),
        expires_at: Set(expires_at),
        revoked_at: Set(None),
    };
    access_token::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// A token as it was written; its caller looks at it at a moment.
pub(super) async fn find_token(
    tx: &TenantTx,
    token: &OpaqueToken,
) -> Result<Option<AccessToken>, DbError> {
    let row = access_token::Entity::find_by_id(token.hash().bytes().to_vec())
        .one(tx)
        .await?;
    row.map(AccessToken::try_from).transpose()
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
