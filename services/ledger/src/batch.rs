//! Hands commands to the database's batch function, as arrays, and reads its verdicts.

use std::collections::BTreeSet;

use branchline_db::{DbError, TenantTx, Values};
use branchline_kernel::{HoldId, LedgerAccountId, PostingId, Timestamp};
use chrono::NaiveDate;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::canonical::fingerprint;
use crate::command::{Action, Command, Direction, Leg, Side};
use crate::error::LedgerError;
use crate::plain::post_plain;
use crate::verdict::{Effect, Reason, Verdict};

const POST_BATCH: &str = "SELECT reason, result, account, replayed FROM post_batch(\
$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21)";
const BUSY: &str = "SELECT ledger_busy_commands($1, $2, $3, $4) AS busy";

/// Decides `commands` in their order and does what was accepted.
///
/// It is the last thing a transaction does before its commit: from here on the accounts are
/// locked. Verdicts count only once that commit has returned.
///
/// # Errors
/// [`LedgerError`] when the database failed; then the transaction is lost, and where
/// [`LedgerError::may_be_repeated`] says so, all of it may be repeated with the same commands.
pub async fn post(tx: &TenantTx, commands: &[Command]) -> Result<Vec<Verdict>, LedgerError> {
    let commands: Vec<&Command> = commands.iter().collect();
    post_all(tx, &commands).await
}

/// As [`post`], for commands that lie apart.
pub(crate) async fn post_all(
    tx: &TenantTx,
    commands: &[&Command],
) -> Result<Vec<Verdict>, LedgerError> {
    if commands.is_empty() {
        return Ok(Vec::new());
    }
    if let [alone] = commands
        && let Some(verdict) = post_plain(tx, alone).await?
    {
        return Ok(vec![verdict]);
    }
    let arrays = Arrays::of(commands, tx.actor());
    let rows = tx.named(POST_BATCH, arrays.bind(tx.now())).await?;
    if rows.len() != commands.len() {
        return Err(LedgerError::inconsistent("ledger_key", "reason"));
    }
    commands
        .iter()
        .zip(&rows)
        .map(|(command, row)| read_verdict(command, row))
        .collect()
}

/// Locks what is free of the accounts that `commands` name, and gives the places of those that
/// meet an account somebody else has locked.
pub(crate) async fn busy_places(
    tx: &TenantTx,
    commands: &[&Command],
) -> Result<BTreeSet<usize>, LedgerError> {
    let mut named = Named::default();
    for (place, command) in (0_i32..).zip(commands) {
        named.command(place, command);
    }
    let values = Values::new()
        .with(named.places)
        .with(named.accounts)
        .with(named.holds)
        .with(named.targets);
    let rows = tx.named(BUSY, values).await?;
    let row = rows
        .first()
        .ok_or(LedgerError::inconsistent("account", "id"))?;
    let busy: Vec<i32> = row.try_get("busy").map_err(DbError::from)?;
    Ok(busy
        .into_iter()
        .filter_map(|place| usize::try_from(place).ok())
        .collect())
}

/// The accounts, holds and postings that commands name, with the place of the command.
#[derive(Default)]
struct Named {
    places: Vec<i32>,
    accounts: Vec<Option<i64>>,
    holds: Vec<Option<Uuid>>,
    targets: Vec<Option<Uuid>>,
}

impl Named {
    fn command(&mut self, place: i32, command: &Command) {
        match &command.action {
            Action::Post(post) => {
                for leg in &post.legs {
                    self.add(place, Some(leg.account), None, None);
                }
                self.add(place, None, post.hold, None);
            }
            Action::Reverse(reverse) => self.add(place, None, None, Some(reverse.of)),
            Action::Hold(hold) => self.add(place, Some(hold.account), None, None),
            Action::Void(hold) | Action::Expire(hold) => self.add(place, None, Some(*hold), None),
        }
    }

    fn add(
        &mut self,
        place: i32,
        account: Option<LedgerAccountId>,
        hold: Option<HoldId>,
        target: Option<PostingId>,
    ) {
        self.places.push(place);
        self.accounts.push(account.map(LedgerAccountId::number));
        self.holds.push(hold.map(HoldId::uuid));
        self.targets.push(target.map(PostingId::uuid));
    }
}

/// Decides one command; see [`post`].
///
/// # Errors
/// As [`post`].
pub async fn post_one(tx: &TenantTx, command: &Command) -> Result<Verdict, LedgerError> {
    let verdicts = post(tx, std::slice::from_ref(command)).await?;
    let first = verdicts.into_iter().next();
    first.ok_or(LedgerError::inconsistent("ledger_key", "reason"))
}

/// The parameters of the batch function: one element per command, then one per leg.
#[derive(Default)]
struct Arrays<'c> {
    keys: Vec<Uuid>,
    hashes: Vec<Vec<u8>>,
    ops: Vec<i16>,
    ids: Vec<Option<Uuid>>,
    kinds: Vec<Option<&'c str>>,
    booking: Vec<Option<NaiveDate>>,
    value: Vec<Option<NaiveDate>>,
    actors: Vec<&'c str>,
    memos: Vec<Option<&'c str>>,
    reference_kinds: Vec<Option<&'c str>>,
    reference_ids: Vec<Option<Uuid>>,
    branches: Vec<&'c str>,
    holds: Vec<Option<Uuid>>,
    targets: Vec<Option<Uuid>>,
    expires: Vec<Option<Timestamp>>,
    leg_counts: Vec<i32>,
    accounts: Vec<i64>,
    debits: Vec<Option<bool>>,
    amounts: Vec<i64>,
    currencies: Vec<&'static str>,
}

