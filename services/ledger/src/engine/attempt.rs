//! One batch, one transaction, and what follows from its failure.

use std::sync::Arc;

use branchline_db::{Access, Db, DbError, TenantTx};
use branchline_kernel::TenantId;
use tokio::time::Instant;
use tracing::{error, warn};

use super::error::EngineError;
use super::line::Flight;
use super::rider::{LeftOut, Passenger, carry_out};
use super::{Job, PlantedBug, Shared};
use crate::batch::{busy_places, post_all};
use crate::command::Command;
use crate::error::LedgerError;
use crate::verdict::Verdict;

/// Who acts where a command names nobody.
const ACTOR: &str = "system:ledger";

/// How many commands in a row may meet a locked row before the rest is refused unseen.
const MOST_LOCKED: u8 = 3;

/// What became of a batch.
pub(super) enum After {
    /// Every command has its answer.
    Answered,
    /// These are to be given again, as they are: perhaps they were committed.
    Again(Vec<Job>),
}

/// Who writes, where, and for which flight.
pub(super) struct Attempt<'a> {
    pub(super) shared: &'a Shared,
    pub(super) door: &'a Db,
    pub(super) tenant: &'a TenantId,
    pub(super) flight: &'a Flight,
}

/// What a transaction came to.
enum Came {
    /// It was committed with these verdicts.
    Committed(Vec<Verdict>),
    /// It was rolled back: the riders at these places found their objects changed, or declined.
    LeftOut(LeftOut),
}

/// Why a transaction failed, as far as it matters for what to do next.
enum Failure {
    Repeatable,
    Locked,
    Suspended,
    Unexpected,
}

impl Failure {
    fn of(error: &LedgerError) -> Self {
        if error.may_be_repeated() {
            return Self::Repeatable;
        }
        match error.database() {
            Some(DbError::Suspended) => Self::Suspended,
            Some(DbError::Moved) => Self::Repeatable,
            Some(db) => match db.sqlstate().as_deref() {
                Some("55P03" | "57014") => Self::Locked,
                Some(_) | None => Self::Unexpected,
            },
            None => Self::Unexpected,
        }
    }
}

