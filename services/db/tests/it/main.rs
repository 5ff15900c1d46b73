//! The door against a real server: what it lets through, and what it refuses.
#![expect(
    clippy::print_stdout,
    clippy::string_slice,
    clippy::tests_outside_test_module,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "integration test crate"
)]

mod door;
mod keys;
mod server;
mod tenants;
