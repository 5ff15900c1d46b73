//! The account a server runs under. PostgreSQL refuses root, so root lends it an unprivileged one.

use std::os::unix::fs::chown;
use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::error::{LauncherError, io_failed};

/// An unprivileged account that root may run a program under.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    name: &'static str,
    uid: u32,
    gid: u32,
}

impl Account {
    /// The account to use instead of root; `None` when we are not root and simply stay who we are.
    pub(crate) async fn instead_of_root() -> Result<Option<Self>, LauncherError> {
        if id(&["-u"]).await != Some(0) {
            return Ok(None);
        }
        for name in ["postgres", "nobody"] {
            if let (Some(uid), Some(gid)) = (id(&["-u", name]).await, id(&["-g", name]).await) {
                return Ok(Some(Self { name, uid, gid }));
            }
        }
        Err(LauncherError::NoAccount)
    }

    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Makes `command` run under this account. Dropping root this way drops the extra groups too.
    pub(crate) fn run(&self, command: &mut Command) {
        command.uid(self.uid).gid(self.gid);
    }

    /// Gives a file or folder of ours to this account.
    pub(crate) fn own(&self, path: &Path) -> Result<(), LauncherError> {
        chown(path, Some(self.uid), Some(self.gid)).map_err(io_failed("hand over", path))
    }
}

/// Whether a server under `account` (or as ourselves) can enter or execute `path`. The system is asked, as that
/// account: permission bits alone do not show access lists or mounts.
pub(crate) async fn can_execute(account: Option<&Account>, path: &Path) -> bool {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", "test -x \"$0\""])
        .arg(path)
        .current_dir("/");
    if let Some(account) = account {
        account.run(&mut command);
    }
    succeeds(&mut command).await
}

async fn succeeds(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().await.is_ok_and(|status| status.success())
}

/// Asks the program `id`, which POSIX demands, because the standard library does not know accounts.
async fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id")
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .await
        .ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
