//! What must happen in the very commit of a posting: the state of a payment, an event, an answer.
//!
//! # Invariants
//! - A rider is carried out with the first verdict of its command, in the same commit, once. A
//!   replayed command carries nothing: its rider was committed with the verdict that is replayed.
//! - A rider that finds its object changed undoes nothing of others: its command is left out and
//!   the batch repeated.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;

use branchline_db::{DbError, TenantTx};

use super::error::EngineError;
use crate::command::Command;
use crate::verdict::Verdict;

/// What became of one rider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ridden {
    /// It was carried out.
    Done,
    /// Its object is no longer what it was when the command was made.
    Stale,
    /// The verdict is not to be kept: the command is left out, and its key is free again.
    Declined,
}

/// The work of a kind's riders, one outcome each, in their order.
pub type RideFuture<'a> = Pin<Box<dyn Future<Output = Result<Vec<Ridden>, DbError>> + Send + 'a>>;

/// Carries out all riders of one kind in a batch, with one statement per table.
pub type Ride = for<'a> fn(&'a TenantTx, &'a [Ticket<'a>]) -> RideFuture<'a>;

/// A kind of riders: a constant of the crate whose rows it writes.
#[derive(Debug)]
pub struct RiderKind {
    /// Its name, unique in the process. Kinds are carried out in the order of their names.
    pub name: &'static str,
    /// How they are carried out.
    pub ride: Ride,
}

/// What rides on one command: one part or more, each of another kind.
pub struct Rider {
    parts: Vec<Part>,
}

struct Part {
    kind: &'static RiderKind,
    facts: Box<dyn Any + Send + Sync>,
}

impl Rider {
    /// A rider of that kind. `facts` is what the kind's function reads back from its ticket.
    #[must_use]
    pub fn new<F: Any + Send + Sync>(kind: &'static RiderKind, facts: F) -> Self {
        let facts = Box::new(facts);
        Self {
            parts: vec![Part { kind, facts }],
        }
    }

    /// Both riders on the same command: all of it happens, or nothing.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.parts.extend(other.parts);
        self
    }
}

impl fmt::Debug for Rider {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.parts.iter().map(|part| part.kind.name);
        out.debug_list().entries(names).finish()
    }
}

/// A command that was decided for the first time, and what rides on it.
pub struct Ticket<'a> {
    /// The command.
    pub command: &'a Command,
    /// What was decided: posted or refused, never replayed, never a conflict.
    pub verdict: Verdict,
    facts: &'a (dyn Any + Send + Sync),
}

impl Ticket<'_> {
    /// The facts that the rider was made with.
    ///
    /// # Errors
    /// [`DbError::Inconsistent`] when they are of another type: two kinds were mixed up.
    pub fn facts<F: Any>(&self) -> Result<&F, DbError> {
        self.facts.downcast_ref().ok_or(DbError::Inconsistent {
            table: "rider",
            column: "facts",
        })
    }
}

/// A command of a batch as its riders see it.
pub(super) struct Passenger<'a> {
    pub(super) command: &'a Command,
    pub(super) rider: Option<&'a Rider>,
    pub(super) verdict: Verdict,
}

/// The places of a batch that must be left out, and what is said there.
pub(super) type LeftOut = BTreeMap<usize, EngineError>;

/// Carries out the riders of a batch and gives the places of those that could not ride.
pub(super) async fn carry_out(tx: &TenantTx, batch: &[Passenger<'_>]) -> Result<LeftOut, DbError> {
    let mut kinds: BTreeMap<&'static str, (Ride, Vec<usize>, Vec<Ticket<'_>>)> = BTreeMap::new();
    for (place, passenger) in batch.iter().enumerate() {
        if !passenger.verdict.is_first() {
            continue;
        }
        for part in passenger.rider.iter().flat_map(|rider| &rider.parts) {
            let of_kind = kinds
                .entry(part.kind.name)
                .or_insert_with(|| (part.kind.ride, Vec::new(), Vec::new()));
            of_kind.1.push(place);
            of_kind.2.push(Ticket {
                command: passenger.command,
                verdict: passenger.verdict,
                facts: part.facts.as_ref(),
            });
        }
    }
    let mut left_out = LeftOut::new();
    for (ride, places, tickets) in kinds.into_values() {
        let outcomes = ride(tx, &tickets).await?;
        if outcomes.len() != tickets.len() {
            return Err(DbError::Inconsistent {
                table: "rider",
                column: "outcome",
            });
        }
        for ((place, ticket), how) in places.into_iter().zip(&tickets).zip(outcomes) {
            let why = match how {
                Ridden::Done => continue,
                Ridden::Stale => EngineError::Stale,
                Ridden::Declined => EngineError::Declined(ticket.verdict),
            };
            left_out.insert(place, why);
        }
        // The batch is repeated without them: what else would ride now is undone in any case.
        if !left_out.is_empty() {
            break;
        }
    }
    Ok(left_out)
}
