//! The one configuration of a process: read once at start, unknown keys refused.

mod load;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use branchline_kernel::Secret;
use serde::Deserialize;

pub use load::load;

/// Everything a process may need; which parts it does need depends on its role.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What may be lax.
    pub profile: Profile,
    /// The filter of log lines, such as `info,sqlx=warn`.
    #[serde(default = "default_log")]
    pub log: String,
    /// The listener of third parties and members.
    pub gateway: GatewayConfig,
    /// The listener of staff and of the gateway.
    pub core: CoreConfig,
    /// The listener of a process that runs jobs only.
    #[serde(default)]
    pub worker: WorkerConfig,
    /// The database, by login.
    pub database: DatabaseConfig,
    /// Keys in files.
    pub keys: KeysConfig,
    /// Who signs people in.
    pub identity: IdentityConfig,
    /// A Redis, where there is one.
    pub redis: Option<RedisConfig>,
    /// The crash point that is armed; for tests of recovery, in profile `dev` only.
    pub crash_at: Option<String>,
}

/// Which rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Profile {
    /// A laptop, a demo, a test: everything on loopback.
    Dev,
    /// Anything that others can reach.
    Production,
}

/// The gateway's listener.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its address as others see it, without a slash at the end.
    pub public_url: String,
    /// Most calls a second from one address.
    #[serde(default = "default_calls", deserialize_with = "load::number")]
    pub calls_per_second: NonZeroU32,
}

/// The core's listener.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoreConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Its address as the gateway reaches it, without a slash at the end.
    pub url: String,
}

/// The worker's listener: health and figures.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WorkerConfig {
    /// Where it listens; 127.0.0.1:8082 unless told otherwise.
    pub listen: SocketAddr,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8082)),
        }
    }
}

/// Addresses of the database; each program has a login of its own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseConfig {
    /// For the core.
    pub core_url: Option<Secret<String>>,
    /// For the core's jobs.
    pub core_jobs_url: Option<Secret<String>>,
    /// For the gateway.
    pub gateway_url: Option<Secret<String>>,
    /// For the gateway's jobs.
    pub gateway_jobs_url: Option<Secret<String>>,
    /// For `migrate` and `tenant`; no service needs it.
    pub migrator_url: Option<Secret<String>>,
    /// Most connections of one program.
    #[serde(default = "default_connections", deserialize_with = "load::number")]
    pub max_connections: u32,
}

/// Files that hold keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysConfig {
    /// Wraps the tenants' keys.
    pub master_key_file: PathBuf,
    /// Signs the gateway's internal tokens.
    pub internal_private_key_file: PathBuf,
    /// Verifies them.
    pub internal_public_key_file: PathBuf,
    /// The next one, while keys are rotated.
    pub internal_next_public_key_file: Option<PathBuf>,
}

/// Who signs people in.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum IdentityConfig {
    /// The one built in: anybody can sign in as anybody, on loopback.
    Dev {
        /// Where it keeps its people and its key.
        directory: PathBuf,
    },
    /// A Keycloak.
    Keycloak {
        /// Its address.
        url: String,
        /// An administrator of its master realm; only `tenant` needs it.
        admin_user: Option<String>,
        /// The password; only `tenant` needs it.
        admin_password: Option<Secret<String>>,
    },
}

/// A Redis.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RedisConfig {
    /// Its address with its password.
    pub url: Secret<String>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read: name another with --config")]
    Unread {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A file that the configuration names cannot be read.
    #[error("the file {path} that the configuration names cannot be read")]
    NoFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The text is no TOML, or a key is unknown, missing or of the wrong type.
    #[error("the configuration does not fit")]
    Malformed(#[from] toml::de::Error),
    /// This role needs a setting that is not there.
    #[error("this command needs {0}: set it in the configuration or in the environment")]
    Missing(&'static str),
    /// The profile forbids a setting.
    #[error("profile production forbids {0}")]
    Forbidden(&'static str),
}

fn default_log() -> String {
    "info,sqlx=warn,graphile_worker=warn".to_owned()
}

fn default_calls() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(499)
}

const fn default_connections() -> u32 {
    16
}

impl Config {
    /// Refuses what the profile does not allow.
    ///
    /// # Errors
    /// [`ConfigError::Forbidden`] naming the setting.
    pub fn check(&self) -> Result<(), ConfigError> {
        let is_loopback =
            self.gateway.listen.ip().is_loopback() && self.core.listen.ip().is_loopback();
        match self.profile {
            Profile::Dev if is_loopback => Ok(()),
            Profile::Dev => Err(ConfigError::Forbidden(
                "listening beyond this machine: so does profile dev; listen on 127.0.0.1",
            )),
            Profile::Production if matches!(self.identity, IdentityConfig::Dev { .. }) => Err(
                ConfigError::Forbidden("the development identity: configure a Keycloak"),
            ),
            Profile::Production if self.crash_at.is_some() => {
                Err(ConfigError::Forbidden("crash_at: remove it"))
            }
            Profile::Production if !self.gateway.public_url.starts_with("https://") => {
                Err(ConfigError::Forbidden("a public_url without https"))
            }
            // TLS listeners come with certificates of third parties; until then a listener that
            // others can reach would speak plain HTTP.
            Profile::Production if !is_loopback => Err(ConfigError::Forbidden(
                "listening beyond this machine: put a TLS proxy on the same host in front",
            )),
            Profile::Production => Ok(()),
        }
    }
}

impl DatabaseConfig {
    /// The address of that name.
    ///
    /// # Errors
    /// [`ConfigError::Missing`] with the name of the setting.
    pub fn require<'a>(
        &self,
        url: &'a Option<Secret<String>>,
        name: &'static str,
    ) -> Result<&'a Secret<String>, ConfigError> {
        url.as_ref().ok_or(ConfigError::Missing(name))
    }
}
