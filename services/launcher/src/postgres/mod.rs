//! A private PostgreSQL: found on the machine or fetched, initialized once, started on a loopback port.

mod binaries;
mod cluster;
mod embedded;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::LauncherError;
use crate::loopback::{free_port, must_be_free};
use crate::places::Places;
use crate::process::{Launch, Request, Running};
use crate::progress::Progress;
use binaries::Binaries;
use cluster::Cluster;

const SERVER: &str = "PostgreSQL";
/// The superuser of every private server.
const SUPERUSER: &str = "branchline";
/// Crash recovery may take its time; a healthy start takes a fraction of a second.
const READY_WITHIN: Duration = Duration::from_secs(90);
/// What PostgreSQL says when processes of a killed server still live, and how long they may.
const STILL_THERE: &str = "pre-existing shared memory block";
const GONE_WITHIN: Duration = Duration::from_secs(10);
/// A free port may be gone when the server asks for it, so another one is tried this often.
const PORT_TRIES: u32 = 5;
/// INT rolls open transactions back, QUIT abandons everything and leaves the rest to recovery.
const FAST: &[Request] = &[
    ("INT", Duration::from_secs(10)),
    ("QUIT", Duration::from_secs(5)),
];
const IMMEDIATE: &[Request] = &[("QUIT", Duration::from_secs(5))];

/// Whose server programs are run.
#[derive(Debug, Clone, Default)]
pub enum PostgresBinaries {
    /// The machine's own when they are 15 or newer, else embedded ones, fetched once into the cache.
    #[default]
    Search,
    /// Those in this folder and no others.
    Folder(PathBuf),
    /// Embedded ones, even where the machine has its own. For development only: see [`Postgres::version`].
    Embedded,
}

/// Whether a commit is on the disk when it is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// As a bank needs it.
    #[default]
    Durable,
    /// A power cut may destroy the database. A killed process does not. For tests.
    Careless,
}

/// How to start a private PostgreSQL.
#[derive(Debug, Clone)]
pub struct PostgresOptions {
    /// The folder of this server. Data, password and log are inside; an absent folder is made.
    pub directory: PathBuf,
    /// Whose server programs are run.
    pub binaries: PostgresBinaries,
    /// Whether a commit is on the disk when it is answered.
    pub durability: Durability,
    /// The port on 127.0.0.1; without one a free port is taken.
    pub port: Option<u16>,
    /// Connections the server accepts.
    pub max_connections: u32,
    /// More settings, as `postgresql.conf` names them. They win over ours.
    pub settings: Vec<(String, String)>,
}

impl PostgresOptions {
    /// A durable server on a free port, with 200 connections.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            binaries: PostgresBinaries::default(),
            durability: Durability::default(),
            port: None,
            max_connections: 200,
            settings: Vec::new(),
        }
    }
}

/// A private PostgreSQL that runs until it is stopped or dropped.
///
/// A server that an earlier, killed launcher left on the same folder is stopped first, not adopted: we could not wait
/// for its end, and its port and settings may be others.
#[derive(Debug)]
pub struct Postgres {
    binaries: Binaries,
    cluster: Cluster,
    arguments: Vec<String>,
    port: u16,
    running: Running,
}

impl Postgres {
    /// Finds or fetches the programs, initializes the folder on the first start, and starts the server.
    ///
    /// As root the server runs as `postgres` or `nobody`, and a folder that this account cannot reach is replaced by
    /// one below `/var/lib/branchline`; `progress` says so and [`Postgres::directory`] tells which.
    ///
    /// # Errors
    /// Every [`LauncherError`] that names PostgreSQL, its folder or its port.
    pub async fn start(
        options: PostgresOptions,
        places: &Places,
        progress: &Progress,
    ) -> Result<Self, LauncherError> {
        let cluster = Cluster::take(&options.directory, progress).await?;
        let binaries = Binaries::choose(&options.binaries, &cluster, places, progress).await?;
        cluster.stop_stale_server(&binaries, progress).await?;
        cluster
            .initialize(&binaries, options.durability, progress)
            .await?;
        let arguments = settings(&options);
        let (port, running) = match options.port {
            Some(port) => (port, launch(&binaries, &cluster, &arguments, port).await?),
            None => launch_on_free_port(&binaries, &cluster, &arguments).await?,
        };
        progress.tell(&format!(
            "PostgreSQL {} listens on 127.0.0.1:{port}",
            binaries.version()
        ));
        Ok(Self {
            binaries,
            cluster,
            arguments,
            port,
            running,
        })
    }

