//! How the verdicts of a batch get back to those who asked.
//!
//! A runtime of one thread, such as each thread of actix has, turns to a task that another thread
//! has woken only once in 31 turns while tasks of its own are ready. Under a flood of requests the
//! askers of a batch, each woken for itself, waited there for seconds, those of all tenants in one
//! line. So a thread has one task that takes in all answers for it, and wakes their askers from
//! within.

use std::cell::RefCell;

use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

use super::error::EngineError;
use crate::verdict::Verdict;

type Outcome = Result<Verdict, EngineError>;

/// Answers that are taken in at a time.
const AT_ONCE: usize = 64;

thread_local! {
    static DESK: RefCell<Option<UnboundedSender<Answer>>> = const { RefCell::new(None) };
}

/// Whoever waits for an outcome. Dropped without one, it lets them know that there will be none.
pub(super) struct Asker {
    to: oneshot::Sender<Outcome>,
    /// Where their thread takes answers in, if it has but one.
    desk: Option<UnboundedSender<Answer>>,
}

struct Answer {
    to: oneshot::Sender<Outcome>,
    outcome: Outcome,
}

/// An asker on this thread, and where it hears its outcome.
pub(super) fn asker() -> (Asker, oneshot::Receiver<Outcome>) {
    let (to, heard) = oneshot::channel();
    let runtime = Handle::try_current();
    let alone = runtime.is_ok_and(|it| it.runtime_flavor() == RuntimeFlavor::CurrentThread);
    let desk = alone.then(desk);
    (Asker { to, desk }, heard)
}

/// The desk of this thread; a new one for a new runtime.
fn desk() -> UnboundedSender<Answer> {
    DESK.with_borrow_mut(|known| {
        if let Some(open) = known.as_ref().filter(|desk| !desk.is_closed()) {
            return open.clone();
        }
        // It has a bound: nobody answers more than what was let into the queues.
        let (desk, answers) = unbounded_channel();
        tokio::spawn(take_in(answers));
        known.insert(desk).clone()
    })
}

async fn take_in(mut answers: UnboundedReceiver<Answer>) {
    let mut some = Vec::new();
    while answers.recv_many(&mut some, AT_ONCE).await > 0 {
        some.drain(..).for_each(Answer::deliver);
    }
}

impl Asker {
    pub(super) fn answer(self, outcome: Outcome) {
        let Self { to, desk } = self;
        let answer = Answer { to, outcome };
        match desk {
            // A thread that has ended waits for nothing.
            Some(desk) => drop(desk.send(answer)),
            None => answer.deliver(),
        }
    }
}

impl Answer {
    fn deliver(self) {
        // An asker that has gone will ask again with its key.
        let _ = self.to.send(self.outcome);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use futures::future::join_all;
    use tokio::runtime::Builder;
    use tokio::task::yield_now;

    use super::*;

    /// More than a runtime of one thread polls between two looks at what others woke.
    const CHATTERING: usize = 100;
    const ASKERS: usize = 1_000;

    async fn chatter(turns: Arc<AtomicUsize>) {
        loop {
            turns.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
        }
    }

    #[test]
    fn a_thread_with_much_to_do_hears_the_answers_of_a_batch_in_a_few_turns_each() {
        let runtime = Builder::new_current_thread().build().unwrap();
        let turns = Arc::new(AtomicUsize::new(0));
        for _ in 0..CHATTERING {
            runtime.spawn(chatter(Arc::clone(&turns)));
        }
        let taken = runtime.block_on(async {
            let (askers, heard): (Vec<_>, Vec<_>) = (0..ASKERS).map(|_| asker()).unzip();
            let waiting: Vec<_> = heard.into_iter().map(tokio::spawn).collect();
            while turns.load(Ordering::Relaxed) < ASKERS * 10 {
                yield_now().await;
            }
            let writer = std::thread::spawn(move || {
                for asker in askers {
                    asker.answer(Ok(Verdict::Conflict));
                }
            });
            writer.join().unwrap();
            let before = turns.load(Ordering::Relaxed);
            for outcome in join_all(waiting).await {
                assert!(matches!(outcome.unwrap().unwrap(), Ok(Verdict::Conflict)));
            }
            turns.load(Ordering::Relaxed) - before
        });
        assert!(taken < ASKERS * 10, "{taken} turns for {ASKERS} answers");
    }

    #[test]
    fn an_asker_that_is_dropped_lets_the_other_side_know() {
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (asker, heard) = asker();
            drop(asker);
            assert!(heard.await.is_err());
        });
    }

    #[test]
    fn a_new_runtime_on_the_same_thread_has_a_desk_of_its_own() {
        for _ in 0..2 {
            let runtime = Builder::new_current_thread().build().unwrap();
            runtime.block_on(async {
                let (asker, heard) = asker();
                asker.answer(Err(EngineError::Full));
                assert!(matches!(heard.await, Ok(Err(EngineError::Full))));
            });
        }
    }
}
