//! What members let third parties do: the register of third parties, consents, authorisations,
//! grants and tokens, as state and rows.
//!
//! # Invariants
//! - Nothing here knows a ledger or calls anybody: each function works in the transaction that it
//!   is handed and never ends it.
//! - Secrets come in as tokens and are kept as hashes.

pub mod consents;
mod error;
pub mod expired;
pub mod keys;
pub mod oauth;
pub mod payments;
pub mod sca;
pub mod session;
pub mod tpp;

pub use error::Refused;
