//! What a payment is, and how its state may change.

use branchline_kernel::{
    AccountId, HoldId, Iban, Money, PaymentId, PostingId, TenantId, Timestamp,
};
use chrono::TimeDelta;

use crate::reason::Reason;

/// Who pays, from which account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Debtor {
    /// The account.
    pub account: AccountId,
    /// Its IBAN.
    pub iban: Iban,
    /// Its owner's name.
    pub name: String,
}

/// What shall be paid: it never changes once received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instruction {
    /// Who pays.
    pub debtor: Debtor,
    /// The account that is paid.
    pub creditor_iban: Iban,
    /// Who is paid, as the payer writes it.
    pub creditor_name: String,
    /// How much: above zero.
    pub amount: Money,
    /// The payer's own reference; it travels to the payee and need not be unique.
    pub end_to_end_id: String,
    /// What the payee shall read.
    pub remittance: Option<String>,
}

/// Where a payment stands. A rail that answers later will add a state between dispatching and
/// completed; the internal rail answers at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Written down; the member has not agreed yet.
    Received,
    /// The member agreed to exactly this.
    Authorised,
    /// The money is held.
    Reserved {
        /// The hold on the payer's account.
        hold: HoldId,
    },
    /// Where it goes is fixed; from here on it may have been sent.
    Dispatching {
        /// The hold on the payer's account.
        hold: HoldId,
        /// The institution that is to credit.
        payee: TenantId,
    },
    /// It was sent and the answer is missing: it is asked for again, the hold stays.
    Unknown {
        /// The hold on the payer's account.
        hold: HoldId,
        /// The institution that is to credit.
        payee: TenantId,
    },
    /// The payee has the money, and the payer's account is booked.
    Completed {
        /// The hold that was posted.
        hold: HoldId,
        /// The institution that credited.
        payee: TenantId,
        /// Its posting.
        credit: PostingId,
        /// Our posting.
        posting: PostingId,
    },
    /// It ended without moving money.
    Rejected {
        /// The hold that was voided, if there was one.
        hold: Option<HoldId>,
        /// The institution that refused, if it came that far.
        payee: Option<TenantId>,
        /// Why.
        reason: Reason,
    },
    /// It was called off before the member agreed.
    Cancelled,
}

/// A change that the state does not allow.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a payment that is {was} cannot be {wanted}")]
pub struct WrongState {
    /// What was wanted.
    pub wanted: &'static str,
    /// The state it was in.
    pub was: &'static str,
}

impl State {
    /// The word that rows and events hold.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Received => "RECEIVED",
            Self::Authorised => "AUTHORISED",
            Self::Reserved { .. } => "RESERVED",
            Self::Dispatching { .. } => "DISPATCHING",
            Self::Unknown { .. } => "UNKNOWN",
            Self::Completed { .. } => "COMPLETED",
            Self::Rejected { .. } => "REJECTED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// Whether something is still to be done without anybody asking for it.
    #[must_use]
    pub const fn is_under_way(&self) -> bool {
        match self {
            Self::Authorised
            | Self::Reserved { .. }
            | Self::Dispatching { .. }
            | Self::Unknown { .. } => true,
            Self::Received | Self::Completed { .. } | Self::Rejected { .. } | Self::Cancelled => {
                false
            }
        }
    }

    fn wrong(&self, wanted: &'static str) -> WrongState {
        WrongState {
            wanted,
            was: self.word(),
        }
    }

    /// The member agrees.
    pub(super) fn authorise(self) -> Result<Self, WrongState> {
        match self {
            Self::Received => Ok(Self::Authorised),
            Self::Authorised
            | Self::Reserved { .. }
            | Self::Dispatching { .. }
            | Self::Unknown { .. }
            | Self::Completed { .. }
            | Self::Rejected { .. }
            | Self::Cancelled => Err(self.wrong("authorised")),
        }
    }

    /// Whoever initiated it calls it off.
    pub(super) fn cancel(self) -> Result<Self, WrongState> {
        match self {
            Self::Received => Ok(Self::Cancelled),
            Self::Authorised
            | Self::Reserved { .. }
            | Self::Dispatching { .. }
            | Self::Unknown { .. }
            | Self::Completed { .. }
            | Self::Rejected { .. }
            | Self::Cancelled => Err(self.wrong("cancelled")),
        }
    }

    /// The ledger holds the money.
    pub(super) fn reserve(self, hold: HoldId) -> Result<Self, WrongState> {
        match self {
            Self::Authorised => Ok(Self::Reserved { hold }),
            Self::Received
            | Self::Reserved { .. }
            | Self::Dispatching { .. }
            | Self::Unknown { .. }
            | Self::Completed { .. }
            | Self::Rejected { .. }
            | Self::Cancelled => Err(self.wrong("reserved")),
        }
    }

