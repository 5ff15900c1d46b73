//! `ledger torture`: posts on a private server while everything is killed, cut and stopped, and
//! compares what is left with a model kept outside.
//!
//! A round orders some hundred commands from two workers at once and lets faults happen. Then
//! everything is started again, what got no answer is ordered again with its key, and the books
//! must be what the answers say: everything acknowledged is there once with what rides on it,
//! everything refused left nothing but its refusal, and the verifier finds nothing.

mod chance;
mod check;
mod faults;
mod orders;
mod plant;
mod proxy;
mod worker;

use std::collections::BTreeSet;
use std::time::Duration;

use branchline_kernel::{Clock, SystemClock};
use clap::Args as ClapArgs;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout_at};
use uuid::Uuid;

pub(super) use self::chance::Chance;
use self::faults::Fault;
use self::orders::{Model, Order, Orders};
use self::plant::Plant;
use self::proxy::Proxy;
pub(crate) use self::worker::work;
use self::worker::{News, Start, Worker};
use super::ground::{Books, Ground, core_url};
use crate::terminal::{say, tell};

/// How much of it.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// Repeats what another run with this seed did, as far as the machine lets it.
    #[arg(long)]
    seed: Option<u64>,
    /// How many rounds.
    #[arg(long, default_value_t = 20)]
    rounds: u32,
    /// Make a mistake on purpose; the run then succeeds when it finds it.
    #[arg(long, value_enum)]
    plant: Option<Plant>,
}

const ACCOUNTS: usize = 12;
const OPENING: i64 = 1_000;
const ORDERS: u64 = 120;
/// How long a round may take before what has no answer counts as unknown.
const PATIENCE: Duration = Duration::from_secs(25);
/// How often what is unknown is ordered again.
const TRIES: u32 = 40;

/// Everything a round needs.
struct Chamber {
    ground: Ground,
    books: Books,
    proxy: Proxy,
    start: Start,
    workers: [Option<Worker>; 2],
    hired: u64,
    news: mpsc::UnboundedReceiver<News>,
    tell_news: mpsc::UnboundedSender<News>,
    orders: Orders,
    model: Model,
    violations: Vec<String>,
}

/// Tortures for some rounds and says how to repeat it.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let seed = args
        .seed
        .unwrap_or_else(|| SystemClock.now().timestamp().unsigned_abs());
    tell(&format!(
        "ledger torture --seed {seed} --rounds {}",
        args.rounds
    ));
    let mut chamber = Chamber::prepare(seed, args.plant).await?;
    let mut found = None;
    for round in 1..=args.rounds {
        let faults = chamber.round().await?;
        tell(&format!(
            "round {round}: {faults:?}, {} orders in all",
            chamber.model.orders.len()
        ));
        if !chamber.violations.is_empty() {
            found = Some(round);
            break;
        }
    }
    let orders = chamber.model.orders.len();
    let violations = chamber.end().await?;
    for violation in &violations {
        say(&format!("violation: {violation}"));
    }
    let repeat = format!(
        "branchline ledger torture --seed {seed} --rounds {}",
        args.rounds
    );
    match (args.plant, found) {
        (None, None) => say(&format!(
            "ledger-torture seed={seed} rounds={} orders={orders} violations=0",
            args.rounds
        )),
        (Some(plant), Some(round)) => {
            say(&format!(
                "ledger-torture seed={seed} planted={plant:?} found_in_round={round}"
            ));
        }
        (None, Some(round)) => {
            anyhow::bail!(
                "round {round} left {} violations; repeat with `{repeat}`",
                violations.len()
            )
        }
        (Some(plant), None) => {
            anyhow::bail!("the planted bug {plant:?} was not found; repeat with `{repeat}`")
        }
    }
    Ok(())
}

impl Chamber {
    async fn prepare(seed: u64, plant: Option<Plant>) -> anyhow::Result<Self> {
        // A deadlock must show soon; it would be a broken order of locks.
        let settings = [("deadlock_timeout", "100ms")];
        let ground = Ground::prepare("torture", &settings, 60).await?;
        let books = ground.tenant("tortured", ACCOUNTS, OPENING).await?;
        if let Some(plant) = plant {
            plant
                .put_into(&mut ground.root().await?, &books.tenant)
                .await?;
        }
        let proxy = Proxy::start(ground.server.port()).await?;
        let (tell_news, news) = mpsc::unbounded_channel();
        let start = Start {
            url: core_url(proxy.port).expose().clone(),
            tenant: books.tenant.clone(),
            answers_early: plant == Some(Plant::AnswerBeforeCommit),
            loses_riders: plant == Some(Plant::LoseRider),
        };
        Ok(Self {
            orders: Orders::new(Chance::new(seed), ground.day, &books.accounts),
            ground,
            books,
            proxy,
            start,
            workers: [None, None],
            hired: 0,
            news,
            tell_news,
            model: Model::default(),
            violations: Vec::new(),
        })
    }

