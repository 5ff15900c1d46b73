//! The platform as a whole: real processes, real servers, the journey of the demo.
#![expect(
    clippy::print_stdout,
    clippy::tests_outside_test_module,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "integration test crate"
)]

mod access;
mod bad_input;
mod books;
mod cast;
mod crashes;
mod leaks;
mod official;
mod pages;
mod redis;
mod rows;
mod scene;
mod wire;
