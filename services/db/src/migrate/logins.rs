//! Logins of the programs, the owner of the register, and what nobody may do.

use branchline_kernel::Secret;
use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::{Admin, MigrateError, literal, platform_role, quote, run};
use crate::error::DbError;
use crate::pool;

/// A login of one of our programs.
#[derive(Clone)]
pub struct Login {
    /// Its name in the database.
    pub name: String,
    /// Its password.
    pub password: Secret<String>,
}

/// The logins that the migrator prepares. None of them inherits a right or owns a table of ours.
#[derive(Clone)]
pub struct Logins {
    /// The core's.
    pub core: Login,
    /// The gateway's.
    pub gateway: Login,
    /// The worker's on the core's jobs.
    pub core_jobs: Login,
    /// The worker's on the gateway's jobs.
    pub gateway_jobs: Login,
}

impl Login {
    /// Reads name and password out of an address.
    ///
    /// # Errors
    /// [`DbError`] when the address cannot be read.
    pub fn of(url: &Secret<String>) -> Result<Self, DbError> {
        let name = pool::options(url)?.get_username().to_owned();
        let after_scheme = url.expose().split_once("://").map_or("", |(_, rest)| rest);
        let (user, _) = after_scheme.split_once('@').unwrap_or(("", ""));
        let password = user
            .split_once(':')
            .map_or("", |(_, password)| password)
            .to_owned();
        Ok(Self {
            name,
            password: Secret::new(password),
        })
    }
}

impl Logins {
    fn all(&self) -> [&Login; 4] {
        [
            &self.core,
            &self.gateway,
            &self.core_jobs,
            &self.gateway_jobs,
        ]
    }
}

/// Makes what is missing; safe to repeat.
pub(super) async fn prepare(admin: &Admin) -> Result<(), MigrateError> {
    let mut tx = admin.pool.begin().await?;
    let owner = admin.owner_role();
    ensure_role(&mut tx, &owner, "NOLOGIN").await?;
    run(&mut tx, format!("GRANT {} TO CURRENT_USER", quote(&owner))).await?;
    for login in admin.logins.all() {
        let password = literal(login.password.expose());
        ensure_role(
            &mut tx,
            &login.name,
            &format!("LOGIN NOINHERIT PASSWORD {password}"),
        )
        .await?;
    }
    for login in [&admin.logins.core, &admin.logins.gateway] {
        let role = platform_role(&login.name);
        ensure_role(&mut tx, &role, "NOLOGIN").await?;
        run(
            &mut tx,
            format!("GRANT {} TO {}", quote(&role), quote(&login.name)),
        )
        .await?;
    }
    let readers =
        [&admin.logins.core, &admin.logins.gateway].map(|login| quote(&platform_role(&login.name)));
    let (owner, database) = (quote(&owner), quote(&admin.database));
    run(
        &mut tx,
        format!(
            "CREATE SCHEMA IF NOT EXISTS platform AUTHORIZATION {owner}; \
             REVOKE ALL ON SCHEMA public FROM PUBLIC; \
             REVOKE CREATE, TEMPORARY ON DATABASE {database} FROM PUBLIC; \
             GRANT USAGE ON SCHEMA platform TO {}",
            readers.join(", ")
        ),
    )
    .await?;
    if admin.is_superuser {
        belt(&mut tx, &owner).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// What only a superuser can forbid: changing settings by a value inside a query, and anonymous
/// code blocks. Without it an injected value could leave its tenant.
async fn belt(connection: &mut PgConnection, owner: &str) -> Result<(), MigrateError> {
    run(
        connection,
        format!(
            "REVOKE EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) FROM PUBLIC; \
             REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC; \
             GRANT USAGE ON LANGUAGE plpgsql TO {owner}"
        ),
    )
    .await
}

/// Makes the role, or sets its attributes if it is there.
pub(crate) async fn ensure_role(
    connection: &mut PgConnection,
    name: &str,
    attributes: &str,
) -> Result<(), MigrateError> {
    let row = sqlx::query("SELECT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = $1) AS there")
        .bind(name)
        .fetch_one(&mut *connection)
        .await?;
    let verb = if row.try_get("there")? {
        "ALTER"
    } else {
        "CREATE"
    };
    run(
        connection,
        format!("{verb} ROLE {} {attributes}", quote(name)),
    )
    .await
}
