//! The wrapper around every operation: transaction, key, audit, commit.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use branchline_db::idempotency::{self, Claim};
use branchline_db::{Access, Db, DbError, Issuer, TenantTx, audit};
use branchline_iam::{
    AccessTokens, InternalVerifier, IssuerDirectory, IssuerEntry, Principal, TokenError,
    is_internal,
};
use branchline_kernel::{Kind, Timestamp};
use chrono::TimeDelta;

use crate::actor::Actor;
use crate::answer::{Answer, Remembered};
use crate::key::IdempotencyKey;
use crate::problem::Problem;

/// Who may call this program, and how their tokens are verified.
#[derive(Default)]
pub struct Callers {
    /// Tokens of people, from the tenants' identity provider.
    pub people: Option<People>,
    /// Tokens of our own programs.
    pub programs: Option<InternalVerifier>,
}

/// Verifies people's tokens; issuers that are not known yet are looked up in the register.
pub struct People {
    tokens: AccessTokens,
    issuers: IssuerDirectory,
    looked_at: Mutex<Timestamp>,
}

/// A flood of tokens from unknown issuers asks the register this often at most.
const LOOK_UP_EVERY: TimeDelta = TimeDelta::milliseconds(200);

impl People {
    /// A verifier that knows no issuer yet.
    #[must_use]
    pub fn new(http: reqwest::Client) -> Self {
        let issuers = IssuerDirectory::new(HashMap::new());
        let tokens = AccessTokens::new(http, issuers.clone());
        Self {
            tokens,
            issuers,
            looked_at: Mutex::new(Timestamp::UNIX_EPOCH),
        }
    }

    async fn verify(&self, db: &Db, token: &str, now: Timestamp) -> Result<Principal, Problem> {
        match self.tokens.verify(token, now).await {
            Err(TokenError::UnknownIssuer) if self.may_look_up(now) => {
                let entry = |issuer: Issuer| {
                    (
                        issuer.issuer,
                        IssuerEntry {
                            tenant: issuer.tenant,
                            jwks_uri: issuer.jwks_uri,
                        },
                    )
                };
                self.issuers
                    .replace_all(db.issuers().await?.into_iter().map(entry).collect());
                Ok(self.tokens.verify(token, now).await?)
            }
            verified => Ok(verified?),
        }
    }

    fn may_look_up(&self, now: Timestamp) -> bool {
        let mut looked_at = self
            .looked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let may = now.signed_duration_since(*looked_at) >= LOOK_UP_EVERY;
        if may {
            *looked_at = now;
        }
        may
    }
}

impl Callers {
    /// Verifies a token of either kind.
    pub(crate) async fn verify(&self, db: &Db, token: &str) -> Result<Principal, Problem> {
        let unknown = || Problem::from(TokenError::UnknownIssuer);
        let now = db.clock().now();
        if is_internal(token) {
            let programs = self.programs.as_ref().ok_or_else(unknown)?;
            return Ok(programs.verify(token, now)?);
        }
        let people = self.people.as_ref().ok_or_else(unknown)?;
        people.verify(db, token, now).await
    }
}

/// What a process's handlers share.
pub struct App {
    db: Db,
    callers: Callers,
}

/// How long an unanswered key is held: longer than any call to another program may take, and
/// short enough for the caller's repeat after a crash.
pub(crate) const LEASE: TimeDelta = TimeDelta::seconds(10);

impl App {
    /// Puts the parts together.
    #[must_use]
    pub const fn new(db: Db, callers: Callers) -> Self {
        Self { db, callers }
    }

    /// The door to the databases.
    #[must_use]
    pub const fn db(&self) -> &Db {
        &self.db
    }

    pub(crate) const fn callers(&self) -> &Callers {
        &self.callers
    }

    /// Reads: a consistent view of one tenant, no key, no change.
    ///
    /// # Errors
    /// What `work` refuses, or a failure of the database.
    pub async fn query<R, E: Into<Problem>>(
        &self,
        actor: &Actor<R>,
        work: impl AsyncFn(&TenantTx) -> Result<Answer, E>,
    ) -> Result<Answer, Problem> {
        let principal = actor.principal();
        let who = principal.actor.to_string();
        let tx = self
            .db
            .tenant(&principal.tenant, &who, Access::Read)
            .await?;
        let answer = work(&tx).await.map_err(Into::into)?;
        tx.rollback().await?;
        Ok(answer)
    }

