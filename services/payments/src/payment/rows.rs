//! Rows of payments and of their transitions.

use std::collections::BTreeSet;

use branchline_db::{DbError, TenantTx, Values};
use branchline_kernel::{HoldId, Iban, Money, PaymentId, PostingId, TenantId, Timestamp};
use chrono::TimeDelta;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::model::{Debtor, Instruction, Payment, State};
use super::plan::Change;
use crate::reason::Reason;

const INSERT: &str = "INSERT INTO payment (id, version, state, initiated_by, debtor_account, \
debtor_iban, debtor_name, creditor_iban, creditor_name, amount_minor, currency, end_to_end_id, \
remittance, created_at, updated_at) \
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)";
const UPDATE: &str = "UPDATE payment SET version = $3, state = $4, hold = $5, payee_tenant = $6, \
credit_posting = $7, posting = $8, reason_code = $9, reason_text = $10, attempts = $11, \
next_action_at = $12, updated_at = $13 WHERE id = $1 AND version = $2";
const TRANSITION: &str = "INSERT INTO payment_transition \
(payment, version, from_state, to_state, cause, actor, attempt, at) \
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const UPDATE_ALL: &str = "UPDATE payment p SET version = n.version, state = n.state, \
hold = n.hold, payee_tenant = n.payee_tenant, credit_posting = n.credit_posting, \
posting = n.posting, reason_code = n.reason_code, reason_text = n.reason_text, \
attempts = n.attempts, next_action_at = n.next_action_at, updated_at = n.updated_at \
FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[], $5::uuid[], $6::text[], \
$7::uuid[], $8::uuid[], $9::text[], $10::text[], $11::int[], $12::timestamptz[], \
$13::timestamptz[]) AS n (id, before, version, state, hold, payee_tenant, credit_posting, \
posting, reason_code, reason_text, attempts, next_action_at, updated_at) \
WHERE p.id = n.id AND p.version = n.before RETURNING p.id";
const TRANSITIONS: &str = "INSERT INTO payment_transition \
(payment, version, from_state, to_state, cause, actor, attempt, at) \
SELECT t.payment, t.version, t.from_state, t.to_state, t.cause, t.actor, t.attempt, t.at \
FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], \
$8::timestamptz[]) AS t (payment, version, from_state, to_state, cause, actor, attempt, at)";
const FIND: &str = "SELECT id, version, state, initiated_by, debtor_account, debtor_iban, \
debtor_name, creditor_iban, creditor_name, amount_minor, currency, end_to_end_id, remittance, \
hold, payee_tenant, credit_posting, posting, reason_code, reason_text, attempts, next_action_at, \
created_at, updated_at FROM payment WHERE id = $1";
const LOCK: &str = "SELECT id, version, state, initiated_by, debtor_account, debtor_iban, \
debtor_name, creditor_iban, creditor_name, amount_minor, currency, end_to_end_id, remittance, \
hold, payee_tenant, credit_posting, posting, reason_code, reason_text, attempts, next_action_at, \
created_at, updated_at FROM payment WHERE id = $1 FOR UPDATE";
// What was claimed is due again after the lease, so that a claim that died is not forgotten.
const CLAIM_DUE: &str = "UPDATE payment SET next_action_at = $2 WHERE id IN \
(SELECT id FROM payment WHERE next_action_at <= $1 ORDER BY next_action_at LIMIT $3 \
FOR UPDATE SKIP LOCKED) RETURNING id";

const CLAIM_LEASE: TimeDelta = TimeDelta::seconds(10);

pub(super) async fn insert(tx: &TenantTx, payment: &Payment) -> Result<(), DbError> {
    let what = &payment.instruction;
    let values = Values::new()
        .with(payment.id.uuid())
        .with(payment.version)
        .with(payment.state.word())
        .with(payment.initiated_by.as_str())
        .with(what.debtor.account.uuid())
        .with(what.debtor.iban.as_str())
        .with(what.debtor.name.as_str())
        .with(what.creditor_iban.as_str())
        .with(what.creditor_name.as_str())
        .with(what.amount.minor())
        .with(what.amount.currency().code())
        .with(what.end_to_end_id.as_str())
        .with(what.remittance.as_deref())
        .with(payment.created_at)
        .with(payment.updated_at);
    tx.run(INSERT, values).await.map(drop)
}

/// The columns that hold what a state knows.
#[derive(Default)]
struct Facts<'a> {
    hold: Option<HoldId>,
    payee: Option<&'a TenantId>,
    credit: Option<PostingId>,
    posting: Option<PostingId>,
    reason: Option<&'a Reason>,
}

