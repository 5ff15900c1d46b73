//! Makes and removes the whole database of an installation, for demos and tests on a server that
//! others use as well.

use branchline_kernel::Secret;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, Connection, Row};

use crate::error::DbError;
use crate::migrate::quote;
use crate::pool;

/// The address of another database on the same server.
///
/// # Errors
/// [`DbError`] when the address cannot be read.
pub fn database_url(server: &Secret<String>, database: &str) -> Result<Secret<String>, DbError> {
    pool::options(server)?;
    Ok(Secret::new(with_database(server.expose(), database)))
}

/// Puts another login into an address.
///
/// # Errors
/// [`DbError`] when the address cannot be read.
pub fn login_url(
    url: &Secret<String>,
    login: &str,
    password: &str,
) -> Result<Secret<String>, DbError> {
    pool::options(url)?;
    let (scheme, rest) = url
        .expose()
        .split_once("://")
        .unwrap_or(("postgres", url.expose()));
    let host = rest.split_once('@').map_or(rest, |(_, host)| host);
    Ok(Secret::new(format!("{scheme}://{login}:{password}@{host}")))
}

/// Makes the database if it is not there and says whether it made it.
///
/// # Errors
/// [`DbError`] when the login may not create databases or the server does not answer.
pub async fn create(server: &Secret<String>, database: &str) -> Result<bool, DbError> {
    let mut connection = PgConnection::connect_with(&pool::options(server)?).await?;
    if exists(&mut connection, database).await? {
        return Ok(false);
    }
    run(
        &mut connection,
        format!("CREATE DATABASE {}", quote(database)),
    )
    .await?;
    Ok(true)
}

/// Removes the database with the roles of its tenants and of its programs; nothing else.
///
/// # Errors
/// [`DbError`] when the server refuses.
pub async fn remove(server: &Secret<String>, database: &str) -> Result<(), DbError> {
    let mut connection = PgConnection::connect_with(&pool::options(server)?).await?;
    if !exists(&mut connection, database).await? {
        return Ok(());
    }
    let roles = roles(&pool::options(&database_url(server, database)?)?).await?;
    run(
        &mut connection,
        format!("DROP DATABASE {} WITH (FORCE)", quote(database)),
    )
    .await?;
    for role in roles.into_iter().chain(own_roles(database)) {
        run(
            &mut connection,
            format!("DROP ROLE IF EXISTS {}", quote(&role)),
        )
        .await?;
    }
    Ok(())
}

/// How many tenants' schemas a login can reach: the core's and the gateway's.
///
/// # Errors
/// [`DbError`] when the server does not answer.
pub async fn reach(database: &Secret<String>, login: &str) -> Result<Reach, DbError> {
    let mut connection = PgConnection::connect_with(&pool::options(database)?).await?;
    let row = sqlx::query(
        "SELECT count(*) FILTER (WHERE n.nspname LIKE 't\\_%') AS core, \
         count(*) FILTER (WHERE n.nspname LIKE 'g\\_%') AS gateway \
         FROM pg_namespace n JOIN pg_roles r ON r.rolname = n.nspname \
         WHERE pg_has_role($1, r.oid, 'MEMBER')",
    )
    .bind(login)
    .fetch_one(&mut connection)
    .await?;
    Ok(Reach {
        core: row.try_get("core")?,
        gateway: row.try_get("gateway")?,
    })
}

/// Schemas that a login can reach, by the program they belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reach {
    /// Schemas of the core.
    pub core: i64,
    /// Schemas of the gateway.
    pub gateway: i64,
}

/// The logins of an installation's programs as the demo names them, with what goes with them.
fn own_roles(database: &str) -> impl Iterator<Item = String> {
    let logins = [
        "core",
        "core_platform",
        "core_jobs",
        "gateway",
        "gateway_platform",
        "gateway_jobs",
        "owner",
    ];
    logins
        .into_iter()
        .map(move |role| format!("{database}_{role}"))
}

/// The roles that own something in the database or may do something there, the login's own apart.
async fn roles(options: &PgConnectOptions) -> Result<Vec<String>, DbError> {
    let mut connection = PgConnection::connect_with(options).await?;
    let rows = sqlx::query(
        "SELECT DISTINCT r.rolname AS name FROM pg_shdepend d JOIN pg_roles r ON r.oid = d.refobjid \
         WHERE d.refclassid = 'pg_authid'::regclass AND NOT r.rolsuper AND r.rolname <> current_user \
         AND d.dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) \
         AND NOT EXISTS (SELECT 1 FROM pg_shdepend o WHERE o.refclassid = d.refclassid \
           AND o.refobjid = d.refobjid AND o.dbid NOT IN (d.dbid, 0))",
    )
    .fetch_all(&mut connection)
    .await?;
    Ok(rows
        .iter()
        .map(|row| row.try_get("name"))
        .collect::<Result<_, _>>()?)
}

async fn exists(connection: &mut PgConnection, database: &str) -> Result<bool, DbError> {
    let row = sqlx::query("SELECT EXISTS (SELECT 1 FROM pg_database WHERE datname = $1) AS there")
        .bind(database)
        .fetch_one(connection)
        .await?;
    Ok(row.try_get("there")?)
}

async fn run(connection: &mut PgConnection, sql: String) -> Result<(), DbError> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(connection)
        .await?;
    Ok(())
}

fn with_database(url: &str, database: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("postgres", url));
    let (rest, options) = rest
        .split_once('?')
        .map_or((rest, ""), |(rest, options)| (rest, options));
    let host = rest.split_once('/').map_or(rest, |(host, _)| host);
    let question = if options.is_empty() { "" } else { "?" };
    format!("{scheme}://{host}/{database}{question}{options}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_database_of_an_address_changes() {
        let url = with_database("postgres://u:p@h:5432/postgres?sslmode=require", "demo");
        assert_eq!(url, "postgres://u:p@h:5432/demo?sslmode=require");
        assert_eq!(with_database("postgres://h", "demo"), "postgres://h/demo");
    }

    #[test]
    fn only_the_login_of_an_address_changes() {
        let url = Secret::new("postgres://u:p@h:5432/demo".to_owned());
        assert_eq!(
            login_url(&url, "core", "x").unwrap().expose(),
            "postgres://core:x@h:5432/demo"
        );
    }
}
