//! The loop that writes for one tenant; a busy tenant has more than one.

use std::sync::Arc;
use std::time::Duration;

use branchline_kernel::TenantId;
use tokio::time::{Instant, sleep};

use super::attempt::{After, Attempt};
use super::error::EngineError;
use super::lanes::Turn;
use super::line::Line;
use super::{Job, Shared};

/// The first pause before a batch is given again, and the longest.
const PAUSE: Duration = Duration::from_millis(5);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Notices a writer that dies at its work, or is broken off.
struct Alive<'l> {
    line: &'l Line,
    done: bool,
}

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        if !self.done {
            self.line.abandon();
        }
    }
}

/// Writes batch after batch until nothing came for a while, or the engine stops.
pub(super) async fn run(shared: Arc<Shared>, tenant: TenantId, line: Arc<Line>) {
    let mut alive = Alive {
        line: &line,
        done: false,
    };
    let mut lane = None;
    while line.has_work(shared.limits.idle).await {
        write(&shared, &tenant, &mut lane, &line).await;
    }
    alive.done = true;
    shared.forget(&tenant, &line);
}

/// Writes one batch: whatever may be written when the turn comes. A batch that must be given
/// again goes behind the other tenants.
async fn write(shared: &Shared, tenant: &TenantId, lane: &mut Option<usize>, line: &Arc<Line>) {
    let Some(mut turn) = next_turn(shared, lane, line).await else {
        return;
    };
    let (mut batch, flight) = line.take(shared.limits.batch);
    let mut pause = PAUSE;
    let mut tried = false;
    loop {
        batch = refuse_expired(batch, tried);
        if batch.is_empty() {
            return;
        }
        let attempt = Attempt {
            shared,
            door: turn.door,
            tenant,
            flight: &flight,
        };
        match attempt.write(batch).await {
            After::Answered => return,
            After::Again(left) => batch = left,
        }
        tried = true;
        drop(turn);
        sleep(pause).await;
        pause = pause.saturating_mul(2).min(LONGEST_PAUSE);
        turn = match next_turn(shared, lane, line).await {
            Some(turn) => turn,
            None => return,
        };
    }
}

/// Waits for a turn, and notes how many of other tenants' batches were let in before.
async fn next_turn<'s>(
    shared: &'s Shared,
    lane: &mut Option<usize>,
    line: &Line,
) -> Option<Turn<'s>> {
    let before = line.turns();
    let turn = shared.lanes.turn(lane).await?;
    let own = line.take_turn().saturating_sub(before);
    shared.tally.waited(turn.waited.saturating_sub(own));
    Some(turn)
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
