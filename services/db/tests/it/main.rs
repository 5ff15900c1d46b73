//! The door against a real server: what it lets through, and what it refuses.
#![expect(
    clippy::tests_outside_test_module,
    clippy::too_many_lines,
    reason = "integration test crate"
)]

mod door;
mod keys;
mod tenants;

use branchline_testkit::Installation;

/// One connection per door, so that whatever a transaction leaves behind meets the next one.
async fn installation() -> Option<Installation> {
    branchline_testkit::installation("the tenant door", 1).await
}
