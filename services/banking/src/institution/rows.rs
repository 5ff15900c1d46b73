//! The institution's one row.

use branchline_db::{DbError, TenantTx, Values};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::{Institution, InstitutionError};

const INSERT: &str = "INSERT INTO institution (country, bank_code, currency) VALUES ($1, $2, $3)";
const LOCK: &str = "SELECT country, bank_code, currency FROM institution FOR UPDATE";
const TAKE_NUMBER: &str = "UPDATE institution SET last_account_number = last_account_number + 1 \
RETURNING country, bank_code, currency, last_account_number";

pub(super) async fn insert(tx: &TenantTx, new: &Institution) -> Result<(), DbError> {
    let values = Values::new()
        .with(new.country.as_str())
        .with(new.bank_code.as_str())
        .with(new.currency.code());
    tx.run(INSERT, values).await.map(drop)
}

pub(super) async fn lock(tx: &TenantTx) -> Result<(), InstitutionError> {
    let rows = tx.named(LOCK, Values::new()).await?;
    rows.first()
        .map(drop)
        .ok_or(InstitutionError::NotEstablished)
}

/// The institution and a number that no account has had; others wait until this transaction ends.
pub(super) async fn take_number(tx: &TenantTx) -> Result<(Institution, i64), InstitutionError> {
    let rows = tx.named(TAKE_NUMBER, Values::new()).await?;
    let row = rows.first().ok_or(InstitutionError::NotEstablished)?;
    let number = row.try_get("last_account_number").map_err(DbError::from)?;
    Ok((read(row)?, number))
}

fn read(row: &PgRow) -> Result<Institution, DbError> {
    let currency: String = row.try_get("currency")?;
    Ok(Institution {
        country: row.try_get("country")?,
        bank_code: row.try_get("bank_code")?,
        currency: currency.parse().map_err(|_unknown| DbError::Inconsistent {
            table: "institution",
            column: "currency",
        })?,
    })
}
