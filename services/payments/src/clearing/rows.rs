//! Rows of positions on a rail.

use branchline_banking::Rail;
use branchline_db::{DbError, TenantTx, Values};
use branchline_kernel::{Currency, Money};
use sqlx::Row;
use sqlx::postgres::PgRow;

const ENSURE: &str = "INSERT INTO clearing_position (rail, currency) VALUES ($1, $2) \
ON CONFLICT ON CONSTRAINT clearing_position_pkey DO NOTHING";
const FIND: &str =
    "SELECT cap_minor, in_flight_minor FROM clearing_position WHERE rail = $1 AND currency = $2";
const LOCK: &str = "SELECT cap_minor, in_flight_minor FROM clearing_position \
WHERE rail = $1 AND currency = $2 FOR UPDATE";
const SET_CAP: &str =
    "UPDATE clearing_position SET cap_minor = $3 WHERE rail = $1 AND currency = $2";
const MOVE: &str = "UPDATE clearing_position SET in_flight_minor = in_flight_minor + $3 \
WHERE rail = $1 AND currency = $2";
const CURRENCIES: &str = "SELECT currency FROM clearing_position WHERE rail = $1 ORDER BY currency";

/// The cap and what is on its way.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PositionRow {
    pub(super) cap_minor: Option<i64>,
    pub(super) in_flight_minor: i64,
}

impl PositionRow {
    /// Whether `amount` more may be owed while `clearing` is booked (above zero: owed to us).
    pub(super) fn leaves_room(self, clearing: Money, amount: Money) -> bool {
        let Some(cap) = self.cap_minor else {
            return true;
        };
        let owed = i128::from(clearing.minor()).saturating_neg();
        let then = owed
            .saturating_add(i128::from(self.in_flight_minor))
            .saturating_add(i128::from(amount.minor()));
        then <= i128::from(cap)
    }
}

fn key(rail: Rail, currency: Currency) -> Values {
    Values::new().with(rail.word()).with(currency.code())
}

pub(super) async fn ensure(tx: &TenantTx, rail: Rail, currency: Currency) -> Result<(), DbError> {
    tx.run(ENSURE, key(rail, currency)).await.map(drop)
}

pub(super) async fn find(
    tx: &TenantTx,
    rail: Rail,
    currency: Currency,
) -> Result<PositionRow, DbError> {
    let rows = tx.named(FIND, key(rail, currency)).await?;
    Ok(rows.first().map(read).transpose()?.unwrap_or_default())
}

pub(super) async fn lock(
    tx: &TenantTx,
    rail: Rail,
    currency: Currency,
) -> Result<PositionRow, DbError> {
    let rows = tx.named(LOCK, key(rail, currency)).await?;
    rows.first()
        .map(read)
        .transpose()?
        .ok_or(DbError::Inconsistent {
            table: "clearing_position",
            column: "currency",
        })
}

pub(super) async fn set_cap(tx: &TenantTx, rail: Rail, cap: Money) -> Result<(), DbError> {
    let values = key(rail, cap.currency()).with(cap.minor());
    tx.run(SET_CAP, values).await.map(drop)
}

pub(super) async fn move_in_flight(tx: &TenantTx, rail: Rail, by: Money) -> Result<(), DbError> {
    let values = key(rail, by.currency()).with(by.minor());
    tx.run(MOVE, values).await.map(drop)
}

pub(super) async fn currencies(tx: &TenantTx, rail: Rail) -> Result<Vec<Currency>, DbError> {
    let rows = tx
        .named(CURRENCIES, Values::new().with(rail.word()))
        .await?;
    rows.iter()
        .map(|row| {
            let code: String = row.try_get("currency")?;
            code.parse().map_err(|_unknown| DbError::Inconsistent {
                table: "clearing_position",
                column: "currency",
            })
        })
        .collect()
}

fn read(row: &PgRow) -> Result<PositionRow, DbError> {
    Ok(PositionRow {
        cap_minor: row.try_get("cap_minor")?,
        in_flight_minor: row.try_get("in_flight_minor")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn eur(minor: i64) -> Money {
        Money::new(minor, "EUR".parse().unwrap())
    }

    #[test]
    fn what_is_owed_and_on_its_way_counts_towards_the_cap() {
        let row = PositionRow {
            cap_minor: Some(100),
            in_flight_minor: 30,
        };
        assert!(row.leaves_room(eur(-50), eur(20)));
        assert!(!row.leaves_room(eur(-50), eur(21)));
        assert!(
            row.leaves_room(eur(40), eur(110)),
            "what others owe us makes room"
        );
    }

    #[test]
    fn without_a_cap_there_is_always_room() {
        assert!(PositionRow::default().leaves_room(eur(i64::MIN), eur(i64::MAX)));
    }
}
