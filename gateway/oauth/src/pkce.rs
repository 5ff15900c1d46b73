//! Proof key for the code (RFC 7636), S256 only.

use std::str::FromStr;

use aws_lc_rs::{constant_time, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::OAuthError;

/// The SHA-256 of a verifier that the client keeps, in base64url.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeChallenge(String);

/// The verifier that the client shows with the code.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeVerifier(String);

impl CodeChallenge {
    /// The challenge as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `verifier` is the one behind this challenge (RFC 7636 §4.6).
    ///
    /// # Errors
    /// [`OAuthError::WrongVerifier`].
    pub fn verify(&self, verifier: &CodeVerifier) -> Result<(), OAuthError> {
        let hash = digest::digest(&digest::SHA256, verifier.0.as_bytes());
        let shown = URL_SAFE_NO_PAD.encode(hash.as_ref());
        constant_time::verify_slices_are_equal(shown.as_bytes(), self.0.as_bytes())
            .map_err(|_different| OAuthError::WrongVerifier)
    }
}

impl FromStr for CodeChallenge {
    type Err = OAuthError;

    fn from_str(text: &str) -> Result<Self, OAuthError> {
        match URL_SAFE_NO_PAD.decode(text) {
            Ok(hash) if hash.len() == digest::SHA256_OUTPUT_LEN => Ok(Self(text.to_owned())),
            Ok(_) | Err(_) => Err(OAuthError::MalformedParameter(
                "code_challenge",
                "the SHA-256 of the verifier in base64url, 43 characters",
            )),
        }
    }
}

impl FromStr for CodeVerifier {
    type Err = OAuthError;

    /// RFC 7636 §4.1: 43 to 128 unreserved characters.
    fn from_str(text: &str) -> Result<Self, OAuthError> {
        let unreserved =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        if (43..=128).contains(&text.len()) && text.bytes().all(unreserved) {
            Ok(Self(text.to_owned()))
        } else {
            // FAPI wants invalid_grant for a verifier that cannot be right, not invalid_request.
            Err(OAuthError::WrongVerifier)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7636 appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    #[test]
    fn the_published_example_fits() {
        let challenge: CodeChallenge = CHALLENGE.parse().unwrap();
        assert_eq!(challenge.verify(&VERIFIER.parse().unwrap()), Ok(()));
    }

    #[test]
    fn another_verifier_does_not_fit() {
        let challenge: CodeChallenge = CHALLENGE.parse().unwrap();
        for other in [&VERIFIER.replace('d', "e"), CHALLENGE] {
            assert_eq!(
                challenge.verify(&other.parse().unwrap()),
                Err(OAuthError::WrongVerifier)
            );
        }
    }

    #[test]
    fn a_challenge_that_is_no_sha_256_is_refused() {
        let long = "A".repeat(1_000_000);
        for text in [
            "",
            "E9Melhoa",
            &CHALLENGE.replace('-', "+"),
            VERIFIER.trim_end_matches('k'),
            &long,
        ] {
            assert!(text.parse::<CodeChallenge>().is_err());
        }
    }

    #[test]
    fn a_verifier_outside_its_grammar_is_refused() {
        for text in ["", &"a".repeat(42), &"a".repeat(129), &"ä".repeat(40)] {
            assert!(text.parse::<CodeVerifier>().is_err());
        }
    }
}
