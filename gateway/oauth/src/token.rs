//! Opaque tokens: a prefix that scanners recognize and 256 random bits, stored only as a hash.

use std::fmt;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::OAuthError;

/// What a token is for; each kind has its prefix, so that one never passes for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// An access token.
    Access,
    /// An authorization code.
    Code,
    /// The initial access token of a registration (RFC 7591 §3).
    Invitation,
}

impl TokenKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Access => "bl_at_",
            Self::Code => "bl_ac_",
            Self::Invitation => "bl_inv_",
        }
    }

    const fn malformed(self) -> OAuthError {
        match self {
            Self::Access => OAuthError::InvalidToken,
            Self::Code => OAuthError::InvalidCode,
            Self::Invitation => OAuthError::InvalidInvitation,
        }
    }
}

/// A token in clear; it is shown to its holder once and never stored.
#[derive(Clone, PartialEq, Eq)]
pub struct OpaqueToken(String);

impl OpaqueToken {
    /// Makes a token from 32 bytes of the caller's random source.
    #[must_use]
    pub fn mint(kind: TokenKind, random: &[u8; 32]) -> Self {
        Self(format!(
            "{}{}",
            kind.prefix(),
            URL_SAFE_NO_PAD.encode(random)
        ))
    }

    /// Reads a token that a caller showed.
    ///
    /// # Errors
    /// The refusal of its kind when it is not of our making; the same as for an unknown token.
    pub fn parse(kind: TokenKind, text: &str) -> Result<Self, OAuthError> {
        let body = text.strip_prefix(kind.prefix()).ok_or(kind.malformed())?;
        match URL_SAFE_NO_PAD.decode(body) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(text.to_owned())),
            Ok(_) | Err(_) => Err(kind.malformed()),
        }
    }

    /// The token in clear, for its holder only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What is stored and looked up instead of the token.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }
}

impl fmt::Debug for OpaqueToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpaqueToken(…)")
    }
}

/// The SHA-256 of a token. The token has 256 random bits, so no salt is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    pub(crate) fn of(text: &str) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
        Self(hash)
    }

    /// The bytes, for a row.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_has_one_hash() {
        let token = OpaqueToken::mint(TokenKind::Access, &[7; 32]);
        let read = OpaqueToken::parse(TokenKind::Access, token.expose()).unwrap();
        assert_eq!(read.hash(), token.hash());
        assert_ne!(
            OpaqueToken::mint(TokenKind::Access, &[8; 32]).hash(),
            token.hash()
        );
    }

    #[test]
    fn a_token_of_one_kind_is_none_of_another() {
        let code = OpaqueToken::mint(TokenKind::Code, &[7; 32]);
        assert_eq!(
            OpaqueToken::parse(TokenKind::Access, code.expose()),
            Err(OAuthError::InvalidToken)
        );
    }

    #[test]
    fn what_we_did_not_make_is_refused() {
        let long = format!("bl_at_{}", "A".repeat(1_000_000));
        let token = OpaqueToken::mint(TokenKind::Access, &[0; 32]);
        // The last letter carries two bits too many: setting them would be a second spelling.
        let other_spelling = format!("bl_at_{}B", "A".repeat(42));
        for text in [
            "",
            "bl_at_",
            "bl_at_AAAA",
            "Bearer x",
            "bl_at_ä",
            &long,
            &format!("{}=", token.expose()),
            &other_spelling,
        ] {
            assert!(
                OpaqueToken::parse(TokenKind::Access, text).is_err(),
                "{}",
                text.len()
            );
        }
        assert_eq!(other_spelling.len(), token.expose().len());
    }

    #[test]
    fn a_token_does_not_print_itself() {
        let token = OpaqueToken::mint(TokenKind::Access, &[7; 32]);
        assert!(!format!("{token:?}").contains("Bwc"));
    }
}
