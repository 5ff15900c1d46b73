//! `ledger bench`: our rate as a ratio to that of PostgreSQL's own benchmark in the same minutes,
//! on the same private server with default durability; afterwards the books are verified.
//!
//! Each verdict is the median of triples anchor, ours, anchor. A triple whose two anchors differ
//! by more than 15 % is dropped and counted. Rates alone say nothing on a shared machine.

mod anchor;
mod child;
mod counters;
mod http;
mod load;
mod report;
mod wire;

use std::path::PathBuf;
use std::time::Duration;

use branchline_db::Access;
use branchline_ledger::{Engine, EngineLimits};
use clap::Args as ClapArgs;
use serde_json::json;
use tokio::time::sleep;

use self::anchor::{Anchor, Script};
use self::child::Core;
use self::counters::Counters;
use self::http::Poster;
use self::load::{Journal, Load, Pattern, Window};
use self::report::{Ratio, Report, Triples, median};
use super::ground::{Books, Ground};
use crate::terminal::{say, tell};

/// How much of it.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Short windows on few accounts: shows that the bench works and the books are right, not
    /// how fast anything is.
    #[arg(long)]
    quick: bool,
    /// Writes each window as a line of JSON into this file.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Triples per verdict.
    #[arg(long, default_value_t = 7)]
    triples: usize,
    /// Seconds per window.
    #[arg(long, default_value_t = 5)]
    seconds: u64,
}

/// What differs between a quick run and one that counts.
struct Plan {
    accounts: usize,
    window: Duration,
    triples: usize,
    anchor_clients: &'static [usize],
    clients: &'static [usize],
    same_clients: usize,
    connections: &'static [usize],
    open_rate: u64,
}

impl Plan {
    fn of(args: &Args) -> Self {
        if args.quick {
            return Self {
                accounts: 200,
                window: Duration::from_secs(1),
                triples: 1,
                anchor_clients: &[8],
                clients: &[1, 64],
                same_clients: 8,
                connections: &[32],
                open_rate: 300,
            };
        }
        Self {
            accounts: 20_000,
            window: Duration::from_secs(args.seconds),
            triples: args.triples,
            anchor_clients: &[1, 8, 32, 64],
            clients: &[1, 8, 32, 64, 256, 1_024],
            same_clients: 32,
            connections: &[32, 64, 256],
            open_rate: 3_000,
        }
    }
}

/// Fewer triples than this are no verdict, unless fewer were asked for.
const FEWEST: usize = 5;

impl Plan {
    fn needed(&self) -> usize {
        self.triples.min(FEWEST)
    }
}

/// What a run works with.
struct Bench {
    ground: Ground,
    plan: Plan,
    report: Report,
    engine: Engine,
    books: [Books; 2],
    posters: Books,
    anchor: Anchor,
    peaks: Vec<(Script, usize)>,
    journal: Journal,
}

/// Measures, verifies, and prints the verdicts last.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut bench = Bench::prepare(&args).await?;
    let uniform = bench.against(Script::TpcB, Pattern::Uniform, 1).await?;
    let two = bench.against(Script::TpcB, Pattern::Uniform, 2).await?;
    let same = bench.same_clients().await?;
    let ninety = bench.window(Pattern::NinetyTen, 64, 1).await?;
    tell(&format!("90-10, 64 clients: {} /s", ninety.rate));
    let hot = bench.against(Script::HotRow, Pattern::Hot, 1).await?;
    let light = bench.light().await?;
    let p99 = bench.open_loop().await?;
    let http = bench.through_http().await?;
    bench.storage().await?;
    let checked = bench.check().await?;
    bench.report.finish()?;
    say(&format!(
        "{checked} acknowledged commands are there once; 0 findings"
    ));
    say(&format!(
        "{} clients each: {same} times pgbench's TPC-B",
        bench.plan.same_clients
    ));
    say(&format!(
        "one client: latency {light} of a bare insert and commit"
    ));
    say(&format!(
        "ledger-bench uniform={uniform} two_tenants={two} hot={hot} http={http} p99_ms={p99}"
    ));
    bench.ground.clear().await
}

