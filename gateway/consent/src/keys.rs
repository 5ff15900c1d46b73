//! The tenant's wrapped keys. Unwrapping them is the caller's: this room holds no master key.

use branchline_db::{DbError, TenantTx, Values};
use sqlx::Row;

const FIND: &str = "SELECT wrapped FROM tenant_key WHERE purpose = $1";

/// The wrapped key for `purpose`.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn find(tx: &TenantTx, purpose: &str) -> Result<Option<Vec<u8>>, DbError> {
    let rows = tx.named(FIND, Values::new().with(purpose)).await?;
    let wrapped = rows.first().map(|row| row.try_get("wrapped")).transpose()?;
    Ok(wrapped)
}
