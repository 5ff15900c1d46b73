//! What a superuser does behind everybody's back.

use std::time::{Duration, Instant};

use anyhow::Context;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::scene::Scene;

/// What the names of a tenant's schemas end in.
pub(crate) async fn schema(scene: &Scene, slug: &str) -> anyhow::Result<String> {
    let mut connection = PgConnection::connect(scene.stage.database_url.expose()).await?;
    let id: Option<String> = sqlx::query_scalar("SELECT id FROM platform.tenant WHERE slug = $1")
        .bind(slug)
        .fetch_optional(&mut connection)
        .await?;
    id.with_context(|| format!("no tenant {slug}"))
}

/// Runs SQL; says how many rows it touched.
pub(crate) async fn run(scene: &Scene, sql: &str) -> anyhow::Result<u64> {
    let mut connection = PgConnection::connect(scene.stage.database_url.expose()).await?;
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await?;
    Ok(done.rows_affected())
}

/// Waits until the table has a row.
pub(crate) async fn arrive(scene: &Scene, table: &str) -> anyhow::Result<()> {
    let mut connection = PgConnection::connect(scene.stage.database_url.expose()).await?;
    let sql = format!("SELECT EXISTS (SELECT FROM {table})");
    let started = Instant::now();
    while !sqlx::query_scalar::<_, bool>(AssertSqlSafe(sql.clone()))
        .fetch_one(&mut connection)
        .await?
    {
        anyhow::ensure!(
            started.elapsed() < Duration::from_secs(30),
            "no row came into {table}"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}
