//! A refusal by the rules of OAuth, or a failure of the database.

use branchline_db::DbError;
use branchline_kernel::{Kind, Refusal};
use branchline_oauth::OAuthError;

/// Why an authorization server's step was not done.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A rule refuses it.
    #[error("the request breaks a rule of OAuth")]
    Rule(#[from] OAuthError),
    /// The database failed.
    #[error("the authorization server's rows could not be read or written")]
    Db(#[from] DbError),
}

impl Refused {
    /// The refusal in the words of OAuth.
    #[must_use]
    pub fn oauth(&self) -> OAuthError {
        match self {
            Self::Rule(error) => *error,
            Self::Db(error) => match error.kind() {
                Kind::Unavailable | Kind::TooMany | Kind::Forbidden => {
                    OAuthError::TemporarilyUnavailable
                }
                Kind::Broken
                | Kind::Invalid
                | Kind::Unauthenticated
                | Kind::NotFound
                | Kind::Conflict
                | Kind::TooLarge
                | Kind::Unprocessable => OAuthError::ServerError,
            },
        }
    }
}

impl Refusal for Refused {
    fn kind(&self) -> Kind {
        match self {
            Self::Rule(error) => error.kind(),
            Self::Db(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Rule(error) => error.code(),
            Self::Db(error) => error.code(),
        }
    }

    fn public(&self) -> String {
        match self {
            Self::Rule(error) => error.public(),
            Self::Db(error) => error.public(),
        }
    }
}
