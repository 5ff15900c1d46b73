//! Why somebody could not be enrolled or found.

use branchline_db::DbError;
use branchline_kernel::{Kind, Refusal};

/// Why a member could not be enrolled or found.
#[derive(Debug, thiserror::Error)]
pub enum MemberError {
    /// The login belongs to a member already.
    #[error("the login belongs to a member already")]
    LoginTaken,
    /// The database failed.
    #[error("the member could not be read or written")]
    Db(#[from] DbError),
}

impl Refusal for MemberError {
    fn kind(&self) -> Kind {
        match self {
            Self::LoginTaken => Kind::Conflict,
            Self::Db(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::LoginTaken => "login-taken",
            Self::Db(error) => error.code(),
        }
    }

    fn public(&self) -> String {
        match self {
            Self::LoginTaken => {
                "This login belongs to a member already. Use that member, or give another login."
                    .to_owned()
            }
            Self::Db(error) => error.public(),
        }
    }
}
