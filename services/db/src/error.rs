//! What can go wrong at the door, and how callers tell the cases apart.

use branchline_kernel::{Kind, Refusal};
use sea_orm::{DbErr, RuntimeErr};

/// A failure of the database, or its refusal.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// The tenant is suspended: reads only.
    #[error("the tenant is suspended")]
    Suspended,
    /// The tenant has moved to another cell, or is moving.
    #[error("the tenant has moved")]
    Moved,
    /// The register names a cell that this program has no address for.
    #[error("cell {0:?} is not configured")]
    UnknownCell(String),
    /// A statement was refused or failed.
    #[error("a database statement failed")]
    Sql(#[from] sqlx::Error),
    /// SeaORM could not build, run or read a statement.
    #[error("a database statement failed")]
    Orm(#[source] DbErr),
    /// A row holds what no code of ours would have written.
    #[error("inconsistent row in {table}.{column}")]
    Inconsistent {
        /// The table.
        table: &'static str,
        /// The column that does not convert.
        column: &'static str,
    },
    /// The transaction was ended already.
    #[error("the transaction has ended")]
    Ended,
    /// The database's clock and ours differ too much.
    #[error("the database's clock is {0} s away from ours")]
    ClocksDiffer(i64),
}

impl From<DbErr> for DbError {
    fn from(error: DbErr) -> Self {
        Self::Orm(error)
    }
}

impl DbError {
    fn sqlx(&self) -> Option<&sqlx::Error> {
        match self {
            Self::Sql(error) => Some(error),
            Self::Orm(
                DbErr::Exec(RuntimeErr::SqlxError(error))
                | DbErr::Query(RuntimeErr::SqlxError(error))
                | DbErr::Conn(RuntimeErr::SqlxError(error)),
            ) => Some(error.as_ref()),
            Self::Orm(_)
            | Self::Suspended
            | Self::Moved
            | Self::UnknownCell(_)
            | Self::Inconsistent { .. }
            | Self::Ended
            | Self::ClocksDiffer(_) => None,
        }
    }

    /// The SQLSTATE, when the server gave one.
    #[must_use]
    pub fn sqlstate(&self) -> Option<String> {
        self.sqlx()?
            .as_database_error()?
            .code()
            .map(std::borrow::Cow::into_owned)
    }

    /// Whether the constraint of that name refused a row.
    #[must_use]
    pub fn is_constraint(&self, name: &str) -> bool {
        self.sqlx()
            .and_then(sqlx::Error::as_database_error)
            .and_then(|error| error.constraint())
            .is_some_and(|constraint| constraint == name)
    }

    /// Whether repeating the whole transaction may help: the connection was lost, or another
    /// transaction was in the way (40001, 40P01), or a cached plan is out of date (0A000).
    #[must_use]
    pub fn may_be_repeated(&self) -> bool {
        let state = self.sqlstate();
        self.is_connection_lost()
            || state.is_some_and(|state| matches!(state.as_str(), "40001" | "40P01" | "0A000"))
    }

    /// Whether the connection, not the statement, failed; what was sent may have been done.
    #[must_use]
    #[expect(clippy::wildcard_enum_match_arm, reason = "sqlx's enum is open")]
    pub fn is_connection_lost(&self) -> bool {
        let Some(error) = self.sqlx() else {
            return false;
        };
        match error {
            sqlx::Error::Io(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => true,
            sqlx::Error::Database(error) => error.code().is_some_and(|code| {
                code.starts_with("57P0") || code.starts_with("08") || code == "53300"
            }),
            _ => false,
        }
    }
}

impl Refusal for DbError {
    fn kind(&self) -> Kind {
        match self {
            Self::Suspended => Kind::Forbidden,
            Self::Moved => Kind::Unavailable,
            Self::UnknownCell(_)
            | Self::Inconsistent { .. }
            | Self::Ended
            | Self::ClocksDiffer(_) => Kind::Broken,
            Self::Sql(_) | Self::Orm(_) => match self.sqlstate().as_deref() {
                Some("55P03" | "57014" | "40001" | "40P01") => Kind::Unavailable,
                Some(_) | None if self.is_connection_lost() => Kind::Unavailable,
                Some(_) | None => Kind::Broken,
            },
        }
    }

    fn code(&self) -> &'static str {
        match self.kind() {
            Kind::Forbidden => "tenant-suspended",
            Kind::Unavailable => "unavailable",
            Kind::Broken
            | Kind::Invalid
            | Kind::Unauthenticated
            | Kind::NotFound
            | Kind::Conflict
            | Kind::TooLarge
            | Kind::Unprocessable
            | Kind::TooMany => "internal",
        }
    }

    fn public(&self) -> String {
        match self.kind() {
            Kind::Forbidden => {
                "This institution is suspended for the moment: nothing was changed. \
                Ask its operator."
                    .to_owned()
            }
            Kind::Unavailable => {
                "The database cannot be reached for the moment: nothing was changed. \
                Repeat the request with the same key."
                    .to_owned()
            }
            Kind::Broken
            | Kind::Invalid
            | Kind::Unauthenticated
            | Kind::NotFound
            | Kind::Conflict
            | Kind::TooLarge
            | Kind::Unprocessable
            | Kind::TooMany => {
                "Something on our side is broken. It was logged; quote the request id \
                to the operator."
                    .to_owned()
            }
        }
    }
}

/// Turns the refusal of a named constraint into the caller's own error.
pub trait OnConstraint<T, E> {
    /// Maps the refusal by `constraint`; every other failure is converted as it is.
    ///
    /// # Errors
    /// What `map` makes of the refusal, or the converted failure.
    fn on_constraint(self, constraint: &str, map: impl FnOnce() -> E) -> Result<T, E>;
}

impl<T, E: From<DbError>, D: Into<DbError>> OnConstraint<T, E> for Result<T, D> {
    fn on_constraint(self, constraint: &str, map: impl FnOnce() -> E) -> Result<T, E> {
        self.map_err(|error| {
            let error: DbError = error.into();
            if error.is_constraint(constraint) {
                map()
            } else {
                E::from(error)
            }
        })
    }
}
