//! The double-entry ledger: the only writer of balances.
//!
//! A posting, a hold or the end of one is a [`Command`] that gets a [`Verdict`]; the database's
//! batch function decides, nothing else judges money (it has a short way beside it for a single
//! command that is sure to be accepted). Commands are given to the [`Engine`], which
//! commits many at once, or handed to [`post`] as the last statement of a transaction.
//!
//! # Invariants
//! - What a command was decided is kept with its [`LedgerKey`] for good: the same key with the same
//!   content gets the same verdict again, with other content [`Verdict::Conflict`].
//! - Entries never change; a correction is a reversal.
//! - Nothing here locks a row: the database's function takes its locks in one order.

mod account;
mod batch;
mod canonical;
mod command;
mod engine;
mod error;
mod expiry;
mod history;
mod period;
mod plain;
mod reads;
mod seal;
mod verdict;
mod verify;

pub use account::{
    Account, Freeze, Limits, NewAccount, close_account, find_account, find_account_by_code,
    open_account, set_freeze, set_limits,
};
pub use batch::{post, post_one};
pub use command::{
    Action, Command, Dates, Direction, LedgerKey, Leg, MalformedCommand, NewHold, Post, Reference,
    Reverse, Side,
};
pub use engine::{
    Engine, EngineError, EngineLimits, Place, PlantedBug, Reading, Ridden, Ride, RideFuture, Rider,
    RiderKind, Tallied, Ticket,
};
pub use error::LedgerError;
pub use expiry::expired_holds;
pub use history::{balance_booked_on, balance_valued_on, find_unmarked_period, mark_balances};
pub use period::{
    GlAccount, GlClass, TrialBalanceRow, add_gl_account, close_period, last_day_of_books,
    open_period, trial_balance,
};
pub use reads::{Balances, Entry, Page, StatementQuery, balances, find_posting, statement};
pub use reads::{Hold, HoldState, PostedLeg, Posting, find_hold};
pub use seal::{DaySeal, find_seal, newest_sealable, next_day_to_seal, seal_day, seal_head};
pub use verdict::{Effect, Reason, RefusedByLedger, Verdict};
pub use verify::{Checked, Checkpoint, Finding, MalformedCheckpoint, verify, verify_step};

/// The statements whose plans the tests look at: they must read by index and after a mark only. The
/// first gives a page of an account's statement.
#[doc(hidden)]
pub const PLANS: [&str; 4] = [
    reads::STATEMENT,
    reads::BALANCES,
    history::BOOKED,
    history::VALUED,
];
