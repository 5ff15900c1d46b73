//! A server as a child process that never outlives this one.
//!
//! The server runs in a process group of its own, so the terminal's Ctrl-C reaches only us and we stop the servers in
//! our order. If we are killed and cannot, its lifeline does: a shell that reads from a pipe whose other end we hold.
//! The pipe closes with us, the read ends, and the shell signals the server.

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::account::Account;
use crate::error::{LauncherError, io_failed, program_failed};

/// How often a starting server is asked whether it is ready.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// The last lines of a log that an error repeats.
const LINES_SHOWN: usize = 6;
/// How long a server may take to end when its handle is dropped, before it is killed.
const DROP_PATIENCE: Duration = Duration::from_secs(8);

/// A signal and how long the server may take to obey it.
pub(crate) type Request = (&'static str, Duration);

/// What to run.
pub(crate) struct Launch<'a> {
    pub(crate) server: &'static str,
    pub(crate) program: &'a Path,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: Vec<(&'static str, String)>,
    pub(crate) directory: &'a Path,
    pub(crate) log: &'a Path,
    pub(crate) account: Option<&'a Account>,
    pub(crate) port: u16,
    /// The signal that asks it to end in an orderly way.
    pub(crate) polite_signal: &'static str,
    /// Signals go to the whole process group, for a server that is started through a script.
    pub(crate) signal_group: bool,
}

/// A server that was started and not yet seen to end.
#[derive(Debug)]
pub(crate) struct Running {
    server: &'static str,
    child: Child,
    lifeline: Child,
    log: PathBuf,
    /// What the log held before this start.
    log_start: u64,
    port: u16,
    polite_signal: &'static str,
    signal_group: bool,
}

impl Running {
    /// Starts the server and its lifeline.
    pub(crate) fn start(launch: &Launch<'_>) -> Result<Self, LauncherError> {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(launch.log)
            .map_err(io_failed("open", launch.log))?;
        let log_start = log.metadata().map_err(io_failed("read", launch.log))?.len();
        let log_again = log.try_clone().map_err(io_failed("open", launch.log))?;
        let mut command = Command::new(launch.program);
        command
            .args(&launch.arguments)
            .envs(launch.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(launch.directory)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_again)
            .process_group(0)
            .kill_on_drop(true);
        if let Some(account) = launch.account {
            account.run(&mut command);
        }
        let child = command
            .spawn()
            .map_err(io_failed("start", launch.program))?;
        let target = target(child.id(), launch.signal_group);
        let lifeline = lifeline(launch.polite_signal, &target, launch.account)?;
        Ok(Self {
            server: launch.server,
            child,
            lifeline,
            log: launch.log.to_path_buf(),
            log_start,
            port: launch.port,
            polite_signal: launch.polite_signal,
            signal_group: launch.signal_group,
        })
    }

    /// The process id, until the server was seen to end.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Asks `is_ready` again and again, until it says yes, the server ends, or `patience` does.
    pub(crate) async fn until_ready(
        &mut self,
        patience: Duration,
        mut is_ready: impl AsyncFnMut() -> bool,
    ) -> Result<(), LauncherError> {
        let begun = Instant::now();
        loop {
            if self.has_ended()?.is_some() {
                return Err(self.failure());
            }
            if is_ready().await {
                return Ok(());
            }
            if begun.elapsed() > patience {
                let (server, log) = (self.server, self.log.clone());
                return Err(LauncherError::Slow {
                    server,
                    seconds: patience.as_secs(),
                    log,
                });
            }
            tokio::time::sleep(ASK_EVERY).await;
        }
    }

    fn has_ended(&mut self) -> Result<Option<ExitStatus>, LauncherError> {
        self.child
            .try_wait()
            .map_err(io_failed("watch", Path::new(self.server)))
    }

