//! Grants and the codes that carry them to their client.

use branchline_db::{DbError, TenantTx};
use branchline_kernel::TppId;
use branchline_oauth::{
    AuthorizationCode, AuthorizationRequest, ClientId, CodeExchange, CodeRefused, CodeState,
    OAuthError, OpaqueToken, ResourceScope,
};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::rows::{access_token, authorization_code, oauth_grant};
use crate::Refused;

/// What a member granted to one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrantId(pub(crate) Uuid);

/// A code that was good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Redeemed {
    /// The grant that it carried.
    pub grant: GrantId,
    /// The consent or payment that was granted.
    pub scope: ResourceScope,
}

/// Why a code was not redeemed.
#[derive(Debug, thiserror::Error)]
pub enum RedeemError {
    /// A rule refuses it.
    #[error("the code is not good")]
    Code {
        /// Which rule.
        #[source]
        refused: CodeRefused,
        /// The grant behind the code, to be revoked when the rule says so.
        grant: GrantId,
    },
    /// There is no such code.
    #[error("the code is unknown")]
    Unknown,
    /// The database failed.
    #[error("the code could not be read or written")]
    Db(#[from] DbError),
}

impl From<DbErr> for RedeemError {
    fn from(error: DbErr) -> Self {
        Self::Db(error.into())
    }
}

impl From<RedeemError> for Refused {
    fn from(error: RedeemError) -> Self {
        match error {
            RedeemError::Code { refused, .. } => Self::Rule(refused.into()),
            RedeemError::Unknown => Self::Rule(OAuthError::InvalidCode),
            RedeemError::Db(error) => Self::Db(error),
        }
    }
}

impl RedeemError {
    /// The grant that must be revoked, in a transaction of its own.
    #[must_use]
    pub const fn revokes(&self) -> Option<GrantId> {
        match self {
            Self::Code { refused, grant } if refused.revokes_family() => Some(*grant),
            Self::Code { .. } | Self::Unknown | Self::Db(_) => None,
        }
    }
}

/// Writes down what a member granted, and the code for it.
///
/// # Errors
/// [`DbError`] when the rows cannot be written.
pub async fn grant(
    tx: &TenantTx,
    request: &AuthorizationRequest,
    code: &OpaqueToken,
) -> Result<GrantId, DbError> {
    let id = tx.next_id();
    let tpp = request.client.tpp().uuid();
    let granted = oauth_grant::ActiveModel {
        id: Set(id),
        tpp: Set(tpp),
        scope: Set(request.scope.to_string()),
        created_at: Set(tx.now()),
        revoked_at: Set(None),
    };
    oauth_grant::Entity::insert(granted)
        .exec_without_returning(tx)
        .await?;
    let expires_at = match CodeState::issued(tx.now()) {
        CodeState::Issued { expires_at } => expires_at,
        CodeState::Redeemed { at } => at,
    };
    let row = authorization_code::ActiveModel {
        hash: Set(code.hash().bytes().to_vec()),
        oauth_grant: Set(id),
        tpp: Set(tpp),
        redirect_uri: Set(request.redirect_uri.to_string()),
        code_challenge: Set(request.challenge.as_str().to_owned()),
        expires_at: Set(expires_at),
        redeemed_at: Set(None),
    };
    authorization_code::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(GrantId(id))
}

/// Redeems a code.
///
/// # Errors
/// [`RedeemError`]; ask it whether a grant must be revoked.
pub async fn redeem(
    tx: &TenantTx,
    client: ClientId,
    exchange: &CodeExchange,
) -> Result<Redeemed, RedeemError> {
    let hash = exchange.code.hash().bytes().to_vec();
    let row = authorization_code::Entity::find_by_id(hash.clone())
        .lock_exclusive()
        .one(tx)
        .await?
        .ok_or(RedeemError::Unknown)?;
    let grant = GrantId(row.oauth_grant);
    let code = AuthorizationCode::try_from(row)?;
    code.redeem(client, exchange, tx.now())
        .map_err(|refused| RedeemError::Code { refused, grant })?;
    authorization_code::Entity::update_many()
        .col_expr(
            authorization_code::Column::RedeemedAt,
            Expr::value(tx.now()),
        )
        .filter(authorization_code::Column::Hash.eq(hash))
        .exec(tx)
        .await?;
    let granted = oauth_grant::Entity::find_by_id(grant.0)
        .filter(oauth_grant::Column::RevokedAt.is_null())
        .one(tx)
        .await?
        .ok_or(RedeemError::Unknown)?;
    let scope = granted.scope.parse();
    Ok(Redeemed {
        grant,
        scope: scope.map_err(|_refused| DbError::Inconsistent {
            table: "oauth_grant",
            column: "scope",
        })?,
    })
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

fn inconsistent(column: &'static str) -> DbError {
    DbError::Inconsistent {
        table: "authorization_code",
        column,
    }
}

impl TryFrom<authorization_code::Model> for AuthorizationCode {
    type Error = DbError;

    fn try_from(row: authorization_code::Model) -> Result<Self, DbError> {
        let redirect_uri = row.redirect_uri.try_into();
        Ok(Self {
            client: ClientId::of(TppId::from(row.tpp)),
            redirect_uri: redirect_uri.map_err(|_refused| inconsistent("redirect_uri"))?,
            challenge: row
                .code_challenge
                .parse()
                .map_err(|_refused| inconsistent("code_challenge"))?,
            state: match row.redeemed_at {
                Some(at) => CodeState::Redeemed { at },
                None => CodeState::Issued {
                    expires_at: row.expires_at,
                },
            },
        })
    }
}
