//! Payments: the state machine, the credits that come in, and what institutions owe each other.
//!
//! Each step is one commit and may be repeated; who runs them, over two institutions, is the
//! executor in the composition root. A step that moves money is planned in a transaction that only
//! reads; the ledger's engine decides, and what follows rides on the command.
//!
//! # Invariants
//! - A payment holds before it is sent; its hold is posted or voided exactly once.
//! - Where it goes is fixed and committed before anything is sent.
//! - Not knowing is a state of its own: a hold is never released because an answer is missing.
//!
//! # Locking
//! The ledger's accounts first (by the engine), then the payment's row, then the clearing position.
//! Nothing locks the other way round.

mod clearing;
mod incoming;
mod payment;
mod reason;

pub use clearing::{Position, net, position, positions, set_cap};
pub use incoming::{Answer, Credit, CreditOrder, PlannedCredit, plan_credit, refuse_credit};
pub use payment::{
    Counterparty, Debtor, Instruction, NewPayment, Payment, PaymentError, Plan, Planned, State,
    Step, WrongState, authorise, cancel, conclude, counterparties, dispatch, due, get_payment,
    initiate, next_step, postpone, reserve,
};
pub use reason::{Reason, ReasonCode};
