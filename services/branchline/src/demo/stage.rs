//! What the play needs before it can begin: servers, a database, keys, a configuration.

use std::path::{Path, PathBuf};

use anyhow::Context;
use branchline_db::installation;
use branchline_iam::{MasterKey, generate_internal_key, random_token};
use branchline_kernel::Secret;
use branchline_launcher::{
    Keycloak, KeycloakOptions, Places, Postgres, PostgresBinaries, PostgresOptions, Progress,
    Redis, free_port,
};
use serde::{Deserialize, Serialize};

use super::platform::{Layout, Program};
use super::{DemoArgs, IdentityChoice, settings};
use crate::terminal::tell;

/// The demo's own database on a server that it was given.
pub(super) const DATABASE: &str = "branchline_demo";

/// Names the folder of the private PostgreSQL.
const POSTGRES_NOTE: &str = "postgres-directory";

/// The prepared stage. Servers stop when it is taken down or dropped.
pub struct Stage {
    /// Where everything of this installation lies.
    pub directory: PathBuf,
    /// Where the configuration is.
    pub config: PathBuf,
    /// The gateway's address.
    pub gateway_url: String,
    /// The core's address.
    pub core_url: String,
    /// A superuser's or owner's address of the installation's database.
    pub database_url: Secret<String>,
    binary: PathBuf,
    layout: Layout,
    postgres: Option<Postgres>,
    pub(super) redis: Option<Redis>,
    pub(super) keycloak: Option<Keycloak>,
}

/// What must stay the same when kept data are used again.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) gateway_port: u16,
    pub(super) core_port: u16,
    keycloak_port: u16,
    pub(super) password: String,
}

impl Stage {
    /// Prepares everything up to an empty, migrated installation.
    ///
    /// # Errors
    /// When a server, a port, the disk or the database is not to be had; the error says what to do.
    pub async fn prepare(args: &DemoArgs) -> anyhow::Result<Self> {
        let places = Places::from_environment();
        let directory = args
            .directory
            .clone()
            .unwrap_or_else(|| places.state.join("demo"));
        if args.reset || !args.keep {
            clear(&directory, args.database_url.as_ref()).await?;
        }
        std::fs::create_dir_all(&directory).with_context(|| {
            format!(
                "the folder {} cannot be made: give another with --directory",
                directory.display()
            )
        })?;
        let kept = Kept::read_or_make(&directory, args)?;
        must_be_free(kept.gateway_port, "--gateway-port")?;
        must_be_free(kept.core_port, "--core-port")?;
        let progress = Progress::new(tell);
        let (postgres, server) = server(args, &directory, &places, &progress).await?;
        note_postgres(&directory, postgres.as_ref())?;
        let redis = match args.redis {
            true => Some(Redis::start(&directory.join("redis"), None, &places).await?),
            false => None,
        };
        let keycloak = match args.identity {
            IdentityChoice::Keycloak => {
                let options = KeycloakOptions {
                    directory: directory.join("keycloak"),
                    port: Some(kept.keycloak_port),
                };
                Some(Keycloak::start(options, &places, &progress).await?)
            }
            IdentityChoice::Dev => None,
        };
        installation::create(&server, DATABASE).await.context(
            "the demo's database cannot be made: the login of DATABASE_URL needs CREATEDB and CREATEROLE",
        )?;
        let database_url = installation::database_url(&server, DATABASE)?;
        let stage = Self {
            config: directory.join("branchline.toml"),
            gateway_url: format!("http://127.0.0.1:{}", kept.gateway_port),
            core_url: format!("http://127.0.0.1:{}", kept.core_port),
            directory,
            database_url,
            binary: args.binary.clone().map_or_else(std::env::current_exe, Ok)?,
            layout: args.processes,
            postgres,
            redis,
            keycloak,
        };
        stage.write_files(&kept)?;
        stage.migrate().await?;
        Ok(stage)
    }

    /// What it takes to start the platform's processes on this stage.
    #[must_use]
    pub fn program(&self) -> Program {
        Program {
            binary: self.binary.clone(),
            config: self.config.clone(),
            log: self.directory.join("platform.log"),
            layout: self.layout,
            gateway_url: self.gateway_url.clone(),
            core_url: self.core_url.clone(),
        }
    }

    /// The private PostgreSQL, if the demo started one.
    pub fn postgres(&mut self) -> Option<&mut Postgres> {
        self.postgres.as_mut()
    }

    /// The private Redis, if there is one.
    pub fn redis(&mut self) -> Option<&mut Redis> {
        self.redis.as_mut()
    }

