//! Balances at a day that is past, from the mark before it and the entries since.

use branchline_db::{DbError, TenantTx, Values};
use branchline_kernel::{LedgerAccountId, Money};
use chrono::NaiveDate;
use sqlx::Row;

use crate::account::read_currency;
use crate::error::LedgerError;
use crate::verify::UNHURRIED;

const MARK: &str = "SELECT ledger_mark_balances($1, $2, $3) AS last";
// The mark before the day bounds the entries from below, the mark behind it from above.
pub(crate) const BOOKED: &str = "SELECT a.currency, (coalesce(m.booked, 0) + (SELECT \
coalesce(sum(CASE WHEN e.side = a.normal_side THEN e.amount ELSE -e.amount END), 0) FROM entry e \
WHERE e.account = a.id AND e.seq >= coalesce(m.first_seq, 1) AND e.seq <= coalesce(\
(SELECT u.last_seq FROM balance_mark u WHERE u.account = a.id AND u.day >= $2 ORDER BY u.day LIMIT 1), a.seq) \
AND e.booking_date <= $2 AND e.booking_date > coalesce(m.day, '-infinity')))::bigint AS balance \
FROM account a LEFT JOIN LATERAL (SELECT k.day, k.booked, k.first_seq FROM balance_mark k \
WHERE k.account = a.id AND k.day <= $2 ORDER BY k.day DESC LIMIT 1) m ON true WHERE a.id = $1";
// `m` is the mark before the day, `n` the one behind it, `l` the last. What follows `l` is read from
// the entries; what lies before is kept by value day, and each part of the sum names other rows.
pub(crate) const VALUED: &str = "SELECT a.currency, (coalesce(m.valued, 0) + \
(SELECT coalesce(sum(d.amount), 0) FROM value_mark_day d WHERE d.account = a.id AND d.day = n.day AND d.value_date <= $2) + \
(SELECT coalesce(sum(d.amount), 0) FROM value_mark_day d WHERE d.account = a.id AND d.outside \
AND d.day <= m.day AND d.value_date > m.day AND d.value_date <= $2) + \
(SELECT coalesce(sum(d.amount), 0) FROM value_mark_day d WHERE d.account = a.id AND d.outside \
AND d.day > n.day AND d.value_date <= $2) + \
(SELECT coalesce(sum(CASE WHEN e.side = a.normal_side THEN e.amount ELSE -e.amount END), 0) FROM entry e \
WHERE e.account = a.id AND e.seq >= coalesce(l.first_seq, 1) AND e.seq <= a.seq AND e.value_date <= $2 \
AND e.booking_date > coalesce(l.day, '-infinity')))::bigint AS balance FROM account a \
LEFT JOIN LATERAL (SELECT v.day, v.valued FROM value_mark v \
WHERE v.account = a.id AND v.day <= $2 ORDER BY v.day DESC LIMIT 1) m ON true \
LEFT JOIN LATERAL (SELECT v.day FROM value_mark v \
WHERE v.account = a.id AND v.day > $2 ORDER BY v.day LIMIT 1) n ON true \
LEFT JOIN LATERAL (SELECT v.day, b.first_seq FROM value_mark v \
JOIN balance_mark b ON b.account = v.account AND b.day = v.day \
WHERE v.account = a.id ORDER BY v.day DESC LIMIT 1) l ON true WHERE a.id = $1";
const UNMARKED: &str = "SELECT p.first_day FROM period p WHERE p.closed_at IS NOT NULL \
AND NOT EXISTS (SELECT FROM marked_period m WHERE m.first_day = p.first_day) \
AND NOT EXISTS (SELECT FROM period o WHERE o.closed_at IS NULL AND o.first_day < p.first_day) \
ORDER BY p.first_day LIMIT 1";

/// The first day of the oldest period whose balances can be marked and are not.
///
/// # Errors
/// [`LedgerError::Db`].
pub async fn find_unmarked_period(tx: &TenantTx) -> Result<Option<NaiveDate>, LedgerError> {
    let rows = tx.named(UNMARKED, Values::new()).await?;
    let first = rows.first().map(|row| row.try_get("first_day"));
    Ok(first.transpose().map_err(DbError::from)?)
}

/// Marks the balances at the end of the closed period that begins on `first`, for up to `count`
/// accounts behind `after`; gives the account to go on behind, or nothing when all are marked.
///
/// # Errors
/// [`LedgerError::PeriodNotClosed`] while it, or one before it, is open.
pub async fn mark_balances(
    tx: &TenantTx,
    first: NaiveDate,
    after: Option<LedgerAccountId>,
    count: u16,
) -> Result<Option<LedgerAccountId>, LedgerError> {
    let values = Values::new()
        .with(first)
        .with(after.map_or(-1, LedgerAccountId::number))
        .with(i32::from(count));
    tx.run(UNHURRIED, Values::new()).await?;
    let rows = match tx.named(MARK, values).await {
        Err(error) if error.is_constraint("balance_mark_closed") => {
            return Err(LedgerError::PeriodNotClosed);
        }
        rows => rows?,
    };
    let last: Option<i64> = match rows.first() {
        Some(row) => row.try_get("last").map_err(DbError::from)?,
        None => None,
    };
    Ok(last.map(LedgerAccountId::from))
}

/// What was booked on the account by the end of a booking day. At most the entries between two
/// marks are read: one month where the books are closed each month.
///
/// # Errors
/// [`LedgerError::UnknownAccount`].
pub async fn balance_booked_on(
    tx: &TenantTx,
    account: LedgerAccountId,
    day: NaiveDate,
) -> Result<Money, LedgerError> {
    read(tx, BOOKED, account, day).await
}

/// What bore interest on the account at the end of a value day. Any entry may be valued on any
/// day; those of marked periods are kept by value day, and the entries since the last mark are read:
/// one month where the books are closed each month.
///
/// # Errors
/// [`LedgerError::UnknownAccount`].
pub async fn balance_valued_on(
    tx: &TenantTx,
    account: LedgerAccountId,
    day: NaiveDate,
) -> Result<Money, LedgerError> {
    read(tx, VALUED, account, day).await
}

async fn read(
    tx: &TenantTx,
    sql: &'static str,
    account: LedgerAccountId,
    day: NaiveDate,
) -> Result<Money, LedgerError> {
    let values = Values::new().with(account.number()).with(day);
    let rows = tx.named(sql, values).await?;
    let row = rows.first().ok_or(LedgerError::UnknownAccount(account))?;
    let minor: i64 = row.try_get("balance").map_err(DbError::from)?;
    Ok(Money::new(minor, read_currency(row, "account")?))
}
