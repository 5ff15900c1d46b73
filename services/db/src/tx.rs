//! Transactions as the rest of the code sees them.

use std::sync::Arc;

use branchline_kernel::{IdSource, TenantId, Timestamp};
use chrono::SubsecRound;
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement,
    StatementBuilder,
};
use sea_query_sqlx::SqlxValues;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Postgres, SqlSafeStr};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::error::DbError;
use crate::lane::LaneTx;
use crate::values::Values;

/// A transaction inside one tenant's schema, under that tenant's role.
///
/// Dropping it without [`Tx::commit`] rolls back. A function that is handed one never commits.
pub type TenantTx = Tx<TenantScope>;

/// A transaction on the register of the installation.
pub type PlatformTx = Tx<PlatformScope>;

/// What a tenant's transaction is bound to.
#[derive(Debug, Clone)]
pub struct TenantScope {
    pub(crate) tenant: TenantId,
    pub(crate) actor: String,
}

/// The register belongs to no tenant.
#[derive(Debug, Clone, Copy)]
pub struct PlatformScope;

/// A transaction that the database knows of.
pub(crate) enum Open {
    Pooled(sqlx::Transaction<'static, Postgres>),
    Lane(LaneTx),
}

impl Open {
    fn connection(&mut self) -> Result<&mut PgConnection, DbError> {
        match self {
            Self::Pooled(open) => Ok(&mut **open),
            Self::Lane(open) => open.connection(),
        }
    }

    async fn commit(self) -> Result<(), DbError> {
        match self {
            Self::Pooled(open) => Ok(open.commit().await?),
            Self::Lane(open) => open.commit().await,
        }
    }

    async fn rollback(self) -> Result<(), DbError> {
        match self {
            Self::Pooled(open) => Ok(open.rollback().await?),
            Self::Lane(open) => open.rollback().await,
        }
    }
}

/// An open transaction with its scope, its one `now` and its source of ids.
pub struct Tx<S> {
    open: Mutex<Option<Open>>,
    pub(crate) now: Timestamp,
    ids: Arc<dyn IdSource>,
    scope: S,
}

impl Tx<TenantScope> {
    /// The tenant whose data this transaction sees.
    #[must_use]
    pub fn tenant(&self) -> &TenantId {
        &self.scope.tenant
    }

    /// Who acts, as audit rows name them.
    #[must_use]
    pub fn actor(&self) -> &str {
        &self.scope.actor
    }
}

impl<S> Tx<S> {
    pub(crate) fn new(open: Open, now: Timestamp, ids: Arc<dyn IdSource>, scope: S) -> Self {
        Self {
            open: Mutex::new(Some(open)),
            // PostgreSQL keeps microseconds: what was written must be equal to what is read back.
            now: now.trunc_subsecs(6),
            ids,
            scope,
        }
    }

    /// The one moment at which everything in this transaction happens.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// A new id.
    #[must_use]
    pub fn next_id(&self) -> Uuid {
        self.ids.next()
    }

    /// Makes everything durable.
    ///
    /// # Errors
    /// [`DbError`] when the database did not confirm; what was sent may still have been done.
    pub async fn commit(self) -> Result<(), DbError> {
        let open = self.open.into_inner().ok_or(DbError::Ended)?;
        open.commit().await
    }

    /// Undoes everything, and waits until that is done.
    ///
    /// # Errors
    /// [`DbError`] when the connection was lost; then the server undoes it by itself.
    pub async fn rollback(self) -> Result<(), DbError> {
        let open = self.open.into_inner().ok_or(DbError::Ended)?;
        open.rollback().await
    }

    /// Runs constant SQL and gives its rows: the door for what SeaORM cannot say.
    ///
    /// # Errors
    /// [`DbError`] when the statement fails.
    pub async fn named(&self, sql: &'static str, values: Values) -> Result<Vec<PgRow>, DbError> {
        let values = values.into_arguments()?;
        let mut open = self.open.lock().await;
        let open = open.as_mut().ok_or(DbError::Ended)?.connection()?;
        Ok(sqlx::query_with(sql, values).fetch_all(open).await?)
    }

