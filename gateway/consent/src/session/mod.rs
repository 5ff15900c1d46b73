//! Members at their browsers: sign-ins under way, sessions, and the request each browser works on.
//!
//! # Invariants
//! - Cookies and the `state` of a sign-in are kept as hashes.
//! - A sign-in comes back once, to the browser that began it.

mod interactions;
mod logins;
mod rows;
mod store;

use aws_lc_rs::digest;
use branchline_db::{DbError, TenantTx};
use branchline_kernel::Timestamp;
use branchline_xs2a::Psu;
use chrono::TimeDelta;

pub use interactions::{Interaction, InteractionId, open};
pub use logins::{Destination, LoginAttempt, begin_login, take_login};
pub use store::{bind, end, find, find_interaction, find_name};

/// How long a session lasts; a member signs in anew for the next request after that.
pub const SESSION_LIFE: TimeDelta = TimeDelta::minutes(15);

/// The hash of a secret that a browser holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretHash(Vec<u8>);

impl SecretHash {
    /// The hash of what the browser shows.
    #[must_use]
    pub fn of(secret: &str) -> Self {
        Self(
            digest::digest(&digest::SHA256, secret.as_bytes())
                .as_ref()
                .to_vec(),
        )
    }

    /// The bytes, to derive form tokens from.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

/// A signed-in member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The hash of the cookie.
    pub hash: SecretHash,
    /// Who signed in.
    pub psu: Psu,
    /// The name that her issuer gave.
    pub name: String,
    /// When the session ends.
    pub expires_at: Timestamp,
}

/// Keeps a session for a member who has just signed in.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn begin(
    tx: &TenantTx,
    hash: &SecretHash,
    psu: &Psu,
    name: &str,
) -> Result<Session, DbError> {
    let expires_at = tx.now().checked_add_signed(SESSION_LIFE);
    let session = Session {
        hash: hash.clone(),
        psu: psu.clone(),
        name: name.to_owned(),
        expires_at: expires_at.unwrap_or(tx.now()),
    };
    store::insert(tx, &session).await?;
    Ok(session)
}
