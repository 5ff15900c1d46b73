//! A signed token taken apart (RFC 7515 compact form).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::TokenError;

/// No token of ours or of an identity provider comes near; a longer one is not even decoded.
const MAX_BYTES: usize = 16 * 1024;

/// A token whose signature is still to be checked.
pub(super) struct Jws<'a> {
    signed: &'a str,
    signature: &'a str,
    payload: Vec<u8>,
    /// What the token says about its key.
    pub(super) header: Header,
}

/// Just enough of a header to tell an algorithm that cannot be read from a broken token.
#[derive(Deserialize)]
struct AlgorithmName {
    #[serde(rename = "alg")]
    _alg: String,
}

impl<'a> Jws<'a> {
    /// Takes a token apart; nothing in it is to be believed yet.
    pub(super) fn parse(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > MAX_BYTES {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let header = read_header(&decode(header)?)?;
        // RFC 7515 §4.1.11: an extension that must be understood and is not makes it invalid.
        if header.crit.is_some() {
            return Err(TokenError::Malformed);
        }
        Ok(Self {
            signed,
            signature,
            payload: decode(payload)?,
            header,
        })
    }

    /// Checks the signature and reads the claims.
    pub(super) fn verified<C: DeserializeOwned>(
        &self,
        key: &DecodingKey,
        algorithm: Algorithm,
    ) -> Result<C, TokenError> {
        if self.header.alg != algorithm {
            return Err(TokenError::Algorithm);
        }
        let message = self.signed.as_bytes();
        match jsonwebtoken::crypto::verify(self.signature, message, key, algorithm) {
            Ok(true) => self.unverified(),
            Ok(false) | Err(_) => Err(TokenError::Signature),
        }
    }

    /// Reads claims that are still to be doubted, to find the key that settles it.
    pub(super) fn unverified<C: DeserializeOwned>(&self) -> Result<C, TokenError> {
        serde_json::from_slice(&self.payload).map_err(|_not_claims| TokenError::Malformed)
    }
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD
        .decode(part)
        .map_err(|_not_base64| TokenError::Malformed)
}

fn read_header(bytes: &[u8]) -> Result<Header, TokenError> {
    match serde_json::from_slice::<Header>(bytes) {
        Ok(header) => Ok(header),
        // `none` and unknown algorithms do not become a header at all.
        Err(_) if serde_json::from_slice::<AlgorithmName>(bytes).is_ok() => {
            Err(TokenError::Algorithm)
        }
        Err(_) => Err(TokenError::Malformed),
    }
}
