//! The superuser of a private server, for what torture and bench do to it. No service has such a
//! login.

use branchline_kernel::{Secret, TenantId};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection, Row};

use crate::error::DbError;
use crate::pool;

/// A connection that may do anything.
pub struct Operator(PgConnection);

const SOURCE: &str = "SELECT pg_get_functiondef(p.oid) AS source FROM pg_proc p \
JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proname = $1 AND n.nspname = $2";

impl Operator {
    /// Connects with the superuser's address.
    ///
    /// # Errors
    /// [`DbError`] when the server does not answer.
    pub async fn connect(url: &Secret<String>) -> Result<Self, DbError> {
        let connection = PgConnection::connect_with(&pool::options(url)?).await?;
        Ok(Self(connection))
    }

    /// Runs statements.
    ///
    /// # Errors
    /// [`DbError`] when one fails.
    pub async fn run(&mut self, sql: &str) -> Result<(), DbError> {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
            .execute(&mut self.0)
            .await?;
        Ok(())
    }

    /// The first row of a question, if it has one.
    ///
    /// # Errors
    /// [`DbError`] when the statement fails.
    pub async fn ask(&mut self, sql: &'static str) -> Result<Option<PgRow>, DbError> {
        Ok(sqlx::query(sql).fetch_optional(&mut self.0).await?)
    }

    /// Replaces the first `good` in the text of a function of the core's schema of a tenant by
    /// `bad`, and says whether it was there.
    ///
    /// # Errors
    /// [`DbError`] when there is no such function, or its new text is refused.
    pub async fn break_function(
        &mut self,
        tenant: &TenantId,
        function: &str,
        (good, bad): (&str, &str),
    ) -> Result<bool, DbError> {
        let row = sqlx::query(SOURCE)
            .bind(function)
            .bind(format!("t_{tenant}"))
            .fetch_one(&mut self.0)
            .await?;
        let source: String = row.try_get("source")?;
        self.run(&source.replacen(good, bad, 1)).await?;
        Ok(source.contains(good))
    }
}
