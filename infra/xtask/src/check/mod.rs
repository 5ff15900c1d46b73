//! `cargo xtask check`: everything that can be judged without a database.
//!
//! A gate is a function over files as text or over `cargo metadata`, so that a test can plant what
//! it must find. All gates run, even after one has failed; cheap ones come first.

mod access;
mod adr;
mod deps;
mod licenses;
pub mod migrations;
pub mod openapi;
mod rust_text;
mod tidy;

use std::process::Command;
use std::time::Instant;

use serde_json::Value;

use crate::cargo::{cargo, metadata, run};
use crate::clock;
use crate::repo::{Repo, SourceFile};
use crate::report::Verdict;

/// What gates look at.
struct Context {
    repo: Repo,
    files: Vec<SourceFile>,
    metadata: Value,
}

struct Gate {
    name: &'static str,
    what: &'static str,
    run: fn(&Context) -> Result<Verdict, String>,
}

static GATES: [Gate; 9] = [
    Gate {
        name: "fmt",
        what: "cargo fmt --all --check",
        run: fmt,
    },
    Gate {
        name: "tidy",
        what: "rules of the house that clippy cannot know",
        run: |context| Ok(tidy::check(&context.files)),
    },
    Gate {
        name: "deps",
        what: "arrows between rooms, and their manifests",
        run: |context| deps::check(&context.metadata, &context.files).map(Verdict::from),
    },
    Gate {
        name: "licenses",
        what: "licenses of all dependencies",
        run: |context| Ok(licenses::check(&context.metadata).into()),
    },
    Gate {
        name: "adr",
        what: "every decision is linked from its index",
        run: |context| Ok(adr::check(&context.files).into()),
    },
    Gate {
        name: "migrations",
        what: "lint over SQL, and frozen files",
        run: |context| migrations::check(&context.repo, &context.files).map(Verdict::from),
    },
    Gate {
        name: "access",
        what: "every operation has its row in openapi/access.json",
        run: |context| Ok(access::check(&context.files).into()),
    },
    Gate {
        name: "clippy",
        what: "cargo clippy, warnings denied",
        run: clippy,
    },
    Gate {
        name: "openapi",
        what: "openapi/*.json are what the code says",
        run: |context| openapi::check(&context.repo).map(Verdict::from),
    },
];

/// The gates' names and what each looks at, for the help text.
pub fn list() -> String {
    let lines = GATES
        .iter()
        .map(|gate| format!("    {:<11} {}\n", gate.name, gate.what));
    lines.collect()
}

/// Runs the named gates, or all. Tells whether all passed.
pub fn check(repo: &Repo, names: &[String]) -> Result<bool, String> {
    if let Some(unknown) = names
        .iter()
        .find(|name| !GATES.iter().any(|gate| gate.name == **name))
    {
        return Err(format!(
            "no gate is called `{unknown}`; there are:\n{}",
            list()
        ));
    }
    let context = Context {
        repo: repo.clone(),
        files: repo.text_files()?,
        metadata: metadata(repo)?,
    };
    let wanted = |gate: &&Gate| names.is_empty() || names.iter().any(|name| name == gate.name);
    let (passed, failed): (Vec<&Gate>, Vec<&Gate>) = GATES
        .iter()
        .filter(wanted)
        .partition(|gate| passes(gate, &context));
    println!(
        "check: {} gates passed, {} failed",
        passed.len(),
        failed.len()
    );
    for gate in &failed {
        println!("failed: {}", gate.name);
    }
    Ok(failed.is_empty())
}

fn passes(gate: &Gate, context: &Context) -> bool {
    let start = Instant::now();
    let verdict = (gate.run)(context);
    let took = clock::seconds(start.elapsed());
    match verdict {
        Ok(verdict) => {
            for note in &verdict.notes {
                println!("note  {}: {note}", gate.name);
            }
            for finding in &verdict.findings {
                println!("{}: {finding}", gate.name);
            }
            let good = verdict.findings.is_empty();
            let word = if good { "ok   " } else { "FAIL " };
            println!("{word} {:<11} {took:>7}  {}", gate.name, gate.what);
            good
        }
        Err(error) => {
            println!("FAIL  {:<11} {took:>7}  {error}", gate.name);
            false
        }
    }
}

fn fmt(context: &Context) -> Result<Verdict, String> {
    run(
        &mut fmt_command(&context.repo),
        "cargo fmt (mend it by `cargo fmt --all`; where it is missing, install Rust's rustfmt)",
    )?;
    Ok(Verdict::default())
}

fn fmt_command(repo: &Repo) -> Command {
    let mut command = cargo(repo);
    command.args(["fmt", "--all", "--check"]);
    command
}

fn clippy(context: &Context) -> Result<Verdict, String> {
    run(
        &mut clippy_command(&context.repo),
        "cargo clippy (where it is missing, install Rust's clippy)",
    )?;
    Ok(Verdict::default())
}

fn clippy_command(repo: &Repo) -> Command {
    let mut command = cargo(repo);
    command.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--quiet",
    ]);
    command.args(["--", "-D", "warnings"]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A crate of one file in a folder of its own, looked at by one command.
    fn judge(name: &str, source: &str, command: fn(&Repo) -> Command) -> bool {
        let folder = std::env::temp_dir().join(format!("branchline-{name}-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("src")).unwrap();
        let manifest =
            "[package]\nname = \"planted\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[workspace]\n";
        let lock = "version = 4\n[[package]]\nname = \"planted\"\nversion = \"0.0.0\"\n";
        std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        std::fs::write(folder.join("Cargo.lock"), lock).unwrap();
        std::fs::write(folder.join("src/main.rs"), source).unwrap();
        let mut command = command(&Repo::at(&folder));
        command.env_remove("CARGO_TARGET_DIR");
        let passes = command.output().unwrap().status.success();
        std::fs::remove_dir_all(&folder).unwrap();
        passes
    }

    #[test]
    fn code_that_is_not_formatted_fails() {
        assert!(judge("fmt-good", "fn main() {}\n", fmt_command));
        assert!(!judge("fmt-bad", "fn  main( ){ }\n", fmt_command));
    }

    #[test]
    fn a_warning_of_clippy_fails() {
        assert!(judge("clippy-good", "fn main() {}\n", clippy_command));
        assert!(!judge(
            "clippy-bad",
            "fn main() {\n    let unused = 1;\n}\n",
            clippy_command
        ));
    }

    #[test]
    fn an_unknown_gate_is_refused_with_the_list() {
        let repo = Repo::find().unwrap();
        let refusal = check(&repo, &["tidi".to_owned()]).unwrap_err();
        assert!(refusal.contains("`tidi`") && refusal.contains("tidy"));
    }

    #[test]
    fn each_gate_is_in_the_help() {
        assert!(GATES.iter().all(|gate| list().contains(gate.name)));
    }
}
