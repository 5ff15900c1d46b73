//! Queries over payments as the gateway knows them.

use branchline_db::{DbError, TenantTx, Values};
use branchline_kernel::{PaymentId, Timestamp, TppId};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::calls::{CoreCall, Errand};
use super::rows::{core_call, payment_initiation, read_call};

const TAKE: &str = "UPDATE core_call SET due_at = $2, tries = tries + 1 WHERE payment IN \
(SELECT payment FROM core_call WHERE done_at IS NULL AND due_at <= $1 \
ORDER BY due_at LIMIT 50 FOR UPDATE SKIP LOCKED) \
RETURNING payment, kind, fingerprint, psu_issuer, psu_subject";
const SETTLE: &str = "UPDATE core_call SET done_at = $2, outcome = $3 \
WHERE payment = $1 AND done_at IS NULL";
const LATER: &str = "UPDATE core_call SET due_at = $2, outcome = $3 \
WHERE payment = $1 AND done_at IS NULL";

/// Writes down which client started a payment.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn insert(
    tx: &TenantTx,
    payment: PaymentId,
    tpp: TppId,
    product: &str,
) -> Result<(), DbError> {
    let row = payment_initiation::ActiveModel {
        payment: Set(payment.uuid()),
        tpp: Set(tpp.uuid()),
        product: Set(product.to_owned()),
        created_at: Set(tx.now()),
    };
    payment_initiation::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// Whether `tpp` started this payment, with this product.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn is_of(
    tx: &TenantTx,
    payment: PaymentId,
    tpp: TppId,
    product: &str,
) -> Result<bool, DbError> {
    let row = payment_initiation::Entity::find_by_id(payment.uuid())
        .filter(payment_initiation::Column::Tpp.eq(tpp.uuid()))
        .filter(payment_initiation::Column::Product.eq(product))
        .one(tx)
        .await?;
    Ok(row.is_some())
}

/// Who started this payment.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn find_tpp(tx: &TenantTx, payment: PaymentId) -> Result<Option<TppId>, DbError> {
    let row = payment_initiation::Entity::find_by_id(payment.uuid())
        .one(tx)
        .await?;
    Ok(row.map(|row| TppId::from(row.tpp)))
}

pub(super) async fn insert_call(
    tx: &TenantTx,
    call: &CoreCall,
    due_at: Timestamp,
) -> Result<(), DbError> {
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
        due_at: Set(due_at),
        tries: Set(0),
        done_at: Set(None),
        outcome: Set(None),
    };
    core_call::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// The calls that are due, at most 50; nobody else gets them until `until`.
pub(super) async fn take_due(tx: &TenantTx, until: Timestamp) -> Result<Vec<CoreCall>, DbError> {
    let values = Values::new().with(tx.now()).with(until);
    let rows = tx.named(TAKE, values).await?;
    rows.iter().map(read_call).collect()
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

pub(super) async fn postpone(
    tx: &TenantTx,
    payment: PaymentId,
    due_at: Timestamp,
    outcome: &str,
) -> Result<(), DbError> {
    let values = Values::new()
        .with(payment.uuid())
        .with(due_at)
        .with(outcome);
    tx.run(LATER, values).await.map(drop)
}
