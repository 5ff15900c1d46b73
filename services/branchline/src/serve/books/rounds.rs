//! The books of all tenants are looked through, again and again, and the number of contradictions
//! is shown.
//!
//! A step reads much, so the round rests after each: it takes about a tenth of one connection's
//! time, however large the books are. What fails goes on in the next round where it was.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use branchline_db::{Access, Db, Tenant};
use branchline_kernel::TenantId;
use branchline_ledger::{Checkpoint, verify_step};
use metrics::gauge;
use tokio::task::JoinSet;
use tracing::{error, warn};

use crate::serve::Process;

/// From the end of a round to the next.
const PAUSE: Duration = Duration::from_mins(5);
/// How many times as long as the step before it a rest is.
const RESTS: u32 = 9;
const LONGEST_REST: Duration = Duration::from_hours(1);

/// How far each tenant's books have been looked through.
type Rounds = HashMap<TenantId, Round>;

/// How far one tenant's books have been looked through.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Round {
    at: Checkpoint,
    /// Contradictions found in this round so far.
    pub(super) found: u32,
    /// The larger of that and what the round before found: an alarm is not taken back early.
    pub(super) shown: u32,
}

impl Default for Round {
    fn default() -> Self {
        Self {
            at: Checkpoint::START,
            found: 0,
            shown: 0,
        }
    }
}

/// Starts the rounds.
pub(super) fn start(db: &Db, process: &Process, running: &mut JoinSet<anyhow::Result<()>>) {
    let (db, process) = (db.clone(), process.clone());
    running.spawn(async move {
        let mut rounds = Rounds::new();
        loop {
            if let Err(error) = look_through(&db, &mut rounds, &process).await {
                warn!("A round through the books failed and is tried again: {error:#}");
            }
            if process.ends_within(PAUSE).await {
                return Ok(());
            }
        }
    });
}

async fn look_through(db: &Db, rounds: &mut Rounds, process: &Process) -> anyhow::Result<()> {
    for tenant in db.tenants().await? {
        let round = rounds.entry(tenant.id.clone()).or_default();
        loop {
            let began = Instant::now();
            // A step may take long, and what it has read is given up when the process ends.
            let stepped = tokio::select! {
                biased;
                () = process.ends() => return Ok(()),
                stepped = step(db, &tenant, round) => stepped,
            };
            let is_done = match stepped {
                Ok(is_done) => is_done,
                Err(error) => {
                    warn!(
                        tenant = tenant.id.as_str(),
                        "The books were not verified: {error:#}"
                    );
                    true
                }
            };
            if process.ends_within(rest_after(began.elapsed())).await {
                return Ok(());
            }
            if is_done {
                break;
            }
        }
    }
    Ok(())
}

fn rest_after(step: Duration) -> Duration {
    step.saturating_mul(RESTS).min(LONGEST_REST)
}

/// Takes one step through a tenant's books; says whether it was the last of its round.
pub(super) async fn step(db: &Db, tenant: &Tenant, round: &mut Round) -> anyhow::Result<bool> {
    let tx = db
        .tenant(&tenant.id, "system:verifier", Access::Read)
        .await?;
    let checked = verify_step(&tx, &round.at).await?;
    tx.rollback().await?;
    for finding in &checked.findings {
        error!(
            tenant = tenant.id.as_str(),
            "The books contradict themselves: at {} it does not hold that {}",
            finding.place,
            finding.rule
        );
        round.found = round.found.saturating_add(1);
    }
    round.shown = round.shown.max(round.found);
    let is_done = checked.next.is_none();
    if is_done {
        round.shown = round.found;
        round.found = 0;
    }
    round.at = checked.next.unwrap_or(Checkpoint::START);
    // Until the books were looked through once, there is nothing to show but an alarm.
    if is_done || round.shown > 0 {
        gauge!("branchline_ledger_findings", "tenant" => tenant.slug.to_string()).set(round.shown);
    }
    Ok(is_done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_rests_nine_times_as_long_as_it_works() {
        assert_eq!(rest_after(Duration::ZERO), Duration::ZERO);
        assert_eq!(rest_after(Duration::from_secs(2)), Duration::from_secs(18));
        assert_eq!(rest_after(Duration::from_mins(30)), LONGEST_REST);
        assert_eq!(rest_after(Duration::MAX), LONGEST_REST);
    }
}
