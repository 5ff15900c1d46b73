//! Payments: the state machine, the credits that come in, and what institutions owe each other.
//!
//! Each step is one transaction and may be repeated; who runs them, over two institutions, is the
//! executor in the composition root.
//!
//! # Invariants
//! - A payment holds before it is sent; its hold is posted or voided exactly once.
//! - Where it goes is fixed and committed before anything is sent.
//! - Not knowing is a state of its own: a hold is never released because an answer is missing.
//!
//! # Locking
//! The payment's row first, then the clearing position, the institution's row, the ledger's
//! accounts. Nothing locks the other way round.

mod clearing;
mod incoming;
mod payment;
mod reason;

pub use clearing::{Position, net, position, positions, set_cap};
pub use incoming::{Answer, CreditOrder, credit_at_payee};
pub use payment::{
    Counterparty, Debtor, Instruction, NewPayment, Payment, PaymentError, State, Step, WrongState,
    authorise, cancel, conclude, counterparties, dispatch, due, get_payment, initiate, next_step,
    postpone, reserve,
};
pub use reason::{Reason, ReasonCode};
