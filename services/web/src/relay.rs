//! An operation that must ask another program while no transaction is open.

use branchline_db::idempotency::{self, Claim, Key};
use branchline_db::{Access, DbError, TenantTx};
use branchline_kernel::TenantId;
use uuid::Uuid;

use crate::answer::{Answer, Remembered};
use crate::app::{App, LEASE};

/// Who relays what, under which key.
#[derive(Debug, Clone)]
pub struct Relay {
    /// The tenant of the call.
    pub tenant: TenantId,
    /// Who acts, as audit rows name them.
    pub actor: String,
    /// The scope and the caller's key.
    pub key: Key,
    /// The SHA-256 of what the request said.
    pub request_hash: [u8; 32],
}

/// How a relayed call ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was done now.
    Done(Answer),
    /// It was done before; this is the answer given then.
    Repeated(Answer),
    /// It is being done by another request.
    InFlight,
    /// The key was used with other content.
    OtherContent,
}

impl App {
    /// First transaction: claim the key, which fixes the id of what is made, and `prepare`. Then,
    /// with nothing open, `ask` the other program under that id. Second transaction: `finish`,
    /// store the answer, commit. After a crash in between, the caller's repeat resumes under the
    /// same id once the lease has run out.
    ///
    /// # Errors
    /// What a step refuses; a refusal that is [`Remembered`] is stored as the answer.
    pub async fn relay<P, T, E>(
        &self,
        call: &Relay,
        prepare: impl AsyncFn(&TenantTx, Uuid) -> Result<P, E>,
        ask: impl AsyncFn(&P, Uuid) -> Result<T, E>,
        finish: impl AsyncFn(&TenantTx, &P, T) -> Result<Answer, E>,
    ) -> Result<Outcome, E>
    where
        E: From<DbError> + Remembered,
    {
        let tx = self
            .db()
            .tenant(&call.tenant, &call.actor, Access::Write)
            .await?;
        let lease = tx
            .now()
            .checked_add_signed(LEASE)
            .unwrap_or_else(|| tx.now());
        let id = match idempotency::claim(&tx, &call.key, &call.request_hash, lease).await? {
            Claim::Mine { resource_id } => resource_id,
            Claim::Answered { status, answer } => {
                return Ok(Outcome::Repeated(Answer {
                    status,
                    body: answer,
                }));
            }
            Claim::InFlight => return Ok(Outcome::InFlight),
            Claim::OtherContent => return Ok(Outcome::OtherContent),
        };
        tx.savepoint().await?;
        let prepared = match prepare(&tx, id).await {
            Ok(prepared) => prepared,
            Err(refusal) => {
                tx.back_to_savepoint().await?;
                return self.refuse(call, tx, refusal).await;
            }
        };
        tx.commit().await?;
        self.db().crash().reached("K1");
        let told = ask(&prepared, id).await;
        let tx = self
            .db()
            .tenant(&call.tenant, &call.actor, Access::Write)
            .await?;
        let told = match told {
            Ok(told) => told,
            Err(refusal) => return self.refuse(call, tx, refusal).await,
        };
        tx.savepoint().await?;
        match finish(&tx, &prepared, told).await {
            Ok(answer) => {
                idempotency::answer(&tx, &call.key, answer.status, &answer.body).await?;
                tx.commit().await?;
                Ok(Outcome::Done(answer))
            }
            Err(refusal) => {
                tx.back_to_savepoint().await?;
                self.refuse(call, tx, refusal).await
            }
        }
    }

    /// Stores a lasting refusal as the answer; frees the key after any other.
    async fn refuse<E>(&self, call: &Relay, tx: TenantTx, refusal: E) -> Result<Outcome, E>
    where
        E: From<DbError> + Remembered,
    {
        match refusal.remembered() {
            Some(answer) => {
                idempotency::answer(&tx, &call.key, answer.status, &answer.body).await?;
            }
            None => idempotency::release(&tx, &call.key).await?,
        }
        tx.commit().await?;
        Err(refusal)
    }
}
