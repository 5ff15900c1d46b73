//! The load through the core's HTTP: `POST /v1/ledger/postings`, two legs, by connections that
//! are kept and send their next request when the last was answered.
//!
//! A request carries a signed token, a key of its own and a request id. The core lets the ledger
//! decide, and commits with the posting the stored answer of the key and the audit row; its sealer
//! chains those rows meanwhile. The operation tells nobody outside, so no row of the outbox is
//! among them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use branchline_db::{Access, TenantTx, Values, audit};
use branchline_kernel::{IdSource, LedgerAccountId, RandomIds};
use branchline_ledger::LedgerKey;
use serde_json::json;
use sqlx::Row;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::Bench;
use super::anchor::Script;
use super::child::{Badge, Core};
use super::counters::Counters;
use super::load::{Client, Journal, Pattern, Window, collect, fresh_chance, minor, sum};
use super::report::{Ratio, Triples};
use super::wire::{Reply, Wire};
use crate::commands::ledger::ground::{Books, Ground};
use crate::commands::ledger::torture::Chance;
use crate::terminal::tell;

/// The operation, as keys and audit rows name it.
const OPERATION: &str = "POST /v1/ledger/postings";

/// Somebody who posts between the accounts of one tenant.
#[derive(Clone)]
pub(super) struct Poster {
    pub(super) to: SocketAddr,
    pub(super) badge: Arc<Badge>,
    pub(super) accounts: Arc<[LedgerAccountId]>,
}

impl Poster {
    pub(super) fn new(core: &Core, books: &Books) -> Self {
        Self {
            to: core.address,
            badge: Arc::new(core.supervisor(&books.tenant)),
            accounts: books.accounts.clone().into(),
        }
    }

    /// A posting between any two accounts, as a body.
    pub(super) fn ask_for(&self, chance: &mut Chance) -> anyhow::Result<String> {
        let pair = Pattern::Uniform.pair(chance, &self.accounts);
        let Some([from, to]) = pair.map(|pair| pair.map(LedgerAccountId::number)) else {
            anyhow::bail!("a posting needs accounts");
        };
        let minor = minor(chance);
        let (whole, rest) = (minor.div_euclid(100), minor.rem_euclid(100));
        let amount = format!("{{\"amount\":\"{whole}.{rest:02}\",\"currency\":\"EUR\"}}");
        Ok(format!(
            "{{\"kind\":\"transfer\",\"legs\":[\
             {{\"ledger_account_id\":{from},\"side\":\"debit\",\"amount\":{amount}}},\
             {{\"ledger_account_id\":{to},\"side\":\"credit\",\"amount\":{amount}}}]}}"
        ))
    }

    /// The request with that body under that key.
    pub(super) fn request(&self, body: &str, key: Uuid) -> anyhow::Result<Vec<u8>> {
        let (token, length) = (self.badge.token()?, body.len());
        Ok(format!(
            "POST /v1/ledger/postings HTTP/1.1\r\nHost: core\r\nAuthorization: Bearer {token}\r\n\
             Idempotency-Key: {key}\r\nX-Request-ID: {key}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n\r\n{body}"
        )
        .into_bytes())
    }

    /// The key under which the ledger keeps the request with that key.
    pub(super) fn ledger_key(&self, key: Uuid) -> Uuid {
        LedgerKey::derived(key, &format!("{OPERATION} by {}", self.badge.name())).uuid()
    }
}

/// Whether it was posted, where the ledger decided.
pub(super) fn decided(reply: &Reply) -> anyhow::Result<Option<bool>> {
    match reply.status {
        201 => Ok(Some(true)),
        422 | 409 => Ok(Some(false)),
        503 => Ok(None),
        status => {
            let said = String::from_utf8_lossy(&reply.body);
            anyhow::bail!("the core answered {status}: {said}")
        }
    }
}

