//! What a window cost: bytes of WAL, fsyncs, processor time, bytes on disk.

use std::fs;

use anyhow::Context;
use branchline_db::{Access, Values};
use branchline_ledger::Engine;
use sqlx::Row;

use super::super::ground::{Books, Ground};
use super::child::Core;

const WAL: &str = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint AS bytes, wal_sync AS syncs FROM pg_stat_wal";
const BYTES: &str = "SELECT (pg_total_relation_size('posting') + pg_total_relation_size('entry') \
+ pg_total_relation_size('ledger_key'))::bigint AS bytes, (SELECT count(*) FROM posting) AS postings";

/// Readings at one moment.
pub(super) struct Counters {
    wal: u64,
    syncs: u64,
    server_nanos: u64,
    own_nanos: u64,
    core_nanos: u64,
    batches: u64,
}

/// What each command of a window cost.
pub(super) struct Cost {
    pub(super) wal_bytes: u64,
    pub(super) syncs_per_thousand: u64,
    pub(super) server_nanos: u64,
    /// Of the process that makes the load; without a core beside it, the engine's as well.
    pub(super) own_nanos: u64,
    /// Of the core in a process of its own.
    pub(super) core_nanos: u64,
    /// Commands that shared a commit, on average.
    pub(super) batch: u64,
}

impl Counters {
    /// With the engine in this process.
    pub(super) async fn read(ground: &Ground, engine: &Engine) -> anyhow::Result<Self> {
        Self::with(ground, 0, engine.tallied().batches).await
    }

    /// With a core beside this process.
    pub(super) async fn of_core(ground: &Ground, core: &Core) -> anyhow::Result<Self> {
        let batches = core
            .figure("branchline_ledger_batch_commands_count")
            .await?;
        Self::with(ground, core.nanos(), batches).await
    }

    async fn with(ground: &Ground, core_nanos: u64, batches: u64) -> anyhow::Result<Self> {
        let row = ground.root().await?.ask(WAL).await?;
        let row = row.context("the server counts its WAL")?;
        let (wal, syncs): (i64, i64) = (row.try_get("bytes")?, row.try_get("syncs")?);
        Ok(Self {
            wal: wal.unsigned_abs(),
            syncs: syncs.unsigned_abs(),
            server_nanos: ground.server.pid().map_or(0, children_nanos),
            own_nanos: process_nanos("self"),
            core_nanos,
            batches,
        })
    }

    pub(super) fn since(&self, before: &Self, done: u64) -> Cost {
        let each = |now: u64, then: u64| now.saturating_sub(then).checked_div(done).unwrap_or(0);
        let syncs = self
            .syncs
            .saturating_sub(before.syncs)
            .saturating_mul(1_000);
        Cost {
            wal_bytes: each(self.wal, before.wal),
            syncs_per_thousand: syncs.checked_div(done).unwrap_or(0),
            server_nanos: each(self.server_nanos, before.server_nanos),
            own_nanos: each(self.own_nanos, before.own_nanos),
            core_nanos: each(self.core_nanos, before.core_nanos),
            batch: done
                .checked_div(self.batches.saturating_sub(before.batches))
                .unwrap_or(0),
        }
    }
}

/// Bytes of postings, entries and keys with their indexes, per posting.
pub(super) async fn bytes_per_posting(ground: &Ground, books: &[Books]) -> anyhow::Result<u64> {
    let (mut bytes, mut postings) = (0_u64, 0_u64);
    for books in books {
        let tx = ground
            .db
            .tenant(&books.tenant, "system:bench", Access::Read)
            .await?;
        if let Some(row) = tx.named(BYTES, Values::new()).await?.first() {
            bytes = bytes.saturating_add(row.try_get::<i64, _>("bytes")?.unsigned_abs());
            postings = postings.saturating_add(row.try_get::<i64, _>("postings")?.unsigned_abs());
        }
        tx.rollback().await?;
    }
    Ok(bytes.checked_div(postings).unwrap_or(0))
}

/// Processor time of the server's processes that live now.
fn children_nanos(server: u32) -> u64 {
    let mut sum = 0_u64;
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().filter(|pid| pid.parse::<u32>().is_ok()) else {
            continue;
        };
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // Behind the name in parentheses: state, then the parent.
        let parent = stat
            .rsplit_once(')')
            .and_then(|(_, rest)| rest.split_whitespace().nth(1));
        if parent.and_then(|parent| parent.parse().ok()) == Some(server) {
            sum = sum.saturating_add(process_nanos(pid));
        }
    }
    sum
}

pub(super) fn process_nanos(pid: &str) -> u64 {
    let mut sum = 0_u64;
    for task in fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let stat = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
        let ran = stat
            .split_whitespace()
            .next()
            .and_then(|ran| ran.parse().ok());
        sum = sum.saturating_add(ran.unwrap_or(0));
    }
    sum
}
