//! The folder of one PostgreSQL: who owns it, how it is initialized, and whether a server runs on it.
//!
//! ```text
//! directory/            0700, owned by the server's account
//!   lock                held while a launcher uses the folder
//!   password            0600, the superuser's
//!   data/               what PostgreSQL calls the data directory
//!   postgres.log
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::binaries::Binaries;
use super::{Durability, SUPERUSER};
use crate::account::{Account, can_execute};
use crate::error::{LauncherError, io_failed};
use crate::files::{self, Folder};
use crate::process::run;
use crate::progress::Progress;

/// Where root keeps folders that the server's account could not reach elsewhere, for example in root's own home.
const REACHABLE: &str = "/var/lib/branchline";
const PASSWORD: &str = "password";
/// The line of `postmaster.pid` that tells the state of the server.
const STATUS_LINE: usize = 7;

/// A folder taken for this process.
pub(super) struct Cluster {
    folder: Folder,
    account: Option<Account>,
    password: String,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Cluster").field(&self.folder).finish()
    }
}

impl Cluster {
    /// Takes the folder, or as root one that the server's account can reach.
    pub(super) async fn take(wanted: &Path, progress: &Progress) -> Result<Self, LauncherError> {
        let account = Account::instead_of_root().await?;
        let folder = match &account {
            None => Folder::take(wanted)?,
            Some(account) => take_for(account, wanted, progress).await?,
        };
        let path = folder.path().join(PASSWORD);
        if folder.path().join("data").exists() && !path.exists() {
            return Err(LauncherError::LostPassword { path });
        }
        let password = folder.secret(PASSWORD)?;
        if let Some(account) = &account {
            account.own(&path)?;
        }
        Ok(Self {
            folder,
            account,
            password,
        })
    }

    pub(super) fn directory(&self) -> &Path {
        self.folder.path()
    }

    pub(super) fn data(&self) -> PathBuf {
        self.directory().join("data")
    }

    pub(super) fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    pub(super) fn password(&self) -> &str {
        &self.password
    }

    /// The major version that made the data, when there are any.
    pub(super) fn major(&self) -> Option<String> {
        fs::read_to_string(self.data().join("PG_VERSION"))
            .ok()
            .map(|text| text.trim().to_owned())
    }

    /// Initializes the data once. It happens under another name first, so a start that was interrupted leaves
    /// nothing half made in the way.
    pub(super) async fn initialize(
        &self,
        binaries: &Binaries,
        durability: Durability,
        progress: &Progress,
    ) -> Result<(), LauncherError> {
        if self.major().is_some() {
            return Ok(());
        }
        progress.tell(&format!("initializing PostgreSQL {}", binaries.version()));
        let unfinished = self.directory().join("data.unfinished");
        files::remove(&unfinished)?;
        let mut command = self.command(&binaries.program("initdb"));
        command.arg("-D").arg(&unfinished);
        command.arg("--pwfile").arg(self.directory().join(PASSWORD));
        // The locale C is the same on every machine; nothing here sorts or folds letters in the database.
        command.args([
            "-U",
            SUPERUSER,
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
        ]);
        if durability == Durability::Careless {
            command.arg("--no-sync");
        }
        run("initdb", &mut command, &self.directory().join("initdb.log")).await?;
        fs::rename(&unfinished, self.data()).map_err(io_failed("rename", &unfinished))
    }

    /// Whether the server with this process id accepts connections, as it writes into its own pid file.
    pub(super) fn is_ready(&self, pid: Option<u32>) -> bool {
        let Ok(text) = fs::read_to_string(self.pid_file()) else {
            return false;
        };
        let mut lines = text.lines();
        let writer = lines.next().and_then(|line| line.trim().parse().ok());
        // The first line is consumed, hence one less.
        let status = lines.nth(STATUS_LINE.saturating_sub(1)).map(str::trim);
        pid.is_some() && writer == pid && status == Some("ready")
    }

    /// Stops a server whose launcher was killed. Its folder is ours, because nobody holds the lock.
    pub(super) async fn stop_stale_server(
        &self,
        binaries: &Binaries,
        progress: &Progress,
    ) -> Result<(), LauncherError> {
        let Ok(text) = fs::read_to_string(self.pid_file()) else {
            return Ok(());
        };
        let pid = text.lines().next().unwrap_or_default().trim().to_owned();
        if !self.is_served_by(&pid).await {
            // The number may belong to somebody else by now, and PostgreSQL would refuse to start because of it.
            return match fs::remove_file(self.pid_file()) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Err(io_failed("remove", &self.pid_file())(error))
                }
                Ok(()) | Err(_) => Ok(()),
            };
        }
        progress.tell("stopping the PostgreSQL that a killed run left behind");
        let mut command = self.command(&binaries.program("pg_ctl"));
        command
            .args(["stop", "-w", "-m", "fast", "-D"])
            .arg(self.data());
        let stopped = run("pg_ctl", &mut command, &self.directory().join("stop.log")).await;
        // It may have ended by itself, by its lifeline, while we asked.
        if self.is_served_by(&pid).await {
            stopped.map(|_| ())
        } else {
            Ok(())
        }
    }

    /// Whether the process is a PostgreSQL on our data. Its command line says so, as we gave it one with the folder.
    async fn is_served_by(&self, pid: &str) -> bool {
        let command_line = if cfg!(target_os = "linux") {
            fs::read(Path::new("/proc").join(pid).join("cmdline")).unwrap_or_default()
        } else {
            let asked = Command::new("ps")
                .args(["-o", "command=", "-p", pid])
                .output()
                .await;
            asked.map(|output| output.stdout).unwrap_or_default()
        };
        let command_line = String::from_utf8_lossy(&command_line).into_owned();
        command_line.contains("postgres") && command_line.contains(&*self.data().to_string_lossy())
    }

    fn pid_file(&self) -> PathBuf {
        self.data().join("postmaster.pid")
    }

    /// A PostgreSQL program under the server's account.
    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.directory()).env("LC_ALL", "C");
        if let Some(account) = &self.account {
            account.run(&mut command);
        }
        command
    }
}

/// As root: takes `wanted` when `account` can reach it, else a folder that it can.
async fn take_for(
    account: &Account,
    wanted: &Path,
    progress: &Progress,
) -> Result<Folder, LauncherError> {
    // Root makes what is missing, readable for all; so the nearest folder that exists decides.
    let wanted = std::path::absolute(wanted).map_err(io_failed("find", wanted))?;
    let existing = wanted.ancestors().skip(1).find(|folder| folder.is_dir());
    if can_execute(Some(account), existing.unwrap_or(Path::new("/"))).await {
        let folder = Folder::take(&wanted)?;
        account.own(&wanted)?;
        return Ok(folder);
    }
    let instead = Path::new(REACHABLE).join(flat_name(&wanted));
    progress.tell(&format!(
        "the account `{}`, under which PostgreSQL runs, cannot reach {}; using {} instead",
        account.name(),
        wanted.display(),
        instead.display()
    ));
    files::make_public(Path::new(REACHABLE))?;
    let folder = Folder::take(&instead)?;
    account.own(&instead)?;
    Ok(folder)
}

/// The same name for the same folder, so that the next start finds its data.
fn flat_name(path: &Path) -> String {
    path.to_string_lossy().trim_matches('/').replace('/', "-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unreachable_folder_always_gets_the_same_replacement() {
        assert_eq!(
            flat_name(Path::new("/closed/.local/state")),
            "closed-.local-state"
        );
    }
}
