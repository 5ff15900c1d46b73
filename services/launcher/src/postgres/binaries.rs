//! Which PostgreSQL programs are run: given ones, the machine's own, or embedded ones.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::cluster::Cluster;
use super::{PostgresBinaries, embedded};
use crate::account::{Account, can_execute};
use crate::error::LauncherError;
use crate::places::Places;
use crate::progress::Progress;

/// Older ones lack what our migrations use.
const OLDEST_MAJOR: u32 = 15;

/// Folders whose children (or theirs) hold one version each: Debian, Red Hat, Homebrew on both kinds of Mac,
/// Postgres.app.
const LAYOUTS: [(&str, &str); 5] = [
    ("/usr/lib/postgresql", ""),
    ("/usr", "pgsql-"),
    ("/opt/homebrew/opt", "postgresql"),
    ("/usr/local/opt", "postgresql"),
    ("/Applications/Postgres.app/Contents/Versions", ""),
];

/// A folder with `postgres`, `initdb` and `pg_ctl` of one version.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    folder: PathBuf,
    major: u32,
    version: String,
}

impl Binaries {
    pub(super) fn version(&self) -> &str {
        &self.version
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Chooses the programs for these data: their own major version where they exist already, else the newest.
    pub(super) async fn choose(
        from: &PostgresBinaries,
        cluster: &Cluster,
        places: &Places,
        progress: &Progress,
    ) -> Result<Self, LauncherError> {
        let chosen = match from {
            PostgresBinaries::Folder(path) => given(path, cluster.account()).await?,
            PostgresBinaries::Embedded => fetched(cluster, places, progress).await?,
            PostgresBinaries::Search => {
                let installed = search(cluster.account(), places).await;
                tell_of_old(&installed, progress);
                match pick(installed, cluster.major().as_deref()) {
                    Some(found) => found,
                    None => fetched(cluster, places, progress).await?,
                }
            }
        };
        match cluster.major() {
            Some(made_by) if made_by != chosen.major.to_string() => {
                Err(LauncherError::OtherMajor {
                    path: cluster.directory().to_path_buf(),
                    made_by,
                    found: chosen.major.to_string(),
                })
            }
            Some(_) | None => Ok(chosen),
        }
    }

    /// The version that the programs in `folder` report, when all three are there and `account` may run them.
    async fn inspect(folder: &Path, account: Option<&Account>) -> Option<Self> {
        let programs = ["postgres", "initdb", "pg_ctl"].map(|name| folder.join(name));
        if !programs.iter().all(|program| program.is_file()) {
            return None;
        }
        let server = folder.join("postgres");
        if !can_execute(account, &server).await {
            return None;
        }
        let output = Command::new(&server).arg("--version").output().await.ok()?;
        let (major, version) = parse_version(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self {
            folder: folder.to_path_buf(),
            major,
            version,
        })
    }
}

/// The newest of those that are new enough, or the one that fits data that exist.
fn pick(mut found: Vec<Binaries>, data_major: Option<&str>) -> Option<Binaries> {
    found.retain(|binaries| {
        binaries.major >= OLDEST_MAJOR
            && data_major.is_none_or(|major| binaries.major.to_string() == major)
    });
    found
        .into_iter()
        .rev()
        .max_by_key(|binaries| binaries.major)
}

async fn given(path: &Path, account: Option<&Account>) -> Result<Binaries, LauncherError> {
    for folder in [path.to_path_buf(), path.join("bin")] {
        match Binaries::inspect(&folder, account).await {
            Some(found) if found.major < OLDEST_MAJOR => {
                return Err(LauncherError::OldPostgres {
                    path: folder,
                    found: found.version,
                });
            }
            Some(found) => return Ok(found),
            None => {}
        }
    }
    let is_there = path.join("postgres").exists() || path.join("bin/postgres").exists();
    match account {
        Some(account) if is_there => Err(LauncherError::NotPermitted {
            who: format!(
                "the account `{}`, under which PostgreSQL runs,",
                account.name()
            ),
            path: path.to_path_buf(),
            advice: "move the programs to a folder that everybody may enter",
        }),
        Some(_) | None => Err(LauncherError::MissingProgram {
            program: "a complete PostgreSQL (postgres, initdb, pg_ctl) in the folder you named",
            needed_for: "the private database",
            install: "name the folder that holds these programs, or name none",
        }),
    }
}

fn tell_of_old(found: &[Binaries], progress: &Progress) {
    let newest = found.iter().max_by_key(|binaries| binaries.major);
    if let Some(old) = newest.filter(|binaries| binaries.major < OLDEST_MAJOR) {
        let (version, folder) = (&old.version, old.folder.display());
        progress.tell(&format!(
            "PostgreSQL {version} in {folder} is older than {OLDEST_MAJOR}, so it is not used"
        ));
    }
}

/// Everything the machine has, in the order in which it is preferred among equals.
async fn search(account: Option<&Account>, places: &Places) -> Vec<Binaries> {
    let mut found = Vec::new();
    for folder in candidates(places) {
        found.extend(Binaries::inspect(&folder, account).await);
    }
    found
}

fn candidates(places: &Places) -> Vec<PathBuf> {
    let mut candidates = Vec::new();
    for (parent, prefix) in LAYOUTS {
        let Ok(entries) = fs::read_dir(parent) else {
            continue;
        };
        let versions = entries.flatten().map(|entry| entry.path());
        let fits = |name: &OsStr| name.to_string_lossy().starts_with(prefix);
        candidates.extend(
            versions
                .filter(|path| path.file_name().is_some_and(fits))
                .map(|path| path.join("bin")),
        );
    }
    candidates.extend(places.programs.iter().cloned());
    candidates
}

async fn fetched(
    cluster: &Cluster,
    places: &Places,
    progress: &Progress,
) -> Result<Binaries, LauncherError> {
    if let Some(made_by) = cluster.major().filter(|major| major != embedded::MAJOR) {
        return Err(LauncherError::OtherMajor {
            path: cluster.directory().to_path_buf(),
            made_by,
            found: embedded::MAJOR.to_owned(),
        });
    }
    let folder = embedded::fetch(cluster.account().is_some(), places, progress).await?;
    let inspected = Binaries::inspect(&folder, cluster.account()).await;
    inspected.ok_or(LauncherError::MissingProgram {
        program: "a server that runs here in the PostgreSQL that was fetched",
        needed_for: "the private database",
        install: "install PostgreSQL 15 or newer (Debian: postgresql), or use DATABASE_URL",
    })
}

/// Reads `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn parse_version(text: &str) -> Option<(u32, String)> {
    let version = text
        .split_once("(PostgreSQL) ")?
        .1
        .split_whitespace()
        .next()?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    Some((digits.parse().ok()?, version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(major: u32) -> Binaries {
        Binaries {
            folder: PathBuf::from(format!("/{major}")),
            major,
            version: major.to_string(),
        }
    }

    #[test]
    fn versions_of_debian_and_of_previews_are_read() {
        let debian = parse_version("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n");
        assert_eq!(debian, Some((15, "15.18".to_owned())));
        assert_eq!(
            parse_version("postgres (PostgreSQL) 19beta1\n"),
            Some((19, "19beta1".to_owned()))
        );
        assert_eq!(parse_version("something else"), None);
    }

    #[test]
    fn the_newest_version_is_picked_and_an_old_one_never() {
        assert_eq!(pick(vec![of(15), of(17), of(16)], None).unwrap().major, 17);
        assert!(pick(vec![of(13), of(14)], None).is_none());
    }

    #[test]
    fn data_that_exist_are_served_by_the_version_that_made_them() {
        assert_eq!(pick(vec![of(15), of(17)], Some("15")).unwrap().major, 15);
        assert!(pick(vec![of(17)], Some("18")).is_none());
    }
}
