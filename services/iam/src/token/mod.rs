//! Tokens: the gateway's internal ones and the people's, both verified without any trust in what
//! they say before the signature is checked.
//!
//! # Invariants
//! - The time is passed in; nothing here reads the machine's clock.
//! - The algorithm follows from the key, never from the token.

mod access;
mod directory;
mod internal;
mod jwks;
mod jws;
mod known;

#[cfg(test)]
mod access_tests;
#[cfg(test)]
mod internal_tests;

pub use access::AccessTokens;
pub use directory::{IssuerDirectory, IssuerEntry};
pub use internal::{
    InternalKeyPair, InternalSigner, InternalVerifier, KeyError, generate_internal_key, is_internal,
};
pub use jwks::JwksError;

use branchline_kernel::{Kind, Refusal, Timestamp};
use serde::{Deserialize, Serialize};

/// The core as tokens name it in `aud`.
pub const CORE_AUDIENCE: &str = "branchline-core";

/// Clocks of two machines may differ by this much.
const CLOCK_SKEW_SECS: i64 = 10;

/// Why a token was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Not a token, too long, or without a claim that it must have.
    #[error("the token is malformed")]
    Malformed,
    /// Signed with an algorithm that is not accepted, or with none.
    #[error("the token's algorithm is not accepted")]
    Algorithm,
    /// The issuer belongs to no tenant.
    #[error("the token's issuer belongs to no tenant")]
    UnknownIssuer,
    /// The issuer has no such key.
    #[error("the token was signed with a key that its issuer does not show")]
    UnknownKey,
    /// The signature does not fit the content.
    #[error("the token's signature is wrong")]
    Signature,
    /// The token has run out.
    #[error("the token has expired")]
    Expired,
    /// The token is for later.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The token lives longer than its kind may.
    #[error("the token lives longer than {most} seconds")]
    LivesTooLong {
        /// The longest life of such a token.
        most: i64,
    },
    /// The token is for somebody else.
    #[error("the token is not meant for this service")]
    Audience,
    /// An ID token, a refresh token, a token bound to a proof, or one for another client.
    #[error("the token is not an access token of an accepted client")]
    NotAnAccessToken,
    /// The issuer's keys were never seen and cannot be fetched now.
    #[error("the issuer's keys could not be fetched")]
    KeysUnavailable(#[from] JwksError),
}

impl Refusal for TokenError {
    fn kind(&self) -> Kind {
        match self {
            Self::KeysUnavailable(_) => Kind::Unavailable,
            Self::Malformed
            | Self::Algorithm
            | Self::UnknownIssuer
            | Self::UnknownKey
            | Self::Signature
            | Self::Expired
            | Self::NotYetValid
            | Self::LivesTooLong { .. }
            | Self::Audience
            | Self::NotAnAccessToken => Kind::Unauthenticated,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::KeysUnavailable(_) => "identity-provider-unavailable",
            Self::Expired => "token-expired",
            Self::Malformed
            | Self::Algorithm
            | Self::UnknownIssuer
            | Self::UnknownKey
            | Self::Signature
            | Self::NotYetValid
            | Self::LivesTooLong { .. }
            | Self::Audience
            | Self::NotAnAccessToken => "token-invalid",
        }
    }

    /// Says only what its rightful holder can use: a forger learns nothing from it.
    fn public(&self) -> String {
        match self {
            Self::KeysUnavailable(_) => {
                "The identity provider does not answer, so the token cannot be checked. Try again \
                 in a minute."
            }
            Self::Expired => "The access token has expired. Sign in again and use the new one.",
            Self::Malformed
            | Self::Algorithm
            | Self::UnknownIssuer
            | Self::UnknownKey
            | Self::Signature
            | Self::NotYetValid
            | Self::LivesTooLong { .. }
            | Self::Audience
            | Self::NotAnAccessToken => {
                "The access token is not one that this service accepts. Sign in at your \
                 institution and send the access token as a Bearer token."
            }
        }
        .to_owned()
    }
}

/// The claims that bound a token's life, in seconds since 1970.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Lifetime {
    iat: i64,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
}

impl Lifetime {
    fn check(self, now: Timestamp, most: i64) -> Result<(), TokenError> {
        let now = now.timestamp();
        let soon = now.saturating_add(CLOCK_SKEW_SECS);
        if now >= self.exp {
            return Err(TokenError::Expired);
        }
        if self.iat > soon || self.nbf.is_some_and(|start| start > soon) {
            return Err(TokenError::NotYetValid);
        }
        if self.exp.saturating_sub(self.iat) > most {
            return Err(TokenError::LivesTooLong { most });
        }
        Ok(())
    }
}

/// The claim `aud`: one name or several (RFC 7519 §4.1.3).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Audience {
    fn names(&self, wanted: &str) -> bool {
        match self {
            Self::One(name) => name == wanted,
            Self::Many(names) => names.iter().any(|name| name == wanted),
        }
    }

    /// For our own tokens, which name nobody beside the core.
    fn is_only(&self, wanted: &str) -> bool {
        match self {
            Self::One(name) => name == wanted,
            Self::Many(_) => false,
        }
    }
}
