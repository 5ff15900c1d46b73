//! Brings schemas up to date, under the migrator's login; no service does this.

mod jobs;
mod ledger;
mod logins;

use branchline_kernel::Secret;
use branchline_migrations::Track;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Executor, Row};

pub use logins::{Login, Logins};

use crate::error::DbError;
use crate::pool;

pub(crate) use ledger::{Applied, apply, apply_in};

/// Why the database could not be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The server is older than PostgreSQL 15.
    #[error(
        "the server is PostgreSQL {0}; Branchline needs 15 or newer: upgrade it or give another DATABASE_URL"
    )]
    TooOld(i32),
    /// A file that was applied has since been changed.
    #[error(
        "migration {number} ({name}) of schema {schema} was changed after it was applied: restore the file"
    )]
    Changed {
        /// The schema.
        schema: String,
        /// The number of the file.
        number: i32,
        /// Its name.
        name: &'static str,
    },
    /// A file failed.
    #[error("migration {number} ({name}) of schema {schema} failed")]
    Failed {
        /// The schema.
        schema: String,
        /// The number of the file.
        number: i32,
        /// Its name.
        name: &'static str,
        /// What the database said.
        #[source]
        source: sqlx::Error,
    },
    /// The migrator lacks a right.
    #[error("the login {0} may not {1}: it needs CREATEROLE and must own the database")]
    Forbidden(String, &'static str),
    /// The database failed.
    #[error("the database failed while its schemas were brought up to date")]
    Db(#[from] DbError),
    /// The job library could not prepare its schema.
    #[error("the schema of the jobs could not be prepared: {0}")]
    Jobs(String),
}

impl From<sqlx::Error> for MigrateError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(DbError::Sql(error))
    }
}

/// The migrator's connection to one database.
pub struct Admin {
    pub(crate) pool: PgPool,
    pub(crate) database: String,
    pub(crate) logins: Logins,
    pub(crate) is_superuser: bool,
    url: Secret<String>,
}

impl Admin {
    /// Connects with the migrator's login and looks at the server.
    ///
    /// # Errors
    /// [`MigrateError::TooOld`], or a failure of the connection.
    pub async fn connect(url: &Secret<String>, logins: Logins) -> Result<Self, MigrateError> {
        let options = pool::options(url)?;
        let database = options.get_database().unwrap_or("postgres").to_owned();
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await?;
        let row = sqlx::query(
            "SELECT current_setting('server_version_num')::int AS version, \
             (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS super",
        )
        .fetch_one(&pool)
        .await?;
        let version: i32 = row.try_get("version")?;
        let major = version.checked_div(10_000).unwrap_or_default();
        if major < 15 {
            return Err(MigrateError::TooOld(major));
        }
        let is_superuser = row.try_get("super")?;
        Ok(Self {
            pool,
            database,
            logins,
            is_superuser,
            url: url.clone(),
        })
    }

    /// Prepares logins, roles, the register and the schemas of the jobs; safe to repeat.
    ///
    /// # Errors
    /// [`MigrateError`]; what was done before stays done, and a repeat goes on from there.
    pub async fn platform(&self) -> Result<(), MigrateError> {
        logins::prepare(self).await?;
        let mut tx = self.pool.begin().await?;
        self.become_owner(&mut tx).await?;
        tx.execute(ledger::BOOTSTRAP).await?;
        tx.commit().await?;
        let schema = self.platform_schema();
        apply(self, &schema).await?;
        jobs::prepare(self).await
    }

    /// Brings the schemas of every tenant up to date, one transaction per schema, and goes on
    /// past one that fails.
    ///
    /// # Errors
    /// The failures, by schema, once all were tried.
    pub async fn tenants(&self) -> Result<usize, Vec<MigrateError>> {
        let ids = match self.tenant_ids().await {
            Ok(ids) => ids,
            Err(error) => return Err(vec![error]),
        };
        let mut failed = Vec::new();
        for id in &ids {
            for track in [Track::Tenant, Track::Gateway] {
                if let Err(error) = apply(self, &tenant_schema(id, track)).await {
                    failed.push(error);
                }
            }
        }
        if failed.is_empty() {
            Ok(ids.len())
        } else {
            Err(failed)
        }
    }

    pub(crate) async fn tenant_ids(&self) -> Result<Vec<String>, MigrateError> {
        let mut tx = self.pool.begin().await?;
        self.become_owner(&mut tx).await?;
        let rows = sqlx::query("SELECT id FROM platform.tenant ORDER BY id")
            .fetch_all(&mut *tx)
            .await?;
        Ok(rows
            .iter()
            .map(|row| row.try_get("id"))
            .collect::<Result<_, _>>()?)
    }

    /// From here to the end of the transaction: the owner of the register.
    pub(crate) async fn become_owner(
        &self,
        connection: &mut PgConnection,
    ) -> Result<(), MigrateError> {
        let role = quote(&self.owner_role());
        run(
            connection,
            format!("SET LOCAL ROLE {role}; SET LOCAL search_path TO platform, pg_temp"),
        )
        .await
    }

    /// The role that owns the register.
    pub(crate) fn owner_role(&self) -> String {
        format!("{}_owner", self.database)
    }

    /// A small pool of its own, as another login on the same database.
    pub(crate) async fn pool_as(&self, login: &Login) -> Result<PgPool, MigrateError> {
        let options = pool::options(&self.url)?
            .username(&login.name)
            .password(login.password.expose());
        Ok(PgPoolOptions::new()
            .max_connections(2)
            .connect_with(options)
            .await?)
    }

    fn platform_schema(&self) -> Applied {
        Applied {
            schema: "platform".to_owned(),
            owner: self.owner_role(),
            track: Track::Platform,
            names: vec![
                ("{{core}}", quote(&platform_role(&self.logins.core.name))),
                (
                    "{{gateway}}",
                    quote(&platform_role(&self.logins.gateway.name)),
                ),
                ("{{schema}}", quote("platform")),
            ],
        }
    }
}

/// The role under which a program's login reads the register.
pub(crate) fn platform_role(login: &str) -> String {
    format!("{login}_platform")
}

/// A tenant's schema, its owner, and what its migrations call them.
pub(crate) fn tenant_schema(id: &str, track: Track) -> Applied {
    let prefix = match track {
        Track::Tenant => "t_",
        Track::Gateway | Track::Platform => "g_",
    };
    let schema = format!("{prefix}{id}");
    let owner = format!("{schema}_owner");
    let names = vec![
        ("{{schema}}", quote(&schema)),
        ("{{app}}", quote(&schema)),
        ("{{owner}}", quote(&owner)),
    ];
    Applied {
        schema,
        owner,
        track,
        names,
    }
}

/// A name as SQL wants it.
pub(crate) fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL wants it.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Runs DDL, which cannot bind values; every name in it went through [`quote`] or [`literal`].
pub(crate) async fn run(connection: &mut PgConnection, sql: String) -> Result<(), MigrateError> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await?;
    Ok(())
}