impl Attempt<'_> {
    /// Writes a batch and answers it, or says that it must be given again.
    pub(super) async fn write(&self, mut batch: Vec<Job>) -> After {
        while !batch.is_empty() {
            let failed = match self.transact(&mut batch).await {
                Ok(Came::Committed(verdicts)) => {
                    return committed(self.shared, batch, verdicts);
                }
                Ok(Came::LeftOut(places)) => {
                    batch = answer_places(batch, &places);
                    continue;
                }
                Err(failed) => failed,
            };
            match Failure::of(&failed) {
                Failure::Repeatable => return self.again(batch, &failed),
                // The other writer of the tenant takes long to commit: nobody is in the way.
                Failure::Locked if !self.flight.is_alone() => return self.again(batch, &failed),
                Failure::Locked => return self.without_locked(batch).await,
                Failure::Suspended => return answer_all(batch, &EngineError::Suspended),
                Failure::Unexpected => return self.unexpected(batch, failed).await,
            }
        }
        After::Answered
    }

    fn again(&self, batch: Vec<Job>, failed: &LedgerError) -> After {
        note_repeat(self.shared, failed);
        After::Again(batch)
    }

    /// Begins, posts, carries out what rides along, commits.
    async fn transact(&self, batch: &mut Vec<Job>) -> Result<Came, LedgerError> {
        let tx = self.door.tenant(self.tenant, ACTOR, Access::Write).await?;
        self.finish(tx, batch).await
    }

    async fn finish(&self, tx: TenantTx, batch: &mut Vec<Job>) -> Result<Came, LedgerError> {
        let commands: Vec<&Command> = batch.iter().map(|job| &job.command).collect();
        let verdicts = post_all(&tx, &commands).await?;
        // From here on the database keeps others off these accounts: the next batch may set out
        // and wait there, so that no time is lost while this one commits.
        self.flight.land();
        let planted = self.shared.limits.planted;
        let loses = planted == Some(PlantedBug::LoseRider);
        let passengers: Vec<Passenger<'_>> = batch
            .iter()
            .zip(&verdicts)
            .map(|(job, verdict)| Passenger {
                command: &job.command,
                rider: job.rider.as_ref().filter(|_rider| !loses),
                verdict: *verdict,
            })
            .collect();
        let left_out = carry_out(&tx, &passengers).await?;
        if !left_out.is_empty() {
            tx.rollback().await?;
            return Ok(Came::LeftOut(left_out));
        }
        if planted == Some(PlantedBug::AnswerBeforeCommit) {
            let early = std::mem::take(batch).into_iter().zip(&verdicts);
            early.for_each(|(job, verdict)| job.answer(Ok(*verdict)));
        }
        tx.commit().await?;
        Ok(Came::Committed(verdicts))
    }

    /// Somebody else has locked a row for too long: leaves out the commands that meet it.
    async fn without_locked(&self, batch: Vec<Job>) -> After {
        warn!("A row of the ledger is locked by somebody else; what meets it is refused for now");
        let mut left = batch;
        loop {
            let failed = match self.leave_out(&mut left).await {
                Ok(Came::Committed(verdicts)) => return committed(self.shared, left, verdicts),
                Ok(Came::LeftOut(places)) => {
                    left = answer_places(left, &places);
                    continue;
                }
                Err(failed) => failed,
            };
            return match Failure::of(&failed) {
                Failure::Repeatable => self.again(left, &failed),
                // Not an account: a period, or a row that a rider needs.
                Failure::Locked => self.one_by_one(left).await,
                Failure::Suspended => answer_all(left, &EngineError::Suspended),
                Failure::Unexpected => self.unexpected(left, failed).await,
            };
        }
    }

    async fn leave_out(&self, batch: &mut Vec<Job>) -> Result<Came, LedgerError> {
        let tx = self.door.tenant(self.tenant, ACTOR, Access::Write).await?;
        let commands: Vec<&Command> = batch.iter().map(|job| &job.command).collect();
        let busy = busy_places(&tx, &commands).await?;
        let busy = busy.into_iter().map(|place| (place, EngineError::Busy));
        *batch = answer_places(std::mem::take(batch), &busy.collect());
        self.finish(tx, batch).await
    }

    /// One command that the database fails on must not fail its neighbors.
    async fn unexpected(&self, batch: Vec<Job>, failed: LedgerError) -> After {
        if batch.len() > 1 {
            error!(error = ?failed, "A batch of postings failed; its commands are tried one by one");
            return self.one_by_one(batch).await;
        }
        error!(error = ?failed, "The ledger failed on a command");
        answer_all(batch, &EngineError::Failed(Arc::new(failed)))
    }

    async fn one_by_one(&self, batch: Vec<Job>) -> After {
        let mut again = Vec::new();
        let mut locked = 0_u8;
        for job in batch {
            if locked >= MOST_LOCKED || job.deadline <= Instant::now() {
                job.answer(Err(EngineError::Busy));
                continue;
            }
            let mut alone = vec![job];
            let failed = match self.transact(&mut alone).await {
                Ok(Came::Committed(verdicts)) => {
                    locked = 0;
                    committed(self.shared, alone, verdicts);
                    continue;
                }
                Ok(Came::LeftOut(places)) => {
                    answer_places(alone, &places);
                    continue;
                }
                Err(failed) => failed,
            };
            match Failure::of(&failed) {
                Failure::Repeatable => again.append(&mut alone),
                Failure::Locked => {
                    locked = locked.saturating_add(1);
                    answer_all(alone, &EngineError::Busy);
                }
                Failure::Suspended => drop(answer_all(alone, &EngineError::Suspended)),
                Failure::Unexpected => {
                    error!(error = ?failed, "The ledger failed on a command");
                    answer_all(alone, &EngineError::Failed(Arc::new(failed)));
                }
            }
        }
        if again.is_empty() {
            After::Answered
        } else {
            After::Again(again)
        }
    }
}

/// Answers a batch that is durable now.
fn committed(shared: &Shared, batch: Vec<Job>, verdicts: Vec<Verdict>) -> After {
    shared.tally.committed(verdicts.len());
    for (job, verdict) in batch.into_iter().zip(verdicts) {
        job.answer(Ok(verdict));
    }
    After::Answered
}

fn note_repeat(shared: &Shared, failed: &LedgerError) {
    let state = failed.database().and_then(DbError::sqlstate);
    shared.tally.repeated(state.as_deref());
    warn!(sqlstate = state, "A batch of postings is given again");
}

fn answer_all(batch: Vec<Job>, why: &EngineError) -> After {
    batch
        .into_iter()
        .for_each(|job| job.answer(Err(why.clone())));
    After::Answered
}

/// Answers the jobs at those places and gives the others.
fn answer_places(batch: Vec<Job>, places: &LeftOut) -> Vec<Job> {
    let mut left = Vec::with_capacity(batch.len());
    for (place, job) in batch.into_iter().enumerate() {
        match places.get(&place) {
            Some(why) => job.answer(Err(why.clone())),
            None => left.push(job),
        }
    }
    left
}