/// What differs between the kinds of commands.
#[derive(Default)]
struct Line<'c> {
    op: i16,
    id: Option<Uuid>,
    kind: Option<&'c str>,
    booking: Option<NaiveDate>,
    value: Option<NaiveDate>,
    hold: Option<Uuid>,
    target: Option<Uuid>,
    expires: Option<Timestamp>,
    legs: i32,
}

impl<'c> Arrays<'c> {
    fn of(commands: &[&'c Command], actor: &'c str) -> Self {
        let mut arrays = Self::default();
        for command in commands {
            let line = arrays.line(&command.action);
            arrays.keys.push(command.key.uuid());
            arrays.hashes.push(fingerprint(command).to_vec());
            arrays.ops.push(line.op);
            arrays.ids.push(line.id);
            arrays.kinds.push(line.kind);
            arrays.booking.push(line.booking);
            arrays.value.push(line.value);
            arrays
                .actors
                .push(command.actor.as_deref().unwrap_or(actor));
            arrays.memos.push(command.memo.as_deref());
            let about = command.reference.as_ref();
            let kind = about.map(|about| about.kind.as_str());
            arrays.reference_kinds.push(kind);
            arrays.reference_ids.push(about.map(|about| about.id));
            arrays.branches.push(&command.branch);
            arrays.holds.push(line.hold);
            arrays.targets.push(line.target);
            arrays.expires.push(line.expires);
            arrays.leg_counts.push(line.legs);
        }
        arrays
    }

    fn line(&mut self, action: &'c Action) -> Line<'c> {
        match action {
            Action::Post(post) => {
                post.legs.iter().for_each(|leg| self.leg(leg));
                Line {
                    op: 1,
                    id: Some(post.id.uuid()),
                    kind: Some(&post.kind),
                    booking: Some(post.dates.booking),
                    value: Some(post.dates.value),
                    hold: post.hold.map(HoldId::uuid),
                    legs: i32::try_from(post.legs.len()).unwrap_or(i32::MAX),
                    ..Line::default()
                }
            }
            Action::Reverse(reverse) => Line {
                op: 2,
                id: Some(reverse.id.uuid()),
                kind: Some("reversal"),
                booking: Some(reverse.dates.booking),
                value: Some(reverse.dates.value),
                target: Some(reverse.of.uuid()),
                ..Line::default()
            },
            Action::Hold(hold) => {
                self.accounts.push(hold.account.number());
                self.debits.push(None);
                self.amounts.push(hold.amount.minor());
                self.currencies.push(hold.amount.currency().code());
                Line {
                    op: match hold.direction {
                        Direction::Outgoing => 3,
                        Direction::Incoming => 6,
                    },
                    id: Some(hold.id.uuid()),
                    expires: hold.expires_at,
                    legs: 1,
                    ..Line::default()
                }
            }
            Action::Void(hold) => Line {
                op: 4,
                hold: Some(hold.uuid()),
                ..Line::default()
            },
            Action::Expire(hold) => Line {
                op: 5,
                hold: Some(hold.uuid()),
                ..Line::default()
            },
        }
    }

    fn leg(&mut self, leg: &Leg) {
        self.accounts.push(leg.account.number());
        self.debits.push(Some(leg.side == Side::Debit));
        self.amounts.push(leg.amount.minor());
        self.currencies.push(leg.amount.currency().code());
    }

    fn bind(self, now: Timestamp) -> Values {
        Values::new()
            .with(now)
            .with(self.keys)
            .with(self.hashes)
            .with(self.ops)
            .with(self.ids)
            .with(self.kinds)
            .with(self.booking)
            .with(self.value)
            .with(self.actors)
            .with(self.memos)
            .with(self.reference_kinds)
            .with(self.reference_ids)
            .with(self.branches)
            .with(self.holds)
            .with(self.targets)
            .with(self.expires)
            .with(self.leg_counts)
            .with(self.accounts)
            .with(self.debits)
            .with(self.amounts)
            .with(self.currencies)
    }
}

const CONFLICT: i16 = -1;
const POSTED: i16 = 0;

fn read_verdict(command: &Command, row: &PgRow) -> Result<Verdict, LedgerError> {
    let read = |error: sqlx::Error| LedgerError::Db(error.into());
    let reason: i16 = row.try_get("reason").map_err(read)?;
    let replayed: bool = row.try_get("replayed").map_err(read)?;
    if reason == CONFLICT {
        return Ok(Verdict::Conflict);
    }
    if reason != POSTED {
        let account: Option<i64> = row.try_get("account").map_err(read)?;
        return Ok(Verdict::Refused {
            reason: Reason::of(reason).ok_or(LedgerError::inconsistent("ledger_key", "reason"))?,
            account: account.map(LedgerAccountId::from),
            replayed,
        });
    }
    let made: Option<Uuid> = row.try_get("result").map_err(read)?;
    let made = made.ok_or(LedgerError::inconsistent("ledger_key", "result"));
    let effect = match &command.action {
        Action::Post(_) | Action::Reverse(_) => Effect::Booked(PostingId::from(made?)),
        Action::Hold(_) => Effect::Held(HoldId::from(made?)),
        Action::Void(hold) | Action::Expire(hold) => Effect::Released(*hold),
    };
    Ok(Verdict::Posted { effect, replayed })
}
