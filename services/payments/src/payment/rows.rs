//! Rows of payments and of their transitions.

use branchline_db::{DbError, TenantTx, Values};
use branchline_kernel::{HoldId, Iban, Money, PaymentId, PostingId, TenantId, Timestamp};
use chrono::TimeDelta;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::model::{Debtor, Instruction, Payment, State};
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
