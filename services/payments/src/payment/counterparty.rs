//! Who is on the other side of an entry that a payment caused.

use branchline_db::{DbError, TenantTx, Values};
use branchline_kernel::PaymentId;
use branchline_ledger::Side;
use sqlx::Row;
use uuid::Uuid;

use super::PaymentError;

/// The other side of a payment, as the account that was moved sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counterparty {
    /// The payment.
    pub payment: PaymentId,
    /// Which entry it belongs to: a debit left our account, a credit came in.
    pub side: Side,
    /// Who is on the other side.
    pub name: String,
    /// Their account.
    pub iban: String,
    /// The payer's own reference.
    pub end_to_end_id: String,
}

const COUNTERPARTIES: &str = "SELECT id AS payment, true AS outgoing, creditor_name AS name, \
creditor_iban AS iban, end_to_end_id FROM payment WHERE id = ANY ($1) \
UNION ALL SELECT payment, false, debtor_name, debtor_iban, end_to_end_id FROM incoming_credit \
WHERE payment = ANY ($1) AND outcome = 'credited'";

/// The other sides of these payments, both of those that left and of those that came in.
///
/// # Errors
/// [`PaymentError::Db`].
pub async fn counterparties(
    tx: &TenantTx,
    payments: &[PaymentId],
) -> Result<Vec<Counterparty>, PaymentError> {
    if payments.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = payments.iter().map(|id| id.uuid()).collect();
    let rows = tx.named(COUNTERPARTIES, Values::new().with(ids)).await?;
    let read = |row: &sqlx::postgres::PgRow| {
        let payment: Uuid = row.try_get("payment")?;
        let side = if row.try_get("outgoing")? {
            Side::Debit
        } else {
            Side::Credit
        };
        Ok::<_, sqlx::Error>(Counterparty {
            payment: payment.into(),
            side,
            name: row.try_get("name")?,
            iban: row.try_get("iban")?,
            end_to_end_id: row.try_get("end_to_end_id")?,
        })
    };
    let read: Result<Vec<_>, _> = rows.iter().map(read).collect();
    Ok(read.map_err(DbError::from)?)
}
