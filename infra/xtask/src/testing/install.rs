//! What the tests need from the machine, and how Debian calls it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::output::Counts;
use crate::cargo::run;

/// One thing that tests need.
pub struct Need {
    /// What it is, for people.
    pub name: &'static str,
    /// Debian's packages that bring it.
    pub packages: &'static [&'static str],
    /// What is skipped without it.
    pub suites: &'static str,
    is_there: fn() -> bool,
}

static NEEDS: [Need; 8] = [
    Need {
        name: "PostgreSQL 15 or newer with pgbench",
        packages: &["postgresql"],
        suites: "none: an embedded server takes its place; benchmarks need pgbench",
        is_there: has_postgres,
    },
    Need {
        name: "Redis",
        packages: &["redis-server"],
        suites: "tests with Redis",
        is_there: || find("redis-server").is_some(),
    },
    Need {
        name: "Chromium",
        packages: &["chromium", "fonts-dejavu-core"],
        suites: "pages in a browser",
        is_there: || chromium().is_some(),
    },
    Need {
        name: "Java 17 or newer",
        packages: &["default-jre-headless"],
        suites: "tests with Keycloak",
        is_there: || find("java").is_some(),
    },
    Need {
        name: "Maven",
        packages: &["maven"],
        suites: "tests with Keycloak",
        is_there: || find("mvn").is_some() || std::env::var_os("KC_HOME").is_some(),
    },
    Need {
        name: "Node.js",
        packages: &["nodejs"],
        suites: "tests from outside in e2e/",
        is_there: || find("node").is_some(),
    },
    // After Node.js, because some packages of that bring npm and conflict with this one.
    Need {
        name: "npm",
        packages: &["npm"],
        suites: "tests from outside in e2e/",
        is_there: || find("npm").is_some(),
    },
    Need {
        name: "Python with venv and pip",
        packages: &["python3", "python3-pip", "python3-venv"],
        suites: "generated requests by Schemathesis",
        is_there: has_python,
    },
];

/// Installs what is missing as root on Debian; else says in one line each what to install.
pub fn install() -> Result<Counts, String> {
    if !missing().is_empty() && is_root() && find("apt-get").is_some() {
        apt_get(&["update", "-q"])?;
        // One by one: what cannot be installed must not keep the rest away.
        for need in NEEDS.iter().filter(|need| !(need.is_there)()) {
            println!("installing {}", need.name);
            let install = ["install", "-q", "-y", "--no-install-recommends"];
            if let Err(error) = apt_get(&[&install, need.packages].concat()) {
                println!("{error}");
            }
        }
    }
    let mut counts = Counts::default();
    for need in missing() {
        let packages = need.packages.join(" ");
        counts.add_skip(format!(
            "skipped: {}: {} is missing (Debian: apt-get install {packages})",
            need.suites, need.name
        ));
    }
    Ok(counts)
}

/// The browser: the one that `BRANCHLINE_CHROMIUM` names, or the first that is installed.
pub fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("BRANCHLINE_CHROMIUM") {
        return Some(PathBuf::from(named)).filter(|path| path.is_file());
    }
    ["chromium", "chromium-browser", "google-chrome"]
        .into_iter()
        .find_map(find)
}

/// A program on the search path.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|file| file.is_file())
}

fn missing() -> Vec<&'static Need> {
    NEEDS.iter().filter(|need| !(need.is_there)()).collect()
}

fn has_postgres() -> bool {
    let newest = newest_version(Path::new("/usr/lib/postgresql"));
    newest.is_some_and(|version| version >= 15) || find("initdb").is_some()
}

/// The highest version among folders named after versions that hold a server.
fn newest_version(folder: &Path) -> Option<u32> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries
        .flatten()
        .filter(|entry| entry.path().join("bin/initdb").is_file())
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .max()
}

fn has_python() -> bool {
    let output = Command::new("python3")
        .args(["-c", "import ensurepip, venv"])
        .output();
    output.is_ok_and(|output| output.status.success())
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output();
    output.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn apt_get(arguments: &[&str]) -> Result<(), String> {
    let mut command = Command::new("apt-get");
    command
        .args(["-o", "Acquire::Retries=3"])
        .args(arguments)
        .env("DEBIAN_FRONTEND", "noninteractive");
    run(&mut command, &format!("apt-get {}", arguments[0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_without_a_server_does_not_count() {
        let folder =
            std::env::temp_dir().join(format!("branchline-versions-{}", std::process::id()));
        for version in ["14", "15"] {
            std::fs::create_dir_all(folder.join(version).join("bin")).unwrap();
        }
        std::fs::write(folder.join("14/bin/initdb"), "").unwrap();
        let newest = newest_version(&folder);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(newest, Some(14));
    }

    #[test]
    fn a_program_is_found_on_the_path_only() {
        assert!(find("sh").is_some());
        assert!(find("branchline-no-such-program").is_none());
    }
}
