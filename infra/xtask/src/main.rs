//! The project's own commands. `cargo xtask help` lists them.
//!
//! Depends on the standard library and `serde_json` only, so that it compiles in seconds; what needs
//! more is a subcommand of the `branchline` binary, which this program builds and runs.

mod cargo;
mod check;
mod clock;
mod repo;
mod report;
mod sha256;
mod testing;

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use repo::Repo;

const HELP: &str = "\
Branchline's own commands: cargo xtask COMMAND [OPTIONS]

  demo [OPTIONS]     build, then run `branchline demo`: two credit unions, a fintech, a payment
                     --once  --identity dev|keycloak  --redis  --keep  --reset
  check [GATE…]      what must hold before each commit; needs no database
  test [STAGE…]      all tests, with everything they need; as root on Debian installs what is missing
  ci [--full]        check, then test; --full adds the long suites
  openapi [--check]  write openapi/*.json from the code, or only compare
  migrations --accept  freeze new migrations: add their checksums to migrations/checksums.txt
  torture ledger     kill, cut and stop everything while posting; --seed S  --rounds N  --plant BUG
  bench ledger       the ledger against pgbench, release build; --quick  --json FILE  --triples N
  bench pressure     a core under far too many clients, release build; --quick  --clients N
  postgres [OPTIONS] a private PostgreSQL in the foreground, until Ctrl-C
  keycloak [OPTIONS] a private Keycloak in the foreground; fetched once into your cache
  help               this text

Gates of check:
";

const ENVIRONMENT: &str = "
Environment:
  BRANCHLINE_REQUIRE_ALL=1  a test that is skipped is a failure (set by .ci/run)
  BRANCHLINE_SPECS          folder of the official XS2A files
  BRANCHLINE_CHROMIUM       the browser of the page tests
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", [].as_slice()),
    };
    match run(command, rest) {
        Ok(true) => ExitCode::SUCCESS,
        // What failed has been said, and the last line said is the closing one.
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &str, rest: &[String]) -> Result<bool, String> {
    let repo = Repo::find()?;
    match command {
        "check" => check::check(&repo, rest),
        "deps" | "tidy" => check::check(&repo, &[command.to_owned()]),
        "test" => testing::test(&repo, rest),
        "ci" => ci(&repo, rest),
        "openapi" => openapi(&repo, rest),
        "migrations" => migrations(&repo, rest),
        "demo" => branchline(&repo, &["demo"], rest),
        "torture" => of_ledger(&repo, "torture", rest),
        "bench" => of_ledger(&repo, "bench", rest),
        "postgres" => branchline(&repo, &["launch", "--postgres"], rest),
        "keycloak" => branchline(&repo, &["launch", "--keycloak"], rest),
        "help" | "--help" | "-h" => {
            println!("{}", help());
            Ok(true)
        }
        unknown => Err(format!("there is no command `{unknown}`\n\n{}", help())),
    }
}

fn help() -> String {
    let stages = testing::list();
    format!(
        "{HELP}{}\nStages of test:\n{stages}{ENVIRONMENT}",
        check::list()
    )
}

fn ci(repo: &Repo, rest: &[String]) -> Result<bool, String> {
    let full = match rest {
        [] => false,
        [option] if option == "--full" => true,
        _ => return Err("ci knows one option: --full".to_owned()),
    };
    if !check::check(repo, &[])? {
        return Ok(false);
    }
    let stages: &[String] = if full { &["--full".to_owned()] } else { &[] };
    testing::test(repo, stages)
}

fn openapi(repo: &Repo, rest: &[String]) -> Result<bool, String> {
    match rest {
        [] => check::openapi::write(repo).map(|()| true),
        [option] if option == "--check" => check::check(repo, &["openapi".to_owned()]),
        _ => Err("openapi knows one option: --check".to_owned()),
    }
}

fn migrations(repo: &Repo, rest: &[String]) -> Result<bool, String> {
    match rest {
        [] => check::check(repo, &["migrations".to_owned()]),
        [option] if option == "--accept" => check::migrations::accept(repo).map(|()| true),
        _ => Err("migrations knows one option: --accept".to_owned()),
    }
}

/// Builds the binary and becomes it, so that Ctrl-C and exit codes are its own.
fn branchline(repo: &Repo, first: &[&str], rest: &[String]) -> Result<bool, String> {
    let binary = cargo::build_binary(repo)?;
    let error = Command::new(&binary).args(first).args(rest).exec();
    Err(format!("cannot start {}: {error}", binary.display()))
}

/// `torture` and `bench` of the ledger. Figures count from a release build only; a quick bench
/// shows that it works and takes the build that is there.
fn of_ledger(repo: &Repo, command: &str, rest: &[String]) -> Result<bool, String> {
    let subject = rest.split_first().map(|(what, rest)| (what.as_str(), rest));
    let (does, rest) = match (command, subject) {
        (_, Some(("ledger", rest))) => (command, rest),
        ("bench", Some(("pressure", rest))) => ("pressure", rest),
        ("bench", _) => return Err("bench knows two subjects: ledger and pressure".to_owned()),
        _ => return Err(format!("{command} knows one subject: ledger")),
    };
    let is_quick = rest.iter().any(|option| option == "--quick");
    let binary = if command == "bench" && !is_quick {
        cargo::build_release(repo)?
    } else {
        cargo::build_binary(repo)?
    };
    let error = Command::new(&binary)
        .args(["ledger", does])
        .args(rest)
        .exec();
    Err(format!("cannot start {}: {error}", binary.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_command_is_refused_with_what_exists() {
        let refusal = run("chekc", &[]).unwrap_err();
        assert!(refusal.contains("`chekc`") && refusal.contains("check [GATE…]"));
    }

    #[test]
    fn options_that_do_not_exist_are_refused() {
        for (command, option) in [("ci", "--ful"), ("openapi", "--chekc"), ("migrations", "x")] {
            assert!(run(command, &[option.to_owned()]).is_err(), "{command}");
        }
    }
}
