//! What must hold after each round.

use std::collections::BTreeMap;

use branchline_db::{Access, TenantTx, Values};
use branchline_ledger::{balances, verify};
use sqlx::Row;
use uuid::Uuid;

use super::orders::POSTED;
use super::worker::NOTED;
use super::{Chamber, OPENING};
use crate::commands::ledger::ground::eur;

const KEYS: &str = "SELECT k.key, k.reason = 0 AS posted, \
EXISTS (SELECT FROM posting p WHERE p.id = k.result) AS booked FROM ledger_key k";
const NOTES: &str = "SELECT (payload ->> 'key')::uuid AS key, count(*) AS n FROM outbox \
WHERE kind = $1 GROUP BY 1";
const POSTINGS: &str = "SELECT count(*) AS n FROM posting";
const DEADLOCKS: &str = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";

/// Compares the books with the answers.
pub(super) async fn everything(chamber: &mut Chamber) -> anyhow::Result<()> {
    let db = chamber.ground.db.apart(1)?;
    let tenant = chamber.books.tenant.clone();
    let tx = db.tenant(&tenant, "system:torture", Access::Read).await?;
    let mut found = answers(chamber, &tx).await?;
    found.extend(accounts(chamber, &tx).await?);
    // A bug that was planted in a function would be named as such: that would be cheating.
    let findings = verify(&tx).await?.into_iter();
    let findings = findings.filter(|one| !one.place.starts_with("function "));
    found.extend(findings.map(|one| format!("at {}: not {}", one.place, one.rule)));
    tx.rollback().await?;
    let counted = chamber.ground.root().await?.ask(DEADLOCKS).await?;
    let deadlocks: Option<i64> = counted.map(|row| row.try_get("deadlocks")).transpose()?;
    let deadlocks = deadlocks.unwrap_or(0);
    if deadlocks > 0 {
        found.push(format!(
            "{deadlocks} deadlocks: locks were taken in different orders"
        ));
    }
    chamber.violations.extend(found);
    Ok(())
}

/// Every answer is in the ledger, once, with its rider and its posting, and nothing else is.
async fn answers(chamber: &Chamber, tx: &TenantTx) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut stored: BTreeMap<Uuid, (bool, bool)> = BTreeMap::new();
    for row in tx.named(KEYS, Values::new()).await? {
        let is = (row.try_get("posted")?, row.try_get("booked")?);
        stored.insert(row.try_get("key")?, is);
    }
    let mut notes: BTreeMap<Uuid, i64> = BTreeMap::new();
    for row in tx.named(NOTES, Values::new().with(NOTED)).await? {
        notes.insert(row.try_get("key")?, row.try_get("n")?);
    }
    let mut booked = 0_i64;
    for (key, (order, answer)) in &chamber.model.orders {
        let Some(answer) = answer else { continue };
        let posted = answer == POSTED;
        let wanted = (posted, posted && order.books());
        booked = booked.saturating_add(i64::from(wanted.1));
        match stored.get(key) {
            None => found.push(format!("{key} was answered {answer} and is not there")),
            Some(is) if *is != wanted => {
                found.push(format!(
                    "{key} was answered {answer}, and the ledger says {is:?}"
                ));
            }
            Some(_) => {}
        }
        let riders = notes.get(key).copied().unwrap_or(0);
        if riders != 1 {
            found.push(format!("{riders} riders of {key} were carried out"));
        }
    }
    let rows = tx.named(POSTINGS, Values::new()).await?;
    let there: Option<i64> = rows.first().map(|row| row.try_get("n")).transpose()?;
    // The opening is one posting.
    if there != Some(booked.saturating_add(1)) {
        found.push(format!(
            "{there:?} postings are there, {booked} were answered"
        ));
    }
    Ok(found)
}

/// Every balance is what the accepted orders make of it.
async fn accounts(chamber: &Chamber, tx: &TenantTx) -> anyhow::Result<Vec<String>> {
    let mut found = Vec::new();
    let sums = chamber.model.sums();
    for account in &chamber.books.accounts {
        let (moved, held) = sums.get(&account.number()).copied().unwrap_or_default();
        let now = balances(tx, *account).await?;
        if now.booked != eur(OPENING.saturating_add(moved))? || now.held != eur(held)? {
            found.push(format!(
                "account {account} moved by {} and holds {}; the answers say {moved} and {held}",
                now.booked.minor().saturating_sub(OPENING),
                now.held.minor()
            ));
        }
    }
    Ok(found)
}