    /// Where it goes is fixed.
    pub(super) fn dispatch(self, payee: TenantId) -> Result<Self, WrongState> {
        match self {
            Self::Reserved { hold } => Ok(Self::Dispatching { hold, payee }),
            Self::Received
            | Self::Authorised
            | Self::Dispatching { .. }
            | Self::Unknown { .. }
            | Self::Completed { .. }
            | Self::Rejected { .. }
            | Self::Cancelled => Err(self.wrong("dispatched")),
        }
    }

    /// The answer is missing.
    pub(super) fn lose_sight(self) -> Result<Self, WrongState> {
        match self {
            Self::Dispatching { hold, payee } | Self::Unknown { hold, payee } => {
                Ok(Self::Unknown { hold, payee })
            }
            Self::Received
            | Self::Authorised
            | Self::Reserved { .. }
            | Self::Completed { .. }
            | Self::Rejected { .. }
            | Self::Cancelled => Err(self.wrong("unknown")),
        }
    }

    /// The payee has the money and the payer is booked.
    pub(super) fn complete(
        self,
        credit: PostingId,
        posting: PostingId,
    ) -> Result<Self, WrongState> {
        match self {
            Self::Dispatching { hold, payee } | Self::Unknown { hold, payee } => {
                Ok(Self::Completed {
                    hold,
                    payee,
                    credit,
                    posting,
                })
            }
            Self::Received
            | Self::Authorised
            | Self::Reserved { .. }
            | Self::Completed { .. }
            | Self::Rejected { .. }
            | Self::Cancelled => Err(self.wrong("completed")),
        }
    }

    /// It ends without moving money; once it was dispatched, only an explicit no brings it here.
    pub(super) fn reject(self, reason: Reason) -> Result<Self, WrongState> {
        let (hold, payee) = match self {
            Self::Authorised => (None, None),
            Self::Reserved { hold } => (Some(hold), None),
            Self::Dispatching { hold, payee } | Self::Unknown { hold, payee } => {
                (Some(hold), Some(payee))
            }
            Self::Received | Self::Completed { .. } | Self::Rejected { .. } | Self::Cancelled => {
                return Err(self.wrong("rejected"));
            }
        };
        Ok(Self::Rejected {
            hold,
            payee,
            reason,
        })
    }
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// Its id, minted by whoever initiated it.
    pub id: PaymentId,
    /// Grows with every change.
    pub version: i64,
    /// What shall be paid.
    pub instruction: Instruction,
    /// Who initiated it, as audit rows name them.
    pub initiated_by: String,
    /// Where it stands.
    pub state: State,
    /// How often an answer was missing.
    pub attempts: i32,
    /// When somebody looks at it again, if it is under way.
    pub next_action_at: Option<Timestamp>,
    /// When it was received.
    pub created_at: Timestamp,
    /// When it changed last.
    pub updated_at: Timestamp,
}

/// A payment to initiate.
#[derive(Debug, Clone)]
pub struct NewPayment {
    /// Its id, minted by the caller.
    pub id: PaymentId,
    /// What shall be paid.
    pub instruction: Instruction,
}

impl Payment {
    pub(super) fn received(new: NewPayment, by: &str, now: Timestamp) -> Self {
        Self {
            id: new.id,
            version: 1,
            instruction: new.instruction,
            initiated_by: by.to_owned(),
            state: State::Received,
            attempts: 0,
            next_action_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// The payment in its next state; what is under way is looked at again at once.
    pub(super) fn moved(self, to: State, now: Timestamp) -> Self {
        let next_action_at = to.is_under_way().then_some(now);
        Self {
            version: self.version.saturating_add(1),
            state: to,
            next_action_at,
            updated_at: now,
            ..self
        }
    }

    /// The payment when an answer is missing; it is asked for again, later each time.
    pub(super) fn postponed(self, to: State, now: Timestamp) -> Self {
        let attempts = self.attempts.saturating_add(1);
        let again = now.checked_add_signed(backoff(attempts));
        Self {
            attempts,
            next_action_at: Some(again.unwrap_or(now)),
            ..self.moved(to, now)
        }
    }
}

/// 1, 2, 4 … seconds, at most five minutes.
fn backoff(attempts: i32) -> TimeDelta {
    let doublings = u32::try_from(attempts.saturating_sub(1)).unwrap_or(0);
    let secs = 2_i64.checked_pow(doublings).unwrap_or(i64::MAX);
    TimeDelta::seconds(secs.min(300))
}