fn facts(state: &State) -> Facts<'_> {
    match state {
        State::Received | State::Authorised | State::Cancelled => Facts::default(),
        State::Reserved { hold } => Facts {
            hold: Some(*hold),
            ..Facts::default()
        },
        State::Dispatching { hold, payee } | State::Unknown { hold, payee } => Facts {
            hold: Some(*hold),
            payee: Some(payee),
            ..Facts::default()
        },
        State::Completed {
            hold,
            payee,
            credit,
            posting,
        } => Facts {
            hold: Some(*hold),
            payee: Some(payee),
            credit: Some(*credit),
            posting: Some(*posting),
            reason: None,
        },
        State::Rejected {
            hold,
            payee,
            reason,
        } => Facts {
            hold: *hold,
            payee: payee.as_ref(),
            reason: Some(reason),
            ..Facts::default()
        },
    }
}

/// Writes the payment over the row that has version `before`; says whether there was one.
pub(super) async fn update(tx: &TenantTx, payment: &Payment, before: i64) -> Result<bool, DbError> {
    let facts = facts(&payment.state);
    let values = Values::new()
        .with(payment.id.uuid())
        .with(before)
        .with(payment.version)
        .with(payment.state.word())
        .with(facts.hold.map(HoldId::uuid))
        .with(facts.payee.map(TenantId::as_str))
        .with(facts.credit.map(PostingId::uuid))
        .with(facts.posting.map(PostingId::uuid))
        .with(facts.reason.map(|reason| reason.code.code()))
        .with(facts.reason.map(|reason| reason.text.as_str()))
        .with(payment.attempts)
        .with(payment.next_action_at)
        .with(payment.updated_at);
    Ok(tx.run(UPDATE, values).await? == 1)
}

