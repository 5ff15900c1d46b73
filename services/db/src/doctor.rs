//! Looks at a database as it is and says how well tenants are kept apart in it.

use branchline_kernel::Secret;
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};

use crate::error::DbError;
use crate::pool;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What must hold.
    pub rule: &'static str,
    /// Whether it holds.
    pub holds: bool,
    /// What is lost when it does not, and what to do.
    pub otherwise: &'static str,
}

/// Each gives one boolean: whether the rule holds. `$1` are the programs' logins.
const RULES: [(&str, &str, &str); 6] = [
    (
        "the programs' logins inherit nothing and are no superusers",
        "SELECT count(*) = cardinality($1) FROM pg_roles WHERE rolname = ANY ($1) \
         AND NOT rolinherit AND NOT rolsuper AND NOT rolcreaterole AND NOT rolcreatedb AND NOT rolbypassrls",
        "code that forgets to name a tenant would see data: run `branchline migrate` again",
    ),
    (
        "no tenant's schema belongs to a role that can log in",
        "SELECT NOT EXISTS (SELECT 1 FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner \
         WHERE n.nspname ~ '^[tg]_' AND r.rolcanlogin) AND cardinality($1) > 0",
        "an application could change its own schema: give the schemas back to their owners",
    ),
    (
        "no function of a tenant's schema may be run by everybody",
        "SELECT NOT EXISTS (SELECT 1 FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
         WHERE n.nspname ~ '^[tg]_' AND has_function_privilege('public', p.oid, 'EXECUTE')) \
         AND cardinality($1) > 0",
        "another tenant's role could run it: revoke EXECUTE from PUBLIC",
    ),
    (
        "nobody may make temporary tables or tables in schema public",
        "SELECT NOT has_database_privilege('public', current_database(), 'TEMPORARY') \
         AND NOT has_schema_privilege('public', 'public', 'CREATE') AND cardinality($1) > 0",
        "a temporary table could stand in for a real one: run `branchline migrate` again",
    ),
    (
        "an injected value cannot change role or search path (set_config is revoked)",
        "SELECT NOT has_function_privilege('public', 'pg_catalog.set_config(text,text,boolean)', 'EXECUTE') \
         AND cardinality($1) > 0",
        "an SQL injection that gets a value into a query could leave its tenant: run \
         `branchline migrate` once as superuser",
    ),
    (
        "nobody may run anonymous code blocks (plpgsql is revoked)",
        "SELECT NOT has_language_privilege('public', 'plpgsql', 'USAGE') AND cardinality($1) > 0",
        "an SQL injection that gets a statement in could leave its tenant: run `branchline migrate` \
         once as superuser",
    ),
];

/// Looks at the database with a login that may read its catalogs.
///
/// # Errors
/// [`DbError`] when the server does not answer.
pub async fn examine(database: &Secret<String>, logins: &[String]) -> Result<Vec<Check>, DbError> {
    let mut connection = PgConnection::connect_with(&pool::options(database)?).await?;
    let mut checks = Vec::new();
    for (rule, sql, otherwise) in RULES {
        let row = sqlx::query(sql)
            .bind(logins)
            .fetch_one(&mut connection)
            .await?;
        checks.push(Check {
            rule,
            holds: row.try_get(0)?,
            otherwise,
        });
    }
    Ok(checks)
}
