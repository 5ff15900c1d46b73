//! The core's operations over HTTP, against a real server.
#![expect(
    clippy::indexing_slicing,
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "integration test crate"
)]

mod accounts;
mod api;
mod at_once;
mod input;
mod ledger;
mod payments;
mod pressure;
mod rights;
