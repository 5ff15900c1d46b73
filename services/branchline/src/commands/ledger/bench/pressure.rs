//! `ledger pressure`: far more clients than the ledger can serve, all at one tenant, and one
//! client at another.
//!
//! Each of the many keeps a connection and asks for a posting; told to come again, it does so
//! with the same key after the time it was told. The core runs in a process of its own. What must
//! hold: its memory stays within a bound, no more commands are inside than its queue may hold,
//! every refusal is 503 and says when to come again, nobody else's batch waits for more than two
//! turns of others, and afterwards everything acknowledged is there once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use branchline_db::{Access, Values};
use branchline_kernel::{Clock, IdSource, RandomIds, SystemClock, Timestamp};
use branchline_ledger::EngineLimits;
use clap::Args as ClapArgs;
use sqlx::Row;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::child::Core;
use super::http::{self, Poster, decided};
use super::load::{Client, Journal, collect, fresh_chance, sum};
use super::wire::{Reply, Wire};
use crate::commands::ledger::ground::{Books, Ground};
use crate::terminal::{say, tell};

/// How hard.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Few clients for a moment: shows that it works, not that the bounds hold.
    #[arg(long, conflicts_with_all = ["clients", "seconds"])]
    quick: bool,
    /// Clients at the one tenant, each with a connection of its own.
    #[arg(
        long,
        default_value_t = 10_000,
        default_value_if("quick", "true", "200")
    )]
    clients: usize,
    /// For how many seconds.
    #[arg(long, default_value_t = 20, default_value_if("quick", "true", "2"))]
    seconds: u64,
    /// The most memory the core may take, in MB.
    #[arg(long, default_value_t = 300)]
    rss_mb: u64,
}

const ACCOUNTS: usize = 1_000;
const OPENING: i64 = 100_000_000;
/// Turns of others that a batch may wait for.
const MOST_TURNS: u64 = 2;
/// Connections that are opened at the same time; more would overflow the listener's backlog.
const AT_ONCE: usize = 256;
/// The pause between two requests of the client at the other tenant.
const PAUSE: Duration = Duration::from_millis(50);

/// What the many and the one have in common.
struct Crush {
    ground: Ground,
    core: Core,
    busy: Books,
    quiet: Books,
    journal: Journal,
}

/// What the client at the other tenant saw.
struct Seen {
    client: Client,
    /// When each of its requests was sent and answered.
    spans: Vec<(Timestamp, Timestamp)>,
}

/// Presses, checks the bounds, and says what was measured.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    allow_files(args.clients).await?;
    let ground = Ground::prepare("pressure", &[], 60).await?;
    let busy = ground.tenant("busy", ACCOUNTS, OPENING).await?;
    let quiet = ground.tenant("quiet", ACCOUNTS, OPENING).await?;
    let core = Core::start(&ground).await?;
    let mut crush = Crush {
        ground,
        core,
        busy,
        quiet,
        journal: Journal::default(),
    };
    let counts = Arc::new(Counts::default());
    let (window, spans) = crush.press(&args, &counts).await?;
    let figures = Figures::read(&crush.core).await?;
    crush.core.stop().await?;
    let batches = between(&crush.ground, &crush.busy, &spans).await?;
    for books in [&crush.busy, &crush.quiet] {
        http::check(&crush.ground, books).await?;
        crush.journal.verify(&crush.ground, books).await?;
    }
    let (refused, otherwise, cut) = counts.read();
    tell(&format!(
        "{} answered, {} per second; {cut} connections cut; the other tenant: {} requests, while \
         the slowest of them was answered {batches} batches of the busy tenant began",
        window.done,
        window.rate,
        spans.len()
    ));
    say(&format!(
        "pressure clients={} rss_mb={} refused={refused} inside={} other_waited_batches={}",
        args.clients, figures.rss_mb, figures.inside, figures.turns
    ));
    crush.ground.clear().await?;
    anyhow::ensure!(
        otherwise == 0,
        "{otherwise} were refused otherwise than with 503 and Retry-After"
    );
    figures.hold(&args)
}

/// What the core measured of itself.
struct Figures {
    rss_mb: u64,
    inside: u64,
    turns: u64,
}

