//! Access tokens: how they are shown and whether they are still good.

use branchline_kernel::Timestamp;

use crate::{OAuthError, OpaqueToken, TokenKind};

/// How long an access token is good.
pub const ACCESS_TOKEN_LIFE_SECS: i64 = 900;

/// What became of an access token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// Good until then.
    Active {
        /// From this moment on it is expired.
        expires_at: Timestamp,
    },
    /// Ended by time.
    Expired {
        /// Since when.
        since: Timestamp,
    },
    /// Ended by its holder, by a replayed code, or with its consent.
    Revoked {
        /// When.
        at: Timestamp,
    },
}

impl TokenState {
    /// A token issued at `now`.
    #[must_use]
    pub fn issued(now: Timestamp) -> Self {
        let life = chrono::TimeDelta::seconds(ACCESS_TOKEN_LIFE_SECS);
        Self::Active {
            expires_at: now.checked_add_signed(life).unwrap_or(now),
        }
    }

    /// The state at `now`: expiry is found at reading, not by a timer.
    #[must_use]
    pub fn seen_at(self, now: Timestamp) -> Self {
        match self {
            Self::Active { expires_at } if expires_at <= now => Self::Expired { since: expires_at },
            Self::Active { .. } | Self::Expired { .. } | Self::Revoked { .. } => self,
        }
    }

    /// Ends the token; an ended one stays as it is (RFC 7009 §2.2: revoking twice is no error).
    #[must_use]
    pub const fn revoke(self, now: Timestamp) -> Self {
        match self {
            Self::Active { .. } | Self::Expired { .. } => Self::Revoked { at: now },
            Self::Revoked { .. } => self,
        }
    }
}

/// The token of an `Authorization` header; the scheme's case does not count (RFC 7235 §2.1).
/// `None` when no bearer token was sent.
///
/// # Errors
/// [`OAuthError::InvalidToken`] when it is none of ours; the same as for an unknown token.
pub fn bearer_token(header: Option<&str>) -> Result<Option<OpaqueToken>, OAuthError> {
    let Some((scheme, token)) = header.and_then(|value| value.trim().split_once(' ')) else {
        return Ok(None);
    };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Ok(None);
    }
    OpaqueToken::parse(TokenKind::Access, token.trim()).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta};

    #[test]
    fn a_token_expires_by_itself_and_is_revoked_for_good() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let end = now + TimeDelta::seconds(ACCESS_TOKEN_LIFE_SECS);
        let token = TokenState::issued(now);
        assert_eq!(token.seen_at(end - TimeDelta::seconds(1)), token);
        assert_eq!(token.seen_at(end), TokenState::Expired { since: end });
        let revoked = token.revoke(now);
        assert_eq!(
            revoked.revoke(end).seen_at(end),
            TokenState::Revoked { at: now }
        );
    }

    #[test]
    fn the_scheme_may_be_written_in_any_case() {
        let token = OpaqueToken::mint(TokenKind::Access, &[1; 32]);
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let header = format!("{scheme} {}", token.expose());
            assert_eq!(bearer_token(Some(&header)), Ok(Some(token.clone())));
        }
    }

    #[test]
    fn no_token_and_a_wrong_token_are_told_apart() {
        for header in [None, Some(""), Some("Bearer"), Some("Basic abc")] {
            assert_eq!(bearer_token(header), Ok(None), "{header:?}");
        }
        let long = format!("Bearer {}", "a".repeat(1_000_000));
        for header in ["Bearer x", "Bearer ä", &long] {
            assert_eq!(bearer_token(Some(header)), Err(OAuthError::InvalidToken));
        }
    }
}
