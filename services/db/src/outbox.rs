//! Events for others: written in the transaction of the change, delivered at least once.

use serde::Serialize;

use crate::error::DbError;
use crate::tx::TenantTx;
use crate::values::Values;

const PUBLISH: &str = "INSERT INTO outbox (id, at, kind, payload) VALUES ($1, $2, $3, $4)";
const PUBLISH_ALL: &str = "INSERT INTO outbox (id, at, kind, payload) \
SELECT e.id, $1, $2, e.payload FROM unnest($3::uuid[], $4::jsonb[]) AS e (id, payload)";

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

/// Writes events of one kind with one statement, in their order.
///
/// # Errors
/// As [`publish`].
pub async fn publish_all(
    tx: &TenantTx,
    kind: &'static str,
    payloads: &[impl Serialize],
) -> Result<(), DbError> {
    if payloads.is_empty() {
        return Ok(());
    }
    let payloads: Result<Vec<_>, _> = payloads.iter().map(serde_json::to_value).collect();
    let payloads = payloads.map_err(|error| sqlx::Error::Encode(error.into()))?;
    let ids: Vec<_> = payloads.iter().map(|_payload| tx.next_id()).collect();
    let values = Values::new()
        .with(tx.now())
        .with(kind)
        .with(ids)
        .with(payloads);
    tx.run(PUBLISH_ALL, values).await.map(drop)
}