    /// Runs a command of the platform as an operator would, and gives what it printed.
    ///
    /// # Errors
    /// When the command fails; the error shows what it said.
    pub async fn operate(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = tokio::process::Command::new(&self.binary)
            .arg("--config")
            .arg(&self.config)
            .args(arguments)
            .output()
            .await?;
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(
            output.status.success(),
            "branchline {} failed: {said}",
            arguments.join(" ")
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Stops the servers that were started for the demo, and removes its data unless kept.
    ///
    /// # Errors
    /// When a server does not stop or a file cannot be removed.
    pub async fn take_down(mut self, args: &DemoArgs) -> anyhow::Result<()> {
        if let Some(server) = &mut self.keycloak {
            server.stop().await?;
        }
        if let Some(server) = &mut self.redis {
            server.stop().await?;
        }
        if let Some(server) = &mut self.postgres {
            server.stop().await?;
        }
        drop((self.postgres, self.redis, self.keycloak));
        if !args.keep {
            clear(&self.directory, args.database_url.as_ref()).await?;
        }
        Ok(())
    }

    async fn migrate(&self) -> anyhow::Result<()> {
        tell("bringing the schemas up to date");
        self.operate(&["migrate"]).await.map(drop)
    }

    fn write_files(&self, kept: &Kept) -> anyhow::Result<()> {
        let path = |name: &str| self.directory.join(name);
        if !path("master.key").exists() {
            MasterKey::create(&path("master.key"))?;
        }
        if !path("internal.pem").exists() {
            let pair = generate_internal_key()?;
            write_private(&path("internal.pem"), pair.private_pem.expose())?;
            write_private(&path("internal.pub.pem"), &pair.public_pem)?;
        }
        write_private(&self.config, &settings::text(self, kept)?)
    }
}

impl Kept {
    fn read_or_make(directory: &Path, args: &DemoArgs) -> anyhow::Result<Self> {
        let path = directory.join("demo.json");
        if let Ok(text) = std::fs::read_to_string(&path) {
            return serde_json::from_str(&text)
                .with_context(|| format!("{} was changed: start with --reset", path.display()));
        }
        let port = |wanted: Option<u16>, usual: u16| match wanted {
            Some(port) => anyhow::Ok(port),
            None if args.once => Ok(free_port()?),
            None => Ok(usual),
        };
        let made = Self {
            gateway_port: port(args.gateway_port, 8080)?,
            core_port: port(args.core_port, 8081)?,
            keycloak_port: free_port()?,
            password: random_token(24)?,
        };
        write_private(&path, &serde_json::to_string(&made)?)?;
        Ok(made)
    }
}

/// The server: the given one, or a private one.
async fn server(
    args: &DemoArgs,
    directory: &Path,
    places: &Places,
    progress: &Progress,
) -> anyhow::Result<(Option<Postgres>, Secret<String>)> {
    if let Some(url) = &args.database_url {
        return Ok((None, Secret::new(url.clone())));
    }
    let mut options = PostgresOptions::new(directory.join("postgres"));
    if args.embedded {
        options.binaries = PostgresBinaries::Embedded;
    }
    let postgres = Postgres::start(options, places, progress).await?;
    let url = Secret::new(postgres.url("postgres"));
    Ok((Some(postgres), url))
}

/// Says what to do about a port that somebody else listens on.
fn must_be_free(port: u16, option: &str) -> anyhow::Result<()> {
    let listener = std::net::TcpListener::bind(("127.0.0.1", port));
    listener.map(drop).with_context(|| {
        format!("port {port} is taken: stop the program that listens there, or give another with {option}")
    })
}

/// Removes what an earlier demo left: its folder, and its database on a given server.
async fn clear(directory: &Path, database_url: Option<&String>) -> anyhow::Result<()> {
    if let Some(url) = database_url {
        let removed = installation::remove(&Secret::new(url.clone()), DATABASE).await;
        removed.context(
            "the server of DATABASE_URL does not answer or does not let the demo remove its own \
             database: check address and login, or unset DATABASE_URL for a private server",
        )?;
    }
    // Only folders that a demo made are removed.
    let elsewhere = std::fs::read_to_string(directory.join(POSTGRES_NOTE)).unwrap_or_default();
    let elsewhere = Path::new(&elsewhere);
    if elsewhere.is_absolute() && !elsewhere.starts_with(directory) && elsewhere.exists() {
        std::fs::remove_dir_all(elsewhere)
            .with_context(|| format!("the folder {} cannot be removed", elsewhere.display()))?;
    }
    if directory.join("demo.json").exists() {
        std::fs::remove_dir_all(directory)
            .with_context(|| format!("the folder {} cannot be removed", directory.display()))?;
    }
    Ok(())
}

fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let opened = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path);
    let mut file = opened.with_context(|| format!("{} cannot be written", path.display()))?;
    file.write_all(text.as_bytes())?;
    Ok(())
}

/// The folder of the private PostgreSQL: as root it may lie where its account can reach it.
fn note_postgres(directory: &Path, postgres: Option<&Postgres>) -> anyhow::Result<()> {
    let Some(postgres) = postgres else {
        return Ok(());
    };
    write_private(
        &directory.join(POSTGRES_NOTE),
        &postgres.directory().display().to_string(),
    )
}