    async fn round(&mut self) -> anyhow::Result<[Fault; 2]> {
        self.hire().await?;
        let chance = &mut self.orders.chance;
        let faults = [Fault::any(chance), Fault::cut(chance)];
        let at = faults.map(|fault| (chance.below(ORDERS), fault));
        let mut open = BTreeSet::new();
        for number in 0..ORDERS {
            for (_, fault) in at.iter().filter(|(at, _)| *at == number) {
                faults::happen(self, *fault).await?;
            }
            let Some(order) = self.orders.next() else {
                break;
            };
            self.model.ordered(&order);
            // Some go to both workers: two processes with one key.
            let to = self.orders.chance.below(8);
            for place in 0..2_u64 {
                if to == 7 || to.checked_rem(2) == Some(place) {
                    self.order(usize::try_from(place)?, &order, &mut open).await;
                }
            }
            if self.orders.chance.below(6) == 0 {
                let pause = self.orders.chance.below(8);
                sleep(Duration::from_millis(pause)).await;
            }
        }
        self.hear(&mut open, PATIENCE).await;
        self.proxy.leave_alone();
        faults::repair(self).await?;
        self.settle().await?;
        check::everything(self).await?;
        Ok(faults)
    }

    /// Starts the workers that are missing.
    async fn hire(&mut self) -> anyhow::Result<()> {
        for worker in self.workers.iter_mut().filter(|worker| worker.is_none()) {
            self.hired = self.hired.saturating_add(1);
            let news = self.tell_news.clone();
            *worker = Some(Worker::start(self.hired, &self.start, news).await?);
        }
        Ok(())
    }

    /// Orders at one worker; one that cannot be written to is gone.
    async fn order(&mut self, place: usize, order: &Order, open: &mut BTreeSet<(u64, Uuid)>) {
        let Some(place) = self.workers.get_mut(place) else {
            return;
        };
        let Some(worker) = place else {
            return;
        };
        if worker.order(order).await.is_ok() {
            open.insert((worker.number, order.key));
        } else {
            *place = None;
        }
    }

    /// Hears answers until all are there, their workers are gone, or patience ends.
    async fn hear(&mut self, open: &mut BTreeSet<(u64, Uuid)>, patience: Duration) {
        let now = Instant::now();
        let end = now.checked_add(patience).unwrap_or(now);
        while !open.is_empty() {
            let Ok(Some(news)) = timeout_at(end, self.news.recv()).await else {
                return;
            };
            match news {
                News::Gone(number) => {
                    open.retain(|(worker, _)| *worker != number);
                    let is_gone = |worker: &mut Worker| worker.number == number;
                    for place in &mut self.workers {
                        drop(place.take_if(is_gone));
                    }
                }
                News::Answered(number, answer) => {
                    open.remove(&(number, answer.key));
                    let Some(decided) = answer.decided else {
                        continue;
                    };
                    self.violations
                        .extend(self.model.answered(answer.key, &decided));
                }
            }
        }
    }

    /// Orders what got no answer again, until the ledger says what became of it.
    async fn settle(&mut self) -> anyhow::Result<()> {
        for _ in 0..TRIES {
            let unknown = self.model.unknown();
            if unknown.is_empty() {
                return Ok(());
            }
            self.hire().await?;
            let mut open = BTreeSet::new();
            for order in &unknown {
                self.order(0, order, &mut open).await;
            }
            self.hear(&mut open, PATIENCE).await;
            sleep(Duration::from_millis(50)).await;
        }
        let left = self.model.unknown().len();
        self.violations
            .push(format!("{left} orders never got an answer"));
        Ok(())
    }

    async fn end(mut self) -> anyhow::Result<Vec<String>> {
        for worker in self.workers.iter_mut().filter_map(Option::take) {
            drop(worker);
        }
        self.ground.clear().await?;
        Ok(self.violations)
    }
}
