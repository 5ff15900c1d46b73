//! Values bound to constant SQL, in the order of its placeholders.

use sqlx::postgres::PgArguments;
use sqlx::{Arguments, Encode, Postgres, Type};

use crate::error::DbError;

/// The values of one statement. A value that cannot be encoded surfaces when the statement runs.
#[derive(Default)]
pub struct Values {
    bound: PgArguments,
    failed: Option<sqlx::error::BoxDynError>,
}

impl Values {
    /// No values yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Binds the next placeholder.
    #[must_use]
    pub fn with<'t, T: Encode<'t, Postgres> + Type<Postgres>>(mut self, value: T) -> Self {
        if let Err(error) = self.bound.add(value) {
            self.failed = Some(error);
        }
        self
    }

    pub(crate) fn into_arguments(self) -> Result<PgArguments, DbError> {
        match self.failed {
            Some(error) => Err(DbError::Sql(sqlx::Error::Encode(error))),
            None => Ok(self.bound),
        }
    }
}
