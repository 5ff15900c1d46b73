//! The load: commands by some clients in a closed loop, or by a timetable in an open one.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use branchline_db::{Access, TenantTx, Values};
use branchline_kernel::{IdSource, LedgerAccountId, PostingId, RandomIds, TenantId};
use branchline_ledger::{Action, Command, Dates, Engine, LedgerKey, Leg, Post, Verdict};
use chrono::NaiveDate;
use sqlx::Row;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

use super::super::ground::{Books, Ground, eur};
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

    pub(super) fn pair(
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

    /// Everything acknowledged is there once, and the books of the tenant do not contradict.
    pub(super) async fn verify(&self, ground: &Ground, books: &Books) -> anyhow::Result<()> {
        let db = &ground.db;
        let tx = db
            .tenant(&books.tenant, "system:bench", Access::Read)
            .await?;
        self.compare(&tx, &books.tenant).await?;
        let findings = branchline_ledger::verify(&tx).await?;
        tx.rollback().await?;
        anyhow::ensure!(findings.is_empty(), "the books contradict: {findings:?}");
        Ok(())
    }

    fn enter(&mut self, tenant: &TenantId, key: Uuid, posted: bool) {
        match self.0.get_mut(tenant) {
            Some(keys) => keys.push((key, posted)),
            None => drop(self.0.insert(tenant.clone(), vec![(key, posted)])),
        }
    }

    /// Compares with the keys that the ledger keeps.
    async fn compare(&self, tx: &TenantTx, tenant: &TenantId) -> anyhow::Result<()> {
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
pub(super) struct Client {
    /// The place of the books, the ledger's key, and whether it was posted.
    acknowledged: Vec<(usize, Uuid, bool)>,
    micros: Vec<u64>,
    pub(super) errors: u64,
}

impl Client {
    /// Notes an answer that counts from `planned`.
    pub(super) fn acknowledge(&mut self, books: usize, key: Uuid, posted: bool, planned: Instant) {
        self.acknowledged.push((books, key, posted));
        let micros = u64::try_from(planned.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.micros.push(micros);
    }
}

/// A load on an engine.
pub(super) struct Load<'l> {
    engine: &'l Engine,
    books: &'l [Books],
    day: NaiveDate,
    pattern: Pattern,
}

impl<'l> Load<'l> {
    pub(super) const fn new(
        engine: &'l Engine,
        day: NaiveDate,
        pattern: Pattern,
        books: &'l [Books],
    ) -> Self {
        Self {
            engine,
            books,
            day,
            pattern,
        }
    }

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
        let hand = self.hand();
        for (_, books) in (0..clients).zip((0..self.books.len()).cycle()) {
            let hand = hand.clone();
            tasks.spawn(async move {
                let (mut client, mut chance) = (Client::default(), fresh_chance());
                while Instant::now() < end {
                    let planned = Instant::now();
                    hand.one(books, &mut chance, planned, &mut client).await?;
                }
                anyhow::Ok(client)
            });
        }
        let all = collect(tasks).await?;
        Ok(sum(self.books, all, begin.elapsed(), journal))
    }

    /// Commands by a timetable over random books, whether or not earlier ones were answered;
    /// latency counts from the planned moment.
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
        let hand = self.hand();
        for _ in 0..IN_FLIGHT {
            let (hand, next) = (hand.clone(), Arc::clone(&next));
            tasks.spawn(async move {
                let (mut client, mut chance) = (Client::default(), fresh_chance());
                let places = u64::try_from(hand.books.len())?;
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return anyhow::Ok(client);
                    }
                    let after = apart.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX));
                    let planned = begin.checked_add(after).unwrap_or(begin);
                    let books = usize::try_from(chance.below(places))?;
                    sleep_until(planned).await;
                    hand.one(books, &mut chance, planned, &mut client).await?;
                }
            });
        }
        let all = collect(tasks).await?;
        Ok(sum(self.books, all, begin.elapsed(), journal))
    }

    /// A few commands to each of the books, a few of them at the same time.
    pub(super) async fn touch(&self, journal: &mut Journal) -> anyhow::Result<()> {
        let begin = Instant::now();
        let mut tasks = JoinSet::new();
        let hand = self.hand();
        for first in 0..TOUCHES {
            let hand = hand.clone();
            tasks.spawn(async move {
                let (mut client, mut chance) = (Client::default(), fresh_chance());
                let count = hand.books.len();
                // Not all at the same tenant: each is to be met on several connections.
                let from = count.saturating_mul(first).checked_div(TOUCHES);
                for books in (0..count).cycle().skip(from.unwrap_or(0)).take(count) {
                    let planned = Instant::now();
                    hand.one(books, &mut chance, planned, &mut client).await?;
                }
                anyhow::Ok(client)
            });
        }
        let all = collect(tasks).await?;
        sum(self.books, all, begin.elapsed(), journal);
        Ok(())
    }

    fn hand(&self) -> Hand {
        Hand {
            engine: self.engine.clone(),
            books: self.books.into(),
            day: self.day,
            pattern: self.pattern,
        }
    }
}

