//! Events for others: written in the transaction of the change, delivered at least once.

use serde::Serialize;

use crate::error::DbError;
use crate::tx::TenantTx;
use crate::values::Values;

const PUBLISH: &str = "INSERT INTO outbox (id, at, kind, payload) VALUES ($1, $2, $3, $4)";

/// Writes an event that leaves once this transaction has committed.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn publish(
    tx: &TenantTx,
    kind: &'static str,
    payload: &impl Serialize,
) -> Result<(), DbError> {
    let payload =
        serde_json::to_value(payload).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let values = Values::new()
        .with(tx.next_id())
        .with(tx.now())
        .with(kind)
        .with(payload);
    tx.run(PUBLISH, values).await.map(drop)
}
