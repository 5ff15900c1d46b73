//! What the core still has to be told.

use branchline_db::{DbError, TenantTx};
use branchline_kernel::PaymentId;
use branchline_xs2a::Psu;
use chrono::TimeDelta;

use super::store;

/// What the core is to be told about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Errand {
    /// The member agreed to exactly this.
    Authorise {
        /// The fingerprint of what she saw.
        fingerprint: String,
    },
    /// The member refused, or could not be authenticated.
    Cancel,
}

/// A call that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CoreCall {
    /// The payment.
    pub payment: PaymentId,
    /// What to say.
    pub errand: Errand,
    /// In whose name.
    pub psu: Psu,
}

/// While one program makes a call, the sweep leaves it alone for so long.
const IN_HAND: TimeDelta = TimeDelta::seconds(20);

/// The one who writes a call down makes it at once; after a crash the sweep finds it due.
const GRACE: TimeDelta = TimeDelta::seconds(3);

/// Writes down a call that this program makes as soon as the transaction has committed; the sweep
/// makes it if the program does not come to it.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn put(tx: &TenantTx, call: &CoreCall) -> Result<(), DbError> {
    let due_at = tx.now().checked_add_signed(GRACE).unwrap_or(tx.now());
    store::insert_call(tx, call, due_at).await
}

/// The calls that are due, at most 50; nobody else gets them for a while.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn take_due(tx: &TenantTx) -> Result<Vec<CoreCall>, DbError> {
    let until = tx.now().checked_add_signed(IN_HAND).unwrap_or(tx.now());
    store::take_due(tx, until).await
}

/// The core could not be reached: try again after `wait`.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn later(
    tx: &TenantTx,
    payment: PaymentId,
    wait: TimeDelta,
    outcome: &str,
) -> Result<(), DbError> {
    let due_at = tx.now().checked_add_signed(wait).unwrap_or(tx.now());
    store::postpone(tx, payment, due_at, outcome).await
}
