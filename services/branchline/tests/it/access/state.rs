//! What is in the tenants' schemas and in the register, in a form that can be compared.

use branchline::demo::Stage;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// A table, its number of rows, a digest over them.
pub(crate) type Table = (String, i64, Option<String>);

/// Number of rows of each table and a digest over them. Audit and keys are left out: that a
/// refusal was noted is no side effect.
pub(crate) async fn of(stage: &Stage) -> anyhow::Result<Vec<Table>> {
    let mut connection = PgConnection::connect(stage.database_url.expose()).await?;
    let tables: Vec<String> = sqlx::query_scalar(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables \
         WHERE schemaname ~ '^([tg]_|platform$)' AND tablename NOT LIKE 'audit%' \
         AND tablename NOT LIKE '%access_log%' AND tablename NOT IN ('idempotency_key', 'ledger_key') ORDER BY 1",
    )
    .fetch_all(&mut connection)
    .await?;
    let selects: Vec<_> = tables
        .iter()
        .map(|table| {
            format!(
                "SELECT '{table}', count(*), md5(string_agg(r::text, '|' ORDER BY r::text)) FROM {table} r"
            )
        })
        .collect();
    let all = format!("{} ORDER BY 1", selects.join(" UNION ALL "));
    Ok(sqlx::query_as(AssertSqlSafe(all))
        .fetch_all(&mut connection)
        .await?)
}
