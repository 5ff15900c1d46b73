//! `branchline migrate`: the register, the jobs and every tenant's schemas.

use branchline_db::migrate::{Admin, Login, Logins};

use crate::config::Config;
use crate::terminal::say;

/// Brings everything up to date.
pub(crate) async fn run(config: &Config) -> anyhow::Result<()> {
    let admin = admin(config).await?;
    admin.platform().await?;
    match admin.tenants().await {
        Ok(tenants) => {
            say(&format!(
                "the register and {tenants} tenants are up to date"
            ));
            Ok(())
        }
        Err(failed) => {
            for error in &failed {
                say(&crate::terminal::explain(&anyhow::anyhow!("{error}")));
            }
            Err(anyhow::anyhow!(
                "{} schemas were not brought up to date; the others were",
                failed.len()
            ))
        }
    }
}

/// Connects with the migrator's login.
pub(crate) async fn admin(config: &Config) -> anyhow::Result<Admin> {
    let database = &config.database;
    let migrator = database.require(&database.migrator_url, "database.migrator_url")?;
    let logins = Logins {
        core: Login::of(database.require(&database.core_url, "database.core_url")?)?,
        gateway: Login::of(database.require(&database.gateway_url, "database.gateway_url")?)?,
        core_jobs: Login::of(database.require(&database.core_jobs_url, "database.core_jobs_url")?)?,
        gateway_jobs: Login::of(
            database.require(&database.gateway_jobs_url, "database.gateway_jobs_url")?,
        )?,
    };
    Ok(Admin::connect(migrator, logins).await?)
}
