//! The load: commands by some clients in a closed loop, or by a timetable in an open one.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use branchline_db::{TenantTx, Values};
use branchline_kernel::{IdSource, LedgerAccountId, PostingId, RandomIds, TenantId};
use branchline_ledger::{Action, Command, Dates, Engine, LedgerKey, Leg, Post, Verdict};
use chrono::NaiveDate;
use sqlx::Row;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::super::ground::{Books, eur};
use crate::commands::ledger::torture::Chance;

/// Which accounts meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Any two.
    Uniform,
    /// Nine of ten times out of a tenth of the accounts.
    NinetyTen,
    /// One account is on one side of every posting.
    Hot,
}

impl Pattern {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::NinetyTen => "90-10",
            Self::Hot => "hot",
        }
    }

    fn pair(
        self,
        chance: &mut Chance,
        accounts: &[LedgerAccountId],
    ) -> Option<[LedgerAccountId; 2]> {
        let few = accounts.get(..accounts.len().checked_div(10)?.max(2))?;
        let some = match self {
            Self::NinetyTen if chance.below(10) > 0 => few,
            Self::Uniform | Self::NinetyTen | Self::Hot => accounts,
        };
        let mut pair = [*chance.one_of(some)?, *chance.one_of(some)?];
        if self == Self::Hot {
            pair = [*accounts.first()?, *chance.one_of(accounts.get(1..)?)?];
            if chance.below(2) == 0 {
                pair.reverse();
            }
        }
        Some(pair)
    }
}

/// What was acknowledged, per tenant: key and whether it was posted.
#[derive(Default)]
pub(super) struct Journal(HashMap<TenantId, Vec<(Uuid, bool)>>);

const KEYS: &str = "SELECT k.key, k.reason = 0 AS posted FROM ledger_key k";

impl Journal {
    pub(super) fn len(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Compares with the keys that the ledger keeps.
    pub(super) async fn compare(&self, tx: &TenantTx, tenant: &TenantId) -> anyhow::Result<()> {
        let mut stored: HashMap<Uuid, bool> = HashMap::new();
        for row in tx.named(KEYS, Values::new()).await? {
            stored.insert(row.try_get("key")?, row.try_get("posted")?);
        }
        for (key, posted) in self.0.get(tenant).into_iter().flatten() {
            anyhow::ensure!(
                stored.get(key) == Some(posted),
                "{key} was acknowledged and is not there"
            );
        }
        Ok(())
    }
}

/// What came of a window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) done: u64,
    pub(super) refused: u64,
    pub(super) errors: u64,
    pub(super) rate: u64,
    pub(super) p50_micros: u64,
    pub(super) p99_micros: u64,
}

/// What one client did.
#[derive(Default)]
struct Client {
    acknowledged: Vec<(Uuid, bool)>,
    micros: Vec<u64>,
    errors: u64,
}

/// A load on an engine.
pub(super) struct Load<'l> {
    pub(super) engine: &'l Engine,
    pub(super) books: &'l [Books],
    pub(super) day: NaiveDate,
    pub(super) pattern: Pattern,
}