impl Bench {
    async fn prepare(args: &Args) -> anyhow::Result<Self> {
        let plan = Plan::of(args);
        let ground = Ground::prepare("bench", &[], 150).await?;
        tell("opening accounts");
        let opening = 100_000_000;
        let books = [
            ground.tenant("busy1", plan.accounts, opening).await?,
            ground.tenant("busy2", plan.accounts, opening).await?,
        ];
        let posters = ground.tenant("busy3", plan.accounts, opening).await?;
        ground.root().await?.run("ANALYZE").await?;
        let anchor = Anchor::prepare(&ground.server, if args.quick { 1 } else { 10 }).await?;
        let engine = Engine::try_new(&ground.db, EngineLimits::STANDARD)?;
        let report = Report::new(args.json.clone());
        Ok(Self {
            ground,
            plan,
            report,
            engine,
            books,
            posters,
            anchor,
            peaks: Vec::new(),
            journal: Journal::default(),
        })
    }

    /// One window of ours, in a closed loop.
    async fn window(
        &mut self,
        pattern: Pattern,
        clients: usize,
        tenants: usize,
    ) -> anyhow::Result<Window> {
        let before = Counters::read(&self.ground, &self.engine).await?;
        let load = Load {
            engine: &self.engine,
            books: self.books.get(..tenants).unwrap_or(&self.books),
            day: self.ground.day,
            pattern,
        };
        let window = load
            .closed(clients, self.plan.window, &mut self.journal)
            .await?;
        // The server's processes report what they did once a second.
        sleep(Duration::from_secs(1)).await;
        let after = Counters::read(&self.ground, &self.engine).await?;
        let cost = after.since(&before, window.done);
        self.report
            .ours(pattern.name(), clients, tenants, &window, &cost);
        Ok(window)
    }

    /// The number of clients at which the anchor is fastest, looked for once.
    async fn anchor_peak(&mut self, script: Script) -> anyhow::Result<usize> {
        if let Some((_, clients)) = self.peaks.iter().find(|(known, _)| *known == script) {
            return Ok(*clients);
        }
        let mut best = (0, 1);
        for clients in self.plan.anchor_clients {
            best = best.max((self.anchored(script, *clients).await?, *clients));
        }
        self.peaks.push((script, best.1));
        Ok(best.1)
    }

    /// One window of the anchor.
    async fn anchored(&mut self, script: Script, clients: usize) -> anyhow::Result<u64> {
        let rate = self.anchor.rate(script, clients, self.plan.window).await?;
        self.report.anchor(script.name(), clients, rate);
        Ok(rate)
    }

    /// The median ratio of our peak to the anchor's peak.
    async fn against(
        &mut self,
        script: Script,
        pattern: Pattern,
        tenants: usize,
    ) -> anyhow::Result<String> {
        let theirs = self.anchor_peak(script).await?;
        let mut ours = (0, 1);
        for clients in self.plan.clients {
            let window = self.window(pattern, *clients, tenants).await?;
            ours = ours.max((window.rate, *clients));
        }
        let mut triples = Triples::default();
        for _ in 0..self.plan.triples {
            let first = self.anchored(script, theirs).await?;
            let middle = self.window(pattern, ours.1, tenants).await?.rate;
            let last = self.anchored(script, theirs).await?;
            triples.add(Ratio::of_triple(first, middle, last));
        }
        let conditions = json!({
            "clients": ours.1, "tenants": tenants, "anchor": script.name(), "anchor_clients": theirs,
        });
        let needed = self.plan.needed();
        Ok(self
            .report
            .verdict(pattern.name(), &conditions, triples, needed))
    }

    /// As many clients as the anchor has, in both; a bare update stands beside for comparison.
    async fn same_clients(&mut self) -> anyhow::Result<String> {
        let clients = self.plan.same_clients;
        let mut triples = Triples::default();
        for _ in 0..self.plan.triples {
            let first = self.anchored(Script::TpcB, clients).await?;
            let middle = self.window(Pattern::Uniform, clients, 1).await?.rate;
            let last = self.anchored(Script::TpcB, clients).await?;
            self.anchored(Script::SimpleUpdate, clients).await?;
            triples.add(Ratio::of_triple(first, middle, last));
        }
        let conditions = json!({ "clients": clients, "anchor": Script::TpcB.name() });
        let needed = self.plan.needed();
        Ok(self
            .report
            .verdict("same-clients", &conditions, triples, needed))
    }