    /// Changes: the key is claimed, the work done, the answer stored and audited, all in one
    /// transaction. A repeat gets the stored answer; a refusal that depends on state is stored as
    /// well, without what the work had changed. The whole is repeated once when another
    /// transaction was in the way.
    ///
    /// # Errors
    /// What `work` refuses, 409 for a key in use, 422 for a key with other content, or a failure
    /// of the database.
    pub async fn command<R, E: Into<Problem>>(
        &self,
        actor: &Actor<R>,
        key: &IdempotencyKey,
        work: impl AsyncFn(&TenantTx) -> Result<Answer, E>,
    ) -> Result<Answer, Problem> {
        match self.attempt(actor, key, &work).await {
            Err(Attempt::Db(error)) if error.may_be_repeated() && !error.is_connection_lost() => {
                self.attempt(actor, key, &work)
                    .await
                    .map_err(Attempt::into_problem)
            }
            other => other.map_err(Attempt::into_problem),
        }
    }

    async fn attempt<R, E: Into<Problem>>(
        &self,
        actor: &Actor<R>,
        key: &IdempotencyKey,
        work: &impl AsyncFn(&TenantTx) -> Result<Answer, E>,
    ) -> Result<Answer, Attempt> {
        let principal = actor.principal();
        let scope = actor.scope(key);
        let tx = self
            .db
            .tenant(&principal.tenant, &scope.client, Access::Write)
            .await?;
        let lease = tx
            .now()
            .checked_add_signed(LEASE)
            .unwrap_or_else(|| tx.now());
        let claim = idempotency::claim(&tx, &scope, &key.request_hash(), lease).await?;
        if let Some(answer) = answered_before(claim)? {
            return Ok(answer);
        }
        tx.savepoint().await?;
        let (answer, outcome) = match work(&tx).await.map_err(Into::into) {
            Ok(answer) => (answer, "done".to_owned()),
            Err(problem) => {
                let answer = problem
                    .remembered()
                    .ok_or(Attempt::Refused(problem.clone()))?;
                tx.back_to_savepoint().await?;
                (answer, problem.outcome())
            }
        };
        idempotency::answer(&tx, &scope, answer.status, &answer.body).await?;
        audit::record(&tx, actor.audited(key, &outcome)).await?;
        tx.commit().await?;
        Ok(answer)
    }
}

/// What is known of a key: the answer that was given before, or nothing.
///
/// # Errors
/// 409 while the key is in use, 422 when it was used with other content.
pub fn answered_before(claim: Claim) -> Result<Option<Answer>, Problem> {
    match claim {
        Claim::Mine { .. } => Ok(None),
        Claim::Answered { status, answer } => Ok(Some(Answer {
            status,
            body: answer,
        })),
        Claim::InFlight => Err(in_flight()),
        Claim::OtherContent => Err(other_content()),
    }
}

/// Why an attempt did not end in an answer.
enum Attempt {
    Db(DbError),
    Refused(Problem),
}

impl Attempt {
    fn into_problem(self) -> Problem {
        match self {
            Self::Db(error) => error.into(),
            Self::Refused(problem) => problem,
        }
    }
}

impl From<DbError> for Attempt {
    fn from(error: DbError) -> Self {
        Self::Db(error)
    }
}

impl From<Problem> for Attempt {
    fn from(problem: Problem) -> Self {
        Self::Refused(problem)
    }
}

fn in_flight() -> Problem {
    let detail = "A request with this Idempotency-Key is being worked on: repeat it in a moment.";
    Problem::new(Kind::Conflict, "key-in-flight", detail)
}

fn other_content() -> Problem {
    let detail =
        "This Idempotency-Key was used with other content: make a new key for a new request.";
    Problem::new(Kind::Unprocessable, "key-reused", detail)
}
