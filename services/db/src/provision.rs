//! Makes a tenant: roles, two schemas, their tables, and its line in the register.
//!
//! # Invariants
//! - The line in the register is written last: a tenant that is listed is complete.
//! - The owner of a schema cannot log in; the application's role owns nothing.

use branchline_kernel::{Currency, TenantId, TenantSlug, Timestamp};
use branchline_migrations::Track;
use sqlx::postgres::PgConnection;

use crate::config::CellId;
use crate::error::DbError;
use crate::migrate::{Admin, MigrateError, quote, run, tenant_schema};

/// What a tenant is called and where it belongs.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// Its opaque name.
    pub id: TenantId,
    /// Its name in addresses.
    pub slug: TenantSlug,
    /// What people call it.
    pub name: String,
    /// The two letters of its country.
    pub country: String,
    /// The currency it reports in.
    pub currency: Currency,
    /// Its bank code: how the BBAN of its accounts begins.
    pub bank_code: String,
    /// The cell it shall live in.
    pub cell: CellId,
}

/// Why a tenant could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The public name is taken.
    #[error("there is a tenant {0} already: choose another name")]
    SlugTaken(TenantSlug),
    /// The bank code belongs to another tenant.
    #[error("bank code {0} belongs to another tenant: give the code of this one")]
    BankCodeTaken(String),
    /// A name, country or code has the wrong shape.
    #[error("{0} does not have the shape it must have")]
    Malformed(&'static str),
    /// A schema could not be made.
    #[error("the tenant's schemas could not be made")]
    Migrate(#[from] MigrateError),
    /// The database failed.
    #[error("the tenant could not be written to the register")]
    Db(#[from] DbError),
}

impl From<sqlx::Error> for ProvisionError {
    fn from(error: sqlx::Error) -> Self {
        Self::Db(DbError::Sql(error))
    }
}

/// Whether a tenant serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Serving {
    /// Reads and writes.
    Open,
    /// Reads only.
    Suspended,
}

/// Makes a tenant.
///
/// # Errors
/// [`ProvisionError`]; then there is no such tenant.
pub async fn create(admin: &Admin, new: &NewTenant, now: Timestamp) -> Result<(), ProvisionError> {
    let mut tx = admin.pool.begin().await?;
    for track in [Track::Tenant, Track::Gateway] {
        make_schema(&mut tx, admin, &new.id, track).await?;
    }
    register(&mut tx, admin, new, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Names an issuer that signs in the tenant's people.
///
/// # Errors
/// [`ProvisionError::Db`] when the register refuses, for example an issuer of another tenant.
pub async fn set_issuer(admin: &Admin, issuer: &crate::Issuer) -> Result<(), ProvisionError> {
    let mut tx = admin.pool.begin().await?;
    admin.become_owner(&mut tx).await?;
    let done = sqlx::query(
        "INSERT INTO tenant_issuer (issuer, tenant, jwks_uri, client_id) VALUES ($1, $2, $3, $4) \
         ON CONFLICT ON CONSTRAINT tenant_issuer_pkey \
         DO UPDATE SET jwks_uri = excluded.jwks_uri, client_id = excluded.client_id \
         WHERE tenant_issuer.tenant = excluded.tenant",
    )
    .bind(&issuer.issuer)
    .bind(issuer.tenant.as_str())
    .bind(&issuer.jwks_uri)
    .bind(&issuer.client_id)
    .execute(&mut *tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(ProvisionError::Malformed("the issuer"));
    }
    tx.commit().await?;
    Ok(())
}

/// Suspends or reopens a tenant. When it returns, every transaction that began before has ended
/// and every later one sees the new state.
///
/// # Errors
/// [`ProvisionError`] when the tenant's schemas cannot be changed.
pub async fn set_serving(
    admin: &Admin,
    tenant: &TenantId,
    serving: Serving,
    reason: &str,
) -> Result<(), ProvisionError> {
    let word = match serving {
        Serving::Open => "open",
        Serving::Suspended => "suspended",
    };
    for track in [Track::Gateway, Track::Tenant] {
        let target = tenant_schema(tenant.as_str(), track);
        let mut tx = admin.pool.begin().await?;
        let (owner, schema) = (quote(&target.owner), quote(&target.schema));
        run(
            &mut tx,
            format!("SET LOCAL ROLE {owner}; SET LOCAL search_path TO {schema}, pg_temp"),
        )
        .await?;
        sqlx::query("UPDATE tenant_state SET serving = $1, reason = $2")
            .bind(word)
            .bind(reason)
            .execute(&mut *tx)
            .await?;
        run(
            &mut tx,
            "LOCK TABLE tenant_state IN ACCESS EXCLUSIVE MODE".to_owned(),
        )
        .await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn make_schema(
    connection: &mut PgConnection,
    admin: &Admin,
    tenant: &TenantId,
    track: Track,
) -> Result<(), ProvisionError> {
    let target = tenant_schema(tenant.as_str(), track);
    let (owner, schema) = (quote(&target.owner), quote(&target.schema));
    let (login, jobs) = match track {
        Track::Tenant => (&admin.logins.core, "jobs_core_door"),
        Track::Gateway | Track::Platform => (&admin.logins.gateway, "jobs_gateway_door"),
    };
    let plpgsql = if admin.is_superuser {
        format!("GRANT USAGE ON LANGUAGE plpgsql TO {owner}; ")
    } else {
        String::new()
    };
    let login = quote(&login.name);
    // The application's role carries the name of its schema.
    let sql = format!(
        "RESET ROLE; CREATE ROLE {owner} NOLOGIN; CREATE ROLE {schema} NOLOGIN; \
         GRANT {owner} TO CURRENT_USER; GRANT {schema} TO {login}; {plpgsql}\
         CREATE SCHEMA {schema} AUTHORIZATION {owner}; \
         SET LOCAL ROLE {owner}; GRANT USAGE ON SCHEMA {schema} TO {schema}; \
         ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC; RESET ROLE"
    );
    run(connection, sql).await?;
    crate::migrate::apply_in(connection, admin, &target).await?;
    grant_jobs(connection, admin, (&schema, jobs), track).await
}

/// The door of the jobs belongs to the worker's login, so that login grants it.
async fn grant_jobs(
    connection: &mut PgConnection,
    admin: &Admin,
    (role, door): (&str, &str),
    track: Track,
) -> Result<(), ProvisionError> {
    let login = match track {
        Track::Tenant => &admin.logins.core_jobs,
        Track::Gateway | Track::Platform => &admin.logins.gateway_jobs,
    };
    let become_login = format!(
        "RESET ROLE; GRANT {0} TO CURRENT_USER; SET LOCAL ROLE {0}",
        quote(&login.name)
    );
    run(connection, become_login).await?;
    let sql = format!(
        "GRANT USAGE ON SCHEMA {door} TO {role}; \
         GRANT EXECUTE ON FUNCTION {door}.enqueue(text, jsonb, text, timestamptz) TO {role}; RESET ROLE"
    );
    Ok(run(connection, sql).await?)
}

async fn register(
    connection: &mut PgConnection,
    admin: &Admin,
    new: &NewTenant,
    now: Timestamp,
) -> Result<(), ProvisionError> {
    admin.become_owner(connection).await?;
    let inserted = sqlx::query(
        "INSERT INTO tenant (id, slug, name, country, currency, isolation, created_at) \
         VALUES ($1, $2, $3, $4, $5, 'pooled', $6)",
    )
    .bind(new.id.as_str())
    .bind(new.slug.as_str())
    .bind(&new.name)
    .bind(&new.country)
    .bind(new.currency.code())
    .bind(now)
    .execute(&mut *connection)
    .await;
    inserted.map_err(|error| refused(error, new))?;
    sqlx::query("INSERT INTO tenant_placement (tenant, cell, epoch) VALUES ($1, $2, 1)")
        .bind(new.id.as_str())
        .bind(new.cell.as_str())
        .execute(&mut *connection)
        .await?;
    let coded = sqlx::query("INSERT INTO bank_code (country, code, tenant) VALUES ($1, $2, $3)")
        .bind(&new.country)
        .bind(&new.bank_code)
        .bind(new.id.as_str())
        .execute(&mut *connection)
        .await;
    coded.map(drop).map_err(|error| refused(error, new))
}

fn refused(error: sqlx::Error, new: &NewTenant) -> ProvisionError {
    let error = DbError::Sql(error);
    let is = |name| error.is_constraint(name);
    if is("tenant_slug_key") {
        ProvisionError::SlugTaken(new.slug.clone())
    } else if is("bank_code_pkey") {
        ProvisionError::BankCodeTaken(new.bank_code.clone())
    } else if is("bank_code_shape") {
        ProvisionError::Malformed("the bank code")
    } else if is("tenant_country_shape") {
        ProvisionError::Malformed("the country")
    } else if is("tenant_name_length") {
        ProvisionError::Malformed("the name")
    } else {
        ProvisionError::Db(error)
    }
}