    /// One client on an idle system: our latency to that of one bare insert and commit.
    async fn light(&mut self) -> anyhow::Result<String> {
        let mut triples = Triples::default();
        for _ in 0..self.plan.triples {
            let first = self.anchored(Script::BareInsert, 1).await?;
            let ours = self.window(Pattern::Uniform, 1, 1).await?.rate;
            let last = self.anchored(Script::BareInsert, 1).await?;
            triples.add(Ratio::inverse_of_triple(first, ours, last));
        }
        let conditions = json!({ "clients": 1, "anchor": Script::BareInsert.name() });
        let needed = self.plan.needed();
        Ok(self.report.verdict("light", &conditions, triples, needed))
    }

    /// The 99th percentile at a fixed rate, in milliseconds.
    async fn open_loop(&mut self) -> anyhow::Result<String> {
        let mut percentiles = Vec::new();
        for _ in 0..self.plan.triples {
            let load = Load {
                engine: &self.engine,
                books: self.books.get(..1).unwrap_or(&self.books),
                day: self.ground.day,
                pattern: Pattern::Uniform,
            };
            let window = load
                .open(self.plan.open_rate, self.plan.window, &mut self.journal)
                .await?;
            self.report.open(self.plan.open_rate, &window);
            percentiles.push(Ratio::millis(window.p99_micros));
        }
        Ok(median(&mut percentiles, self.plan.needed()))
    }

    /// The median ratio of the peak through the core's HTTP to the anchor's peak.
    async fn through_http(&mut self) -> anyhow::Result<String> {
        let theirs = self.anchor_peak(Script::TpcB).await?;
        let core = Core::start(&self.ground).await?;
        let poster = Poster::new(&core, &self.posters);
        let mut ours = (0, 1);
        for connections in self.plan.connections {
            let rate = self.http_window(&core, &poster, *connections).await?;
            ours = ours.max((rate, *connections));
        }
        let mut triples = Triples::default();
        for _ in 0..self.plan.triples {
            let first = self.anchored(Script::TpcB, theirs).await?;
            let middle = self.http_window(&core, &poster, ours.1).await?;
            let last = self.anchored(Script::TpcB, theirs).await?;
            triples.add(Ratio::of_triple(first, middle, last));
        }
        core.stop().await?;
        let conditions = json!({
            "connections": ours.1, "anchor": Script::TpcB.name(), "anchor_clients": theirs,
        });
        let needed = self.plan.needed();
        Ok(self.report.verdict("http", &conditions, triples, needed))
    }

    /// One window through HTTP: its rate.
    async fn http_window(
        &mut self,
        core: &Core,
        poster: &Poster,
        connections: usize,
    ) -> anyhow::Result<u64> {
        let before = Counters::of_core(&self.ground, core).await?;
        let (window, journal) = (self.plan.window, &mut self.journal);
        let window = http::closed(poster, &self.posters, connections, window, journal).await?;
        sleep(Duration::from_secs(1)).await;
        let after = Counters::of_core(&self.ground, core).await?;
        let cost = after.since(&before, window.done);
        self.report.ours("http", connections, 1, &window, &cost);
        Ok(window.rate)
    }

    async fn storage(&mut self) -> anyhow::Result<()> {
        let bytes = counters::bytes_per_posting(&self.ground, &self.books).await?;
        self.report.storage(bytes);
        Ok(())
    }

    /// Every acknowledged command is there once, and nothing contradicts.
    async fn check(&mut self) -> anyhow::Result<usize> {
        self.engine.stop().await;
        http::check(&self.ground, &self.posters).await?;
        for books in self.books.iter().chain([&self.posters]) {
            let tx = self
                .ground
                .db
                .tenant(&books.tenant, "system:bench", Access::Read)
                .await?;
            self.journal.compare(&tx, &books.tenant).await?;
            let findings = branchline_ledger::verify(&tx).await?;
            tx.rollback().await?;
            anyhow::ensure!(findings.is_empty(), "the books contradict: {findings:?}");
        }
        Ok(self.journal.len())
    }
}
