//! Authorization codes: short-lived, used once, kept in memory.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use branchline_kernel::{TenantSlug, Timestamp};
use chrono::TimeDelta;

use super::login::Client;
use crate::identity::IdentityError;
use crate::random::random_token;

/// RFC 6749 §4.1.2 recommends ten minutes at most; a browser needs seconds.
const LIFE: TimeDelta = TimeDelta::seconds(60);
const MOST_OPEN_CODES: usize = 1000;

/// What a code stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Grant {
    pub(super) slug: TenantSlug,
    pub(super) client: Client,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) scope: String,
    pub(super) nonce: Option<String>,
    pub(super) username: String,
    pub(super) signed_in_at: Timestamp,
}

/// All codes that are still open.
#[derive(Default)]
pub(super) struct Codes(Mutex<HashMap<String, Grant>>);

impl Codes {
    /// A new code for a grant; none when too many are open.
    pub(super) fn issue(&self, grant: Grant) -> Result<Option<String>, IdentityError> {
        let code = random_token(32)?;
        let now = grant.signed_in_at;
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, grant| grant.is_fresh(now));
        if open.len() >= MOST_OPEN_CODES {
            return Ok(None);
        }
        open.insert(code.clone(), grant);
        Ok(Some(code))
    }

    /// The grant behind a code; whether or not it then fits, the code is used up.
    pub(super) fn take(&self, code: &str, now: Timestamp) -> Option<Grant> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.remove(code).filter(|grant| grant.is_fresh(now))
    }
}

impl Grant {
    fn is_fresh(&self, now: Timestamp) -> bool {
        now.signed_duration_since(self.signed_in_at) < LIFE
    }
}
