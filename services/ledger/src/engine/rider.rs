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

use crate::command::Command;
use crate::verdict::Verdict;

/// What became of one rider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ridden {
    /// It was carried out.
    Done,
    /// Its object is no longer what it was when the command was made.
    Stale,
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

/// What rides on one command.
pub struct Rider {
    kind: &'static RiderKind,
    facts: Box<dyn Any + Send + Sync>,
}

impl Rider {
    /// A rider of that kind. `facts` is what the kind's function reads back from its ticket.
    #[must_use]
    pub fn new<F: Any + Send + Sync>(kind: &'static RiderKind, facts: F) -> Self {
        Self {
            kind,
            facts: Box::new(facts),
        }
    }
}

impl fmt::Debug for Rider {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Rider({})", self.kind.name)
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

/// Carries out the riders of a batch and gives the places of those that are stale.
pub(super) async fn carry_out(
    tx: &TenantTx,
    batch: &[Passenger<'_>],
) -> Result<Vec<usize>, DbError> {
    let mut kinds: BTreeMap<&'static str, (Ride, Vec<usize>, Vec<Ticket<'_>>)> = BTreeMap::new();
    for (place, passenger) in batch.iter().enumerate() {
        let Some(rider) = passenger.rider else {
            continue;
        };
        if !is_first(passenger.verdict) {
            continue;
        }
        let of_kind = kinds
            .entry(rider.kind.name)
            .or_insert_with(|| (rider.kind.ride, Vec::new(), Vec::new()));
        of_kind.1.push(place);
        of_kind.2.push(Ticket {
            command: passenger.command,
            verdict: passenger.verdict,
            facts: rider.facts.as_ref(),
        });
    }
    let mut stale = Vec::new();
    for (ride, places, tickets) in kinds.into_values() {
        let outcomes = ride(tx, &tickets).await?;
        if outcomes.len() != tickets.len() {
            return Err(DbError::Inconsistent {
                table: "rider",
                column: "outcome",
            });
        }
        let late = places.into_iter().zip(outcomes);
        stale.extend(late.filter_map(|(place, how)| (how == Ridden::Stale).then_some(place)));
    }
    Ok(stale)
}

const fn is_first(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Posted { replayed, .. } | Verdict::Refused { replayed, .. } => !replayed,
        Verdict::Conflict => false,
    }
}
