//! Day seals: a hash chain over days that are over, whose head can be taken away and compared.

use branchline_db::{OnConstraint, TenantTx, Values};
use chrono::NaiveDate;
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::error::LedgerError;
use crate::verify::UNHURRIED;

/// A link of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaySeal {
    /// Everything booked up to the end of this day (UTC) is covered by this seal and those before.
    pub day: NaiveDate,
    /// How many postings the seal before does not cover.
    pub postings: i64,
    /// The hash of all that.
    pub hash: Vec<u8>,
}

const SEAL: &str = "SELECT ledger_seal_day($1) AS hash";
const HEAD: &str = "SELECT day, postings, hash FROM day_seal ORDER BY day DESC LIMIT 1";
const OF_DAY: &str = "SELECT day, postings, hash FROM day_seal WHERE day = $1";
/// Seals everything up to the end of `day`, fifteen minutes after it at the earliest.
///
/// # Errors
/// [`LedgerError::DayNotOver`], [`LedgerError::DaySealed`] when it or a later day is sealed.
pub async fn seal_day(tx: &TenantTx, day: NaiveDate) -> Result<(), LedgerError> {
    tx.run(UNHURRIED, Values::new()).await?;
    let sealed = tx
        .named(SEAL, Values::new().with(day))
        .await
        .map(drop)
        .on_constraint("day_seal_pkey", || LedgerError::DaySealed);
    match sealed {
        Err(LedgerError::Db(error)) if error.is_constraint("day_seal_day_over") => {
            Err(LedgerError::DayNotOver)
        }
        sealed => sealed,
    }
}

/// The newest seal: what to keep outside the database.
///
/// # Errors
/// [`LedgerError::Db`].
pub async fn seal_head(tx: &TenantTx) -> Result<Option<DaySeal>, LedgerError> {
    let rows = tx.named(HEAD, Values::new()).await?;
    rows.first().map(read_seal).transpose()
}

/// The seal of that very day: to be compared with what was kept outside.
///
/// # Errors
/// [`LedgerError::Db`].
pub async fn find_seal(tx: &TenantTx, day: NaiveDate) -> Result<Option<DaySeal>, LedgerError> {
    let rows = tx.named(OF_DAY, Values::new().with(day)).await?;
    rows.first().map(read_seal).transpose()
}

fn read_seal(row: &PgRow) -> Result<DaySeal, LedgerError> {
    let get = |error: sqlx::Error| LedgerError::Db(error.into());
    Ok(DaySeal {
        day: row.try_get("day").map_err(get)?,
        postings: row.try_get("postings").map_err(get)?,
        hash: row.try_get("hash").map_err(get)?,
    })
}
