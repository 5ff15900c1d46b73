//! Counts of what the engine did: for metrics, for the bench, for the torture.

use std::sync::atomic::{AtomicU64, Ordering};

use metrics::{counter, gauge, histogram};

/// What an engine did since its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tallied {
    /// Batches committed.
    pub batches: u64,
    /// Commands that got their verdict from one of them.
    pub commands: u64,
    /// Batches given again because something was in the way.
    pub repeated: u64,
    /// How many of those were victims of a deadlock: there should be none among writers.
    pub deadlocks: u64,
    /// Commands refused because a queue was full.
    pub refused_full: u64,
    /// The most commands of one tenant that were inside at once.
    pub most_inside: u64,
    /// The most turns of other tenants that a batch waited for.
    pub most_turns_waited: u64,
}

#[derive(Default)]
pub(super) struct Tally {
    batches: AtomicU64,
    commands: AtomicU64,
    repeated: AtomicU64,
    deadlocks: AtomicU64,
    refused_full: AtomicU64,
    most_inside: AtomicU64,
    most_turns_waited: AtomicU64,
}

/// Keeps the larger of both, and shows it.
fn most(of: &AtomicU64, now: u64, name: &'static str) {
    if of.fetch_max(now, Ordering::Relaxed) < now {
        gauge!(name).set(u32::try_from(now).unwrap_or(u32::MAX));
    }
}

impl Tally {
    pub(super) fn committed(&self, size: usize) {
        let commands = u64::try_from(size).unwrap_or(u64::MAX);
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.commands.fetch_add(commands, Ordering::Relaxed);
        counter!("branchline_ledger_commands_total").increment(commands);
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        histogram!("branchline_ledger_batch_commands").record(size);
    }

    pub(super) fn repeated(&self, sqlstate: Option<&str>) {
        self.repeated.fetch_add(1, Ordering::Relaxed);
        counter!("branchline_ledger_batches_repeated_total").increment(1);
        if sqlstate == Some("40P01") {
            self.deadlocks.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn refused_full(&self) {
        self.refused_full.fetch_add(1, Ordering::Relaxed);
        counter!("branchline_ledger_refused_full_total").increment(1);
    }

    pub(super) fn inside(&self, commands: usize) {
        let commands = u64::try_from(commands).unwrap_or(u64::MAX);
        most(&self.most_inside, commands, "branchline_ledger_most_inside");
    }

    pub(super) fn waited(&self, turns: u64) {
        let name = "branchline_ledger_most_turns_waited";
        most(&self.most_turns_waited, turns, name);
    }

    pub(super) fn read(&self) -> Tallied {
        Tallied {
            batches: self.batches.load(Ordering::Relaxed),
            commands: self.commands.load(Ordering::Relaxed),
            repeated: self.repeated.load(Ordering::Relaxed),
            deadlocks: self.deadlocks.load(Ordering::Relaxed),
            refused_full: self.refused_full.load(Ordering::Relaxed),
            most_inside: self.most_inside.load(Ordering::Relaxed),
            most_turns_waited: self.most_turns_waited.load(Ordering::Relaxed),
        }
    }
}
