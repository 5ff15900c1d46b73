//! Which files a schema has seen, and the application of those it has not.

use std::fmt::Write;

use aws_lc_rs::digest::{SHA256, digest};
use branchline_migrations::{Migration, Track};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row};

use super::{Admin, MigrateError, quote, run};

/// The book of applied files; it lies in the register, so one look shows the whole fleet.
pub(super) const BOOTSTRAP: &str = "CREATE TABLE IF NOT EXISTS applied_migration (
  schema_name text NOT NULL,
  number integer NOT NULL,
  name text NOT NULL,
  checksum text NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT applied_migration_pkey PRIMARY KEY (schema_name, number)
)";

/// A schema that migrations are applied to.
pub(crate) struct Applied {
    /// Its name.
    pub(crate) schema: String,
    /// The role that owns it.
    pub(crate) owner: String,
    /// Its kind.
    pub(crate) track: Track,
    /// Placeholders and what stands for them here, quoted.
    pub(crate) names: Vec<(&'static str, String)>,
}

/// Applies what the schema lacks, in one transaction with its lines in the book.
pub(crate) async fn apply(admin: &Admin, target: &Applied) -> Result<(), MigrateError> {
    let mut tx = admin.pool.begin().await?;
    apply_in(&mut tx, admin, target).await?;
    tx.commit().await?;
    Ok(())
}

/// The same inside the caller's transaction.
pub(crate) async fn apply_in(
    connection: &mut PgConnection,
    admin: &Admin,
    target: &Applied,
) -> Result<(), MigrateError> {
    admin.become_owner(connection).await?;
    let seen = seen(connection, &target.schema).await?;
    let mut applied = Vec::new();
    for file in target.track.migrations() {
        let checksum = checksum(file);
        match seen.iter().find(|(number, _)| *number == file.number) {
            Some((_, before)) if *before == checksum => {}
            Some(_) => {
                let schema = target.schema.clone();
                return Err(MigrateError::Changed {
                    schema,
                    number: file.number,
                    name: file.name,
                });
            }
            None => applied.push((file, checksum)),
        }
    }
    if applied.is_empty() {
        return Ok(());
    }
    let (role, schema) = (quote(&target.owner), quote(&target.schema));
    let settings = format!(
        "SET LOCAL ROLE {role}; SET LOCAL search_path TO {schema}, pg_temp; \
         SET LOCAL lock_timeout TO 5000"
    );
    run(connection, settings).await?;
    for (file, _) in &applied {
        let sql = filled(file, target);
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut *connection)
            .await
            .map_err(|source| {
                let schema = target.schema.clone();
                MigrateError::Failed {
                    schema,
                    number: file.number,
                    name: file.name,
                    source,
                }
            })?;
    }
    admin.become_owner(connection).await?;
    for (file, checksum) in &applied {
        sqlx::query(
            "INSERT INTO platform.applied_migration (schema_name, number, name, checksum) \
             VALUES ($1, $2, $3, $4)",
        )
        .bind(&target.schema)
        .bind(file.number)
        .bind(file.name)
        .bind(checksum)
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

async fn seen(
    connection: &mut PgConnection,
    schema: &str,
) -> Result<Vec<(i32, String)>, MigrateError> {
    let rows = sqlx::query(
        "SELECT number, checksum FROM platform.applied_migration WHERE schema_name = $1",
    )
    .bind(schema)
    .fetch_all(connection)
    .await?;
    let read = rows
        .iter()
        .map(|row| Ok((row.try_get("number")?, row.try_get("checksum")?)));
    Ok(read.collect::<Result<_, sqlx::Error>>()?)
}

fn filled(file: &Migration, target: &Applied) -> String {
    target
        .names
        .iter()
        .fold(file.sql.to_owned(), |sql, (name, value)| {
            sql.replace(name, value)
        })
}

fn checksum(file: &Migration) -> String {
    let hash = digest(&SHA256, file.sql.as_bytes());
    hash.as_ref().iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