/// As many connections as said, for as long as said.
pub(super) async fn closed(
    poster: &Poster,
    books: &Books,
    connections: usize,
    window: Duration,
    journal: &mut Journal,
) -> anyhow::Result<Window> {
    let mut wires = Vec::with_capacity(connections);
    for _ in 0..connections {
        wires.push(Wire::connect(poster.to).await?);
    }
    let begin = Instant::now();
    let end = begin.checked_add(window).unwrap_or(begin);
    let mut tasks = JoinSet::new();
    for mut wire in wires {
        let poster = poster.clone();
        tasks.spawn(async move {
            let (mut client, mut chance) = (Client::default(), fresh_chance());
            while Instant::now() < end {
                let key = RandomIds.next();
                let request = poster.request(&poster.ask_for(&mut chance)?, key)?;
                let sent = Instant::now();
                match decided(&wire.ask(&request).await?)? {
                    Some(posted) => client.acknowledge(0, poster.ledger_key(key), posted, sent),
                    None => client.errors = client.errors.saturating_add(1),
                }
            }
            anyhow::Ok(client)
        });
    }
    let all = collect(tasks).await?;
    let books = std::slice::from_ref(books);
    Ok(sum(books, all, begin.elapsed(), journal))
}

impl Bench {
    /// The median ratio of the peak through the core's HTTP to the anchor's peak.
    pub(super) async fn through_http(&mut self) -> anyhow::Result<String> {
        let theirs = self.anchor_peak(Script::TpcB).await?;
        let core = Core::start(&self.ground).await?;
        let poster = Poster::new(&core, &self.posters);
        // A core that has just started connects, plans and looks through the books.
        let warm = self.plan.window.saturating_mul(2);
        closed(&poster, &self.posters, 32, warm, &mut self.journal).await?;
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
        let window = closed(poster, &self.posters, connections, window, journal).await?;
        sleep(Duration::from_secs(1)).await;
        let after = Counters::of_core(&self.ground, core).await?;
        let cost = after.since(&before, window.done);
        self.report.ours("http", connections, 1, &window, &cost);
        Ok(window.rate)
    }
}

const LEFT: &str = "SELECT (SELECT count(*) FROM ledger_key) - \
(SELECT count(*) FROM posting WHERE kind = 'opening') AS decided, \
(SELECT count(*) FROM idempotency_key WHERE status IS NOT NULL) AS keys, \
(SELECT count(*) FROM audit_event) AS events, \
(SELECT count(*) FROM idempotency_key k JOIN audit_event e ON e.request_id = k.key) AS pairs";

/// Each command that the ledger decided has left its answer and its audit row, once, and the rows
/// make a chain without a gap.
pub(super) async fn check(ground: &Ground, books: &Books) -> anyhow::Result<()> {
    let mut left = 0_usize;
    loop {
        let tx = begin(ground, books, Access::Write).await?;
        let sealed = audit::seal(&tx).await?;
        tx.commit().await?;
        if sealed == 0 {
            break;
        }
        left = left.saturating_add(sealed);
    }
    tell(&format!(
        "{left} audit rows were not sealed yet when the core ended"
    ));
    let tx = begin(ground, books, Access::Read).await?;
    let rows = tx.named(LEFT, Values::new()).await?;
    let row = rows.first().context("counts have a row")?;
    let decided: i64 = row.try_get("decided")?;
    for other in ["keys", "events", "pairs"] {
        let count: i64 = row.try_get(other)?;
        anyhow::ensure!(count == decided, "{decided} commands left {count} {other}");
    }
    let broken = audit::first_broken_seal(&tx).await?;
    anyhow::ensure!(
        broken.is_none(),
        "the chain of audit rows breaks at {broken:?}"
    );
    Ok(tx.rollback().await?)
}

async fn begin(ground: &Ground, books: &Books, access: Access) -> anyhow::Result<TenantTx> {
    Ok(ground
        .db
        .tenant(&books.tenant, "system:bench", access)
        .await?)
}
