//! The parts that a role is put together from.

use std::sync::Arc;

use anyhow::Context;
use branchline_db::{CellId, Db, DbConfig, Placement, Program, Strictness};
use branchline_iam::{
    DevIdentity, DevIdentityConfig, Identity, InternalSigner, InternalVerifier, KeycloakAdmin,
    KeycloakConfig,
};
use branchline_kernel::{RandomIds, Secret, SystemClock};
use branchline_web::outbound_client;
use redis::aio::ConnectionManager;

use crate::config::{Config, ConfigError, IdentityConfig, Profile};

/// The cell of an installation with one database.
pub(crate) const CELL: &str = "main";

/// Opens the door of a program.
pub(crate) async fn door(config: &Config, program: Program) -> anyhow::Result<Db> {
    let database = &config.database;
    let url = match program {
        Program::Core => database.require(&database.core_url, "database.core_url")?,
        Program::Gateway => database.require(&database.gateway_url, "database.gateway_url")?,
    };
    let strictness = match config.profile {
        Profile::Dev => Strictness::Dev,
        Profile::Production => Strictness::Production,
    };
    let db = DbConfig {
        program,
        platform_url: url.clone(),
        cells: vec![(CellId::new(CELL), url.clone())],
        max_connections: database.max_connections,
        strictness,
        crash_at: config.crash_at.clone(),
    };
    let placement = Placement::Single(CellId::new(CELL));
    Ok(Db::connect(&db, placement, Arc::new(SystemClock), Arc::new(RandomIds)).await?)
}

/// The identity provider, as somebody who may make realms.
pub(crate) fn identity_admin(config: &Config) -> anyhow::Result<Identity> {
    match &config.identity {
        IdentityConfig::Dev { .. } => Ok(Identity::Dev(
            dev_identity(config)?.context("the development identity is off")?,
        )),
        IdentityConfig::Keycloak {
            url,
            admin_user,
            admin_password,
        } => {
            let missing = ConfigError::Missing;
            let keycloak = KeycloakConfig {
                url: url.clone(),
                username: admin_user.clone().ok_or(missing("identity.admin_user"))?,
                password: admin_password
                    .clone()
                    .ok_or(missing("identity.admin_password"))?,
                are_passwords_temporary: config.profile == Profile::Production,
            };
            Ok(Identity::Keycloak(KeycloakAdmin::try_new(
                keycloak,
                outbound_client(branchline_web::Patience::Operation)?,
            )?))
        }
    }
}

/// The development identity, where it is configured.
pub(crate) fn dev_identity(config: &Config) -> anyhow::Result<Option<DevIdentity>> {
    let IdentityConfig::Dev { directory } = &config.identity else {
        return Ok(None);
    };
    let dev = DevIdentityConfig {
        public_url: config.gateway.public_url.clone(),
        is_dev_profile: config.profile == Profile::Dev,
        directory: directory.clone(),
    };
    Ok(Some(DevIdentity::open(dev, Arc::new(SystemClock))?))
}

/// The connection to Redis, where there is one. One that does not answer now is tried again later.
pub(crate) async fn redis(config: &Config) -> anyhow::Result<Option<ConnectionManager>> {
    let Some(redis) = &config.redis else {
        return Ok(None);
    };
    let client = redis::Client::open(redis.url.expose().as_str())
        .context("the address of Redis does not fit")?;
    Ok(Some(client.get_connection_manager_lazy(
        redis::aio::ConnectionManagerConfig::new(),
    )?))
}

/// Verifies the gateway's tokens.
pub(crate) fn programs(config: &Config) -> anyhow::Result<InternalVerifier> {
    let keys = &config.keys;
    let current = read(&keys.internal_public_key_file)?;
    let next = keys
        .internal_next_public_key_file
        .as_deref()
        .map(read)
        .transpose()?;
    Ok(InternalVerifier::try_new(&current, next.as_deref())?)
}

/// Signs the gateway's tokens.
pub(crate) fn signer(config: &Config) -> anyhow::Result<InternalSigner> {
    Ok(InternalSigner::try_new(&Secret::new(read(
        &config.keys.internal_private_key_file,
    )?))?)
}

fn read(path: &std::path::Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path)
        .with_context(|| format!("the key file {} cannot be read", path.display()))
}
