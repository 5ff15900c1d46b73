//! Why a consent does not change.

use branchline_kernel::{Kind, Refusal};

use crate::status::ConsentStatus;

/// Why a consent does not change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsentError {
    /// Its state does not allow it.
    #[error("the consent cannot be {wanted}: it is {status:?}")]
    WrongState {
        /// What was to happen.
        wanted: &'static str,
        /// Where it stands.
        status: ConsentStatus,
    },
    /// No account was chosen.
    #[error("no account was chosen: choose at least one")]
    NoAccount,
    /// An account or right was not asked for.
    #[error("the choice goes beyond what was asked for: choose among the accounts shown")]
    BeyondRequest,
}

impl Refusal for ConsentError {
    fn kind(&self) -> Kind {
        match self {
            Self::WrongState { .. } => Kind::Conflict,
            Self::NoAccount | Self::BeyondRequest => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::WrongState { .. } => "consent-state",
            Self::NoAccount => "no-account-chosen",
            Self::BeyondRequest => "beyond-request",
        }
    }

    fn public(&self) -> String {
        match self {
            Self::WrongState { wanted, .. } => format!(
                "This permission cannot be {wanted} any more: it was decided, ended or has run out. Start again from the app that asked for it."
            ),
            Self::NoAccount => "Choose at least one account.".to_owned(),
            Self::BeyondRequest => "Choose among the accounts shown.".to_owned(),
        }
    }
}
