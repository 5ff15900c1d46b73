//! Payments between two institutions, step by step, against a real server.
#![expect(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "integration test crate"
)]

mod bank;
mod cap;
mod journey;
mod refusals;
mod repeats;
