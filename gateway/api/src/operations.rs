//! What the operator of the installation does with third parties, on the command line.

use branchline_consent::Refused;
use branchline_consent::tpp::{self, Listed};
use branchline_db::{Access, Db, DbError};
use branchline_iam::NoRandomness;
use branchline_kernel::TenantId;
use branchline_oauth::{ClientId, OpaqueToken, TokenKind};

use crate::oauth::random_32;

/// Why an operation was not done.
#[derive(Debug, thiserror::Error)]
pub enum OperationError {
    /// A rule refuses it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The database failed.
    #[error("the register could not be read or written")]
    Db(#[from] DbError),
    /// No random numbers.
    #[error("no secret could be made")]
    Random(#[from] NoRandomness),
}

/// Makes an invitation: the initial access token with which one third party registers itself. It
/// is shown here once and kept as a hash.
///
/// # Errors
/// [`OperationError`]; then there is no invitation.
pub async fn invite(db: &Db, note: &str) -> Result<OpaqueToken, OperationError> {
    let invitation = OpaqueToken::mint(TokenKind::Invitation, &random_32()?);
    let tx = db.platform(Access::Write).await?;
    tpp::invite(&tx, &invitation, note).await?;
    tx.commit().await?;
    Ok(invitation)
}

/// Lets a registered third party in at a tenant.
///
/// # Errors
/// [`OperationError`] when nobody registered under this id, or the register does not answer.
pub async fn enable(db: &Db, tenant: &TenantId, client: ClientId) -> Result<(), OperationError> {
    let tx = db.platform(Access::Write).await?;
    tpp::enable(&tx, tenant, client.tpp()).await?;
    Ok(tx.commit().await?)
}

/// All third parties and where they are let in.
///
/// # Errors
/// [`OperationError`] when the register does not answer.
pub async fn list(db: &Db) -> Result<Vec<Listed>, OperationError> {
    let tx = db.platform(Access::Read).await?;
    let listed = tpp::list(&tx).await?;
    tx.rollback().await?;
    Ok(listed)
}
