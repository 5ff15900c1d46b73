//! Finds a Java that Keycloak runs on.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::error::LauncherError;
use crate::places::Places;
use crate::process::run;

const OLDEST: u32 = 17;

/// The program of `JAVA_HOME`, else the first in `PATH`.
pub(super) async fn find(places: &Places) -> Result<PathBuf, LauncherError> {
    let of_home = places.java_home.as_ref().map(|home| home.join("bin/java"));
    let java = of_home
        .or_else(|| places.find_program("java"))
        .ok_or(missing())?;
    if !java.is_file() {
        return Err(missing());
    }
    let said = run(
        "java",
        Command::new(&java).arg("-version"),
        Path::new("/dev/null"),
    )
    .await?;
    let found = parse_version(&said);
    match found.as_deref().and_then(major) {
        Some(major) if major >= OLDEST => Ok(java),
        Some(_) | None => {
            let found = found.unwrap_or_else(|| "of an unknown version".to_owned());
            Err(LauncherError::OldJava { path: java, found })
        }
    }
}

fn missing() -> LauncherError {
    LauncherError::MissingProgram {
        program: "java",
        needed_for: "Keycloak",
        install: "install Java 17 or newer (Debian: openjdk-17-jre-headless) or point JAVA_HOME to one, or use \
                  --identity dev",
    }
}

/// Reads `openjdk version "17.0.15" 2025-04-15`.
fn parse_version(text: &str) -> Option<String> {
    let quoted = text.split_once("version \"")?.1;
    Some(quoted.split_once('"')?.0.to_owned())
}

/// Java 8 calls itself 1.8, which is then old enough to be refused too.
fn major(version: &str) -> Option<u32> {
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_old_and_new_java_are_read() {
        let version = parse_version("openjdk version \"17.0.15\" 2025-04-15\nOpenJDK…").unwrap();
        assert_eq!(major(&version), Some(17));
        assert_eq!(major("25"), Some(25));
        assert_eq!(major("1.8.0_462"), Some(1));
        assert_eq!(parse_version("command not found"), None);
    }
}