impl Figures {
    async fn read(core: &Core) -> anyhow::Result<Self> {
        Ok(Self {
            rss_mb: core.peak_kilobytes()?.div_ceil(1_024),
            inside: core.figure("branchline_ledger_most_inside").await?,
            turns: core.figure("branchline_ledger_most_turns_waited").await?,
        })
    }

    fn hold(&self, args: &Args) -> anyhow::Result<()> {
        let queue = u64::try_from(EngineLimits::STANDARD.queue)?;
        anyhow::ensure!(
            self.rss_mb <= args.rss_mb,
            "the core took {} MB of memory",
            self.rss_mb
        );
        anyhow::ensure!(
            self.inside <= queue,
            "{} commands of a tenant were inside at once; {queue} may be",
            self.inside
        );
        anyhow::ensure!(
            self.turns <= MOST_TURNS,
            "a batch waited for {} turns of others",
            self.turns
        );
        Ok(())
    }
}

impl Crush {
    async fn press(
        &mut self,
        args: &Args,
        counts: &Arc<Counts>,
    ) -> anyhow::Result<(super::load::Window, Vec<(Timestamp, Timestamp)>)> {
        let (begin, over) = (Instant::now(), Arc::new(AtomicBool::new(false)));
        let hand = Hand {
            poster: Poster::new(&self.core, &self.busy),
            over: Arc::clone(&over),
            counts: Arc::clone(counts),
        };
        tell(&format!("opening {} connections", args.clients));
        let tasks = open(&hand, args.clients).await?;
        let other = Poster::new(&self.core, &self.quiet);
        let until = Arc::clone(&over);
        let other = std::thread::spawn(move || alone(&other, &until));
        sleep(Duration::from_secs(args.seconds)).await;
        over.store(true, Ordering::Relaxed);
        let many = collect(tasks).await?;
        let took = begin.elapsed();
        let seen = tokio::task::spawn_blocking(move || other.join()).await?;
        let seen =
            seen.map_err(|_panic| anyhow::anyhow!("the other tenant's client panicked"))??;
        let books = std::slice::from_ref(&self.busy);
        let window = sum(books, many, took, &mut self.journal);
        let books = std::slice::from_ref(&self.quiet);
        let one = sum(books, vec![seen.client], took, &mut self.journal);
        tell(&format!(
            "the other tenant: p50 {} us, p99 {} us, {} refused by load",
            one.p50_micros, one.p99_micros, one.errors
        ));
        anyhow::ensure!(one.errors == 0, "the other tenant was refused");
        Ok((window, seen.spans))
    }
}

/// What each of the many has.
#[derive(Clone)]
struct Hand {
    poster: Poster,
    over: Arc<AtomicBool>,
    counts: Arc<Counts>,
}

/// How the many were turned away.
#[derive(Default)]
struct Counts {
    /// With 503 and the time to come again.
    refused: AtomicU64,
    /// In any other way: there must be none.
    otherwise: AtomicU64,
    /// Connections that the core closed while a request was on its way; the key makes the repeat
    /// on a new one safe.
    cut: AtomicU64,
}

impl Counts {
    fn read(&self) -> (u64, u64, u64) {
        let all = [&self.refused, &self.otherwise, &self.cut];
        all.map(|count| count.load(Ordering::Relaxed)).into()
    }

    /// Counts a refusal and gives the seconds to wait.
    fn refused(&self, reply: &Reply) -> u64 {
        let right = reply.retry_after.filter(|_| reply.status == 503);
        let count = if right.is_some() {
            &self.refused
        } else {
            &self.otherwise
        };
        count.fetch_add(1, Ordering::Relaxed);
        right.unwrap_or(1)
    }
}

/// Opens the connections. Each is used as soon as it is there: the core closes one that says
/// nothing.
async fn open(hand: &Hand, count: usize) -> anyhow::Result<JoinSet<anyhow::Result<Client>>> {
    let mut tasks = JoinSet::new();
    while tasks.len() < count {
        let some = count.saturating_sub(tasks.len()).min(AT_ONCE);
        let mut opening: JoinSet<_> = (0..some).map(|_| Wire::connect(hand.poster.to)).collect();
        while let Some(wire) = opening.join_next().await {
            tasks.spawn(hand.clone().press(wire??));
        }
    }
    Ok(tasks)
}

