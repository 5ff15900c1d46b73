//! What the ledger shows: balances, statements, postings, holds. Each is read by an index.

use branchline_db::{DbError, TenantTx, Values};
use branchline_kernel::{Cursor, HoldId, LedgerAccountId, Money, PostingId, Timestamp};
use chrono::NaiveDate;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::account::{read_currency, read_side};
use crate::command::{Dates, Reference, Side};
use crate::error::LedgerError;

/// The balances of one account, signed so that its normal side is positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balances {
    /// What is booked.
    pub booked: Money,
    /// Booked less what is set aside.
    pub available: Money,
    /// What is set aside to leave.
    pub held: Money,
    /// What is announced to come.
    pub incoming: Money,
    /// Booked with what is pending both ways.
    pub expected: Money,
}

/// One entry of an account, as its statement shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The place in the account's history, counted from one without gaps.
    pub seq: i64,
    /// The side it went to.
    pub side: Side,
    /// How much: above zero.
    pub amount: Money,
    /// The booked balance after it.
    pub balance_after: Money,
    /// The days.
    pub dates: Dates,
    /// When it was booked.
    pub booked_at: Timestamp,
    /// The posting it belongs to.
    pub posting: PostingId,
    /// The posting's kind.
    pub kind: String,
    /// The posting's line for people.
    pub memo: Option<String>,
    /// The business object behind it.
    pub reference: Option<Reference>,
}

/// Which entries of an account to show, newest first.
#[derive(Debug, Clone, Default)]
pub struct StatementQuery {
    /// The first booking day.
    pub from: Option<NaiveDate>,
    /// The last booking day.
    pub to: Option<NaiveDate>,
    /// The cursor that the page before gave.
    pub cursor: Option<String>,
    /// How many entries at most; capped at 500.
    pub limit: u16,
}

/// A page of a statement.
#[derive(Debug, Clone)]
pub struct Page {
    /// The entries, newest first.
    pub entries: Vec<Entry>,
    /// Where to go on, if there is more.
    pub next: Option<Cursor>,
}

/// One leg of a stored posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostedLeg {
    /// The account.
    pub account: LedgerAccountId,
    /// The place in the account's history.
    pub seq: i64,
    /// The side.
    pub side: Side,
    /// How much.
    pub amount: Money,
    /// The account's booked balance after it.
    pub balance_after: Money,
}

/// A stored posting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Its id.
    pub id: PostingId,
    /// Its kind.
    pub kind: String,
    /// Its days.
    pub dates: Dates,
    /// When it was booked.
    pub booked_at: Timestamp,
    /// Who booked it.
    pub actor: String,
    /// Its branch.
    pub branch: String,
    /// The posting it reverses.
    pub reversal_of: Option<PostingId>,
    /// The line for people.
    pub memo: Option<String>,
    /// The business object behind it.
    pub reference: Option<Reference>,
    /// Its legs, in their order.
    pub legs: Vec<PostedLeg>,
}

/// How far a hold has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldState {
    /// The money is set aside.
    Open,
    /// A posting took this much of it; the rest is free.
    Posted(Money),
    /// It was released.
    Voided,
    /// Its time came.
    Expired,
}

/// A hold and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Its id.
    pub id: HoldId,
    /// The account.
    pub account: LedgerAccountId,
    /// How much was set aside.
    pub amount: Money,
    /// The side that the money will go to.
    pub side: Side,
    /// From when on it can no longer be posted.
    pub expires_at: Option<Timestamp>,
    /// How far it has come.
    pub state: HoldState,
}

