//! What a step asks of the ledger, and how the payment changes with the ledger's verdict.

use branchline_db::TenantTx;
use branchline_kernel::{PostingId, TenantId, Timestamp};
use branchline_ledger::{Command, Effect, Engine, EngineError, RefusedByLedger, Rider, Verdict};

use super::PaymentError;
use super::model::{Payment, State};
use super::riding::PAYMENT;
use crate::reason::{End, Reason};

/// What is left to do of a step.
#[derive(Debug)]
pub enum Plan {
    /// Nothing: the payment as it stands.
    Settled(Box<Payment>),
    /// The ledger decides, and the payment changes in the same commit.
    Post(Box<Planned>),
}

/// A command with the payment that changes by its verdict.
#[derive(Debug, Clone)]
pub struct Planned {
    command: Command,
    pub(super) before: Payment,
    pub(super) movement: Movement,
    /// Who acts.
    pub(super) by: String,
    /// When it was planned: the payment changes under this time.
    pub(super) at: Timestamp,
    /// The operation that the audit names, where no request's own audit row does.
    pub(super) audit: Option<&'static str>,
}

/// What the command is for.
#[derive(Debug, Clone)]
pub(super) enum Movement {
    /// To set the money aside.
    Hold,
    /// To book what the payee was credited with.
    Book { credit: PostingId },
    /// To free the money and end the payment.
    Void { reason: Reason, cause: &'static str },
}

/// One step of the state machine: one version, one transition, one event.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) from: &'static str,
    pub(super) to: Payment,
    pub(super) cause: &'static str,
}

impl Planned {
    pub(super) fn new(
        tx: &TenantTx,
        command: Command,
        before: Payment,
        movement: Movement,
    ) -> Self {
        Self {
            command,
            before,
            movement,
            by: tx.actor().to_owned(),
            at: tx.now(),
            audit: None,
        }
    }

    pub(super) const fn audited_as(mut self, operation: &'static str) -> Self {
        self.audit = Some(operation);
        self
    }

    /// What the ledger is told.
    #[must_use]
    pub const fn command(&self) -> &Command {
        &self.command
    }

    /// What rides on it: the payment's state, its transitions, events and audit.
    #[must_use]
    pub fn rider(&self) -> Rider {
        Rider::new(&PAYMENT, self.clone())
    }

    /// The payment as that verdict leaves it.
    ///
    /// # Errors
    /// [`PaymentError::Books`] for a refusal that is not the payment's; it is not kept then.
    pub fn outcome(&self, verdict: Verdict) -> Result<Payment, PaymentError> {
        let last = self.changes(verdict)?.pop();
        Ok(last.map_or_else(|| self.before.clone(), |change| change.to))
    }

    /// Has the ledger decide. `None` says that the payment has changed since it was read, by
    /// this very step or another one: plan anew.
    ///
    /// # Errors
    /// [`PaymentError`]; the same step may be planned and posted again.
    pub async fn post(
        self,
        engine: &Engine,
        tenant: &TenantId,
    ) -> Result<Option<Payment>, PaymentError> {
        let rider = Some(self.rider());
        match engine.submit(tenant, self.command.clone(), rider).await {
            Ok(verdict) if verdict.is_first() => self.outcome(verdict).map(Some),
            Ok(_) | Err(EngineError::Stale) => Ok(None),
            Err(EngineError::Declined(verdict)) => self.outcome(verdict).map(Some),
            Err(error) => Err(error.into()),
        }
    }

    /// Every change that follows from the verdict, in order.
    pub(super) fn changes(&self, verdict: Verdict) -> Result<Vec<Change>, PaymentError> {
        let mut changes = Changes::after(self);
        if self.before.state == State::Received {
            changes.authorise()?;
        }
        match (&self.movement, verdict.accepted()) {
            (Movement::Hold, Ok(Effect::Held(hold))) => {
                changes.add("money held", |state| state.reserve(hold))?;
            }
            (Movement::Hold, Err(RefusedByLedger::Refused(refused))) => {
                let reason = Reason::of_ledger(refused, End::Payer);
                let reason = reason.ok_or(PaymentError::Books(refused))?;
                changes.add("ledger refused to hold", |state| state.reject(reason))?;
            }
            (Movement::Book { credit }, Ok(Effect::Booked(posting))) => {
                changes.add("credited at payee", |state| {
                    state.complete(*credit, posting)
                })?;
            }
            (Movement::Void { reason, cause }, Ok(Effect::Released(_))) => {
                changes.add(cause, |state| state.reject(reason.clone()))?;
            }
            // A hold that was placed can always be ended: the books cannot take it now.
            (
                Movement::Book { .. } | Movement::Void { .. },
                Err(RefusedByLedger::Refused(refused)),
            ) => return Err(PaymentError::Books(refused)),
            (
                Movement::Hold | Movement::Book { .. } | Movement::Void { .. },
                Ok(Effect::Held(_) | Effect::Booked(_) | Effect::Released(_))
                | Err(RefusedByLedger::Conflict),
            ) => return Err(PaymentError::KeyConflict(self.before.id)),
        }
        Ok(changes.made)
    }
}

struct Changes {
    now: Payment,
    at: Timestamp,
    made: Vec<Change>,
}

impl Changes {
    fn after(planned: &Planned) -> Self {
        Self {
            now: planned.before.clone(),
            at: planned.at,
            made: Vec::new(),
        }
    }

    fn authorise(&mut self) -> Result<(), PaymentError> {
        self.add("authorised", State::authorise)
    }

    fn add(
        &mut self,
        cause: &'static str,
        to: impl FnOnce(State) -> Result<State, super::WrongState>,
    ) -> Result<(), PaymentError> {
        let from = self.now.state.word();
        let state = to(self.now.state.clone())?;
        self.now = self.now.clone().moved(state, self.at);
        self.made.push(Change {
            from,
            to: self.now.clone(),
            cause,
        });
        Ok(())
    }
}
