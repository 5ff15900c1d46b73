//! Holds whose time is over, as commands for whoever ends them.

use branchline_db::{DbError, TenantTx, Values};
use branchline_kernel::{HoldId, Timestamp};
use sqlx::Row;
use uuid::Uuid;

use crate::command::{Action, Command, LedgerKey};
use crate::error::LedgerError;

const EXPIRED: &str = "SELECT h.id FROM hold h \
WHERE h.expires_at > coalesce($1, '-infinity') AND h.expires_at <= $2 \
AND NOT EXISTS (SELECT FROM hold_end e WHERE e.hold = h.id) ORDER BY h.expires_at LIMIT $3";

/// Commands that end the holds which expired after `since` and lie open still, oldest first. A
/// process looks once without `since` and later from its last look on. Each hold has one key, so
/// two processes that look at once end it once.
///
/// # Errors
/// [`LedgerError::Db`].
pub async fn expired_holds(
    tx: &TenantTx,
    since: Option<Timestamp>,
    limit: u16,
) -> Result<Vec<Command>, LedgerError> {
    let values = Values::new()
        .with(since)
        .with(tx.now())
        .with(i64::from(limit));
    let rows = tx.named(EXPIRED, values).await?;
    rows.iter()
        .map(|row| {
            let hold: Uuid = row.try_get("id").map_err(DbError::from)?;
            let key = LedgerKey::derived(hold, "expire");
            Ok(Command::new(key, Action::Expire(HoldId::from(hold))))
        })
        .collect()
}
