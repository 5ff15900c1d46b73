//! Branchline: every role of the platform in one binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    branchline::run()
}
