//! The wrapper around operations that post: the ledger's engine decides and commits, and what a
//! request leaves behind rides on its command.
//!
//! # Invariants
//! - Key, answer and audit of a request are in the commit of its posting, or none of them is.
//! - The same key with the same content gets the same answer, also when it was a refusal.
//! - No transaction is open while the engine is asked.
//! - Of one tenant no more requests are inside than its ledger may have waiting, and few of them
//!   hold a connection at the same time.

use std::sync::Arc;

use branchline_db::idempotency::{self, Key, Settled};
use branchline_db::{Access, TenantTx, audit};
use branchline_kernel::{IdSource, Timestamp};
use branchline_ledger::{
    Command, Engine, EngineError, LedgerKey, Place, Ridden, RideFuture, Rider, RiderKind, Ticket,
    Verdict,
};
use branchline_web::{Actor, Answer, App, IdempotencyKey, Problem, Remembered, answered_before};
use uuid::Uuid;

/// How often a request is planned anew when what it needs has changed meanwhile.
const TRIES: usize = 4;

/// Gives the answer to a verdict. A problem that is not to be remembered is not kept by the
/// ledger either.
type Answering = Arc<dyn Fn(Verdict) -> Result<Answer, Problem> + Send + Sync>;

/// What the work of an operation came to.
pub(crate) enum Work {
    /// An answer; nothing is to be posted.
    Answer(Answer),
    /// The ledger decides.
    Post(Box<Posting>),
}

impl From<Posting> for Work {
    fn from(posting: Posting) -> Self {
        Self::Post(Box::new(posting))
    }
}

/// A command with what rides on it.
pub(crate) struct Posting {
    command: Command,
    rider: Option<Rider>,
    answer: Answering,
}

impl Posting {
    /// A command whose verdict is answered by `answer`.
    pub(crate) fn new(
        command: Command,
        answer: impl Fn(Verdict) -> Result<Answer, Problem> + Send + Sync + 'static,
    ) -> Self {
        Self {
            command,
            rider: None,
            answer: Arc::new(answer),
        }
    }

    /// With something that changes in the same commit.
    pub(crate) fn with(mut self, rider: Rider) -> Self {
        self.rider = Some(rider);
        self
    }
}

/// What a command takes from the moment at which it is made, and not from the request.
pub(crate) struct Occasion {
    actor: String,
    now: Timestamp,
    ids: Arc<dyn IdSource>,
}

impl Occasion {
    fn of<R>(app: &App, actor: &Actor<R>) -> Self {
        Self {
            actor: actor.name(),
            now: app.db().clock().now(),
            ids: Arc::clone(app.db().ids()),
        }
    }

    /// Who acts, as audit rows name them.
    pub(crate) fn actor(&self) -> &str {
        &self.actor
    }

    /// The one moment of the request.
    pub(crate) const fn now(&self) -> Timestamp {
        self.now
    }

    /// A new id.
    pub(crate) fn next_id(&self) -> Uuid {
        self.ids.next()
    }
}

/// Posts: `work` reads in a transaction that ends and gives a command, the engine decides it, and
/// the answer is stored and audited in the same commit. A repeat gets the stored answer.
///
/// # Errors
/// What `work` or the ledger refuses, 409 and 422 as for every command, 503 when the ledger has
/// more to do than it can.
pub(crate) async fn post<R>(
    (app, engine): (&App, &Engine),
    actor: &Actor<R>,
    key: &IdempotencyKey,
    work: impl AsyncFn(&TenantTx) -> Result<Work, Problem>,
) -> Result<Answer, Problem> {
    // Until the answer is there: a flood at one tenant is refused before its first read.
    let place = engine.enter(&actor.principal().tenant)?;
    look_and_post((app, engine), (actor, key), &place, work).await
}

/// Posts a command that the request alone tells: the ledger is asked at once, since its key and
/// the row of the answer keep a repeat from being done twice. Every answer is that of [`post`].
///
/// # Errors
/// What `make` or the ledger refuses, and as [`post`].
pub(crate) async fn post_at_once<R>(
    (app, engine): (&App, &Engine),
    actor: &Actor<R>,
    key: &IdempotencyKey,
    make: impl Fn(&Occasion) -> Result<Posting, Problem>,
) -> Result<Answer, Problem> {
    let place = engine.enter(&actor.principal().tenant)?;
    let occasion = Occasion::of(app, actor);
    // What cannot be made may come under a key that was used: then the key is what is refused.
    if let Ok(posting) = make(&occasion) {
        match submit(engine, actor, key, posting).await {
            Some(Ok(answer)) => return Ok(answer),
            // The key was used before, by the ledger's word or that of the stored answers; or the
            // tenant may only read, and a stored answer is there to be read.
            None | Some(Err(EngineError::Stale | EngineError::Suspended)) => {}
            Some(Err(error)) => return Err(error.into()),
        }
    }
    let work = async |_tx: &TenantTx| Ok(make(&occasion)?.into());
    look_and_post((app, engine), (actor, key), &place, work).await
}

