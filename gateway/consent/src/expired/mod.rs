//! Secrets that have run out: forgotten some time after they opened anything.
//!
//! # Invariants
//! - What still opens something stays, whatever `before` says; so does a code while a token that
//!   came of it is kept, because showing the code again must revoke that token (RFC 6749 §4.1.2).
//! - Evidence stays for good: consents and the accounts they opened, authorisations, grants, which
//!   client started which payment, and what the core was told.
//!
//! # Locking
//! Rows that somebody else holds are skipped; the next round takes them. What refers goes before
//! what it refers to: sign-ins, interactions, pushed requests, sessions; tokens before codes.

mod store;

use branchline_db::{DbError, TenantTx};
use branchline_kernel::Timestamp;

/// How many rows of each kind were forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// Sign-ins that were under way.
    pub logins: u64,
    /// Browsers that worked on a pushed request.
    pub interactions: u64,
    /// Pushed requests.
    pub pushed_requests: u64,
    /// Members' sessions.
    pub sessions: u64,
    /// Access tokens.
    pub tokens: u64,
    /// Authorization codes.
    pub codes: u64,
}

impl Forgotten {
    /// All of them.
    #[must_use]
    pub fn total(&self) -> u64 {
        [
            self.logins,
            self.interactions,
            self.pushed_requests,
            self.sessions,
            self.tokens,
            self.codes,
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }
}

/// Forgets what ran out before then, at most 1000 rows of each kind.
///
/// # Errors
/// [`DbError`] when the rows cannot be removed.
pub async fn forget_expired(tx: &TenantTx, before: Timestamp) -> Result<Forgotten, DbError> {
    let before = before.min(tx.now());
    Ok(Forgotten {
        logins: store::remove_logins(tx, before).await?,
        interactions: store::remove_interactions(tx, before).await?,
        pushed_requests: store::remove_pushed(tx, before).await?,
        sessions: store::remove_sessions(tx, before).await?,
        tokens: store::remove_tokens(tx, before).await?,
        codes: store::remove_codes(tx, before).await?,
    })
}
