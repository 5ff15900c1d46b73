//! The tenant's wrapped keys. Unwrapping them is the caller's: this room holds no master key.

use branchline_db::{DbError, TenantTx, Values};
use sqlx::Row;

const FIND: &str = "SELECT wrapped FROM tenant_key WHERE purpose = $1";
const KEEP: &str = "INSERT INTO tenant_key (purpose, wrapped, created_at) VALUES ($1, $2, $3) \
ON CONFLICT ON CONSTRAINT tenant_key_pkey DO NOTHING";

/// The wrapped key for `purpose`.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn find(tx: &TenantTx, purpose: &str) -> Result<Option<Vec<u8>>, DbError> {
    let rows = tx.named(FIND, Values::new().with(purpose)).await?;
    let wrapped = rows.first().map(|row| row.try_get("wrapped")).transpose()?;
    Ok(wrapped)
}

/// Keeps a wrapped key unless there is one for `purpose`; says whether it was kept.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn keep(tx: &TenantTx, purpose: &str, wrapped: &[u8]) -> Result<bool, DbError> {
    let values = Values::new().with(purpose).with(wrapped).with(tx.now());
    Ok(tx.run(KEEP, values).await? == 1)
}
