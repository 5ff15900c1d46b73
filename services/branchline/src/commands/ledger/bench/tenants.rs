//! Many tenants against a few: the same load in all, over random tenants, by the timetable.
//!
//! Each tenant is touched before, as one that is in use would be. What is compared is the 99th
//! percentile of a posting: few, many, few again, on the same server.

use std::time::Duration;

use anyhow::Context;
use serde_json::json;

use super::Bench;
use super::load::{Load, Pattern, Window};
use super::report::{Ratio, Triples};
use crate::commands::ledger::ground::Books;
use crate::terminal::tell;

/// Postings per second over all tenants together.
const RATE: u64 = 300;
const ACCOUNTS: usize = 10;
const OPENING: i64 = 100_000_000;
/// A percentile of so few postings needs a longer look than a rate.
const WINDOWS: u32 = 3;

/// How many tenants are compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Crowd {
    pub(super) few: usize,
    pub(super) many: usize,
}

impl Bench {
    /// Opens the tenants and compares.
    pub(super) async fn many_tenants(&mut self, crowd: Crowd) -> anyhow::Result<String> {
        let many = self.open_tenants(crowd.many).await?;
        let few = many.get(..crowd.few).context("the few are of the many")?;
        let (few, many) = (few.to_vec(), many);
        let load = Load::new(&self.engine, self.ground.day, Pattern::Uniform, &many);
        load.touch(&mut self.journal).await?;
        let mut triples = Triples::default();
        for _ in 0..self.plan.triples {
            let first = self.crowded(&few).await?.p99_micros;
            let middle = self.crowded(&many).await?.p99_micros;
            let last = self.crowded(&few).await?.p99_micros;
            triples.add(Ratio::of_triple(first, middle, last));
        }
        self.opened.extend(many);
        let conditions = json!({ "few": crowd.few, "many": crowd.many, "rate": RATE });
        let needed = self.plan.needed();
        Ok(self
            .report
            .verdict("many-tenants-p99", &conditions, triples, needed))
    }

    async fn open_tenants(&self, count: usize) -> anyhow::Result<Vec<Books>> {
        // All schemas first: each one that is made costs a connection the longer, the more tenants
        // it has plans for already.
        let mut tenants = Vec::with_capacity(count);
        for number in 0..count {
            if number.checked_rem(50) == Some(0) {
                tell(&format!("tenant {number} of {count}"));
            }
            let name = format!("crowd{number}");
            tenants.push(self.ground.provision(&name).await?);
        }
        tell("opening their books");
        let mut all = Vec::with_capacity(count);
        for tenant in tenants {
            all.push(self.ground.open(tenant, ACCOUNTS, OPENING).await?);
        }
        self.ground.root().await?.run("ANALYZE").await?;
        // What making them left to be written is not part of what is measured.
        self.ground.root().await?.run("CHECKPOINT").await?;
        Ok(all)
    }

    async fn crowded(&mut self, books: &[Books]) -> anyhow::Result<Window> {
        let window: Duration = self.plan.window.saturating_mul(WINDOWS);
        let load = Load::new(&self.engine, self.ground.day, Pattern::Uniform, books);
        let window = load.open(RATE, window, &mut self.journal).await?;
        self.report.open(RATE, books.len(), &window);
        Ok(window)
    }
}
