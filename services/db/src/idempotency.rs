//! Keys that callers give their requests, so that a repeat is answered and not done again.
//!
//! # Invariants
//! - One key, one content: a key seen with other content is refused.
//! - A key is bound to the id of what it makes before anything is made.

use std::collections::BTreeSet;

use branchline_kernel::Timestamp;
use serde_json::Value;
use sqlx::Row;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use crate::error::DbError;
use crate::tx::TenantTx;
use crate::values::Values;

/// Whose key it is: `client` and `operation` scope it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Who calls, such as a TPP's id or an actor.
    pub client: String,
    /// The operation: method and path pattern, or its id in the OpenAPI document.
    pub operation: String,
    /// The caller's key.
    pub key: Uuid,
}

/// What a claim found.
#[derive(Debug, Clone, PartialEq)]
pub enum Claim {
    /// The key is new, or its lease has run out: do the work under this id.
    Mine {
        /// The id of what is to be made; the same at every try.
        resource_id: Uuid,
    },
    /// The work was done: give this answer again.
    Answered {
        /// The HTTP status given then.
        status: u16,
        /// The body given then.
        answer: Value,
    },
    /// Another request with this key is being worked on.
    InFlight,
    /// The key was used with other content.
    OtherContent,
}

const INSERT: &str = "INSERT INTO idempotency_key \
(client, operation, key, request_hash, resource_id, lease_until, created_at) \
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ON CONSTRAINT idempotency_key_pkey DO NOTHING";
const LOOK: &str = "SELECT request_hash, resource_id, lease_until, status, answer \
FROM idempotency_key WHERE client = $1 AND operation = $2 AND key = $3 FOR UPDATE";
const FIND: &str = "SELECT request_hash, resource_id, lease_until, status, answer \
FROM idempotency_key WHERE client = $1 AND operation = $2 AND key = $3";
const SETTLE: &str = "INSERT INTO idempotency_key \
(client, operation, key, request_hash, resource_id, status, answer, created_at) \
SELECT k.client, k.operation, k.key, k.request_hash, k.resource_id, k.status, k.answer, $1 \
FROM unnest($2::text[], $3::text[], $4::uuid[], $5::bytea[], $6::uuid[], $7::int[], $8::jsonb[]) \
AS k (client, operation, key, request_hash, resource_id, status, answer) \
ON CONFLICT ON CONSTRAINT idempotency_key_pkey DO NOTHING RETURNING client, operation, key";
const RENEW: &str = "UPDATE idempotency_key SET lease_until = $4 \
WHERE client = $1 AND operation = $2 AND key = $3";
const ANSWER: &str = "UPDATE idempotency_key SET status = $4, answer = $5, lease_until = NULL \
WHERE client = $1 AND operation = $2 AND key = $3";

impl Key {
    fn values(&self) -> Values {
        Values::new()
            .with(self.client.clone())
            .with(self.operation.clone())
            .with(self.key)
    }
}

/// Claims a key for the content with that hash until `lease_until`.
///
/// A concurrent claim of the same key waits here until the other transaction has ended.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn claim(
    tx: &TenantTx,
    key: &Key,
    request_hash: &[u8],
    lease_until: Timestamp,
) -> Result<Claim, DbError> {
    let fresh = tx.next_id();
    let values = key
        .values()
        .with(request_hash)
        .with(fresh)
        .with(lease_until)
        .with(tx.now());
    if tx.run(INSERT, values).await? == 1 {
        return Ok(Claim::Mine { resource_id: fresh });
    }
    let rows = tx.named(LOOK, key.values()).await?;
    let row = rows.first().ok_or(DbError::Ended)?;
    let seen = judge(row, request_hash, tx.now())?;
    if matches!(seen, Claim::Mine { .. }) {
        tx.run(RENEW, key.values().with(lease_until)).await?;
    }
    Ok(seen)
}

/// What is known of a key, without claiming it: `None` when nobody has used it.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn find(tx: &TenantTx, key: &Key, request_hash: &[u8]) -> Result<Option<Claim>, DbError> {
    let rows = tx.named(FIND, key.values()).await?;
    let row = rows.first();
    row.map(|row| judge(row, request_hash, tx.now()))
        .transpose()
}

/// A key that nobody has claimed, with its answer.
#[derive(Debug, Clone)]
pub struct Settled {
    /// The key.
    pub key: Key,
    /// The hash of what was asked.
    pub request_hash: [u8; 32],
    /// The HTTP status of the answer.
    pub status: u16,
    /// The body of the answer.
    pub answer: Value,
}

/// Stores new keys with their answers by one statement, and gives those that were new: a key that
/// somebody else has used meanwhile is left as it is.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn settle_all(tx: &TenantTx, settled: Vec<Settled>) -> Result<BTreeSet<Key>, DbError> {
    let (mut clients, mut operations, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    let (mut hashes, mut statuses, mut answers) = (Vec::new(), Vec::new(), Vec::new());
    for one in settled {
        clients.push(one.key.client);
        operations.push(one.key.operation);
        keys.push(one.key.key);
        hashes.push(one.request_hash.to_vec());
        statuses.push(i32::from(one.status));
        answers.push(one.answer);
    }
    let ids: Vec<Uuid> = keys.iter().map(|_key| tx.next_id()).collect();
    let values = Values::new()
        .with(tx.now())
        .with(clients)
        .with(operations)
        .with(keys)
        .with(hashes)
        .with(ids)
        .with(statuses)
        .with(answers);
    let rows = tx.named(SETTLE, values).await?;
    let read = |row: &PgRow| {
        Ok(Key {
            client: row.try_get("client")?,
            operation: row.try_get("operation")?,
            key: row.try_get("key")?,
        })
    };
    rows.iter().map(read).collect()
}

fn judge(row: &PgRow, request_hash: &[u8], now: Timestamp) -> Result<Claim, DbError> {
    let hash: Vec<u8> = row.try_get("request_hash")?;
    if hash != request_hash {
        return Ok(Claim::OtherContent);
    }
    let status: Option<i32> = row.try_get("status")?;
    let answer: Option<Value> = row.try_get("answer")?;
    if let (Some(status), Some(answer)) = (status, answer) {
        let inconsistent = |_| DbError::Inconsistent {
            table: "idempotency_key",
            column: "status",
        };
        let status = u16::try_from(status).map_err(inconsistent)?;
        return Ok(Claim::Answered { status, answer });
    }
    let lease_until: Option<Timestamp> = row.try_get("lease_until")?;
    if lease_until.is_some_and(|until| until > now) {
        return Ok(Claim::InFlight);
    }
    Ok(Claim::Mine {
        resource_id: row.try_get("resource_id")?,
    })
}

/// Gives a claimed key back: the next try with it begins anew, under the same id.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn release(tx: &TenantTx, key: &Key) -> Result<(), DbError> {
    tx.run(RENEW, key.values().with(tx.now())).await.map(drop)
}

/// Stores the answer of a claimed key; from now on repeats get it.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn answer(tx: &TenantTx, key: &Key, status: u16, body: &Value) -> Result<(), DbError> {
    let values = key.values().with(i32::from(status)).with(body.clone());
    tx.run(ANSWER, values).await.map(drop)
}