    /// Runs constant SQL and gives the number of rows it changed.
    ///
    /// # Errors
    /// [`DbError`] when the statement fails.
    pub async fn run(&self, sql: &'static str, values: Values) -> Result<u64, DbError> {
        let values = values.into_arguments()?;
        let mut open = self.open.lock().await;
        let open = open.as_mut().ok_or(DbError::Ended)?.connection()?;
        Ok(sqlx::query_with(sql, values)
            .execute(open)
            .await?
            .rows_affected())
    }

    /// Sets a mark that [`Tx::back_to`] returns to.
    ///
    /// # Errors
    /// [`DbError`] when the statement fails.
    pub async fn savepoint(&self) -> Result<(), DbError> {
        self.run("SAVEPOINT work", Values::new()).await.map(drop)
    }

    /// Undoes everything since [`Tx::savepoint`].
    ///
    /// # Errors
    /// [`DbError`] when the statement fails.
    pub async fn back_to_savepoint(&self) -> Result<(), DbError> {
        self.run("ROLLBACK TO SAVEPOINT work", Values::new())
            .await
            .map(drop)
    }
}

fn raw_is_refused() -> DbErr {
    DbErr::Custom("raw SQL does not pass the tenant door: use a constant with `named`".to_owned())
}

/// The connection of a transaction that is open, for SeaORM.
fn on(open: Option<&mut Open>) -> Result<&mut PgConnection, DbErr> {
    let ended = |_: DbError| DbErr::Custom("the transaction has ended".to_owned());
    open.ok_or(DbError::Ended)
        .and_then(Open::connection)
        .map_err(ended)
}

fn query_error(error: sqlx::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(error)))
}

impl<S: Send + Sync> Tx<S> {
    async fn rows<B: StatementBuilder>(&self, statement: &B) -> Result<Vec<PgRow>, DbErr> {
        let Statement { sql, values, .. } = DbBackend::Postgres.build(statement);
        let values = SqlxValues(values.unwrap_or_else(|| sea_orm::Values(Vec::new())));
        let mut open = self.open.lock().await;
        let open = on(open.as_mut())?;
        // SeaORM built the text; every value is bound.
        let query = sqlx::query_with(AssertSqlSafe(sql).into_sql_str(), values);
        query.fetch_all(open).await.map_err(query_error)
    }
}

#[async_trait::async_trait]
impl<S: Send + Sync> ConnectionTrait for Tx<S> {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, _: Statement) -> Result<ExecResult, DbErr> {
        Err(raw_is_refused())
    }

    async fn execute<B: StatementBuilder>(&self, statement: &B) -> Result<ExecResult, DbErr> {
        let Statement { sql, values, .. } = DbBackend::Postgres.build(statement);
        let values = SqlxValues(values.unwrap_or_else(|| sea_orm::Values(Vec::new())));
        let mut open = self.open.lock().await;
        let open = on(open.as_mut())?;
        let query = sqlx::query_with(AssertSqlSafe(sql).into_sql_str(), values);
        query
            .execute(open)
            .await
            .map(ExecResult::from)
            .map_err(query_error)
    }

    async fn execute_unprepared(&self, _: &str) -> Result<ExecResult, DbErr> {
        Err(raw_is_refused())
    }

    async fn query_one_raw(&self, _: Statement) -> Result<Option<QueryResult>, DbErr> {
        Err(raw_is_refused())
    }

    async fn query_one<B: StatementBuilder>(
        &self,
        statement: &B,
    ) -> Result<Option<QueryResult>, DbErr> {
        Ok(self
            .rows(statement)
            .await?
            .into_iter()
            .next()
            .map(QueryResult::from))
    }

    async fn query_all_raw(&self, _: Statement) -> Result<Vec<QueryResult>, DbErr> {
        Err(raw_is_refused())
    }

    async fn query_all<B: StatementBuilder>(
        &self,
        statement: &B,
    ) -> Result<Vec<QueryResult>, DbErr> {
        Ok(self
            .rows(statement)
            .await?
            .into_iter()
            .map(QueryResult::from)
            .collect())
    }
}
