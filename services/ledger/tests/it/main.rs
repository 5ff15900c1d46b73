//! The ledger against a real server and its real roles.
#![expect(
    clippy::arithmetic_side_effects,
    clippy::print_stdout,
    clippy::string_slice,
    clippy::tests_outside_test_module,
    clippy::too_many_lines,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "integration test crate"
)]

mod attacks;
mod books;
mod checks;
mod engine;
mod gaps;
mod history;
mod holds;
mod marks;
mod model;
mod postings;
mod property;
mod races;
mod refusals;
