//! Who did what: rows that go in with the change, and a chain that a sealer forges over them.
//!
//! # Invariants
//! - The chain has no gap: seal n + 1 covers the digest of seal n.
//! - No request waits for the chain.

use aws_lc_rs::digest::{Context, SHA256};
use serde_json::Value;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::error::DbError;
use crate::tx::TenantTx;
use crate::values::Values;

/// One thing that somebody did or was refused.
#[derive(Debug, Clone, Default)]
pub struct Event {
    /// The operation, by its id in the OpenAPI document or the name of a job.
    pub operation: String,
    /// What it was done to, by id.
    pub object: Option<String>,
    /// `done`, or the code of the refusal.
    pub outcome: String,
    /// The caller's request id.
    pub request_id: Option<Uuid>,
    /// What the calling program knows the occasion by, such as a consent.
    pub reference: Option<String>,
    /// More facts, without personal data.
    pub detail: Option<Value>,
}

const RECORD: &str = "WITH event AS (INSERT INTO audit_event \
(id, at, actor, operation, object, outcome, request_id, reference, detail) \
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)) INSERT INTO audit_unsealed (event) VALUES ($1)";
const RECORD_ALL: &str = "WITH event AS (INSERT INTO audit_event \
(id, at, actor, operation, object, outcome, request_id, reference, detail) \
SELECT e.id, $1, e.actor, e.operation, e.object, e.outcome, e.request_id, e.reference, e.detail \
FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[], $8::text[], \
$9::jsonb[]) AS e (id, actor, operation, object, outcome, request_id, reference, detail)) \
INSERT INTO audit_unsealed (event) SELECT unnest($2::uuid[])";
const HEAD: &str = "SELECT seq, digest FROM audit_seal ORDER BY seq DESC LIMIT 1";
// Row by row from the index, whatever the planner believes of a young or busy tenant: a join may
// be planned as a merge, which walks every event there is to reach the last thousand.
const UNSEALED: &str = "SELECT u.event AS id, e.canon \
FROM (SELECT event FROM audit_unsealed ORDER BY event LIMIT $1) u CROSS JOIN LATERAL \
(SELECT encode(sha256(convert_to(a::text, 'UTF8')), 'hex') AS canon FROM audit_event a \
WHERE a.id = u.event LIMIT 1) e ORDER BY u.event";
const SEAL: &str = "INSERT INTO audit_seal (seq, event, digest) \
SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bytea[])";
const UNMARK: &str = "DELETE FROM audit_unsealed WHERE event = ANY ($1)";
const CHAIN: &str = "SELECT s.seq, s.event AS id, s.digest, e.canon \
FROM (SELECT seq, event, digest FROM audit_seal WHERE seq > $1 ORDER BY seq LIMIT $2) s \
LEFT JOIN LATERAL (SELECT encode(sha256(convert_to(a::text, 'UTF8')), 'hex') AS canon \
FROM audit_event a WHERE a.id = s.event LIMIT 1) e ON true ORDER BY s.seq";
const PAGE: i64 = 1_000;

/// Writes an event with the change it tells of.
///
/// # Errors
/// [`DbError`] when the row cannot be written; then the change must not be committed either.
pub async fn record(tx: &TenantTx, event: Event) -> Result<(), DbError> {
    let values = Values::new()
        .with(tx.next_id())
        .with(tx.now())
        .with(tx.actor().to_owned())
        .with(event.operation)
        .with(event.object)
        .with(event.outcome)
        .with(event.request_id)
        .with(event.reference)
        .with(event.detail);
    tx.run(RECORD, values).await.map(drop)
}

/// Writes the events of several actors with one statement, each with the name of who acted.
///
/// # Errors
/// As [`record`].
pub async fn record_all(tx: &TenantTx, events: Vec<(String, Event)>) -> Result<(), DbError> {
    if events.is_empty() {
        return Ok(());
    }
    let ids: Vec<Uuid> = events.iter().map(|_event| tx.next_id()).collect();
    let (actors, events): (Vec<_>, Vec<_>) = events.into_iter().unzip();
    let (mut operations, mut objects, mut outcomes) = (Vec::new(), Vec::new(), Vec::new());
    let (mut requests, mut references, mut details) = (Vec::new(), Vec::new(), Vec::new());
    for event in events {
        operations.push(event.operation);
        objects.push(event.object);
        outcomes.push(event.outcome);
        requests.push(event.request_id);
        references.push(event.reference);
        details.push(event.detail);
    }
    let values = Values::new()
        .with(tx.now())
        .with(ids)
        .with(actors)
        .with(operations)
        .with(objects)
        .with(outcomes)
        .with(requests)
        .with(references)
        .with(details);
    tx.run(RECORD_ALL, values).await.map(drop)
}

/// Chains up to 1,000 events that are not chained yet and gives their number. Two sealers at once
/// collide on the next number: one of them fails and finds nothing left to do.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn seal(tx: &TenantTx) -> Result<usize, DbError> {
    let head = tx.named(HEAD, Values::new()).await?;
    let (mut seq, mut digest) = match head.first() {
        Some(row) => (
            row.try_get::<i64, _>("seq")?,
            row.try_get::<Vec<u8>, _>("digest")?,
        ),
        None => (0, vec![0; 32]),
    };
    let events = tx.named(UNSEALED, Values::new().with(PAGE)).await?;
    let (mut seqs, mut ids, mut digests) = (Vec::new(), Vec::new(), Vec::new());
    for row in &events {
        seq = seq.saturating_add(1);
        digest = link(&digest, seq, row)?;
        seqs.push(seq);
        ids.push(row.try_get::<Uuid, _>("id")?);
        digests.push(digest.clone());
    }
    if ids.is_empty() {
        return Ok(0);
    }
    tx.run(
        SEAL,
        Values::new().with(seqs).with(ids.clone()).with(digests),
    )
    .await?;
    tx.run(UNMARK, Values::new().with(ids)).await?;
    Ok(events.len())
}

/// Walks the whole chain and gives the first number that does not fit, or `None`.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn first_broken_seal(tx: &TenantTx) -> Result<Option<i64>, DbError> {
    let (mut seq, mut digest) = (0_i64, vec![0_u8; 32]);
    loop {
        let rows = tx.named(CHAIN, Values::new().with(seq).with(PAGE)).await?;
        for row in &rows {
            seq = seq.saturating_add(1);
            let gone = row.try_get::<Option<String>, _>("canon")?.is_none();
            if gone || row.try_get::<i64, _>("seq")? != seq {
                return Ok(Some(seq));
            }
            digest = link(&digest, seq, row)?;
            if row.try_get::<Vec<u8>, _>("digest")? != digest {
                return Ok(Some(seq));
            }
        }
        if rows.is_empty() {
            return Ok(None);
        }
    }
}

/// The digest of a link: the one before, the number, and the event as the database prints it.
fn link(before: &[u8], seq: i64, row: &PgRow) -> Result<Vec<u8>, DbError> {
    let mut context = Context::new(&SHA256);
    context.update(before);
    context.update(&seq.to_be_bytes());
    context.update(row.try_get::<Uuid, _>("id")?.as_bytes());
    context.update(row.try_get::<String, _>("canon")?.as_bytes());
    Ok(context.finish().as_ref().to_vec())
}
