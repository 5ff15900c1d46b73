//! Running cargo, and the binary it builds.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::repo::Repo;

/// A cargo command in the repository's root.
///
/// What the outer `cargo run` set for this program is taken away again: build scripts that watch
/// those variables would otherwise run anew each time.
pub fn cargo(repo: &Repo) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(repo.root());
    for (name, _) in std::env::vars_os() {
        let Some(name) = name.to_str() else { continue };
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Runs a command whose output goes straight through.
pub fn run(command: &mut Command, what: &str) -> Result<(), String> {
    let status = command
        .status()
        .map_err(|error| format!("cannot start {what}: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{what} failed ({status})"))
    }
}

/// What `cargo metadata` tells of the workspace and all it depends on.
pub fn metadata(repo: &Repo) -> Result<Value, String> {
    let output = cargo(repo)
        .args(["metadata", "--format-version", "1", "--locked", "--quiet"])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    if !output.status.success() {
        return Err("cargo metadata failed; its words are above".to_owned());
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata gave no JSON: {error}"))
}

/// Builds the binary and tells where it is.
///
/// Always the whole workspace: with `-p` cargo resolves other features and compiles a hundred
/// crates a second time.
pub fn build_binary(repo: &Repo) -> Result<PathBuf, String> {
    run(
        cargo(repo).args(["build", "--workspace", "--bins", "--locked"]),
        "cargo build",
    )?;
    binary(repo)
}

/// Builds the binary as it is shipped and tells where it is.
pub fn build_release(repo: &Repo) -> Result<PathBuf, String> {
    run(
        cargo(repo).args(["build", "--release", "--workspace", "--bins", "--locked"]),
        "cargo build",
    )?;
    Ok(target(repo)?.join("release").join("branchline"))
}

/// Where the built binary is.
pub fn binary(repo: &Repo) -> Result<PathBuf, String> {
    Ok(target(repo)?.join("debug").join("branchline"))
}

/// Where cargo puts what it builds.
fn target(repo: &Repo) -> Result<PathBuf, String> {
    let output = cargo(repo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--no-deps",
            "--quiet",
        ])
        .output()
        .map_err(|error| format!("cannot start cargo: {error}"))?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("cargo metadata gave no JSON: {error}"))?;
    let target = metadata["target_directory"]
        .as_str()
        .ok_or("cargo metadata names no target directory")?;
    Ok(PathBuf::from(target))
}
