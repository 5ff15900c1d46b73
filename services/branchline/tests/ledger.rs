//! The ledger under torture: a short, seeded part of it here, the long one on demand.
#![expect(
    clippy::tests_outside_test_module,
    clippy::unwrap_used,
    reason = "integration test crate"
)]

use std::process::{Command, Output};

fn torture(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_branchline"))
        .args(["ledger", "torture"])
        .args(arguments)
        .output()
        .unwrap()
}

/// The last line of its result, once it has succeeded.
fn result(output: &Output) -> String {
    let (said, told) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{said}\n{told}");
    said.lines().last().unwrap_or_default().to_owned()
}

#[test]
fn twenty_rounds_of_torture_leave_no_contradiction() {
    let result = result(&torture(&["--seed", "20261121", "--rounds", "20"]));
    assert!(result.ends_with("violations=0"), "{result}");
}

#[test]
#[ignore = "takes half an hour: `cargo xtask ci --full` runs it"]
fn five_hundred_rounds_of_torture_leave_no_contradiction() {
    let result = result(&torture(&["--seed", "500", "--rounds", "500"]));
    assert!(result.ends_with("violations=0"), "{result}");
}

const PLANTED: [&str; 4] = [
    "answer-before-commit",
    "lose-rider",
    "forget-refusal",
    "lock-in-any-order",
];

fn find_planted(seed: &str) {
    for planted in PLANTED {
        let arguments = ["--seed", seed, "--rounds", "20", "--plant", planted];
        let result = result(&torture(&arguments));
        assert!(result.contains("found_in_round="), "{planted}: {result}");
    }
}

#[test]
fn each_planted_bug_is_found_within_twenty_rounds() {
    find_planted("77");
}

#[test]
#[ignore = "takes minutes: `cargo xtask ci --full` runs it"]
fn each_planted_bug_is_found_with_other_seeds_too() {
    ["1", "2", "3"].into_iter().for_each(find_planted);
}

#[test]
fn a_quick_bench_ends_with_books_that_agree() {
    let output = Command::new(env!("CARGO_BIN_EXE_branchline"))
        .args(["ledger", "bench", "--quick"])
        .output()
        .unwrap();
    let result = result(&output);
    assert!(result.starts_with("ledger-bench uniform="), "{result}");
}

#[test]
fn a_core_under_a_little_pressure_keeps_its_bounds() {
    let output = Command::new(env!("CARGO_BIN_EXE_branchline"))
        .args(["ledger", "pressure", "--quick"])
        .output()
        .unwrap();
    let result = result(&output);
    assert!(result.starts_with("pressure clients=200 "), "{result}");
}