impl Load<'_> {
    /// As many clients as said, each giving its next command when the last was answered.
    pub(super) async fn closed(
        &self,
        clients: usize,
        window: Duration,
        journal: &mut Journal,
    ) -> anyhow::Result<Window> {
        let begin = Instant::now();
        let end = begin.checked_add(window).unwrap_or(begin);
        let mut tasks = JoinSet::new();
        for (number, books) in (0..clients).zip(self.books.iter().cycle()) {
            let (engine, books, day, pattern) =
                (self.engine.clone(), books.clone(), self.day, self.pattern);
            let mut chance = Chance::new(RandomIds.next().as_u64_pair().1);
            tasks.spawn(async move {
                let mut client = Client::default();
                while Instant::now() < end {
                    let planned = Instant::now();
                    one(
                        &engine,
                        &books,
                        (day, pattern),
                        &mut chance,
                        planned,
                        &mut client,
                    )
                    .await?;
                }
                anyhow::Ok((books.tenant, client, number))
            });
        }
        let mut all = Vec::new();
        while let Some(done) = tasks.join_next().await {
            let (tenant, client, _) = done??;
            all.push((tenant, client));
        }
        Ok(sum(all, begin.elapsed(), journal))
    }

    /// Commands by a timetable, whether or not earlier ones were answered; latency counts from
    /// the planned moment.
    pub(super) async fn open(
        &self,
        rate: u64,
        window: Duration,
        journal: &mut Journal,
    ) -> anyhow::Result<Window> {
        let begin = Instant::now();
        let count = rate.saturating_mul(window.as_secs());
        let apart = Duration::from_nanos(1_000_000_000_u64.checked_div(rate).unwrap_or(0));
        let next = Arc::new(AtomicU64::new(0));
        let mut tasks = JoinSet::new();
        for books in self.books.iter().cycle().take(512) {
            let (engine, books, day, pattern) =
                (self.engine.clone(), books.clone(), self.day, self.pattern);
            let (next, mut chance) = (
                Arc::clone(&next),
                Chance::new(RandomIds.next().as_u64_pair().1),
            );
            tasks.spawn(async move {
                let mut client = Client::default();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return anyhow::Ok((books.tenant, client));
                    }
                    let after = apart.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX));
                    let planned = begin.checked_add(after).unwrap_or(begin);
                    sleep_until(planned).await;
                    one(
                        &engine,
                        &books,
                        (day, pattern),
                        &mut chance,
                        planned,
                        &mut client,
                    )
                    .await?;
                }
            });
        }
        let mut all = Vec::new();
        while let Some(done) = tasks.join_next().await {
            all.push(done??);
        }
        Ok(sum(all, begin.elapsed(), journal))
    }
}

async fn one(
    engine: &Engine,
    books: &Books,
    (day, pattern): (NaiveDate, Pattern),
    chance: &mut Chance,
    planned: Instant,
    client: &mut Client,
) -> anyhow::Result<()> {
    let Some([from, to]) = pattern.pair(chance, &books.accounts) else {
        return Ok(());
    };
    // One of a hundred asks for more than there is.
    let minor = if chance.below(100) == 0 {
        4_000_000_000_000
    } else {
        chance.below(100)
    };
    let amount = eur(i64::try_from(minor)?.max(1))?;
    let legs = vec![Leg::debit(from, amount), Leg::credit(to, amount)];
    let id = PostingId::from(RandomIds.next());
    let post = Post::try_new(id, "transfer", Dates::on(day), legs)?;
    let key = RandomIds.next();
    let command = Command::new(LedgerKey::from(key), Action::Post(post));
    match engine.submit(&books.tenant, command, None).await {
        Ok(verdict) => {
            client
                .acknowledged
                .push((key, matches!(verdict, Verdict::Posted { .. })));
            let micros = u64::try_from(planned.elapsed().as_micros()).unwrap_or(u64::MAX);
            client.micros.push(micros);
        }
        Err(_) => client.errors = client.errors.saturating_add(1),
    }
    Ok(())
}

fn sum(all: Vec<(TenantId, Client)>, took: Duration, journal: &mut Journal) -> Window {
    let (mut micros, mut errors, mut refused) = (Vec::new(), 0_u64, 0_usize);
    for (tenant, mut client) in all {
        micros.append(&mut client.micros);
        errors = errors.saturating_add(client.errors);
        let denied = client
            .acknowledged
            .iter()
            .filter(|(_, posted)| !posted)
            .count();
        refused = refused.saturating_add(denied);
        journal
            .0
            .entry(tenant)
            .or_default()
            .append(&mut client.acknowledged);
    }
    micros.sort_unstable();
    let at = |percent: usize| {
        let place = micros
            .len()
            .saturating_mul(percent)
            .checked_div(100)
            .unwrap_or(0);
        micros.get(place).copied().unwrap_or(0)
    };
    let done = u64::try_from(micros.len()).unwrap_or(u64::MAX);
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    Window {
        done,
        refused: u64::try_from(refused).unwrap_or(u64::MAX),
        errors,
        rate: done.saturating_mul(1_000).checked_div(millis).unwrap_or(0),
        p50_micros: at(50),
        p99_micros: at(99),
    }
}
