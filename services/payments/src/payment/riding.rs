//! Payments that change in the commit of a posting: one statement per table for a whole batch.

use std::collections::{BTreeMap, BTreeSet};

use branchline_db::{DbError, Program, TenantTx, audit, jobs, outbox};
use branchline_kernel::{Currency, Money};
use branchline_ledger::{Ridden, RideFuture, RiderKind, Ticket};

use super::model::{Payment, State};
use super::plan::{Change, Movement, Planned};
use super::{STATE_CHANGED, Wake, event_of, rows, wake_key};
use crate::clearing;

/// The payments that ride on commands.
pub(super) static PAYMENT: RiderKind = RiderKind {
    name: "payment",
    ride,
};

/// A payment with what becomes of it.
struct Moved<'a> {
    planned: &'a Planned,
    changes: Vec<Change>,
}

impl Moved<'_> {
    fn last(&self) -> Option<&Payment> {
        self.changes.last().map(|change| &change.to)
    }

    /// Whether the amount no longer counts as on its way to another institution.
    fn gives_back(&self, tx: &TenantTx) -> bool {
        match &self.planned.before.state {
            State::Dispatching { payee, .. } | State::Unknown { payee, .. } => payee != tx.tenant(),
            State::Received
            | State::Authorised
            | State::Reserved { .. }
            | State::Completed { .. }
            | State::Rejected { .. }
            | State::Cancelled => false,
        }
    }

    /// Whether somebody must be woken up: the member has agreed just now.
    fn wakes(&self) -> bool {
        let is_hold = matches!(self.planned.movement, Movement::Hold);
        is_hold
            && self.planned.before.state == State::Received
            && self.last().is_some_and(|last| last.state.is_under_way())
    }

    fn audited(&self) -> Option<(String, audit::Event)> {
        let operation = self.planned.audit?.to_owned();
        let event = audit::Event {
            operation,
            object: Some(self.planned.before.id.to_string()),
            outcome: self.last()?.state.word().to_lowercase(),
            ..audit::Event::default()
        };
        Some((self.planned.by.clone(), event))
    }
}

fn ride<'a>(tx: &'a TenantTx, tickets: &'a [Ticket<'a>]) -> RideFuture<'a> {
    Box::pin(async move {
        let mut moved = Vec::with_capacity(tickets.len());
        let mut outcomes = Vec::with_capacity(tickets.len());
        let mut seen = BTreeSet::new();
        for ticket in tickets {
            let planned: &Planned = ticket.facts()?;
            let is_new = seen.insert(planned.before.id);
            outcomes.push(match planned.changes(ticket.verdict) {
                Ok(changes) if is_new => {
                    moved.push(Moved { planned, changes });
                    Ridden::Done
                }
                Ok(_) => Ridden::Stale,
                Err(_not_the_payments_own) => Ridden::Declined,
            });
        }
        let lasts: Vec<_> = moved
            .iter()
            .filter_map(|moved| Some((moved.last()?, moved.planned.before.version)))
            .collect();
        let updated = rows::update_all(tx, &lasts).await?;
        for (ticket, outcome) in tickets.iter().zip(&mut outcomes) {
            let planned: &Planned = ticket.facts()?;
            if *outcome == Ridden::Done && !updated.contains(&planned.before.id) {
                *outcome = Ridden::Stale;
            }
        }
        // Otherwise the batch is undone and comes again without those.
        if outcomes.iter().all(|how| *how == Ridden::Done) {
            follow(tx, &moved).await?;
        }
        Ok(outcomes)
    })
}

/// Everything that goes with the payments' new states.
async fn follow(tx: &TenantTx, moved: &[Moved<'_>]) -> Result<(), DbError> {
    let of_all = || {
        let each = |moved: &'_ Moved<'_>| {
            let by = moved.planned.by.clone();
            let changes = moved.changes.clone();
            changes.into_iter().map(move |change| (by.clone(), change))
        };
        moved.iter().flat_map(each).collect::<Vec<_>>()
    };
    let changes = of_all();
    rows::insert_transitions(tx, &changes).await?;
    let events: Vec<_> = changes
        .iter()
        .map(|(_, change)| event_of(&change.to))
        .collect();
    outbox::publish_all(tx, STATE_CHANGED, &events).await?;
    let mut back: BTreeMap<Currency, i64> = BTreeMap::new();
    for moved in moved.iter().filter(|moved| moved.gives_back(tx)) {
        let amount = moved.planned.before.instruction.amount;
        let sum = back.entry(amount.currency()).or_default();
        *sum = sum.saturating_add(amount.minor());
    }
    for (currency, minor) in back {
        clearing::give_back_in_flight(tx, Money::new(minor, currency)).await?;
    }
    let woken = moved.iter().filter(|moved| moved.wakes());
    let woken: Vec<_> = woken
        .map(|moved| moved.planned.before.id)
        .map(|payment| (Wake { payment }, wake_key(payment)))
        .collect();
    jobs::enqueue_all(tx, Program::Core, "advance_payment", &woken).await?;
    audit::record_all(tx, moved.iter().filter_map(Moved::audited).collect()).await
}