async fn look_and_post<R>(
    (app, engine): (&App, &Engine),
    (actor, key): (&Actor<R>, &IdempotencyKey),
    place: &Place,
    work: impl AsyncFn(&TenantTx) -> Result<Work, Problem>,
) -> Result<Answer, Problem> {
    let mut last = EngineError::Stale;
    for _ in 0..TRIES {
        let reading = place.reading().await;
        let looked = look(app, actor, key, &work).await?;
        drop(reading);
        let posting = match looked {
            Looked::Before(answer) => return Ok(answer),
            Looked::Now(Ok(Work::Post(posting))) => posting,
            Looked::Now(Ok(Work::Answer(answer))) => {
                return keep(app, actor, key, Ok(answer)).await;
            }
            Looked::Now(Err(problem)) if problem.remembered().is_some() => {
                return keep(app, actor, key, Err(problem)).await;
            }
            Looked::Now(Err(problem)) => return Err(problem),
        };
        match submit(engine, actor, key, *posting).await {
            Some(Ok(answer)) => return Ok(answer),
            Some(Err(EngineError::Stale)) | None => last = EngineError::Stale,
            Some(Err(error)) => return Err(error.into()),
        }
    }
    Err(last.into())
}

/// The ledger's key of a request: who asks, for what, and the caller's own key.
pub(crate) fn key_of<R>(actor: &Actor<R>, key: &IdempotencyKey) -> LedgerKey {
    let Key {
        client,
        operation,
        key,
    } = actor.scope(key);
    LedgerKey::derived(key, &format!("{operation} by {client}"))
}

/// What was found before the ledger was asked.
enum Looked {
    /// The key's answer from before.
    Before(Answer),
    /// What is to be done now.
    Now(Result<Work, Problem>),
}

async fn look<R>(
    app: &App,
    actor: &Actor<R>,
    key: &IdempotencyKey,
    work: &impl AsyncFn(&TenantTx) -> Result<Work, Problem>,
) -> Result<Looked, Problem> {
    let scope = actor.scope(key);
    let tenant = &actor.principal().tenant;
    let tx = app.db().tenant(tenant, &scope.client, Access::Read).await?;
    let seen = idempotency::find(&tx, &scope, &key.request_hash()).await?;
    if let Some(answer) = seen.map(answered_before).transpose()?.flatten() {
        return Ok(Looked::Before(answer));
    }
    let done = work(&tx).await;
    tx.rollback().await?;
    Ok(Looked::Now(done))
}

/// Stores an answer that needed no posting, like that of every other command.
async fn keep<R>(
    app: &App,
    actor: &Actor<R>,
    key: &IdempotencyKey,
    answer: Result<Answer, Problem>,
) -> Result<Answer, Problem> {
    app.command(actor, key, async |_tx| answer.clone()).await
}

/// The engine's answer; `None` when the command was decided before: its key tells the answer.
async fn submit<R>(
    engine: &Engine,
    actor: &Actor<R>,
    key: &IdempotencyKey,
    posting: Posting,
) -> Option<Result<Answer, EngineError>> {
    let Posting {
        command,
        rider,
        answer,
    } = posting;
    let left = Left {
        key: actor.scope(key),
        request_hash: key.request_hash(),
        event: actor.audited(key, "done"),
        answer: Arc::clone(&answer),
    };
    let mine = Rider::new(&ANSWER, left);
    let rider = match rider {
        Some(other) => mine.and(other),
        None => mine,
    };
    let tenant = &actor.principal().tenant;
    match engine.submit(tenant, command, Some(rider)).await {
        Ok(verdict) if verdict.is_first() => {
            let (answer, _outcome) = remembered(answer(verdict))?;
            Some(Ok(answer))
        }
        Ok(_replayed) => None,
        Err(error) => Some(Err(error)),
    }
}

/// The answer to remember with the word for the audit; `None` for a problem that passes.
fn remembered(answer: Result<Answer, Problem>) -> Option<(Answer, String)> {
    match answer {
        Ok(answer) => Some((answer, "done".to_owned())),
        Err(problem) => Some((problem.remembered()?, problem.outcome())),
    }
}

/// What a request leaves behind: its key with the answer, and its audit row.
static ANSWER: RiderKind = RiderKind {
    name: "answer",
    ride,
};

struct Left {
    key: Key,
    request_hash: [u8; 32],
    event: audit::Event,
    answer: Answering,
}

fn ride<'a>(tx: &'a TenantTx, tickets: &'a [Ticket<'a>]) -> RideFuture<'a> {
    Box::pin(async move {
        let (mut settled, mut events, mut keys) = (Vec::new(), Vec::new(), Vec::new());
        for ticket in tickets {
            let left: &Left = ticket.facts()?;
            let Some((answer, outcome)) = remembered((left.answer)(ticket.verdict)) else {
                keys.push(None);
                continue;
            };
            settled.push(Settled {
                key: left.key.clone(),
                request_hash: left.request_hash,
                status: answer.status,
                answer: answer.body,
            });
            let event = audit::Event {
                outcome,
                ..left.event.clone()
            };
            events.push((left.key.client.clone(), event));
            keys.push(Some(&left.key));
        }
        let mut new = idempotency::settle_all(tx, settled).await?;
        let outcome = |key: Option<&Key>| match key {
            None => Ridden::Declined,
            Some(key) if new.remove(key) => Ridden::Done,
            Some(_) => Ridden::Stale,
        };
        let outcomes: Vec<_> = keys.into_iter().map(outcome).collect();
        // Otherwise the batch is undone and comes again without those.
        if outcomes.iter().all(|how| *how == Ridden::Done) {
            audit::record_all(tx, events).await?;
        }
        Ok(outcomes)
    })
}