    /// The superuser's address for this database, with the password.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let password = self.cluster.password();
        format!(
            "postgres://{SUPERUSER}:{password}@127.0.0.1:{}/{}",
            self.port,
            escape(database)
        )
    }

    /// The port it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The version, for example `15.18`. An embedded 18.4 brings old OpenSSL and ICU libraries and gets no updates.
    #[must_use]
    pub fn version(&self) -> &str {
        self.binaries.version()
    }

    /// The folder of its programs; an embedded one has no `psql` and no `pg_dump`.
    #[must_use]
    pub fn programs(&self) -> &Path {
        self.binaries.folder()
    }

    /// The folder it really uses, which is not the given one where its account could not reach that.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.cluster.directory()
    }

    /// The process id of the server, until it was seen to end.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        self.running.pid()
    }

    /// Ends the server: open transactions are rolled back and the data are on the disk. A second stop does nothing.
    ///
    /// # Errors
    /// When the system does not tell whether it ended.
    pub async fn stop(&mut self) -> Result<(), LauncherError> {
        self.running.stop(FAST).await
    }

    /// Ends the server without writing anything down, as a crash would; the next start recovers.
    ///
    /// # Errors
    /// When the system does not tell whether it ended.
    pub async fn immediate_stop(&mut self) -> Result<(), LauncherError> {
        self.running.stop(IMMEDIATE).await
    }

    /// Starts the server again on the same port and data; stops it before when it runs.
    ///
    /// # Errors
    /// As for [`Postgres::start`].
    pub async fn restart(&mut self) -> Result<(), LauncherError> {
        self.stop().await?;
        self.running = launch(&self.binaries, &self.cluster, &self.arguments, self.port).await?;
        Ok(())
    }
}

/// Settings are given on the command line, so each start has those of this version of the program.
fn settings(options: &PostgresOptions) -> Vec<String> {
    let mut settings = vec![
        "listen_addresses=127.0.0.1".to_owned(),
        // No socket: its path may not exceed 107 bytes, and TCP with a password does all we need.
        "unix_socket_directories=".to_owned(),
        format!("max_connections={}", options.max_connections),
        // A schema per tenant: one migration or dump locks many tables at once.
        "max_locks_per_transaction=256".to_owned(),
        "shared_buffers=128MB".to_owned(),
        "timezone=UTC".to_owned(),
        "log_timezone=UTC".to_owned(),
    ];
    if cfg!(target_os = "linux") {
        // Thousands of files: one sync of the file system instead of one per file after a crash.
        settings.push("recovery_init_sync_method=syncfs".to_owned());
    }
    if options.durability == Durability::Careless {
        settings.extend(["fsync=off", "full_page_writes=off"].map(str::to_owned));
    }
    settings.extend(
        options
            .settings
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    settings
}

async fn launch_on_free_port(
    binaries: &Binaries,
    cluster: &Cluster,
    arguments: &[String],
) -> Result<(u16, Running), LauncherError> {
    let mut tries = 0..PORT_TRIES;
    loop {
        let port = free_port()?;
        match launch(binaries, cluster, arguments, port).await {
            Err(LauncherError::PortTaken { .. }) if tries.next().is_some() => {}
            Err(error) => return Err(error),
            Ok(running) => return Ok((port, running)),
        }
    }
}

/// Starts the server. After a `kill -9` the old one's last processes still hold its memory for a moment, and
/// PostgreSQL rightly refuses to start beside them.
async fn launch(
    binaries: &Binaries,
    cluster: &Cluster,
    settings: &[String],
    port: u16,
) -> Result<Running, LauncherError> {
    let begun = Instant::now();
    loop {
        match launch_once(binaries, cluster, settings, port).await {
            Err(LauncherError::Failed { said, .. })
                if said.contains(STILL_THERE) && begun.elapsed() < GONE_WITHIN =>
            {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            other => return other,
        }
    }
}

async fn launch_once(
    binaries: &Binaries,
    cluster: &Cluster,
    settings: &[String],
    port: u16,
) -> Result<Running, LauncherError> {
    must_be_free(SERVER, port)?;
    let data = cluster.data();
    let mut arguments = vec![
        "-D".into(),
        data.clone().into(),
        "-p".into(),
        port.to_string().into(),
    ];
    for setting in settings {
        arguments.extend(["-c".into(), setting.into()]);
    }
    let log = cluster.directory().join("postgres.log");
    let mut running = Running::start(&Launch {
        server: SERVER,
        program: &binaries.program("postgres"),
        arguments,
        environment: vec![("LC_ALL", "C".to_owned())],
        directory: &data,
        log: &log,
        account: cluster.account(),
        port,
        polite_signal: "INT",
        signal_group: false,
    })?;
    let pid = running.pid();
    running
        .until_ready(READY_WITHIN, async || cluster.is_ready(pid))
        .await?;
    Ok(running)
}

/// Percent-encodes what a URL path does not take as it is.
fn escape(name: &str) -> String {
    name.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_name_cannot_change_the_rest_of_the_address() {
        assert_eq!(escape("branchline_demo"), "branchline_demo");
        assert_eq!(escape("a/b?c"), "a%2Fb%3Fc");
    }

    #[test]
    fn the_callers_settings_come_last_and_so_win() {
        let mut options = PostgresOptions::new("/nowhere");
        options
            .settings
            .push(("shared_buffers".to_owned(), "1GB".to_owned()));
        assert_eq!(settings(&options).last().unwrap(), "shared_buffers=1GB");
    }

    #[test]
    fn only_a_careless_server_may_lose_what_it_committed() {
        let mut options = PostgresOptions::new("/nowhere");
        assert!(!settings(&options).contains(&"fsync=off".to_owned()));
        options.durability = Durability::Careless;
        assert!(settings(&options).contains(&"fsync=off".to_owned()));
    }
}
