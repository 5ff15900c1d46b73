//! What waits for one tenant's ledger, and what of it may be written beside what is being written.
//!
//! # Invariants
//! - Two batches that are decided at the same time name no account, hold, posting or key in
//!   common, as far as the commands say it; what only the database knows, it keeps apart by its
//!   locks.
//! - Commands that name the same thing are decided in the order they came.
//! - A batch that is being decided keeps nobody waiting for longer than [`PATIENCE`], unless by a
//!   name.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use branchline_kernel::LedgerAccountId;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::{EngineLimits, Job};
use crate::command::{Action, Command};

/// How long a few commands wait for the batch before them, to go together with what comes
/// meanwhile: they would cost more alone. A batch needs less; one that meets a locked row, more.
const PATIENCE: Duration = Duration::from_millis(10);

/// An account, hold, posting or key, as a number.
pub(super) type Name = u128;

/// Everything a command names.
pub(super) fn names(command: &Command) -> Vec<Name> {
    let account = |id: LedgerAccountId| Name::from(id.number().unsigned_abs());
    let mut names = vec![command.key.uuid().as_u128()];
    match &command.action {
        Action::Post(post) => {
            names.push(post.id.uuid().as_u128());
            names.extend(post.hold.map(|hold| hold.uuid().as_u128()));
            names.extend(post.legs.iter().map(|leg| account(leg.account)));
        }
        Action::Reverse(reverse) => {
            names.push(reverse.id.uuid().as_u128());
            names.push(reverse.of.uuid().as_u128());
        }
        Action::Hold(hold) => {
            names.push(hold.id.uuid().as_u128());
            names.push(account(hold.account));
        }
        Action::Void(hold) | Action::Expire(hold) => names.push(hold.uuid().as_u128()),
    }
    names
}

/// The commands that wait for one tenant's writers.
pub(super) struct Line {
    limits: EngineLimits,
    waiting: Mutex<Waiting>,
    changed: Notify,
}

#[derive(Default)]
struct Waiting {
    /// May be written now. Whatever they have in common with `held` came before it.
    ready: VecDeque<Job>,
    /// Names something that is being written, or that a job before it here names.
    held: VecDeque<Job>,
    held_names: HashSet<Name>,
    flying: HashSet<Name>,
    /// Batches that are being decided.
    aloft: usize,
    /// Those, and the ones that have landed and are not committed yet.
    flights: usize,
    writers: usize,
    idle: usize,
    /// The places of writers at work.
    seats: Vec<bool>,
    closing: bool,
}

/// What became of a job that was given.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// Too many wait: it was dropped.
    Full,
    /// Those that there are will see to it.
    Served,
    /// Start one, which is counted already.
    WantsWriter,
}