    /// Why the server ended, in the words of its log.
    fn failure(&self) -> LauncherError {
        let text = fs::read(&self.log).unwrap_or_default();
        let start = usize::try_from(self.log_start).unwrap_or_default();
        let said = last_lines(&String::from_utf8_lossy(
            text.get(start..).unwrap_or_default(),
        ));
        program_failed(self.server, self.port, said, self.log.clone())
    }

    /// Sends each signal in turn until the server has ended; kills it when none helped.
    pub(crate) async fn stop(&mut self, requests: &[Request]) -> Result<(), LauncherError> {
        let watch = io_failed("wait for the end of", Path::new(self.server));
        for (signal, patience) in requests {
            if self.has_ended()?.is_some() {
                break;
            }
            send(signal, &self.target());
            if timeout(*patience, self.child.wait()).await.is_ok() {
                break;
            }
            tracing::warn!("{} did not end after the signal {signal}.", self.server);
        }
        send("KILL", &self.target());
        self.child.wait().await.map_err(watch)?;
        self.cut_lifeline();
        Ok(())
    }

    /// Comes after the end of the server: who is killed while stopping it must not leave it behind. It comes at once,
    /// because the system may give the process id to somebody else.
    fn cut_lifeline(&mut self) {
        if let Err(error) = self.lifeline.start_kill() {
            tracing::debug!("The lifeline of {} had ended before: {error}", self.server);
        }
    }

    fn target(&self) -> String {
        target(self.child.id(), self.signal_group)
    }
}

impl Drop for Running {
    /// Blocks until the server has ended: whoever drops the handle may remove the folder next.
    fn drop(&mut self) {
        let begun = Instant::now();
        if self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            send(self.polite_signal, &self.target());
        }
        while self.child.try_wait().is_ok_and(|ended| ended.is_none()) {
            if begun.elapsed() > DROP_PATIENCE {
                send("KILL", &self.target());
                break;
            }
            std::thread::sleep(ASK_EVERY);
        }
        self.cut_lifeline();
    }
}

/// What to signal; empty when the process has ended. A minus sign addresses the group, which bears the child's id.
fn target(pid: Option<u32>, group: bool) -> String {
    let sign = if group { "-" } else { "" };
    pid.map_or_else(String::new, |pid| format!("{sign}{pid}"))
}

/// Sends a signal through the shell's own `kill`, because the standard library can only send KILL.
fn send(signal: &str, target: &str) {
    if target.is_empty() {
        return;
    }
    let sent = std::process::Command::new("/bin/sh")
        .args(["-c", "kill -s \"$0\" -- \"$1\"", signal, target])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if let Err(error) = sent {
        tracing::warn!("Could not send the signal {signal}: {error}");
    }
}

fn lifeline(signal: &str, target: &str, account: Option<&Account>) -> Result<Child, LauncherError> {
    let shell = Path::new("/bin/sh");
    let mut command = Command::new(shell);
    command
        .args([
            "-c",
            "read -r line; kill -s \"$0\" -- \"$1\"",
            signal,
            target,
        ])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .kill_on_drop(true);
    if let Some(account) = account {
        account.run(&mut command);
    }
    command.spawn().map_err(io_failed("start", shell))
}

/// Runs a program to its end and gives what it printed; a failure carries its last lines.
pub(crate) async fn run(
    program: &'static str,
    command: &mut Command,
    log: &Path,
) -> Result<String, LauncherError> {
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(io_failed("start", Path::new(program)))?;
    // `java -version` prints to the error stream, so both belong to the answer.
    let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
    said.push_str(&String::from_utf8_lossy(&output.stderr));
    if output.status.success() {
        return Ok(said);
    }
    if let Err(error) = fs::write(log, &said) {
        tracing::warn!("Could not keep what {program} wrote: {error}");
    }
    Err(program_failed(
        program,
        0,
        last_lines(&said),
        log.to_path_buf(),
    ))
}

fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let shown = lines.len().saturating_sub(LINES_SHOWN);
    lines.get(shown..).unwrap_or_default().join(" / ")
}
