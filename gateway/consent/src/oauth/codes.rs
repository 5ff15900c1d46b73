//! Grants and the codes that carry them to their client.

use branchline_db::{DbError, TenantTx};
use branchline_oauth::{
    AuthorizationRequest, ClientId, CodeExchange, CodeRefused, CodeState, OAuthError, OpaqueToken,
    ResourceScope,
};
use uuid::Uuid;

use super::store;
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
    let grant = GrantId(tx.next_id());
    store::insert_grant(tx, grant, request).await?;
    let expires_at = match CodeState::issued(tx.now()) {
        CodeState::Issued { expires_at } => expires_at,
        CodeState::Redeemed { at } => at,
    };
    store::insert_code(tx, code, (grant, request), expires_at).await?;
    Ok(grant)
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
    let found = store::lock_code(tx, &exchange.code).await?;
    let (grant, code) = found.ok_or(RedeemError::Unknown)?;
    code.redeem(client, exchange, tx.now())
        .map_err(|refused| RedeemError::Code { refused, grant })?;
    store::mark_redeemed(tx, &exchange.code).await?;
    let scope = store::find_granted(tx, grant).await?;
    Ok(Redeemed {
        grant,
        scope: scope.ok_or(RedeemError::Unknown)?,
    })
}
