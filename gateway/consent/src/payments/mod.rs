//! Which client started which payment, and what the core still has to be told about it.
//!
//! # Invariants
//! - The payment itself is the core's; nothing of it is repeated here but its id.
//! - What the core must be told is written in the transaction of the member's decision and is told
//!   until the core has answered.
//!
//! # Locking
//! Taking calls skips rows that another sweep holds.

mod calls;
mod rows;

use branchline_db::{DbError, TenantTx};
use branchline_kernel::{PaymentId, TppId};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

pub use calls::{CoreCall, Errand, later, put, settle, take_due};
use rows::payment_initiation;

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
