//! The process that is killed: it submits what it reads to an engine and writes the verdicts.

use std::process::Stdio;
use std::sync::Arc;

use anyhow::Context;
use branchline_db::{TenantTx, outbox};
use branchline_kernel::{Refusal, Secret, TenantId};
use branchline_ledger::{
    Engine, EngineLimits, PlantedBug, Ridden, RideFuture, Rider, RiderKind, Ticket, Verdict,
};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::orders::{Order, POSTED};
use crate::commands::ledger::ground::door;
use crate::terminal::say;

/// The first line a worker reads.
#[derive(Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) url: String,
    pub(super) tenant: TenantId,
    pub(super) answers_early: bool,
    pub(super) loses_riders: bool,
}

/// What a worker writes, one per line.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Answer {
    pub(super) key: Uuid,
    /// What was decided; nothing when the engine gave an error.
    pub(super) decided: Option<String>,
    /// The code of the error.
    pub(super) error: Option<String>,
}

static NOTE: RiderKind = RiderKind {
    name: "note",
    ride: note,
};

/// The kind of event that rides on each order.
pub(super) const NOTED: &str = "torture";

fn note<'a>(tx: &'a TenantTx, tickets: &'a [Ticket<'a>]) -> RideFuture<'a> {
    Box::pin(async move {
        let mut outcomes = Vec::with_capacity(tickets.len());
        for ticket in tickets {
            let key = ticket.command.key().uuid();
            outbox::publish(tx, NOTED, &serde_json::json!({ "key": key })).await?;
            outcomes.push(Ridden::Done);
        }
        Ok(outcomes)
    })
}

/// The worker itself; ends with its input.
pub(crate) async fn work() -> anyhow::Result<()> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let start = lines.next_line().await?.context("no start was given")?;
    let start: Start = serde_json::from_str(&start)?;
    let planted = match (start.answers_early, start.loses_riders) {
        (true, _) => Some(PlantedBug::AnswerBeforeCommit),
        (_, true) => Some(PlantedBug::LoseRider),
        (false, false) => None,
    };
    let limits = EngineLimits {
        planted,
        ..EngineLimits::STANDARD
    };
    let db = door(Secret::new(start.url), 1).await?;
    let engine = Engine::try_new(&db, limits)?;
    let tenant = Arc::new(start.tenant);
    while let Some(line) = lines.next_line().await? {
        let order: Order = serde_json::from_str(&line)?;
        let (engine, tenant) = (engine.clone(), Arc::clone(&tenant));
        let command = order.command()?;
        tokio::spawn(async move {
            let rider = Rider::new(&NOTE, ());
            let verdict = engine.submit(&tenant, command, Some(rider)).await;
            let (decided, error) = match verdict {
                Ok(verdict) => (Some(spell(verdict)), None),
                Err(error) => (None, Some(error.code().to_owned())),
            };
            let answer = Answer {
                key: order.key,
                decided,
                error,
            };
            say(&serde_json::to_string(&answer).unwrap_or_default());
        });
    }
    engine.stop().await;
    Ok(())
}

fn spell(verdict: Verdict) -> String {
    match verdict {
        Verdict::Posted { .. } => POSTED.to_owned(),
        Verdict::Refused { reason, .. } => reason.code().to_owned(),
        Verdict::Conflict => "conflict".to_owned(),
    }
}

/// What the torturer hears of its workers, each by its number.
pub(super) enum News {
    Answered(u64, Answer),
    Gone(u64),
}

/// A worker as the torturer holds it.
pub(super) struct Worker {
    /// No two workers of a run have the same.
    pub(super) number: u64,
    pub(super) child: Child,
    input: ChildStdin,
}

impl Worker {
    pub(super) async fn start(
        number: u64,
        start: &Start,
        news: mpsc::UnboundedSender<News>,
    ) -> anyhow::Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["ledger", "torture-worker"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .context("a worker did not start")?;
        let output = child.stdout.take().context("a worker has no output")?;
        let input = child.stdin.take().context("a worker has no input")?;
        tokio::spawn(async move {
            let mut lines = BufReader::new(output).lines();
            while let Ok(Some(line)) = lines.next_line().await {
                // A line that was cut off by the kill says nothing.
                let Ok(answer) = serde_json::from_str(&line) else {
                    continue;
                };
                let _ = news.send(News::Answered(number, answer));
            }
            let _ = news.send(News::Gone(number));
        });
        let mut worker = Self {
            number,
            child,
            input,
        };
        worker.send(&serde_json::to_string(start)?).await?;
        Ok(worker)
    }

    pub(super) async fn order(&mut self, order: &Order) -> anyhow::Result<()> {
        self.send(&serde_json::to_string(order)?).await
    }

    async fn send(&mut self, line: &str) -> anyhow::Result<()> {
        self.input.write_all(format!("{line}\n").as_bytes()).await?;
        Ok(self.input.flush().await?)
    }
}
