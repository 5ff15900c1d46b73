//! The loop that writes for one tenant.

use std::sync::Arc;
use std::time::Duration;

use branchline_kernel::TenantId;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::attempt::{After, attempt};
use super::error::EngineError;
use super::{Job, Shared};

/// The first pause before a batch is given again, and the longest.
const PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Writes batch after batch until nothing came for a while, or the engine stops.
pub(super) async fn run(
    shared: Arc<Shared>,
    tenant: TenantId,
    number: u64,
    mut jobs: mpsc::Receiver<Job>,
) {
    let mut lane = None;
    loop {
        let first = match timeout(shared.limits.idle, jobs.recv()).await {
            Ok(first) => first,
            // From here on new commands start another writer; what came before is still ours.
            Err(_idle) => {
                jobs.close();
                jobs.recv().await
            }
        };
        let Some(first) = first else { break };
        write(&shared, &tenant, &mut lane, first, &mut jobs).await;
    }
    shared.forget(&tenant, number);
}

/// Writes one batch: `first` and whatever waits when the turn comes. A batch that must be given
/// again goes behind the other tenants.
async fn write(
    shared: &Shared,
    tenant: &TenantId,
    lane: &mut Option<usize>,
    first: Job,
    jobs: &mut mpsc::Receiver<Job>,
) {
    let mut batch = vec![first];
    let mut pause = PAUSE;
    let mut tried = false;
    loop {
        let Some(turn) = shared.lanes.turn(lane).await else {
            return;
        };
        if !tried {
            while batch.len() < shared.limits.batch {
                let Ok(job) = jobs.try_recv() else { break };
                batch.push(job);
            }
        }
        batch = refuse_expired(batch, tried);
        if batch.is_empty() {
            return;
        }
        match attempt(shared, turn.door, tenant, batch).await {
            After::Answered => return,
            After::Again(left) => batch = left,
        }
        tried = true;
        drop(turn);
        sleep(pause).await;
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
    }
}

/// Answers the jobs whose time is over and gives the others.
fn refuse_expired(batch: Vec<Job>, tried: bool) -> Vec<Job> {
    let now = Instant::now();
    let (expired, left): (Vec<_>, Vec<_>) = batch.into_iter().partition(|job| job.deadline <= now);
    for job in expired {
        job.answer(Err(if tried {
            EngineError::InDoubt
        } else {
            EngineError::Expired
        }));
    }
    left
}
