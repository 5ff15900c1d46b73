//! What can go wrong while a private server starts: what happened, why, and what to do next.

use std::error::Error;
use std::io;
use std::path::{Path, PathBuf};

/// Why a private server could not be started, stopped or fetched.
#[derive(Debug, thiserror::Error)]
pub enum LauncherError {
    /// Something else listens on the port.
    #[error(
        "{server} cannot use port {port} because another program listens there; stop that program or choose \
         another port"
    )]
    PortTaken {
        /// The server that was to start.
        server: &'static str,
        /// The port it was to use.
        port: u16,
    },
    /// A program is not installed.
    #[error("{program} was not found, and {needed_for} needs it; {install}")]
    MissingProgram {
        /// The program that was looked for.
        program: &'static str,
        /// What it is for.
        needed_for: &'static str,
        /// How to get it.
        install: &'static str,
    },
    /// The disk is full.
    #[error("no space is left on the disk that holds {}; free some space and start again", .path.display())]
    NoSpace {
        /// The folder that could not be written.
        path: PathBuf,
    },
    /// A download failed.
    #[error(
        "could not fetch {what} over the network; check the connection and the proxy settings, or {instead}"
    )]
    NoNetwork {
        /// What was to be fetched.
        what: &'static str,
        /// What works without a network.
        instead: &'static str,
        /// What the download said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A download is not what its maker published.
    #[error(
        "{} has the SHA-256 checksum {found}, but {expected} is expected, so it was not unpacked; delete it and \
         start again, and if this repeats ask who changes downloads on your network", .path.display()
    )]
    WrongChecksum {
        /// The file that was fetched.
        path: PathBuf,
        /// The checksum this version must have.
        expected: &'static str,
        /// The checksum it has.
        found: String,
    },
    /// The PostgreSQL that was named is too old.
    #[error(
        "{} holds PostgreSQL {found}, but 15 or newer is needed; install a newer one, or name no folder and an \
         embedded PostgreSQL is fetched", .path.display()
    )]
    OldPostgres {
        /// The folder of its programs.
        path: PathBuf,
        /// The version it reports.
        found: String,
    },
    /// The Java that was found is too old.
    #[error(
        "{} is Java {found}, but Keycloak needs 17 or newer; install one (Debian: openjdk-17-jre-headless) or point \
         JAVA_HOME to it", .path.display()
    )]
    OldJava {
        /// The program that was asked.
        path: PathBuf,
        /// The version it reports.
        found: String,
    },
    /// A file or folder may not be used.
    #[error("{who} may not use {}; {advice}", .path.display())]
    NotPermitted {
        /// The account that was refused.
        who: String,
        /// What it was to use.
        path: PathBuf,
        /// What to do.
        advice: &'static str,
    },
    /// Root has no other account to run PostgreSQL under.
    #[error(
        "PostgreSQL does not run as root, and this machine has neither an account `postgres` nor `nobody` to run it \
         under; start Branchline as an ordinary user, or use DATABASE_URL"
    )]
    NoAccount,
    /// The data were made by another major version.
    #[error(
        "the data in {} were made by PostgreSQL {made_by}, which was not found; install PostgreSQL {made_by} to keep \
         them, or delete the folder (`--reset`) to begin with PostgreSQL {found}", .path.display()
    )]
    OtherMajor {
        /// The folder of the data.
        path: PathBuf,
        /// The major version that made them.
        made_by: String,
        /// The major version at hand.
        found: String,
    },
    /// Another launcher uses the folder.
    #[error(
        "{} is in use by process {owner}; wait until it ends or stop it, or choose another folder", .path.display()
    )]
    InUse {
        /// The folder.
        path: PathBuf,
        /// The process that holds it, as it wrote itself down.
        owner: String,
    },
    /// The folder holds files that are not ours.
    #[error(
        "{} holds files that no private server of Branchline made, so nothing in it was touched; choose an empty \
         folder", .path.display()
    )]
    NotOurs {
        /// The folder.
        path: PathBuf,
    },
    /// The data are there, the password is not.
    #[error(
        "{} is missing, and without it nobody can log in to the database beside it; restore the file, or delete the \
         folder it belongs to and start again", .path.display()
    )]
    LostPassword {
        /// The file that should hold the password.
        path: PathBuf,
    },
    /// A program ended with a failure that has no name of its own here.
    #[error("{program} failed, {} has everything it wrote; it ended with: {said}", .log.display())]
    Failed {
        /// The program.
        program: &'static str,
        /// The last lines it wrote.
        said: String,
        /// The file with the rest.
        log: PathBuf,
    },
    /// A server started but does not answer.
    #[error(
        "{server} did not answer within {seconds} s; the machine may be overloaded: read {} and start again",
        .log.display()
    )]
    Slow {
        /// The server.
        server: &'static str,
        /// How long it was given.
        seconds: u64,
        /// Its log file.
        log: PathBuf,
    },
    /// A file or process could not be used for another reason.
    #[error("could not {action} {}; check that the disk is healthy and that you may write there", .path.display())]
    Io {
        /// What was tried, as a verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Names the failure of a file operation.
pub(crate) fn io_failed(
    action: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> LauncherError {
    let path = path.to_path_buf();
    move |source| {
        let kind = source.kind();
        if kind == io::ErrorKind::StorageFull || kind == io::ErrorKind::QuotaExceeded {
            LauncherError::NoSpace { path }
        } else if kind == io::ErrorKind::PermissionDenied {
            LauncherError::NotPermitted {
                who: "your account".to_owned(),
                path,
                advice: "give it the right to, or choose another folder",
            }
        } else {
            LauncherError::Io {
                action,
                path,
                source,
            }
        }
    }
}

/// Names the failure that a program described in its own words.
pub(crate) fn program_failed(
    program: &'static str,
    port: u16,
    said: String,
    log: PathBuf,
) -> LauncherError {
    let lower = said.to_lowercase();
    if lower.contains("address already in use") || lower.contains("already bound") {
        return LauncherError::PortTaken {
            server: program,
            port,
        };
    }
    if lower.contains("no space left on device") || lower.contains("disk quota exceeded") {
        let path = log.parent().map_or_else(|| log.clone(), Path::to_path_buf);
        return LauncherError::NoSpace { path };
    }
    LauncherError::Failed { program, said, log }
}