pub(crate) const BALANCES: &str = "SELECT currency, booked, available, \
CASE normal_side WHEN 'C' THEN pdr ELSE pcr END AS held, \
CASE normal_side WHEN 'C' THEN pcr ELSE pdr END AS incoming FROM account WHERE id = $1";
/// Marks bound the days by places, so that the history is read backwards from where it matters. The
/// days themselves stand in a CASE: of a comparison the planner of a plan that is made once for all
/// accounts expects that it leaves one row over, and would read the whole history and sort it.
pub(crate) const STATEMENT: &str = "SELECT e.seq, e.side, e.amount, e.balance_after, e.booking_date, \
e.value_date, e.currency, e.posting, p.booked_at, p.kind, p.memo, p.reference_kind, p.reference_id \
FROM entry e JOIN posting p ON p.id = e.posting WHERE e.account = $1 \
AND e.seq < least($2, (SELECT m.last_seq + 1 FROM balance_mark m WHERE m.account = $1 AND m.day >= $4 \
ORDER BY m.day LIMIT 1)) \
AND e.seq >= coalesce((SELECT m.first_seq FROM balance_mark m WHERE m.account = $1 AND m.day < $3 \
ORDER BY m.day DESC LIMIT 1), 1) \
AND CASE WHEN e.booking_date < $3 OR e.booking_date > $4 THEN false ELSE true END \
ORDER BY e.seq DESC LIMIT $5";
const POSTING: &str = "SELECT id, kind, booking_date, value_date, booked_at, actor, branch, \
reversal_of, memo, reference_kind, reference_id FROM posting WHERE id = $1";
const LEGS: &str = "SELECT e.account, e.seq, e.side, e.amount, e.balance_after, e.currency \
FROM posting p CROSS JOIN LATERAL unnest(p.leg_accounts, p.leg_seqs) WITH ORDINALITY k(account, seq, ord) \
JOIN entry e ON e.account = k.account AND e.seq = k.seq WHERE p.id = $1 ORDER BY k.ord";
const HOLD: &str = "SELECT h.id, h.account, h.amount, h.side, h.expires_at, a.currency, \
e.how, e.posted FROM hold h JOIN account a ON a.id = h.account \
LEFT JOIN hold_end e ON e.hold = h.id WHERE h.id = $1";

const MAX_PAGE: i64 = 500;

fn get(error: sqlx::Error) -> LedgerError {
    LedgerError::Db(DbError::from(error))
}

/// The balances of an account.
///
/// # Errors
/// [`LedgerError::UnknownAccount`].
pub async fn balances(tx: &TenantTx, account: LedgerAccountId) -> Result<Balances, LedgerError> {
    let rows = tx
        .named(BALANCES, Values::new().with(account.number()))
        .await?;
    let row = rows.first().ok_or(LedgerError::UnknownAccount(account))?;
    let currency = read_currency(row, "account")?;
    let money = |column: &str| {
        Ok::<_, LedgerError>(Money::new(row.try_get(column).map_err(get)?, currency))
    };
    let (available, incoming) = (money("available")?, money("incoming")?);
    Ok(Balances {
        booked: money("booked")?,
        available,
        held: money("held")?,
        incoming,
        expected: available
            .checked_add(incoming)
            .map_err(|_too_large| LedgerError::inconsistent("account", "available"))?,
    })
}

/// A page of an account's entries, newest first.
///
/// # Errors
/// [`LedgerError::Cursor`] for a cursor that this list did not give out.
pub async fn statement(
    tx: &TenantTx,
    account: LedgerAccountId,
    query: &StatementQuery,
) -> Result<Page, LedgerError> {
    let before = match &query.cursor {
        Some(text) => Cursor::key(text)?
            .parse::<i64>()
            .map_err(|_no_number| branchline_kernel::MalformedCursor)?,
        None => i64::MAX,
    };
    let limit = i64::from(query.limit).clamp(1, MAX_PAGE);
    let values = Values::new()
        .with(account.number())
        .with(before)
        .with(query.from)
        .with(query.to)
        .with(limit.saturating_add(1));
    let rows = tx.named(STATEMENT, values).await?;
    let shown = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > shown;
    let entries = rows
        .iter()
        .take(shown)
        .map(read_entry)
        .collect::<Result<Vec<_>, _>>()?;
    let last = entries.last().filter(|_| more);
    let next = last.map(|entry| Cursor::after(&entry.seq.to_string()));
    Ok(Page { entries, next })
}

