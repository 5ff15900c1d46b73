//! A private Redis that forgets everything when it ends: nothing that must survive may be in it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::LauncherError;
use crate::files::{self, Folder};
use crate::loopback::{ask, free_port, must_be_free};
use crate::places::Places;
use crate::process::{Launch, Request, Running};

const SERVER: &str = "Redis";
const READY_WITHIN: Duration = Duration::from_secs(15);
const POLITELY: &[Request] = &[("TERM", Duration::from_secs(5))];

/// A private `redis-server` on a loopback port, with a password and without persistence.
#[derive(Debug)]
pub struct Redis {
    folder: Folder,
    program: PathBuf,
    password: Secret,
    port: u16,
    running: Running,
}

/// Keeps the password out of debug output.
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Redis {
    /// Starts a server that keeps its files in `directory`; without a `port` a free one is taken.
    ///
    /// # Errors
    /// When `redis-server` is not installed, the port is taken, the folder is in use, or the server does not start.
    pub async fn start(
        directory: &Path,
        port: Option<u16>,
        places: &Places,
    ) -> Result<Self, LauncherError> {
        let program = places
            .find_program("redis-server")
            .ok_or(LauncherError::MissingProgram {
                program: "redis-server",
                needed_for: "a private Redis",
                install: "install it (Debian: redis-server, Homebrew: redis) or leave out --redis",
            })?;
        let folder = Folder::take(directory)?;
        let password = Secret(folder.secret("password")?);
        let port = port.map_or_else(free_port, Ok)?;
        let running = launch(&folder, &program, &password, port).await?;
        Ok(Self {
            folder,
            program,
            password,
            port,
            running,
        })
    }

    /// The address with the password.
    #[must_use]
    pub fn url(&self) -> String {
        format!("redis://:{}@127.0.0.1:{}", self.password.0, self.port)
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Ends the server in an orderly way.
    ///
    /// # Errors
    /// When the system does not tell whether it ended.
    pub async fn stop(&mut self) -> Result<(), LauncherError> {
        self.running.stop(POLITELY).await
    }

    /// Kills the server where it stands, as a power cut would.
    ///
    /// # Errors
    /// When the system does not tell whether it ended.
    pub async fn kill(&mut self) -> Result<(), LauncherError> {
        self.running.stop(&[]).await
    }

    /// Starts it again, empty, on the same port and with the same password; stops it before when it runs.
    ///
    /// # Errors
    /// As for [`Redis::start`].
    pub async fn restart(&mut self) -> Result<(), LauncherError> {
        self.stop().await?;
        self.running = launch(&self.folder, &self.program, &self.password, self.port).await?;
        Ok(())
    }
}

async fn launch(
    folder: &Folder,
    program: &Path,
    password: &Secret,
    port: u16,
) -> Result<Running, LauncherError> {
    must_be_free(SERVER, port)?;
    // A file, because everybody on the machine can read a command line.
    let configuration = folder.path().join("redis.conf");
    let settings = format!(
        "bind 127.0.0.1\nport {port}\nrequirepass {}\nsave \"\"\nappendonly no\ndaemonize no\n",
        password.0
    );
    files::write_private(&configuration, &settings)?;
    let log = folder.path().join("redis.log");
    let mut running = Running::start(&Launch {
        server: SERVER,
        program,
        arguments: vec![configuration.into_os_string()],
        environment: Vec::new(),
        directory: folder.path(),
        log: &log,
        account: None,
        port,
        polite_signal: "TERM",
        signal_group: false,
    })?;
    let question = format!("AUTH {}\r\n", password.0);
    running
        .until_ready(READY_WITHIN, async || {
            ask(port, question.as_bytes())
                .await
                .is_ok_and(|answer| answer.starts_with(b"+OK"))
        })
        .await?;
    Ok(running)
}