impl Hand {
    /// One of the many.
    async fn press(self, mut wire: Wire) -> anyhow::Result<Client> {
        let (mut client, mut chance) = (Client::default(), fresh_chance());
        while !self.over.load(Ordering::Relaxed) {
            let (key, asked) = (RandomIds.next(), self.poster.ask_for(&mut chance)?);
            let sent = Instant::now();
            loop {
                let Ok(reply) = wire.ask(&self.poster.request(&asked, key)?).await else {
                    self.counts.cut.fetch_add(1, Ordering::Relaxed);
                    wire = Wire::connect(self.poster.to).await?;
                    continue;
                };
                if let Ok(Some(posted)) = decided(&reply) {
                    let key = self.poster.ledger_key(key);
                    client.acknowledge(0, key, posted, sent);
                    break;
                }
                let pause = self.counts.refused(&reply);
                if self.over.load(Ordering::Relaxed) {
                    break;
                }
                sleep(Duration::from_secs(pause)).await;
            }
        }
        Ok(client)
    }
}

/// The client at the other tenant, on a thread of its own, so that it does not wait for the many.
fn alone(poster: &Poster, over: &AtomicBool) -> anyhow::Result<Seen> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut wire = Wire::connect(poster.to).await?;
        let (mut client, mut chance) = (Client::default(), fresh_chance());
        let mut spans = Vec::new();
        while !over.load(Ordering::Relaxed) {
            let key = RandomIds.next();
            let request = poster.request(&poster.ask_for(&mut chance)?, key)?;
            let (since, sent) = (SystemClock.now(), Instant::now());
            match decided(&wire.ask(&request).await?)? {
                Some(posted) => client.acknowledge(0, poster.ledger_key(key), posted, sent),
                None => client.errors = client.errors.saturating_add(1),
            }
            spans.push((since, SystemClock.now()));
            sleep(PAUSE).await;
        }
        anyhow::Ok(Seen { client, spans })
    })
}

const BEGUN: &str =
    "SELECT DISTINCT booked_at FROM posting WHERE kind = 'transfer' ORDER BY booked_at";

/// The most batches of the busy tenant that began while one request of the other was on its way.
/// All postings of a batch carry the moment its transaction began.
async fn between(
    ground: &Ground,
    busy: &Books,
    spans: &[(Timestamp, Timestamp)],
) -> anyhow::Result<usize> {
    let db = &ground.db;
    let tx = db
        .tenant(&busy.tenant, "system:bench", Access::Read)
        .await?;
    let rows = tx.named(BEGUN, Values::new()).await?;
    tx.rollback().await?;
    let begun = rows.iter().map(|row| row.try_get("booked_at"));
    let begun: Vec<Timestamp> = begun.collect::<Result<_, _>>()?;
    let during = |(since, until): &(Timestamp, Timestamp)| {
        let first = begun.partition_point(|at| at < since);
        let last = begun.partition_point(|at| at < until);
        last.saturating_sub(first)
    };
    Ok(spans.iter().map(during).max().unwrap_or(0))
}

/// Each connection is an open file, here and in the core, which inherits the bound.
async fn allow_files(clients: usize) -> anyhow::Result<()> {
    let needed = clients.saturating_add(500);
    let limits = std::fs::read_to_string("/proc/self/limits")?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"));
    let mut bounds = line.unwrap_or_default().split_whitespace();
    let (soft, hard) = (bounds.next().unwrap_or_default(), bounds.next());
    if soft == "unlimited" || soft.parse::<usize>().is_ok_and(|soft| soft >= needed) {
        return Ok(());
    }
    let raised = tokio::process::Command::new("prlimit")
        .arg(format!("--pid={}", std::process::id()))
        .arg(format!("--nofile={needed}:{}", hard.unwrap_or_default()))
        .status()
        .await;
    anyhow::ensure!(
        raised.is_ok_and(|status| status.success()),
        "{clients} clients need {needed} open files: run `ulimit -n {needed}` before"
    );
    Ok(())
}