/// Commands of an open loop that may wait for their answers.
const IN_FLIGHT: usize = 512;

/// How often each of many books is touched before it counts as warm.
const TOUCHES: usize = 8;

pub(super) fn fresh_chance() -> Chance {
    Chance::new(RandomIds.next().as_u64_pair().1)
}

/// One of a hundred asks for more than there is.
pub(super) fn minor(chance: &mut Chance) -> i64 {
    if chance.below(100) == 0 {
        return 4_000_000_000_000;
    }
    i64::try_from(chance.below(100)).map_or(1, |minor| minor.max(1))
}

/// What a client needs. Cheap to clone.
#[derive(Clone)]
struct Hand {
    engine: Engine,
    books: Arc<[Books]>,
    day: NaiveDate,
    pattern: Pattern,
}

impl Hand {
    async fn one(
        &self,
        place: usize,
        chance: &mut Chance,
        planned: Instant,
        client: &mut Client,
    ) -> anyhow::Result<()> {
        let Some(books) = self.books.get(place) else {
            return Ok(());
        };
        let Some([from, to]) = self.pattern.pair(chance, &books.accounts) else {
            return Ok(());
        };
        let amount = eur(minor(chance))?;
        let legs = vec![Leg::debit(from, amount), Leg::credit(to, amount)];
        let id = PostingId::from(RandomIds.next());
        let post = Post::try_new(id, "transfer", Dates::on(self.day), legs)?;
        let key = RandomIds.next();
        let command = Command::new(LedgerKey::from(key), Action::Post(post));
        match self.engine.submit(&books.tenant, command, None).await {
            Ok(verdict) => {
                let posted = matches!(verdict, Verdict::Posted { .. });
                client.acknowledge(place, key, posted, planned);
            }
            Err(_) => client.errors = client.errors.saturating_add(1),
        }
        Ok(())
    }
}

pub(super) async fn collect(
    mut tasks: JoinSet<anyhow::Result<Client>>,
) -> anyhow::Result<Vec<Client>> {
    let mut all = Vec::with_capacity(tasks.len());
    while let Some(done) = tasks.join_next().await {
        all.push(done??);
    }
    Ok(all)
}

/// Enters what was acknowledged into the journal and counts.
pub(super) fn sum(
    books: &[Books],
    all: Vec<Client>,
    took: Duration,
    journal: &mut Journal,
) -> Window {
    let (mut micros, mut errors, mut refused) = (Vec::new(), 0_u64, 0_u64);
    for mut client in all {
        micros.append(&mut client.micros);
        errors = errors.saturating_add(client.errors);
        for (place, key, posted) in client.acknowledged {
            refused = refused.saturating_add(u64::from(!posted));
            if let Some(books) = books.get(place) {
                journal.enter(&books.tenant, key, posted);
            }
        }
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
        refused,
        errors,
        rate: done.saturating_mul(1_000).checked_div(millis).unwrap_or(0),
        p50_micros: at(50),
        p99_micros: at(99),
    }
}
