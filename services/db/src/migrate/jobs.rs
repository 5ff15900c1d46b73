//! The schemas of the job library, and the one door through which tenants ask for a job.

use sqlx::Row;
use sqlx::postgres::PgConnection;

use super::{Admin, Login, MigrateError, quote, run};
use crate::config::Program;

/// Prepares both programs' jobs; safe to repeat.
pub(super) async fn prepare(admin: &Admin) -> Result<(), MigrateError> {
    prepare_one(admin, Program::Core, &admin.logins.core_jobs).await?;
    prepare_one(admin, Program::Gateway, &admin.logins.gateway_jobs).await
}

/// The library makes its schema at its first start and wants CREATE on the database for that:
/// it is granted for that moment only.
async fn prepare_one(admin: &Admin, program: Program, login: &Login) -> Result<(), MigrateError> {
    let schema = program.jobs_schema();
    let mut connection = admin.pool.acquire().await?;
    if has_schema(&mut connection, &format!("{schema}_door")).await? {
        return Ok(());
    }
    let (database, role) = (quote(&admin.database), quote(&login.name));
    let plpgsql = if admin.is_superuser {
        format!("GRANT USAGE ON LANGUAGE plpgsql TO {role}; ")
    } else {
        String::new()
    };
    run(
        &mut connection,
        format!("{plpgsql}GRANT CREATE ON DATABASE {database} TO {role}"),
    )
    .await?;
    let made = make(admin, schema, login).await;
    run(
        &mut connection,
        format!("REVOKE CREATE ON DATABASE {database} FROM {role}"),
    )
    .await?;
    made
}

async fn has_schema(connection: &mut PgConnection, name: &str) -> Result<bool, MigrateError> {
    let row = sqlx::query("SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1) AS there")
        .bind(name)
        .fetch_one(connection)
        .await?;
    Ok(row.try_get("there")?)
}

async fn make(admin: &Admin, schema: &str, login: &Login) -> Result<(), MigrateError> {
    let pool = admin.pool_as(login).await?;
    let prepared = graphile_worker::WorkerOptions::default()
        .schema(schema)
        .pg_pool(pool.clone())
        .listen_os_shutdown_signals(false)
        .init()
        .await;
    prepared.map_err(|error| MigrateError::Jobs(error.to_string()))?;
    let mut connection = pool.acquire().await?;
    run(&mut connection, door(schema)).await
}

/// The function runs as the jobs' owner and writes the calling tenant's role into the payload.
fn door(schema: &str) -> String {
    format!(
        "CREATE SCHEMA IF NOT EXISTS {schema}_door;
CREATE OR REPLACE FUNCTION {schema}_door.enqueue(p_task text, p_payload jsonb, p_key text, p_run_at timestamptz)
RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE v_tenant text := current_setting('role');
BEGIN
  IF v_tenant = 'none' THEN
    RAISE EXCEPTION 'a job needs a tenant' USING ERRCODE = 'insufficient_privilege';
  END IF;
  PERFORM {schema}.add_job(p_task,
    (p_payload || jsonb_build_object('tenant', substr(v_tenant, 3)))::json,
    run_at => p_run_at, max_attempts => 5, job_key => v_tenant || ':' || p_key);
END $$;
REVOKE ALL ON FUNCTION {schema}_door.enqueue(text, jsonb, text, timestamptz) FROM PUBLIC"
    )
}
