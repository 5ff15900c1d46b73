//! Which client started which payment, and what the core still has to be told about it.
//!
//! # Invariants
//! - The payment itself is the core's; nothing of it is repeated here but its id.
//! - What the core must be told is written in the transaction of the member's decision and is told
//!   until the core has answered.
//!
//! # Locking
//! Taking calls skips rows that another sweep holds.

mod calls;
mod rows;
mod store;

pub use calls::{CoreCall, Errand, later, put, take_due};
pub use store::{find_tpp, insert, is_of, settle};
