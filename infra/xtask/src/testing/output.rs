//! What test runners print: results, and tests that were skipped.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

/// Results of one stage, or of all.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Counts {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed.
    pub failed: usize,
    /// Why something that is no test failed.
    pub failures: Vec<String>,
    /// Lines that say what was skipped, and why.
    pub skips: Vec<String>,
}

impl Counts {
    /// One thing failed.
    pub fn failure(why: String) -> Self {
        Self {
            failed: 1,
            failures: vec![why],
            ..Self::default()
        }
    }

    /// Nothing ran, for this reason.
    pub fn skip(why: &str) -> Self {
        let mut counts = Self::default();
        counts.add_skip(format!("skipped: {why}"));
        counts
    }

    /// Notes a skip, once.
    pub fn add_skip(&mut self, line: String) {
        if !self.skips.contains(&line) {
            self.skips.push(line);
        }
    }

    /// Adds another stage's results.
    pub fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.failures.extend(other.failures);
        let new: Vec<String> = other
            .skips
            .into_iter()
            .filter(|s| !self.skips.contains(s))
            .collect();
        self.skips.extend(new);
    }

    /// The line that closes a run.
    pub fn closing_line(&self) -> String {
        format!("{} passed, {} failed", self.passed, self.failed)
    }
}

/// Reads a runner's output line by line.
pub trait Reader {
    /// Takes a line; tells whether people should see it.
    fn line(&mut self, line: &str, counts: &mut Counts) -> bool;
}

/// Runs a command, shows its output and counts its tests.
pub fn run(command: &mut Command, what: &str, reader: &mut dyn Reader) -> Result<Counts, String> {
    run_and_show(command, what, reader, &mut |line| println!("{line}"))
}

/// A runner that fails without naming a failed test has failed once.
fn run_and_show(
    command: &mut Command,
    what: &str,
    reader: &mut dyn Reader,
    show: &mut dyn FnMut(&str),
) -> Result<Counts, String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start {what}: {error}"))?;
    let stdout = child
        .stdout
        .take()
        .ok_or("the output of a runner is gone")?;
    let mut counts = Counts::default();
    for line in BufReader::new(stdout).split(b'\n') {
        let line = line.map_err(|error| format!("cannot read the output of {what}: {error}"))?;
        let line = String::from_utf8_lossy(&line);
        let is_skip = line.trim_start().starts_with("skipped:");
        if is_skip {
            counts.add_skip(line.trim().to_owned());
        }
        if reader.line(&line, &mut counts) || is_skip {
            show(&line);
        }
    }
    let status = child
        .wait()
        .map_err(|error| format!("cannot wait for {what}: {error}"))?;
    if !status.success() && counts.failed == 0 {
        counts.add(Counts::failure(format!("{what} ended with {status}")));
    } else if status.success() && counts.passed + counts.failed == 0 {
        counts.passed = 1;
    }
    Ok(counts)
}

/// `cargo test -- --show-output`: what passing tests print is read but not shown.
#[derive(Debug, Default)]
pub struct CargoTest {
    in_successes: bool,
}

impl Reader for CargoTest {
    fn line(&mut self, line: &str, counts: &mut Counts) -> bool {
        if let Some(rest) = line.strip_prefix("test result: ") {
            self.in_successes = false;
            counts.passed += number_before(rest, " passed");
            counts.failed += number_before(rest, " failed");
        } else if line == "failures:" {
            self.in_successes = false;
        } else if line == "successes:" {
            self.in_successes = true;
        }
        !self.in_successes
    }
}

/// Node's test runner, in its TAP (`# pass 3`) or its written form (`ℹ pass 3`).
#[derive(Debug, Default)]
pub struct NodeTest;

impl Reader for NodeTest {
    fn line(&mut self, line: &str, counts: &mut Counts) -> bool {
        let line = line.trim_start_matches(['#', 'ℹ', ' ']);
        let number = |name: &str| line.strip_prefix(name).and_then(|n| n.trim().parse().ok());
        counts.passed += number("pass ").unwrap_or(0);
        counts.failed += number("fail ").unwrap_or(0) + number("cancelled ").unwrap_or(0);
        let skipped: usize = number("skipped ").unwrap_or(0);
        if skipped > 0 {
            counts.add_skip(format!("skipped: {skipped} tests of e2e"));
        }
        true
    }
}

