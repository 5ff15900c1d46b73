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
mod pages;
mod plan;
pub(super) mod pressure;
mod report;
mod tenants;
mod wire;

use std::time::Duration;

use branchline_ledger::{Engine, EngineLimits};
use serde_json::json;
use tokio::time::sleep;

use self::anchor::{Anchor, Script};
use self::counters::Counters;
use self::load::{Journal, Load, Pattern, Window};
pub(crate) use self::plan::Args;
use self::plan::{Part, Plan};
use self::report::{Ratio, Report, Triples, median};
use super::ground::{Books, Ground};
use crate::terminal::{say, tell};

/// What a run works with.
struct Bench {
    ground: Ground,
    plan: Plan,
    report: Report,
    engine: Engine,
    books: [Books; 2],
    posters: Books,
    /// Tenants that were opened on the way.
    opened: Vec<Books>,
    anchor: Anchor,
    peaks: Vec<(Script, usize)>,
    journal: Journal,
}

/// Measures, verifies, and prints the verdicts last.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let mut bench = Bench::prepare(&args).await?;
    let uniform = bench.part(Part::Uniform).await?;
    let two = bench.part(Part::TwoTenants).await?;
    let same = bench.part(Part::SameClients).await?;
    let ninety = bench.part(Part::NinetyTen).await?;
    tell(&format!("90-10, 64 clients: {ninety} /s"));
    let hot = bench.part(Part::Hot).await?;
    let light = bench.part(Part::Light).await?;
    let p99 = bench.part(Part::OpenLoop).await?;
    let http = bench.part(Part::Http).await?;
    let bytes = bench.part(Part::Storage).await?;
    tell(&format!("storage per posting: {bytes} bytes"));
    let pages = bench.part(Part::Pages).await?;
    let crowd = bench.part(Part::Crowd).await?;
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
    say(&format!("a statement page: {pages} of a short account's"));
    say(&format!(
        "{} tenants: p99 {crowd} of that of {}",
        bench.plan.crowd.many, bench.plan.crowd.few
    ));
    say(&format!(
        "ledger-bench uniform={uniform} two_tenants={two} hot={hot} http={http} p99_ms={p99}"
    ));
    bench.ground.clear().await
}

impl Bench {
    /// Measures a part, if it is wanted.
    async fn part(&mut self, part: Part) -> anyhow::Result<String> {
        if !self.plan.wants(part) {
            return Ok("unmeasured".to_owned());
        }
        match part {
            Part::Uniform => self.against(Script::TpcB, Pattern::Uniform, 1).await,
            Part::TwoTenants => self.against(Script::TpcB, Pattern::Uniform, 2).await,
            Part::SameClients => self.same_clients().await,
            Part::NinetyTen => {
                let window = self.window(Pattern::NinetyTen, 64, 1).await?;
                Ok(window.rate.to_string())
            }
            Part::Hot => self.against(Script::HotRow, Pattern::Hot, 1).await,
            Part::Light => self.light().await,
            Part::OpenLoop => self.open_loop().await,
            Part::Http => self.through_http().await,
            Part::Storage => self.storage().await,
            Part::Pages => self.statement_pages().await,
            Part::Crowd => self.many_tenants(self.plan.crowd).await,
        }
    }

    async fn prepare(args: &Args) -> anyhow::Result<Self> {
        let plan = Plan::of(args);
        let report = Report::try_new(args.json.as_deref())?;
        let wait = args.flush_micros.to_string();
        // Without siblings to wait for, each flush waits, whoever else is at work.
        let slower = [("commit_delay", wait.as_str()), ("commit_siblings", "0")];
        let settings = if args.flush_micros > 0 {
            slower.as_slice()
        } else {
            &[]
        };
        let ground = Ground::prepare("bench", settings, 150).await?;
        tell("opening accounts");
        let opening = 100_000_000;
        let books = [
            ground.tenant("busy1", plan.accounts, opening).await?,
            ground.tenant("busy2", plan.accounts, opening).await?,
        ];
        let posters = ground.tenant("busy3", plan.accounts, opening).await?;
        ground.root().await?.run("ANALYZE").await?;
        let anchor = Anchor::prepare(&ground.server, if args.quick { 1 } else { 10 }).await?;
        // From here on the server uses its files of WAL again, as one that has run for a while does:
        // to fill a new one with zeros holds up every commit for tens of milliseconds.
        ground.root().await?.run("CHECKPOINT").await?;
        let engine = Engine::try_new(&ground.db, EngineLimits::STANDARD)?;
        Ok(Self {
            ground,
            plan,
            report,
            engine,
            books,
            posters,
            opened: Vec::new(),
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
        let books = self.books.get(..tenants).unwrap_or(&self.books);
        let load = Load::new(&self.engine, self.ground.day, pattern, books);
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
            let books = self.books.get(..1).unwrap_or(&self.books);
            let load = Load::new(&self.engine, self.ground.day, Pattern::Uniform, books);
            let window = load
                .open(self.plan.open_rate, self.plan.window, &mut self.journal)
                .await?;
            self.report.open(self.plan.open_rate, 1, &window);
            percentiles.push(Ratio::millis(window.p99_micros));
        }
        Ok(median(&mut percentiles, self.plan.needed()))
    }

    async fn storage(&mut self) -> anyhow::Result<String> {
        let bytes = counters::bytes_per_posting(&self.ground, &self.books).await?;
        self.report.storage(bytes);
        Ok(bytes.to_string())
    }

    /// Every acknowledged command is there once, and nothing contradicts.
    async fn check(&mut self) -> anyhow::Result<usize> {
        self.engine.stop().await;
        if self.plan.wants(Part::Http) {
            http::check(&self.ground, &self.posters).await?;
        }
        for books in self.books.iter().chain([&self.posters]).chain(&self.opened) {
            self.journal.verify(&self.ground, books).await?;
        }
        Ok(self.journal.len())
    }
}
