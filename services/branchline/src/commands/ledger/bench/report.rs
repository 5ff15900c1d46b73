//! Ratios, medians and the lines that are kept.

use std::fmt;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::counters::Cost;
use super::load::Window;
use crate::terminal::tell;

/// A number with two decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ratio(u64);

impl fmt::Display for Ratio {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, rest) = (self.0.checked_div(100), self.0.checked_rem(100));
        write!(out, "{}.{:02}", whole.unwrap_or(0), rest.unwrap_or(0))
    }
}

impl Ratio {
    /// Ours by the mean of the two anchors; nothing when those differ by more than 15 %.
    pub(super) fn of_triple(first: u64, ours: u64, last: u64) -> Option<Self> {
        let sum = agreed(first, last)?;
        Some(Self(ours.saturating_mul(200).checked_div(sum)?))
    }

    /// The mean of the two anchors by ours: a ratio of latencies, from rates of one client.
    pub(super) fn inverse_of_triple(first: u64, ours: u64, last: u64) -> Option<Self> {
        let sum = agreed(first, last)?;
        Some(Self(sum.saturating_mul(50).checked_div(ours)?))
    }

    pub(super) fn millis(micros: u64) -> Self {
        Self(micros.checked_div(10).unwrap_or(0))
    }
}

/// The sum of two anchors that differ by 15 % at most.
fn agreed(first: u64, last: u64) -> Option<u64> {
    let apart = first.abs_diff(last).saturating_mul(100);
    let allowed = first.min(last).saturating_mul(15);
    (apart <= allowed).then(|| first.saturating_add(last))
}

/// The ratios of one verdict.
#[derive(Default)]
pub(super) struct Triples {
    ratios: Vec<Ratio>,
    dropped: u32,
}

impl Triples {
    /// Counts a triple; one whose anchors differ too much counts as dropped.
    pub(super) fn add(&mut self, ratio: Option<Ratio>) {
        match ratio {
            Some(ratio) => self.ratios.push(ratio),
            None => self.dropped = self.dropped.saturating_add(1),
        }
    }
}

/// The middle of at least `needed` ratios, in words; fewer are no verdict.
pub(super) fn median(all: &mut [Ratio], needed: usize) -> String {
    all.sort_unstable();
    let middle = all.len().checked_div(2).and_then(|middle| all.get(middle));
    let middle = middle.filter(|_ratio| all.len() >= needed);
    middle.map_or_else(|| "none".to_owned(), ToString::to_string)
}

/// Everything that was measured, one line each, written as it comes: a run that is broken off
/// leaves what it had.
pub(super) struct Report {
    file: Option<File>,
    trouble: Option<io::Error>,
}

impl Report {
    /// Begins the file anew, if there is to be one.
    pub(super) fn try_new(path: Option<&Path>) -> io::Result<Self> {
        Ok(Self {
            file: path.map(File::create).transpose()?,
            trouble: None,
        })
    }

    fn keep(&mut self, line: &Value) {
        tell(&line.to_string());
        if let Some(file) = &mut self.file
            && let Err(error) = writeln!(file, "{line}")
        {
            self.trouble.get_or_insert(error);
        }
    }

    pub(super) fn anchor(&mut self, script: &str, clients: usize, rate: u64) {
        self.keep(&json!({ "anchor": script, "clients": clients, "rate": rate }));
    }

    pub(super) fn ours(
        &mut self,
        pattern: &str,
        clients: usize,
        tenants: usize,
        window: &Window,
        cost: &Cost,
    ) {
        self.keep(&json!({
            "ours": pattern, "clients": clients, "tenants": tenants,
            "rate": window.rate, "done": window.done, "refused": window.refused,
            "errors": window.errors, "p50_us": window.p50_micros, "p99_us": window.p99_micros,
            "batch": cost.batch,
            "wal_bytes": cost.wal_bytes, "fsyncs_per_1000": cost.syncs_per_thousand,
            "server_cpu_ns": cost.server_nanos, "own_cpu_ns": cost.own_nanos,
            "core_cpu_ns": cost.core_nanos,
        }));
    }

    pub(super) fn open(&mut self, rate: u64, tenants: usize, window: &Window) {
        self.keep(&json!({
            "open_loop": rate, "tenants": tenants, "rate": window.rate, "errors": window.errors,
            "p50_us": window.p50_micros, "p99_us": window.p99_micros,
        }));
    }

    pub(super) fn storage(&mut self, bytes: u64) {
        self.keep(&json!({ "bytes_per_posting": bytes }));
    }

    /// Keeps what a verdict rests on and gives its median.
    pub(super) fn verdict(
        &mut self,
        what: &str,
        conditions: &Value,
        mut triples: Triples,
        needed: usize,
    ) -> String {
        let median = median(&mut triples.ratios, needed);
        let ratios: Vec<_> = triples.ratios.iter().map(ToString::to_string).collect();
        self.keep(&json!({
            "verdict": what, "conditions": conditions, "median": median,
            "ratios": ratios, "dropped_triples": triples.dropped,
        }));
        median
    }

    /// Tells whether every line was written.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.trouble.take().map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_triple_whose_anchors_differ_too_much_is_dropped() {
        assert_eq!(Ratio::of_triple(100, 550, 115), Some(Ratio(511)));
        assert_eq!(Ratio::of_triple(100, 550, 116), None);
        assert_eq!(Ratio::of_triple(0, 550, 0), None);
        assert_eq!(Ratio::inverse_of_triple(900, 600, 900), Some(Ratio(150)));
    }

    #[test]
    fn a_ratio_is_printed_with_two_decimals() {
        assert_eq!(Ratio(503).to_string(), "5.03");
        assert_eq!(Ratio::millis(4_321).to_string(), "4.32");
    }

    #[test]
    fn too_few_ratios_are_no_verdict() {
        let mut some = [Ratio(3), Ratio(1), Ratio(2)];
        assert_eq!(median(&mut some, 3), "0.02");
        assert_eq!(median(&mut some, 4), "none");
        assert_eq!(median(&mut [], 0), "none");
    }
}
