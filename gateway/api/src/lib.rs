//! The gateway's HTTP: XS2A, OAuth, registration of third parties, and the pages on which members
//! approve.
//!
//! # Invariants
//! - The tenant is the one of the path, and a token is sought nowhere else.
//! - No transaction is open while the core or a provider is asked.
//! - The gateway knows no ledger: accounts and payments are the core's, asked anew each time.

mod core_client;
mod docs;
mod errands;
mod expired;
mod gateway;
mod login;
mod oauth;
mod operations;
mod pages;
mod register;
mod xs2a;

use actix_web::web::ServiceConfig;

pub use docs::openapi;
pub use errands::sweep_pending;
pub use expired::sweep_expired;
pub use gateway::{Gateway, Parts, Profile};
pub use operations::{OperationError, enable, invite, list};

/// Adds everything that the gateway serves. The application's data must hold a [`Gateway`].
pub fn configure(config: &mut ServiceConfig) {
    config
        .configure(oauth::configure)
        .configure(register::configure)
        .configure(pages::configure)
        .configure(xs2a::configure)
        .configure(xs2a::configure_rest);
}
