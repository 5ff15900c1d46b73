//! What the core still has to be told.

use branchline_db::{DbError, TenantTx, Values};
use branchline_kernel::PaymentId;
use branchline_xs2a::Psu;
use chrono::TimeDelta;
use sea_orm::ActiveValue::Set;
use sea_orm::EntityTrait;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::rows::core_call;

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

const TAKE: &str = "UPDATE core_call SET due_at = $2, tries = tries + 1 WHERE payment IN \
(SELECT payment FROM core_call WHERE done_at IS NULL AND due_at <= $1 \
ORDER BY due_at LIMIT 50 FOR UPDATE SKIP LOCKED) \
RETURNING payment, kind, fingerprint, psu_issuer, psu_subject";
const SETTLE: &str = "UPDATE core_call SET done_at = $2, outcome = $3 \
WHERE payment = $1 AND done_at IS NULL";
const LATER: &str = "UPDATE core_call SET due_at = $2, outcome = $3 \
WHERE payment = $1 AND done_at IS NULL";

/// Writes down a call that this program makes as soon as the transaction has committed; the sweep
/// makes it if the program does not come to it.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn put(tx: &TenantTx, call: &CoreCall) -> Result<(), DbError> {
    let (kind, fingerprint) = match &call.errand {
        Errand::Authorise { fingerprint } => ("authorise", Some(fingerprint.clone())),
        Errand::Cancel => ("cancel", None),
    };
    let row = core_call::ActiveModel {
        payment: Set(call.payment.uuid()),
        kind: Set(kind.to_owned()),
        fingerprint: Set(fingerprint),
        psu_issuer: Set(call.psu.issuer.clone()),
        psu_subject: Set(call.psu.subject.clone()),
        created_at: Set(tx.now()),
        // The one who writes it makes it at once; after a crash the sweep finds it due.
        due_at: Set(tx
            .now()
            .checked_add_signed(TimeDelta::seconds(3))
            .unwrap_or(tx.now())),
        tries: Set(0),
        done_at: Set(None),
        outcome: Set(None),
    };
    core_call::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// The calls that are due, at most 50; nobody else gets them for a while.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn take_due(tx: &TenantTx) -> Result<Vec<CoreCall>, DbError> {
    let until = tx.now().checked_add_signed(IN_HAND).unwrap_or(tx.now());
    let values = Values::new().with(tx.now()).with(until);
    let rows = tx.named(TAKE, values).await?;
    rows.iter().map(read).collect()
}

/// The core has answered.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn settle(tx: &TenantTx, payment: PaymentId, outcome: &str) -> Result<(), DbError> {
    let values = Values::new()
        .with(payment.uuid())
        .with(tx.now())
        .with(outcome);
    tx.run(SETTLE, values).await.map(drop)
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
    let values = Values::new()
        .with(payment.uuid())
        .with(due_at)
        .with(outcome);
    tx.run(LATER, values).await.map(drop)
}

fn read(row: &PgRow) -> Result<CoreCall, DbError> {
    let inconsistent = |column| DbError::Inconsistent {
        table: "core_call",
        column,
    };
    let kind: String = row.try_get("kind")?;
    let fingerprint: Option<String> = row.try_get("fingerprint")?;
    let errand = match (kind.as_str(), fingerprint) {
        ("authorise", Some(fingerprint)) => Errand::Authorise { fingerprint },
        ("cancel", _) => Errand::Cancel,
        _ => return Err(inconsistent("kind")),
    };
    Ok(CoreCall {
        payment: PaymentId::from(row.try_get::<Uuid, _>("payment")?),
        errand,
        psu: Psu {
            issuer: row.try_get("psu_issuer")?,
            subject: row.try_get("psu_subject")?,
        },
    })
}
