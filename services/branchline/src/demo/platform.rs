//! The platform's own processes, as the demo and the tests start, kill and stop them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::process::{Child, Command};

/// How many processes carry the roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Layout {
    /// `branchline all`.
    One,
    /// `branchline gateway` and `branchline core`.
    Two,
}

/// What it takes to start the processes.
#[derive(Debug, Clone)]
pub struct Program {
    /// The binary.
    pub binary: PathBuf,
    /// Its configuration.
    pub config: PathBuf,
    /// Where its lines go.
    pub log: PathBuf,
    /// How many processes there are.
    pub layout: Layout,
    /// The gateway's address.
    pub gateway_url: String,
    /// The core's address.
    pub core_url: String,
}

/// The running processes; dropping it kills them.
pub struct Platform {
    program: Program,
    children: Vec<Child>,
}

const READY_WITHIN: Duration = Duration::from_secs(30);
const STOPPED_WITHIN: Duration = Duration::from_secs(30);

impl Platform {
    /// Starts the processes and waits until both listeners are ready. `environment` comes on top
    /// of the configuration.
    ///
    /// # Errors
    /// When a process ends or does not become ready; the error shows the end of the log.
    pub async fn start(program: Program, environment: &[(&str, &str)]) -> anyhow::Result<Self> {
        let roles: &[&str] = match program.layout {
            Layout::One => &["all"],
            Layout::Two => &["core", "gateway"],
        };
        let spawned = roles.iter().map(|role| spawn(&program, role, environment));
        let children = spawned.collect::<anyhow::Result<_>>()?;
        let mut platform = Self { program, children };
        platform.until_ready().await?;
        Ok(platform)
    }

    /// Asks the processes to end and waits until they have.
    ///
    /// # Errors
    /// When a process does not end in time or ends with an error.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        for child in &self.children {
            signal(child, "TERM").await?;
        }
        for child in &mut self.children {
            let ended = tokio::time::timeout(STOPPED_WITHIN, child.wait()).await;
            let status = ended.context("a process of the platform did not end in time")??;
            anyhow::ensure!(
                status.success(),
                "a process of the platform ended with {status}"
            );
        }
        Ok(())
    }

    /// Kills the processes with SIGKILL.
    ///
    /// # Errors
    /// When a process cannot be killed.
    pub async fn kill(mut self) -> anyhow::Result<()> {
        for child in &mut self.children {
            child.kill().await?;
        }
        Ok(())
    }

    /// Waits until a process has ended by itself, for example at a crash point.
    ///
    /// # Errors
    /// When none ends in time.
    pub async fn until_one_ends(&mut self, within: Duration) -> anyhow::Result<()> {
        let started = Instant::now();
        while started.elapsed() < within {
            for child in &mut self.children {
                if child.try_wait()?.is_some() {
                    return Ok(());
                }
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("no process ended within {within:?}")
    }

    /// The ids of the processes.
    #[must_use]
    pub fn pids(&self) -> Vec<u32> {
        self.children.iter().filter_map(Child::id).collect()
    }

    async fn until_ready(&mut self) -> anyhow::Result<()> {
        let http = branchline_web::outbound_client(branchline_web::Patience::Request)?;
        let started = Instant::now();
        for url in [&self.program.core_url, &self.program.gateway_url] {
            let ready = format!("{url}/health/ready");
            loop {
                if http
                    .get(&ready)
                    .send()
                    .await
                    .is_ok_and(|answer| answer.status().is_success())
                {
                    break;
                }
                let ended = self
                    .children
                    .iter_mut()
                    .any(|child| !matches!(child.try_wait(), Ok(None)));
                if ended || started.elapsed() > READY_WITHIN {
                    anyhow::bail!(
                        "the platform did not become ready; the end of its log:\n{}",
                        tail(&self.program.log)
                    );
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
        Ok(())
    }
}

fn spawn(program: &Program, role: &str, environment: &[(&str, &str)]) -> anyhow::Result<Child> {
    let log = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&program.log)?;
    let child = Command::new(&program.binary)
        .args(["--config".as_ref(), program.config.as_os_str()])
        .args([role, "--until-input-ends"])
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log)
        // The terminal's Ctrl-C is for the demo, which then stops its processes in order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("{} cannot be started", program.binary.display()))?;
    Ok(child)
}

async fn signal(child: &Child, name: &str) -> anyhow::Result<()> {
    let Some(id) = child.id() else { return Ok(()) };
    let sent = Command::new("kill")
        .args([format!("-{name}"), id.to_string()])
        .status()
        .await?;
    anyhow::ensure!(sent.success(), "process {id} could not be sent {name}");
    Ok(())
}

/// The last lines of a log.
fn tail(path: &Path) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().rev().take(12).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}
