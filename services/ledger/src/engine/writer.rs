//! The loop that writes for one tenant; a busy tenant has more than one.

use std::sync::Arc;
use std::time::Duration;

use branchline_kernel::TenantId;
use tokio::time::{Instant, sleep};

use super::attempt::{After, Attempt};
use super::error::EngineError;
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
    while line.has_work().await {
        write(&shared, &tenant, &line).await;
    }
    alive.done = true;
    shared.forget(&tenant, &line);
}

/// Writes one batch: whatever may be written when the turn comes. A batch that must be given
/// again goes behind the other tenants.
async fn write(shared: &Shared, tenant: &TenantId, line: &Arc<Line>) {
    let seat = line.sit_down();
    let Some(mut turn) = shared.lanes.turn(tenant, seat.place).await else {
        return;
    };
    shared.tally.waited(turn.waited);
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
        turn = match shared.lanes.turn(tenant, seat.place).await {
            Some(turn) => turn,
            None => return,
        };
        shared.tally.waited(turn.waited);
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