/// The demo: its last line tells that all steps went as they must, and how many there are.
#[derive(Debug, Default)]
pub struct Demo {
    last: String,
}

/// Fewer steps would prove less than the journey promises.
const FEWEST_STEPS: usize = 8;

impl Demo {
    /// Why the demo that has ended is no success, if it is none.
    pub fn complaint(&self) -> Option<String> {
        let steps = self.last.strip_prefix("demo ").and_then(|rest| {
            let (done, rest) = rest.split_once(" of ")?;
            let of = rest.strip_suffix(" steps, books balanced")?;
            (done == of).then(|| done.parse::<usize>().ok())?
        });
        steps.is_none_or(|steps| steps < FEWEST_STEPS).then(|| {
            format!(
                "the demo's last line is `{}`, not `demo N of N steps, books balanced` with N from \
                 {FEWEST_STEPS}",
                self.last
            )
        })
    }
}

impl Reader for Demo {
    fn line(&mut self, line: &str, _: &mut Counts) -> bool {
        line.trim_end().clone_into(&mut self.last);
        true
    }
}

/// A program that is one test: its exit code counts.
#[derive(Debug, Default)]
pub struct Plain;

impl Reader for Plain {
    fn line(&mut self, _: &str, _: &mut Counts) -> bool {
        true
    }
}

fn number_before(text: &str, word: &str) -> usize {
    let before = text.split(word).next().unwrap_or("");
    let number = before.rsplit([' ', ';']).next().unwrap_or("");
    if text.contains(word) {
        number.parse().unwrap_or(0)
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(reader: &mut dyn Reader, text: &str) -> (Counts, String) {
        let mut counts = Counts::default();
        let mut shown = String::new();
        for line in text.lines() {
            if reader.line(line, &mut counts) {
                shown.push_str(line);
                shown.push('\n');
            }
        }
        (counts, shown)
    }

    #[test]
    fn results_of_cargo_test_are_summed_and_passing_output_is_hidden() {
        let text = "running 2 tests\ntest a ... ok\n\nsuccesses:\n\n---- a stdout ----\nnoise\n\nsuccesses:\n    a\n\nfailures:\n\n---- b stdout ----\nwhy\n\ntest result: FAILED. 1 passed; 1 failed; 3 ignored; 0 measured\n\ntest result: ok. 12 passed; 0 failed; 0 ignored\n";
        let (counts, shown) = read(&mut CargoTest::default(), text);
        assert_eq!((counts.passed, counts.failed), (13, 1));
        assert!(shown.contains("why") && !shown.contains("noise"));
    }

    #[test]
    fn results_of_node_are_read_in_both_forms() {
        for mark in ["#", "ℹ"] {
            let text = format!(
                "{mark} tests 7\n{mark} pass 4\n{mark} fail 2\n{mark} cancelled 0\n{mark} skipped 1\n"
            );
            let (counts, _) = read(&mut NodeTest, &text);
            assert_eq!(
                (counts.passed, counts.failed, counts.skips.len()),
                (4, 2, 1)
            );
        }
    }

    #[test]
    fn a_runner_that_fails_without_a_failed_test_counts_once() {
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            run_and_show(&mut command, "sh", &mut Plain, &mut |_| {}).unwrap()
        };
        assert_eq!(shell("exit 3").failed, 1);
        assert_eq!(shell("echo fine").passed, 1);
        assert_eq!(
            shell("echo skipped: no browser").skips,
            ["skipped: no browser"]
        );
    }

    #[test]
    fn a_demo_that_skipped_a_step_or_lost_its_balance_is_no_success() {
        let complains = |last: &str| {
            let mut demo = Demo::default();
            read(&mut demo, &format!("step 1\n{last}"));
            demo.complaint().is_some()
        };
        assert!(!complains("demo 9 of 9 steps, books balanced"));
        for last in [
            "",
            "demo 7 of 7 steps, books balanced",
            "demo 8 of 9 steps, books balanced",
            "demo 9 of 9 steps",
        ] {
            assert!(complains(last), "{last}");
        }
    }

    #[test]
    fn the_closing_line_is_plain() {
        let mut sum = Counts {
            passed: 1,
            ..Counts::default()
        };
        sum.add(Counts::failure("x".to_owned()));
        assert_eq!(sum.closing_line(), "1 passed, 1 failed");
    }
}
