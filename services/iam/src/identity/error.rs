//! What can go wrong where people sign in.

use std::io;
use std::path::PathBuf;

use branchline_kernel::{Kind, Refusal};
use keycloak::KeycloakError;

use crate::random::NoRandomness;

/// Why a realm could not be provisioned, or an identity provider not be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Passwords would travel readable.
    #[error("the identity provider's address {url} must begin with https:// unless it is loopback")]
    PlainHttp {
        /// The address given.
        url: String,
    },
    /// Anyone could sign in as anyone from outside.
    #[error(
        "the development identity lets anyone sign in as anyone, so it runs in profile dev and \
         with a loopback public address only, not with {public_url}: use Keycloak"
    )]
    NotForDevelopment {
        /// The public address given.
        public_url: String,
    },
    /// Keycloak refused or did not answer.
    #[error("could not {step} of realm {realm} at Keycloak")]
    Keycloak {
        /// What was tried.
        step: &'static str,
        /// Where.
        realm: String,
        /// What Keycloak said.
        source: Box<KeycloakError>,
    },
    /// The realm's discovery document could not be read.
    #[error("could not read the discovery document of realm {realm}")]
    Discovery {
        /// Which realm.
        realm: String,
        /// Why not.
        source: Box<reqwest::Error>,
    },
    /// Keycloak's answer lacks something that is always there.
    #[error("Keycloak's answer lacks {what} of realm {realm}")]
    Incomplete {
        /// What is missing.
        what: &'static str,
        /// Which realm.
        realm: String,
    },
    /// A file of the development identity could not be read or written.
    #[error("could not read or write {path} of the development identity")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the development identity does not hold what it should.
    #[error("{path} of the development identity is damaged: remove it and provision again")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// The signing key could not be made or used.
    #[error("the development identity's signing key could not be made or used")]
    SigningKey,
    /// No random bytes for a secret.
    #[error("could not make a secret")]
    NoRandomness(#[from] NoRandomness),
}

impl Refusal for IdentityError {
    fn kind(&self) -> Kind {
        match self {
            Self::Keycloak { source, .. } => match source.as_ref() {
                KeycloakError::ReqwestFailure(_) => Kind::Unavailable,
                KeycloakError::HttpFailure { .. } => Kind::Broken,
            },
            Self::Discovery { .. } | Self::NoRandomness(_) => Kind::Unavailable,
            Self::PlainHttp { .. }
            | Self::NotForDevelopment { .. }
            | Self::Incomplete { .. }
            | Self::File { .. }
            | Self::Damaged { .. }
            | Self::SigningKey => Kind::Broken,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Keycloak { .. } | Self::Discovery { .. } | Self::Incomplete { .. } => {
                "identity-provider-failed"
            }
            Self::PlainHttp { .. } => "identity-provider-insecure",
            Self::NotForDevelopment { .. } => "development-identity-refused",
            Self::File { .. } | Self::Damaged { .. } | Self::SigningKey | Self::NoRandomness(_) => {
                "development-identity-failed"
            }
        }
    }

    fn public(&self) -> String {
        "The identity provider could not do its part. Try again; if it goes on, the operators must \
         look at the logs."
            .to_owned()
    }
}