impl Line {
    pub(super) fn new(limits: EngineLimits) -> Self {
        Self {
            limits,
            waiting: Mutex::default(),
            changed: Notify::new(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a job, unless too many wait already.
    pub(super) fn give(&self, job: Job) -> Given {
        let mut waiting = self.waiting();
        if waiting.ready.len().saturating_add(waiting.held.len()) >= self.limits.queue {
            return Given::Full;
        }
        waiting.push(job);
        let has_work = !waiting.ready.is_empty();
        let may_start = waiting.idle == 0 && waiting.writers < self.limits.writers;
        if waiting.writers == 0 || (has_work && may_start) {
            waiting.writers = waiting.writers.saturating_add(1);
            return Given::WantsWriter;
        }
        // The first one wakes a writer to watch over its patience.
        if waiting.ready.len() == 1 || waiting.may_set_out(self.limits.beside) {
            self.changed.notify_one();
        }
        Given::Served
    }

    /// Waits until something should be written. False when nothing came for as long as a writer
    /// waits, or when the line closes and nothing is left; then the writer no longer counts.
    pub(super) async fn has_work(&self) -> bool {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let longest = {
                let mut waiting = self.waiting();
                if waiting.may_set_out(self.limits.beside) {
                    return true;
                }
                if waiting.closing && waiting.ready.is_empty() && waiting.held.is_empty() {
                    waiting.sign_off();
                    return false;
                }
                waiting.idle = waiting.idle.saturating_add(1);
                if waiting.ready.is_empty() {
                    self.limits.idle
                } else {
                    PATIENCE
                }
            };
            let waited = timeout(longest, changed).await;
            let mut waiting = self.waiting();
            waiting.idle = waiting.idle.saturating_sub(1);
            if waited.is_err() {
                if !waiting.ready.is_empty() {
                    return true;
                }
                waiting.sign_off();
                return false;
            }
        }
    }

    /// Takes as many jobs as may be written together now.
    pub(super) fn take(self: &Arc<Self>, most: usize) -> (Vec<Job>, Flight) {
        let mut waiting = self.waiting();
        let count = waiting.ready.len().min(most);
        let batch: Vec<Job> = waiting.ready.drain(..count).collect();
        let names: Vec<Name> = batch
            .iter()
            .flat_map(|job| job.names.iter().copied())
            .collect();
        waiting.flying.extend(names.iter().copied());
        if !waiting.ready.is_empty() {
            waiting.settle();
        }
        waiting.aloft = waiting.aloft.saturating_add(1);
        waiting.flights = waiting.flights.saturating_add(1);
        if waiting.may_set_out(self.limits.beside) {
            self.changed.notify_one();
        }
        let flight = Flight {
            line: Arc::clone(self),
            names,
            landed: AtomicBool::new(false),
        };
        (batch, flight)
    }

    /// The lowest place that no writer of the tenant has: who writes alone is always at the same.
    pub(super) fn sit_down(self: &Arc<Self>) -> Seat {
        let mut waiting = self.waiting();
        let free = waiting.seats.iter().position(|taken| !taken);
        let place = free.unwrap_or(waiting.seats.len());
        match waiting.seats.get_mut(place) {
            Some(seat) => *seat = true,
            None => waiting.seats.push(true),
        }
        Seat {
            line: Arc::clone(self),
            place,
        }
    }

    /// No more jobs come: writers end when nothing is left.
    pub(super) fn close(&self) {
        self.waiting().closing = true;
        self.changed.notify_waiters();
    }

    /// A writer died. With the last one goes what waits, so that the callers learn that nobody
    /// will answer.
    pub(super) fn abandon(&self) {
        let left = {
            let mut waiting = self.waiting();
            waiting.sign_off();
            let last = waiting.writers == 0;
            last.then(|| (std::mem::take(&mut waiting.ready), waiting.drain_held()))
        };
        drop(left);
        self.changed.notify_one();
    }

    /// Whether nobody writes and nothing waits.
    pub(super) fn is_over(&self) -> bool {
        let waiting = self.waiting();
        waiting.writers == 0 && waiting.ready.is_empty() && waiting.held.is_empty()
    }
}

impl Waiting {
    /// Whether a batch should set out now: alone always, beside another that is being decided only
    /// with enough commands to be worth it.
    fn may_set_out(&self, beside: usize) -> bool {
        let enough = if self.aloft == 0 { 1 } else { beside };
        self.ready.len() >= enough
    }

    fn sign_off(&mut self) {
        self.writers = self.writers.saturating_sub(1);
    }

    fn push(&mut self, job: Job) {
        let meets = |name: &Name| self.flying.contains(name) || self.held_names.contains(name);
        if job.names.iter().any(meets) {
            self.held_names.extend(job.names.iter().copied());
            self.held.push_back(job);
        } else {
            self.ready.push_back(job);
        }
    }

    /// Looks at everything that waits anew, after something took off or landed.
    fn settle(&mut self) {
        let ready = std::mem::take(&mut self.ready);
        let held = self.drain_held();
        ready.into_iter().chain(held).for_each(|job| self.push(job));
    }

    fn drain_held(&mut self) -> VecDeque<Job> {
        self.held_names.clear();
        std::mem::take(&mut self.held)
    }
}

/// A batch that is being written.
pub(super) struct Flight {
    line: Arc<Line>,
    names: Vec<Name>,
    landed: AtomicBool,
}

impl Flight {
    /// What it names is free again for other flights; once.
    pub(super) fn land(&self) {
        if self.landed.swap(true, Ordering::Relaxed) {
            return;
        }
        let mut waiting = self.line.waiting();
        for name in &self.names {
            waiting.flying.remove(name);
        }
        waiting.aloft = waiting.aloft.saturating_sub(1);
        waiting.settle();
        if waiting.may_set_out(self.line.limits.beside) {
            self.line.changed.notify_one();
        }
    }

    /// Whether no other batch of the tenant is being written by this process.
    pub(super) fn is_alone(&self) -> bool {
        self.line.waiting().flights < 2
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        self.land();
        let mut waiting = self.line.waiting();
        waiting.flights = waiting.flights.saturating_sub(1);
    }
}

/// A writer's place among those of its tenant.
pub(super) struct Seat {
    line: Arc<Line>,
    pub(super) place: usize,
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(seat) = self.line.waiting().seats.get_mut(self.place) {
            *seat = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use branchline_kernel::{HoldId, IdSource, RandomIds};
    use tokio::time::Instant;

    use super::super::answers::asker;
    use super::*;
    use crate::command::LedgerKey;

    const MANY: usize = 1_000;

    fn empty(beside: usize, queue: usize) -> Arc<Line> {
        Arc::new(Line::new(EngineLimits {
            beside,
            queue,
            ..EngineLimits::STANDARD
        }))
    }

    /// A job with names of its own choice; its key tells which it is.
    fn job(names: &[Name]) -> Job {
        let key = LedgerKey::from(RandomIds.next());
        let command = Command::new(key, Action::Void(HoldId::from(RandomIds.next())));
        Job {
            command,
            names: names.to_vec(),
            rider: None,
            deadline: Instant::now(),
            asker: asker().0,
        }
    }

    fn line(jobs: &[&[Name]]) -> Arc<Line> {
        let line = empty(1, MANY);
        for names in jobs {
            assert_ne!(line.give(job(names)), Given::Full);
        }
        line
    }

    fn named(batch: &[Job]) -> Vec<Vec<Name>> {
        batch.iter().map(|job| job.names.clone()).collect()
    }

    #[test]
    fn what_names_something_in_flight_waits_until_it_has_landed() {
        let line = line(&[&[1, 2], &[3, 4]]);
        let (first, flight) = line.take(1);
        assert_eq!(named(&first), [[1, 2]]);
        assert_ne!(line.give(job(&[2, 9])), Given::Full);
        let (second, _other) = line.take(MANY);
        assert_eq!(named(&second), [[3, 4]]);
        drop(flight);
        assert_eq!(named(&line.take(MANY).0), [[2, 9]]);
    }

    #[test]
    fn nothing_overtakes_a_waiting_command_that_names_the_same() {
        let line = line(&[&[1, 2]]);
        let (_first, flight) = line.take(MANY);
        for names in [[2, 3], [3, 4], [5, 6]] {
            assert_ne!(line.give(job(&names)), Given::Full);
        }
        assert_eq!(named(&line.take(MANY).0), [[5, 6]]);
        drop(flight);
        assert_eq!(named(&line.take(MANY).0), [[2, 3], [3, 4]]);
    }

    #[test]
    fn a_full_line_takes_nothing_more_whatever_it_waits_for() {
        let line = empty(1, 2);
        assert_ne!(line.give(job(&[1, 2])), Given::Full);
        let (_first, _flight) = line.take(MANY);
        assert_ne!(line.give(job(&[1, 3])), Given::Full);
        assert_ne!(line.give(job(&[7, 8])), Given::Full);
        assert_eq!(line.give(job(&[9, 10])), Given::Full);
    }

    #[test]
    fn a_writer_is_wanted_for_work_that_nobody_is_free_for() {
        let line = empty(1, MANY);
        let give = |names: &[Name]| line.give(job(names));
        assert_eq!(give(&[1]), Given::WantsWriter);
        let (_batch, _flight) = line.take(MANY);
        assert_eq!(give(&[1]), Given::Served, "it must wait in any case");
        assert_eq!(give(&[2]), Given::WantsWriter);
        assert_eq!(give(&[3]), Given::Served, "there are two already");
    }

    #[tokio::test]
    async fn a_few_commands_wait_for_the_batch_that_is_being_decided_but_not_for_long() {
        let at_once = |line: Arc<Line>| async move {
            let wait = timeout(Duration::ZERO, line.has_work()).await;
            wait.unwrap_or(false)
        };
        let line = empty(3, MANY);
        assert_eq!(line.give(job(&[1])), Given::WantsWriter);
        assert!(at_once(Arc::clone(&line)).await);
        let (_batch, flight) = line.take(MANY);
        assert_eq!(line.give(job(&[2])), Given::WantsWriter);
        let began = Instant::now();
        assert!(line.has_work().await, "nobody waits for ever");
        assert!(began.elapsed() >= PATIENCE);
        line.give(job(&[3]));
        line.give(job(&[4]));
        assert!(at_once(Arc::clone(&line)).await, "three are worth a batch");
        let (_second, other) = line.take(MANY);
        line.give(job(&[5]));
        flight.land();
        other.land();
        assert!(at_once(Arc::clone(&line)).await, "nothing is being decided");
    }

    #[test]
    fn a_writer_alone_always_has_the_same_seat() {
        let line = empty(1, MANY);
        let first = line.sit_down();
        let second = line.sit_down();
        assert_eq!((first.place, second.place), (0, 1));
        drop(first);
        assert_eq!(line.sit_down().place, 0);
        drop(second);
        assert_eq!(line.sit_down().place, 0);
    }

    #[test]
    fn what_waits_is_given_up_with_the_last_writer_that_died() {
        let line = line(&[&[1], &[2]]);
        line.abandon();
        assert!(!line.is_over(), "the other of the two writers goes on");
        line.abandon();
        assert!(line.is_over());
    }

    /// What comes in any order, lands in any order, two at a time.
    #[test]
    fn flights_share_no_name_and_each_name_keeps_its_order() {
        let mut state = 7_u64;
        let mut below = |bound: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % bound
        };
        let line = empty(1, usize::MAX);
        let (mut given, mut written) = (Vec::new(), Vec::new());
        let mut flights: Vec<(Vec<Job>, Flight)> = Vec::new();
        for _ in 0..5_000 {
            match below(4) {
                0 | 1 => {
                    let new = job(&[Name::from(below(12)), Name::from(below(12))]);
                    given.push((new.command.key, new.names.clone()));
                    assert_ne!(line.give(new), Given::Full);
                }
                2 if flights.len() < 2 => {
                    let most = usize::try_from(below(4)).unwrap();
                    let (batch, flight) = line.take(most);
                    let taken: HashSet<_> = flight.names.iter().collect();
                    for (_, other) in &flights {
                        assert!(other.names.iter().all(|name| !taken.contains(name)));
                    }
                    written.extend(batch.iter().map(|job| (job.command.key, job.names.clone())));
                    flights.push((batch, flight));
                }
                _ if !flights.is_empty() => {
                    let place = usize::try_from(below(2)).unwrap() % flights.len();
                    drop(flights.swap_remove(place));
                }
                _ => {}
            }
        }
        flights.clear();
        let (rest, _flight) = line.take(usize::MAX);
        written.extend(rest.iter().map(|job| (job.command.key, job.names.clone())));
        assert!(line.is_over() || !rest.is_empty());
        for name in 0..12 {
            let of = |jobs: &[(LedgerKey, Vec<Name>)]| -> Vec<LedgerKey> {
                let named = jobs.iter().filter(|(_, names)| names.contains(&name));
                named.map(|(key, _)| *key).collect()
            };
            assert_eq!(of(&given), of(&written), "of the name {name}");
        }
    }
}