/// The posting with that id.
///
/// # Errors
/// [`LedgerError::Db`].
pub async fn find_posting(tx: &TenantTx, id: PostingId) -> Result<Option<Posting>, LedgerError> {
    let rows = tx.named(POSTING, Values::new().with(id.uuid())).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let legs = tx.named(LEGS, Values::new().with(id.uuid())).await?;
    let reversal_of: Option<Uuid> = row.try_get("reversal_of").map_err(get)?;
    Ok(Some(Posting {
        id,
        kind: row.try_get("kind").map_err(get)?,
        dates: read_dates(row)?,
        booked_at: row.try_get("booked_at").map_err(get)?,
        actor: row.try_get("actor").map_err(get)?,
        branch: row.try_get("branch").map_err(get)?,
        reversal_of: reversal_of.map(PostingId::from),
        memo: row.try_get("memo").map_err(get)?,
        reference: read_reference(row)?,
        legs: legs.iter().map(read_leg).collect::<Result<_, _>>()?,
    }))
}

/// The hold with that id.
///
/// # Errors
/// [`LedgerError::Db`].
pub async fn find_hold(tx: &TenantTx, id: HoldId) -> Result<Option<Hold>, LedgerError> {
    let rows = tx.named(HOLD, Values::new().with(id.uuid())).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let currency = read_currency(row, "account")?;
    let account: i64 = row.try_get("account").map_err(get)?;
    let side: String = row.try_get("side").map_err(get)?;
    let how: Option<String> = row.try_get("how").map_err(get)?;
    let state = match how.as_deref() {
        None => HoldState::Open,
        Some("post") => {
            HoldState::Posted(Money::new(row.try_get("posted").map_err(get)?, currency))
        }
        Some("void") => HoldState::Voided,
        Some("expire") => HoldState::Expired,
        Some(_) => return Err(LedgerError::inconsistent("hold_end", "how")),
    };
    Ok(Some(Hold {
        id,
        account: account.into(),
        amount: Money::new(row.try_get("amount").map_err(get)?, currency),
        side: read_side(&side, "hold")?,
        expires_at: row.try_get("expires_at").map_err(get)?,
        state,
    }))
}

fn read_dates(row: &PgRow) -> Result<Dates, LedgerError> {
    Ok(Dates {
        booking: row.try_get("booking_date").map_err(get)?,
        value: row.try_get("value_date").map_err(get)?,
    })
}

fn read_reference(row: &PgRow) -> Result<Option<Reference>, LedgerError> {
    let kind: Option<String> = row.try_get("reference_kind").map_err(get)?;
    let id: Option<Uuid> = row.try_get("reference_id").map_err(get)?;
    Ok(kind.zip(id).map(|(kind, id)| Reference { kind, id }))
}

fn read_leg(row: &PgRow) -> Result<PostedLeg, LedgerError> {
    let currency = read_currency(row, "entry")?;
    let account: i64 = row.try_get("account").map_err(get)?;
    let side: String = row.try_get("side").map_err(get)?;
    Ok(PostedLeg {
        account: account.into(),
        seq: row.try_get("seq").map_err(get)?,
        side: read_side(&side, "entry")?,
        amount: Money::new(row.try_get("amount").map_err(get)?, currency),
        balance_after: Money::new(row.try_get("balance_after").map_err(get)?, currency),
    })
}

fn read_entry(row: &PgRow) -> Result<Entry, LedgerError> {
    let currency = read_currency(row, "entry")?;
    let side: String = row.try_get("side").map_err(get)?;
    let posting: Uuid = row.try_get("posting").map_err(get)?;
    Ok(Entry {
        seq: row.try_get("seq").map_err(get)?,
        side: read_side(&side, "entry")?,
        amount: Money::new(row.try_get("amount").map_err(get)?, currency),
        balance_after: Money::new(row.try_get("balance_after").map_err(get)?, currency),
        dates: read_dates(row)?,
        booked_at: row.try_get("booked_at").map_err(get)?,
        posting: posting.into(),
        kind: row.try_get("kind").map_err(get)?,
        memo: row.try_get("memo").map_err(get)?,
        reference: read_reference(row)?,
    })
}
