//! Branchline: every role of the platform in one binary.

fn main() {}
