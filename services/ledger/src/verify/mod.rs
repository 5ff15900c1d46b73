//! Looks for contradictions in the books: counters and entries, holds and pendings, sub-ledgers
//! and totals, seals, and the guards themselves.
//!
//! It goes forward in small steps, each in a snapshot of its own that blocks nobody, and a
//! [`Checkpoint`] says where to go on. What is stored twice is compared within one snapshot, so
//! postings that arrive meanwhile do not disturb.

mod guards;
mod rules;

use std::fmt;
use std::str::FromStr;

use branchline_db::{DbError, TenantTx, Values};
use sqlx::Row;

use self::rules::{Rule, SECTIONS, Section};
use crate::error::LedgerError;

/// A contradiction in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule that is broken.
    pub rule: &'static str,
    /// Where: the account, posting or total, as text.
    pub place: String,
}

/// How far a verification has come: `section:after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    section: usize,
    after: Option<String>,
}

/// A text that is no checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no checkpoint: take one that `ledger verify` has printed")]
pub struct MalformedCheckpoint(String);

impl Checkpoint {
    /// Nothing was looked at yet.
    pub const START: Self = Self {
        section: 0,
        after: None,
    };

    /// What the next step looks at.
    #[must_use]
    pub fn subject(&self) -> &'static str {
        SECTIONS
            .get(self.section)
            .map_or("nothing", Section::subject)
    }

    fn next_section(&self) -> Option<Self> {
        let section = self.section.saturating_add(1);
        (section < SECTIONS.len()).then_some(Self {
            section,
            after: None,
        })
    }

    fn behind(&self, last: String) -> Self {
        Self {
            section: self.section,
            after: Some(last),
        }
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}:{}",
            self.section,
            self.after.as_deref().unwrap_or_default()
        )
    }
}

impl FromStr for Checkpoint {
    type Err = MalformedCheckpoint;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || MalformedCheckpoint(text.to_owned());
        let (section, after) = text.split_once(':').ok_or_else(malformed)?;
        let section: usize = section.parse().ok().ok_or_else(malformed)?;
        if section >= SECTIONS.len() {
            return Err(malformed());
        }
        let after = (!after.is_empty()).then(|| after.to_owned());
        Ok(Self { section, after })
    }
}

/// What one step found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The contradictions.
    pub findings: Vec<Finding>,
    /// Where to go on; nothing once all was looked at.
    pub next: Option<Checkpoint>,
}

// A step reads much on purpose, and locks nothing that those who post wait for.
pub(crate) const UNHURRIED: &str = "SET LOCAL statement_timeout TO '30min'";

/// Takes one step from `at`. Each step belongs into a transaction of its own.
///
/// # Errors
/// [`LedgerError::Db`].
pub async fn verify_step(tx: &TenantTx, at: &Checkpoint) -> Result<Checked, LedgerError> {
    tx.run(UNHURRIED, Values::new()).await?;
    let mut findings = Vec::new();
    let next = match SECTIONS.get(at.section) {
        None => None,
        Some(Section::Rows {
            start,
            bounds,
            rules,
            ..
        }) => {
            let from = at.after.as_deref().unwrap_or(start);
            let last = last_of(tx, bounds, from).await?;
            for rule in *rules {
                look(
                    tx,
                    rule,
                    Values::new().with(from).with(last.as_deref()),
                    &mut findings,
                )
                .await?;
            }
            match last {
                Some(last) => Some(at.behind(last)),
                None => at.next_section(),
            }
        }
        Some(Section::Whole { rules, .. }) => {
            for rule in *rules {
                look(tx, rule, Values::new(), &mut findings).await?;
            }
            at.next_section()
        }
        Some(Section::Guards) => {
            findings.extend(guards::missing(tx).await?);
            at.next_section()
        }
    };
    Ok(Checked { findings, next })
}

/// Looks through the whole books of the tenant at one moment. Nothing found means nothing
/// contradicts. For books that are large, take steps instead.
///
/// # Errors
/// [`LedgerError::Db`].
pub async fn verify(tx: &TenantTx) -> Result<Vec<Finding>, LedgerError> {
    let mut findings = Vec::new();
    let mut at = Some(Checkpoint::START);
    while let Some(here) = at {
        let checked = verify_step(tx, &here).await?;
        findings.extend(checked.findings);
        at = checked.next;
    }
    Ok(findings)
}

/// The last key of the next portion, or nothing when the portion reaches to the end.
async fn last_of(
    tx: &TenantTx,
    bounds: &'static str,
    from: &str,
) -> Result<Option<String>, LedgerError> {
    let rows = tx.named(bounds, Values::new().with(from)).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    Ok(row.try_get("last").map_err(DbError::from)?)
}

async fn look(
    tx: &TenantTx,
    rule: &Rule,
    values: Values,
    findings: &mut Vec<Finding>,
) -> Result<(), LedgerError> {
    for row in tx.named(rule.sql, values).await? {
        let place = row.try_get("place").map_err(DbError::from)?;
        findings.push(Finding {
            rule: rule.says,
            place,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_reads_back_what_it_printed() {
        let mut at = Some(Checkpoint::START);
        while let Some(here) = at {
            assert_eq!(here.to_string().parse(), Ok(here.clone()));
            let within = here.behind("7".to_owned());
            assert_eq!(within.to_string().parse(), Ok(within));
            at = here.next_section();
        }
        for text in ["", "1", "x:1", "99:"] {
            assert!(text.parse::<Checkpoint>().is_err(), "{text}");
        }
    }
}
