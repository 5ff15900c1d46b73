//! Runs of strong customer authentication and the messages that carry their codes.
//!
//! # Invariants
//! - The rules are `branchline_xs2a::Authorisation`'s. A wrong code is stored in a transaction of
//!   its own, which the caller commits before it answers.
//! - A message in the outbox names its challenge and nothing else; the code is derived when the
//!   message is made.
//!
//! # Locking
//! A change locks the run's row, before the consent's.

mod messages;
mod rows;
mod store;

use branchline_kernel::{AuthorisationId, ConsentId, PaymentId};
use branchline_xs2a::Authorisation;
use serde_json::Value;

pub use messages::{Message, recent, send};
pub use store::{insert, of, of_locked, update};

/// What is approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// A consent.
    Consent(ConsentId),
    /// A payment.
    Payment(PaymentId),
}

/// A run as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its name.
    pub id: AuthorisationId,
    /// What is approved.
    pub object: Object,
    /// Where it stands.
    pub state: Authorisation,
    /// The sentence in the message to the member.
    pub shown: Option<String>,
    /// What she chose on the page, as the page wrote it.
    pub choice: Option<Value>,
}
