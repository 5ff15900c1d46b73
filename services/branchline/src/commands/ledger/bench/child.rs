//! A core as `branchline core` serves it, in a process of its own beside the load: its listener,
//! its jobs, its sealer of audit rows, its log lines.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use branchline_iam::{ActorKind, ActorRef, InternalSigner, Job, Principal, generate_internal_key};
use branchline_kernel::{Clock, SystemClock, TenantId};
use branchline_launcher::free_port;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use super::super::ground::Ground;
use super::counters::process_nanos;
use super::wire::Wire;

const READY_WITHIN: Duration = Duration::from_secs(30);
const ENDS_WITHIN: Duration = Duration::from_secs(60);
/// The core accepts a token for a minute; ours are changed before.
const RENEW_AFTER: Duration = Duration::from_secs(30);

/// The running core; dropping it kills it.
pub(super) struct Core {
    child: Child,
    pub(super) address: SocketAddr,
    signer: Arc<InternalSigner>,
    log: PathBuf,
}

/// A member of staff at the core's door, with a token that is always fresh.
pub(super) struct Badge {
    signer: Arc<InternalSigner>,
    principal: Principal,
    token: Mutex<Option<(Instant, Arc<str>)>>,
}

impl Badge {
    /// The token. Like the gateway, whoever holds the badge signs once and shows it often.
    pub(super) fn token(&self) -> anyhow::Result<Arc<str>> {
        let mut token = self.token.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((since, token)) = token.as_ref()
            && since.elapsed() < RENEW_AFTER
        {
            return Ok(Arc::clone(token));
        }
        let fresh: Arc<str> = self.signer.sign(&self.principal, SystemClock.now())?.into();
        *token = Some((Instant::now(), Arc::clone(&fresh)));
        Ok(fresh)
    }

    /// The caller as keys and audit rows name them.
    pub(super) fn name(&self) -> String {
        self.principal.actor.to_string()
    }
}

impl Core {
    /// Starts it on the ground's server and waits until it is ready.
    pub(super) async fn start(ground: &Ground) -> anyhow::Result<Self> {
        let directory = ground.directory.join("core");
        fs::create_dir_all(&directory)?;
        let keys = generate_internal_key()?;
        fs::write(directory.join("internal.pub.pem"), &keys.public_pem)?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let config = directory.join("branchline.toml");
        fs::write(
            &config,
            settings(ground, &directory.to_string_lossy(), address),
        )?;
        let log = directory.join("core.log");
        let child = Command::new(std::env::current_exe()?)
            .arg("--config")
            .arg(&config)
            .args(["core", "--until-input-ends"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(File::create(&log)?)
            .kill_on_drop(true)
            .spawn()
            .context("the core did not start")?;
        let mut core = Self {
            child,
            address,
            signer: Arc::new(InternalSigner::try_new(&keys.private_pem)?),
            log,
        };
        core.until_ready().await?;
        Ok(core)
    }

    /// A supervisor of that tenant: posts to the ledger.
    pub(super) fn supervisor(&self, tenant: &TenantId) -> Badge {
        Badge {
            signer: Arc::clone(&self.signer),
            principal: Principal {
                tenant: tenant.clone(),
                actor: ActorRef::new(ActorKind::Staff, "https://bench.invalid", "supervisor"),
                on_behalf_of: None,
                rights: Job::Supervisor.rights().iter().copied().collect(),
                accounts: None,
                reference: None,
            },
            token: Mutex::new(None),
        }
    }

    /// Processor time so far.
    pub(super) fn nanos(&self) -> u64 {
        self.child
            .id()
            .map_or(0, |pid| process_nanos(&pid.to_string()))
    }

    /// The most memory it had at once, in kB.
    pub(super) fn peak_kilobytes(&self) -> anyhow::Result<u64> {
        let pid = self.child.id().context("the core has ended")?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let peak = peak.and_then(|rest| rest.split_whitespace().next());
        Ok(peak
            .context("the system does not tell a process's memory")?
            .parse()?)
    }

    /// The value of one of its figures; 0 while it was never counted.
    pub(super) async fn figure(&self, name: &str) -> anyhow::Result<u64> {
        let reply = Wire::connect(self.address).await?.get("/metrics").await?;
        let text = String::from_utf8_lossy(&reply.body).into_owned();
        let value = text.lines().find_map(|line| {
            let (known, value) = line.split_once(' ')?;
            (known == name).then(|| value.to_owned())
        });
        Ok(value.map_or(Ok(0), |value| value.parse())?)
    }

    /// Lets it finish what it accepted, and waits for its end.
    pub(super) async fn stop(mut self) -> anyhow::Result<()> {
        drop(self.child.stdin.take());
        let ended = timeout(ENDS_WITHIN, self.child.wait()).await;
        let status = ended.context("the core did not end in time")??;
        anyhow::ensure!(
            status.success(),
            "the core ended with {status}: {}",
            self.tail()
        );
        Ok(())
    }

    async fn until_ready(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            if let Ok(mut wire) = Wire::connect(self.address).await
                && let Ok(reply) = wire.get("/health/ready").await
                && reply.status == 200
            {
                return Ok(());
            }
            let has_ended = !matches!(self.child.try_wait(), Ok(None));
            if has_ended || started.elapsed() > READY_WITHIN {
                anyhow::bail!("the core did not become ready: {}", self.tail());
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    fn tail(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let mut lines: Vec<_> = text.lines().rev().take(8).collect();
        lines.reverse();
        lines.join("\n")
    }
}

/// What `branchline core` reads. The gateway's part is there because every process has it.
fn settings(ground: &Ground, directory: &str, address: SocketAddr) -> String {
    let core_url = ground.login_url("core");
    let jobs_url = ground.login_url("core_jobs");
    let (core_url, jobs_url) = (core_url.expose(), jobs_url.expose());
    format!(
        "profile = \"dev\"\n\
         [gateway]\nlisten = \"127.0.0.1:1\"\npublic_url = \"http://127.0.0.1:1\"\n\
         [core]\nlisten = \"{address}\"\nurl = \"http://{address}\"\n\
         [database]\ncore_url = \"{core_url}\"\ncore_jobs_url = \"{jobs_url}\"\n\
         [keys]\nmaster_key_file = \"{directory}/master.key\"\n\
         internal_private_key_file = \"{directory}/internal.pem\"\n\
         internal_public_key_file = \"{directory}/internal.pub.pem\"\n\
         [identity]\nkind = \"dev\"\ndirectory = \"{directory}/identity\"\n"
    )
}
