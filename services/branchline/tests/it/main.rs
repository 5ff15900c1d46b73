//! The platform as a whole: real processes, real servers, the journey of the demo.
#![expect(
    clippy::tests_outside_test_module,
    clippy::too_many_lines,
    reason = "integration test crate"
)]

mod access;
mod crashes;
mod leaks;
mod pages;
mod scene;
