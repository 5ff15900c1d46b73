//! HTTP of the core: members, accounts, payments, ledger, books.
//!
//! # Invariants
//! - A handler parses, calls one use case and shows its result; `App` does everything around it,
//!   or `posting::post` where the ledger decides. Both need `Data<App>` and `Data<Engine>`.
//! - What a caller may not know of is answered like what does not exist.
//! - Each operation stands in [`configure`] and in [`openapi`].

mod accounts;
mod books;
mod document;
mod input;
mod ledger;
mod members;
mod payments;
mod person;
mod posting;

use actix_web::web::ServiceConfig;

pub use document::openapi;

/// Registers every operation.
pub fn configure(config: &mut ServiceConfig) {
    members::configure(config);
    accounts::configure(config);
    payments::configure(config);
    ledger::configure(config);
    books::configure(config);
}
