//! The stages of a test run, in their order.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use super::install;
use super::output::{self, CargoTest, Counts, Demo, NodeTest, Plain};
use super::servers::Servers;
use crate::cargo::{binary, build_binary, cargo, run};
use crate::repo::Repo;

/// One stage.
pub struct Stage {
    /// Its name, as an argument of `cargo xtask test`.
    pub name: &'static str,
    /// What it does, for people.
    pub what: &'static str,
    /// Only `cargo xtask ci --full` runs it.
    pub is_long: bool,
    /// Runs it.
    pub run: fn(&Context) -> Result<Counts, String>,
}

/// All stages after the preparation.
pub const STAGES: [Stage; 6] = [
    Stage {
        name: "cargo",
        what: "cargo test --workspace",
        is_long: false,
        run: |context| cargo_test(context, &[]),
    },
    Stage {
        name: "e2e",
        what: "tests from outside, with a browser",
        is_long: false,
        run: e2e,
    },
    Stage {
        name: "demo",
        what: "the demo, once",
        is_long: false,
        run: |context| demo(context, &[]),
    },
    Stage {
        name: "demo-keycloak",
        what: "the demo, once, with Keycloak and Redis",
        is_long: false,
        run: |context| demo(context, &["--identity", "keycloak", "--redis"]),
    },
    Stage {
        name: "schemathesis",
        what: "generated requests from openapi/",
        is_long: false,
        run: schemathesis,
    },
    Stage {
        name: "long",
        what: "tests marked #[ignore] because they are long",
        is_long: true,
        run: |context| cargo_test(context, &["--ignored"]),
    },
];

/// What stages share.
pub struct Context {
    repo: Repo,
    require_all: bool,
    binary: PathBuf,
    servers: Option<Servers>,
}

impl Context {
    /// Nothing built, nothing started.
    pub fn new(repo: Repo, require_all: bool) -> Self {
        Self {
            repo,
            require_all,
            binary: PathBuf::new(),
            servers: None,
        }
    }

    /// What every test may read from its environment.
    fn environment(&self) -> Vec<(&'static str, OsString)> {
        let mut all = vec![("BRANCHLINE_BIN", self.binary.clone().into_os_string())];
        if let Some(servers) = &self.servers {
            all.push((
                "BRANCHLINE_TEST_DATABASE_URL",
                servers.postgres_url.clone().into(),
            ));
            if let Some(redis) = &servers.redis_url {
                all.push(("BRANCHLINE_TEST_REDIS_URL", redis.clone().into()));
            }
            if let Some(keycloak) = &servers.keycloak_url {
                all.push(("BRANCHLINE_TEST_KEYCLOAK_URL", keycloak.clone().into()));
            }
        }
        if let Some(chromium) = install::chromium() {
            all.push(("BRANCHLINE_CHROMIUM", chromium.into_os_string()));
        }
        let specs = self.repo.path("../shared/specs/berlin-group");
        if std::env::var_os("BRANCHLINE_SPECS").is_none() && specs.is_dir() {
            all.push(("BRANCHLINE_SPECS", specs.into_os_string()));
        }
        all
    }
}

/// Installs, builds, and starts the servers.
pub fn prepare(context: &mut Context) -> Result<Counts, String> {
    println!("== prepare: what is missing, the build, private servers");
    let counts = install::install()?;
    if context.require_all && !counts.skips.is_empty() {
        return Err(
            "BRANCHLINE_REQUIRE_ALL=1, but what the lines above name is missing".to_owned(),
        );
    }
    run(
        cargo(&context.repo).args(["test", "--workspace", "--no-run", "--locked", "--quiet"]),
        "the build of the tests",
    )?;
    context.binary = build_binary(&context.repo)?;
    let mut also = Vec::new();
    if install::find("redis-server").is_some() {
        also.push("--redis");
    }
    if install::find("java").is_some() && install::find("mvn").is_some() {
        also.push("--keycloak");
    }
    context.servers = Some(Servers::start(&context.binary, &also)?);
    Ok(counts)
}

fn cargo_test(context: &Context, arguments: &[&str]) -> Result<Counts, String> {
    let mut command = cargo(&context.repo);
    command
        .args([
            "test",
            "--workspace",
            "--locked",
            "--no-fail-fast",
            "--",
            "--show-output",
        ])
        .args(arguments)
        .envs(context.environment());
    output::run(&mut command, "cargo test", &mut CargoTest::default())
}

fn e2e(context: &Context) -> Result<Counts, String> {
    let folder = context.repo.path("e2e");
    if !folder.join("package.json").is_file() {
        return Ok(Counts::skip("there is no e2e/package.json"));
    }
    if install::find("npm").is_none() {
        return Ok(Counts::skip("e2e needs Node.js with npm"));
    }
    let npm = |argument: &[&str]| {
        let mut command = Command::new("npm");
        command
            .args(argument)
            .current_dir(&folder)
            .envs(context.environment());
        command
    };
    run(&mut npm(&["ci", "--no-audit", "--no-fund"]), "npm ci")?;
    output::run(&mut npm(&["test"]), "npm test", &mut NodeTest)
}

fn demo(context: &Context, options: &[&str]) -> Result<Counts, String> {
    let needs_java = options.contains(&"keycloak");
    if needs_java && install::find("java").is_none() {
        return Ok(Counts::skip(
            "the demo with Keycloak needs Java 17 or newer",
        ));
    }
    if options.contains(&"--redis") && install::find("redis-server").is_none() {
        return Ok(Counts::skip("the demo with Redis needs redis-server"));
    }
    let mut command = Command::new(binary(&context.repo)?);
    command
        .args(["demo", "--once"])
        .args(options)
        .current_dir(context.repo.root());
    let what = format!("branchline demo --once {}", options.join(" "));
    let mut reader = Demo::default();
    let counts = output::run(&mut command, what.trim_end(), &mut reader)?;
    match reader.complaint() {
        Some(complaint) if counts.failed == 0 => Err(complaint),
        _ => Ok(counts),
    }
}

fn schemathesis(context: &Context) -> Result<Counts, String> {
    let script = context.repo.path("e2e/schemathesis/run.sh");
    if !script.is_file() {
        return Ok(Counts::skip("there is no e2e/schemathesis/run.sh"));
    }
    let mut command = Command::new("bash");
    command
        .arg(&script)
        .current_dir(context.repo.root())
        .envs(context.environment());
    output::run(&mut command, "Schemathesis", &mut Plain)
}
