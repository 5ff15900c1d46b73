//! What is in the tenants' schemas, in a form that can be compared.

use branchline::demo::Stage;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Number of rows of each table and a digest over them. Audit and keys, also the ledger's, are left
/// out: that a refusal was noted is no side effect.
pub(crate) async fn of(stage: &Stage) -> anyhow::Result<Vec<(String, i64, Option<String>)>> {
    let mut connection = PgConnection::connect(stage.database_url.expose()).await?;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables \
         WHERE schemaname ~ '^[tg]_' AND tablename NOT LIKE 'audit%' AND tablename NOT LIKE '%access_log%' \
         AND tablename NOT IN ('idempotency_key', 'ledger_key') ORDER BY 1",
    )
    .fetch_all(&mut connection)
    .await?;
    let mut state = Vec::new();
    for table in tables {
        let sql = format!(
            "SELECT count(*), md5(string_agg(r::text, '|' ORDER BY r::text)) FROM {table} r"
        );
        let (rows, digest) = sqlx::query_as(AssertSqlSafe(sql))
            .fetch_one(&mut connection)
            .await?;
        state.push((table, rows, digest));
    }
    Ok(state)
}
