//! What the gateway keeps, on a real database.
#![expect(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "integration test crate"
)]

mod consents;
mod errands;
mod expired;
mod grants;
mod register;
mod runs;
mod scene;
mod sessions;
