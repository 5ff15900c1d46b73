//! Answers that are kept in the commit of their postings: one statement per table for a batch.

use std::collections::BTreeSet;

use branchline_db::{DbError, TenantTx, audit, outbox};
use branchline_kernel::PaymentId;
use branchline_ledger::{Ridden, RideFuture, RiderKind, Ticket};
use serde::Serialize;

use super::rows::{self, Decided, Name};
use super::{Answer, PlannedCredit};
use crate::clearing;

/// The answers that ride on commands.
pub(super) static CREDIT: RiderKind = RiderKind {
    name: "incoming-credit",
    ride,
};

#[derive(Serialize)]
struct CreditDecided<'a> {
    payer: &'a str,
    payment: PaymentId,
    outcome: &'static str,
}

fn ride<'a>(tx: &'a TenantTx, tickets: &'a [Ticket<'a>]) -> RideFuture<'a> {
    Box::pin(async move {
        let mut decided = Vec::with_capacity(tickets.len());
        let mut names = Vec::with_capacity(tickets.len());
        for ticket in tickets {
            let planned: &PlannedCredit = ticket.facts()?;
            names.push(match planned.answer(ticket.verdict) {
                Ok(answer) => {
                    let new = Decided {
                        order: &planned.order,
                        account: matches!(answer, Answer::Credited(_)).then_some(planned.account),
                        answer,
                        by: &planned.by,
                    };
                    let name = new.name();
                    decided.push(new);
                    Some(name)
                }
                Err(_not_the_payments_own) => None,
            });
        }
        let mut kept = keep(tx, &decided).await?;
        // An order that comes twice in a batch is kept by one of both.
        let outcome = |name: Option<Name>| match name {
            None => Ridden::Declined,
            Some(name) if kept.remove(&name) => Ridden::Done,
            Some(_) => Ridden::Stale,
        };
        Ok(names.into_iter().map(outcome).collect())
    })
}

/// Keeps new answers with their events and audit, and gives the names of those that were new.
pub(super) async fn keep(
    tx: &TenantTx,
    decided: &[Decided<'_>],
) -> Result<BTreeSet<Name>, DbError> {
    if decided.is_empty() {
        return Ok(BTreeSet::new());
    }
    let kept = rows::insert_all(tx, decided).await?;
    let new = || decided.iter().filter(|one| kept.contains(&one.name()));
    let currencies: BTreeSet<_> = new()
        .map(|one| one.order.instruction.amount.currency())
        .collect();
    for currency in currencies {
        clearing::ensure(tx, currency).await?;
    }
    let events: Vec<_> = new()
        .map(|one| CreditDecided {
            payer: one.order.payer.as_str(),
            payment: one.order.payment,
            outcome: one.outcome(),
        })
        .collect();
    outbox::publish_all(tx, "payment.credit_decided.v1", &events).await?;
    let audited = new().map(|one| {
        let event = audit::Event {
            operation: "creditAtPayee".to_owned(),
            object: Some(one.order.payment.to_string()),
            outcome: one.outcome().to_owned(),
            ..audit::Event::default()
        };
        (one.by.to_owned(), event)
    });
    audit::record_all(tx, audited.collect()).await?;
    Ok(kept)
}
