//! `cargo xtask test`: all tests, with everything they need, and one closing line.

mod install;
mod output;
mod servers;
mod stages;

use std::time::{Duration, Instant};

use crate::clock;
use crate::repo::Repo;
use output::Counts;
use stages::{Context, STAGES, Stage};

/// What one stage did.
struct Done {
    name: &'static str,
    took: Duration,
    counts: Counts,
}

/// The stages' names and what each does, for the help text.
pub fn list() -> String {
    let lines = STAGES.iter().map(|stage| {
        let long = if stage.is_long {
            " (only with --full)"
        } else {
            ""
        };
        format!("    {:<13} {}{long}\n", stage.name, stage.what)
    });
    lines.collect()
}

/// Runs the named stages, or all; `--full` adds the long ones. Tells whether all passed.
pub fn test(repo: &Repo, arguments: &[String]) -> Result<bool, String> {
    let full = arguments.iter().any(|argument| argument == "--full");
    let names: Vec<&String> = arguments.iter().filter(|name| *name != "--full").collect();
    if let Some(unknown) = names
        .iter()
        .find(|name| !STAGES.iter().any(|stage| stage.name == ***name))
    {
        return Err(format!(
            "no stage is called `{unknown}`; there are:\n{}",
            list()
        ));
    }
    let wanted = |stage: &Stage| {
        if names.is_empty() {
            full || !stage.is_long
        } else {
            names.iter().any(|name| *name == stage.name)
        }
    };
    let require_all = std::env::var("BRANCHLINE_REQUIRE_ALL").is_ok_and(|value| value == "1");
    let mut context = Context::new(repo.clone(), require_all);
    let mut done = vec![timed("prepare", || stages::prepare(&mut context))];
    // Without a binary and a database nothing later could pass.
    if done[0].counts.failed == 0 {
        for stage in STAGES.iter().filter(|stage| wanted(stage)) {
            println!("\n== {}: {}", stage.name, stage.what);
            let stage = timed(stage.name, || (stage.run)(&context));
            stage
                .counts
                .failures
                .iter()
                .for_each(|why| println!("FAIL  {why}"));
            done.push(stage);
        }
    }
    // The servers stop before the closing line, which must be the last.
    drop(context);
    let (text, passed) = close(&done, require_all);
    println!("{text}");
    Ok(passed)
}

fn timed(name: &'static str, run: impl FnOnce() -> Result<Counts, String>) -> Done {
    let start = Instant::now();
    let counts = run().unwrap_or_else(|error| Counts::failure(format!("{name}: {error}")));
    Done {
        name,
        took: start.elapsed(),
        counts,
    }
}

/// The closing table; its last line is the one that programs read.
fn close(done: &[Done], require_all: bool) -> (String, bool) {
    let mut text = String::from("\nstage             passed  failed       took\n");
    let mut sum = Counts::default();
    let row = |name: &str, counts: &Counts, took: Duration| {
        let took = clock::minutes(took);
        format!(
            "{name:<16} {:>7} {:>7} {took:>10}\n",
            counts.passed, counts.failed
        )
    };
    for stage in done {
        text += &row(stage.name, &stage.counts, stage.took);
        sum.add(stage.counts.clone());
    }
    text += &row("all", &sum, done.iter().map(|stage| stage.took).sum());
    for failure in &sum.failures {
        text += &format!("failed: {failure}\n");
    }
    for skip in &sum.skips {
        text += &format!("{skip}\n");
    }
    if require_all && !sum.skips.is_empty() {
        let skips = sum.skips.len();
        text += &format!("BRANCHLINE_REQUIRE_ALL=1: each of these {skips} skips is a failure\n");
        sum.failed += skips;
    }
    text += &sum.closing_line();
    (text, sum.failed == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(counts: Counts) -> [Done; 1] {
        [Done {
            name: "x",
            took: Duration::ZERO,
            counts,
        }]
    }

    #[test]
    fn a_skip_is_a_failure_only_where_everything_is_required() {
        let skipped = || {
            let mut counts = Counts::default();
            counts.add_skip("skipped: pages need a browser".to_owned());
            counts
        };
        let (text, passed) = close(&done(skipped()), false);
        assert!(passed && text.ends_with("\n0 passed, 0 failed"), "{text}");
        let (text, passed) = close(&done(skipped()), true);
        assert!(!passed && text.ends_with("\n0 passed, 1 failed"), "{text}");
    }

    #[test]
    fn a_stage_that_cannot_run_has_failed() {
        let broken = timed("x", || Err("no disk".to_owned()));
        assert_eq!(broken.counts.failed, 1);
        let (text, passed) = close(&[broken], false);
        assert!(!passed && text.contains("failed: x: no disk"), "{text}");
    }
}
