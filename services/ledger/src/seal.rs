//! Day seals: a hash chain over days that are over, whose head can be taken away and compared.

use branchline_db::{DbError, OnConstraint, TenantTx, Values};
use branchline_kernel::Timestamp;
use chrono::{NaiveDate, TimeDelta};
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
// Where nothing was sealed yet, the first day on which something happened: each seal reads one day.
const NEXT: &str = "SELECT coalesce((SELECT max(s.day) + 1 FROM day_seal s), least($1, (least(\
(SELECT min(p.booked_at) FROM posting p), (SELECT min(h.placed_at) FROM hold h)) AT TIME ZONE 'UTC')::date)) AS day";
/// How long after its end a day can still get postings, with room to spare.
const SETTLES: TimeDelta = TimeDelta::minutes(15);

/// The newest day (UTC) that may be sealed: it ended fifteen minutes ago or earlier.
#[must_use]
pub fn newest_sealable(now: Timestamp) -> Option<NaiveDate> {
    now.checked_sub_signed(SETTLES)?.date_naive().pred_opt()
}

/// The day to seal next, if `newest` or one before it is not sealed yet.
///
/// # Errors
/// [`LedgerError::Db`].
pub async fn next_day_to_seal(
    tx: &TenantTx,
    newest: NaiveDate,
) -> Result<Option<NaiveDate>, LedgerError> {
    let rows = tx.named(NEXT, Values::new().with(newest)).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let day: NaiveDate = row.try_get("day").map_err(DbError::from)?;
    Ok((day <= newest).then_some(day))
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_may_be_sealed_from_a_quarter_past_its_end_on() {
        for (now, newest) in [
            ("2026-11-21T00:00:00Z", "2026-11-19"),
            ("2026-11-21T00:14:59.999999Z", "2026-11-19"),
            ("2026-11-21T00:15:00Z", "2026-11-20"),
            ("2026-11-21T23:59:59Z", "2026-11-20"),
            ("2027-01-01T00:14:59Z", "2026-12-30"),
            ("2028-03-01T00:15:00Z", "2028-02-29"),
        ] {
            let found = newest_sealable(now.parse().unwrap());
            assert_eq!(found, newest.parse().ok(), "{now}");
        }
    }
}