/// Writes payments over the rows that have the versions beside them, and gives those found.
pub(super) async fn update_all(
    tx: &TenantTx,
    payments: &[(&Payment, i64)],
) -> Result<BTreeSet<PaymentId>, DbError> {
    if payments.is_empty() {
        return Ok(BTreeSet::new());
    }
    let all = payments.iter().map(|(payment, _before)| *payment);
    let facts: Vec<_> = all.clone().map(|one| facts(&one.state)).collect();
    let uuids = |one: fn(&Facts<'_>) -> Option<Uuid>| facts.iter().map(one).collect::<Vec<_>>();
    let texts = |one: for<'f> fn(&'f Facts<'_>) -> Option<&'f str>| {
        let texts = facts.iter().map(one);
        texts
            .map(|text| text.map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let values = Values::new()
        .with(all.clone().map(|one| one.id.uuid()).collect::<Vec<_>>())
        .with(
            payments
                .iter()
                .map(|(_, before)| *before)
                .collect::<Vec<_>>(),
        )
        .with(all.clone().map(|one| one.version).collect::<Vec<_>>())
        .with(all.clone().map(|one| one.state.word()).collect::<Vec<_>>())
        .with(uuids(|one| one.hold.map(HoldId::uuid)))
        .with(texts(|one| one.payee.map(TenantId::as_str)))
        .with(uuids(|one| one.credit.map(PostingId::uuid)))
        .with(uuids(|one| one.posting.map(PostingId::uuid)))
        .with(texts(|one| one.reason.map(|reason| reason.code.code())))
        .with(texts(|one| one.reason.map(|reason| reason.text.as_str())))
        .with(all.clone().map(|one| one.attempts).collect::<Vec<_>>())
        .with(
            all.clone()
                .map(|one| one.next_action_at)
                .collect::<Vec<_>>(),
        )
        .with(all.map(|one| one.updated_at).collect::<Vec<_>>());
    let rows = tx.named(UPDATE_ALL, values).await?;
    rows.iter()
        .map(|row| Ok(PaymentId::from(row.try_get::<Uuid, _>("id")?)))
        .collect()
}

/// Writes transitions, each with who caused it.
pub(super) async fn insert_transitions(
    tx: &TenantTx,
    changes: &[(String, Change)],
) -> Result<(), DbError> {
    let all = || changes.iter().map(|(_, change)| change);
    let values = Values::new()
        .with(all().map(|one| one.to.id.uuid()).collect::<Vec<_>>())
        .with(all().map(|one| one.to.version).collect::<Vec<_>>())
        .with(all().map(|one| one.from).collect::<Vec<_>>())
        .with(all().map(|one| one.to.state.word()).collect::<Vec<_>>())
        .with(all().map(|one| one.cause).collect::<Vec<_>>())
        .with(changes.iter().map(|(by, _)| by.clone()).collect::<Vec<_>>())
        .with(all().map(|one| one.to.attempts).collect::<Vec<_>>())
        .with(all().map(|one| one.to.updated_at).collect::<Vec<_>>());
    tx.run(TRANSITIONS, values).await.map(drop)
}

pub(super) async fn insert_transition(
    tx: &TenantTx,
    payment: &Payment,
    from: Option<&'static str>,
    cause: &'static str,
) -> Result<(), DbError> {
    let values = Values::new()
        .with(payment.id.uuid())
        .with(payment.version)
        .with(from)
        .with(payment.state.word())
        .with(cause)
        .with(tx.actor().to_owned())
        .with(payment.attempts)
        .with(tx.now());
    tx.run(TRANSITION, values).await.map(drop)
}

pub(super) async fn find(tx: &TenantTx, id: PaymentId) -> Result<Option<Payment>, DbError> {
    let rows = tx.named(FIND, Values::new().with(id.uuid())).await?;
    rows.first().map(read).transpose()
}

pub(super) async fn lock(tx: &TenantTx, id: PaymentId) -> Result<Option<Payment>, DbError> {
    let rows = tx.named(LOCK, Values::new().with(id.uuid())).await?;
    rows.first().map(read).transpose()
}

/// Claims payments whose time has come; what others are working on is left out.
pub(super) async fn claim_due(tx: &TenantTx, limit: u16) -> Result<Vec<PaymentId>, DbError> {
    let again = tx.now().checked_add_signed(CLAIM_LEASE);
    let values = Values::new()
        .with(tx.now())
        .with(again.unwrap_or(tx.now()))
        .with(i64::from(limit));
    let rows = tx.named(CLAIM_DUE, values).await?;
    rows.iter()
        .map(|row| Ok(PaymentId::from(row.try_get::<Uuid, _>("id")?)))
        .collect()
}

const fn inconsistent(column: &'static str) -> DbError {
    DbError::Inconsistent {
        table: "payment",
        column,
    }
}

fn iban(row: &PgRow, column: &'static str) -> Result<Iban, DbError> {
    let text: String = row.try_get(column)?;
    text.parse().map_err(|_malformed| inconsistent(column))
}

fn read(row: &PgRow) -> Result<Payment, DbError> {
    let (id, account): (Uuid, Uuid) = (row.try_get("id")?, row.try_get("debtor_account")?);
    let currency: String = row.try_get("currency")?;
    let currency = currency
        .parse()
        .map_err(|_unknown| inconsistent("currency"))?;
    let next_action_at: Option<Timestamp> = row.try_get("next_action_at")?;
    Ok(Payment {
        id: id.into(),
        version: row.try_get("version")?,
        instruction: Instruction {
            debtor: Debtor {
                account: account.into(),
                iban: iban(row, "debtor_iban")?,
                name: row.try_get("debtor_name")?,
            },
            creditor_iban: iban(row, "creditor_iban")?,
            creditor_name: row.try_get("creditor_name")?,
            amount: Money::new(row.try_get("amount_minor")?, currency),
            end_to_end_id: row.try_get("end_to_end_id")?,
            remittance: row.try_get("remittance")?,
        },
        initiated_by: row.try_get("initiated_by")?,
        state: read_state(row)?,
        attempts: row.try_get("attempts")?,
        next_action_at,
        created_at: row.try_get("created_at")?,
        updated_at: row.try_get("updated_at")?,
    })
}

fn read_state(row: &PgRow) -> Result<State, DbError> {
    let word: String = row.try_get("state")?;
    let id = |column: &'static str| Ok::<Option<Uuid>, DbError>(row.try_get(column)?);
    let payee: Option<String> = row.try_get("payee_tenant")?;
    let payee = payee
        .map(|text| text.parse::<TenantId>())
        .transpose()
        .map_err(|_malformed| inconsistent("payee_tenant"))?;
    let hold = id("hold")?.map(HoldId::from);
    let held = || hold.ok_or(inconsistent("hold"));
    let routed = || payee.clone().ok_or(inconsistent("payee_tenant"));
    let posted =
        |column| Ok::<_, DbError>(PostingId::from(id(column)?.ok_or(inconsistent(column))?));
    Ok(match word.as_str() {
        "RECEIVED" => State::Received,
        "AUTHORISED" => State::Authorised,
        "RESERVED" => State::Reserved { hold: held()? },
        "DISPATCHING" => State::Dispatching {
            hold: held()?,
            payee: routed()?,
        },
        "UNKNOWN" => State::Unknown {
            hold: held()?,
            payee: routed()?,
        },
        "COMPLETED" => State::Completed {
            hold: held()?,
            payee: routed()?,
            credit: posted("credit_posting")?,
            posting: posted("posting")?,
        },
        "REJECTED" => State::Rejected {
            hold,
            payee,
            reason: read_reason(row)?,
        },
        "CANCELLED" => State::Cancelled,
        _unknown => return Err(inconsistent("state")),
    })
}

fn read_reason(row: &PgRow) -> Result<Reason, DbError> {
    let code: Option<String> = row.try_get("reason_code")?;
    let text: Option<String> = row.try_get("reason_text")?;
    code.zip(text)
        .and_then(|(code, text)| Reason::stored(&code, text))
        .ok_or(inconsistent("reason_code"))
}
