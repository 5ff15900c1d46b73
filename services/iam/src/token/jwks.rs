//! Issuers' public keys, fetched when needed and kept.
//!
//! # Invariants
//! - A flood of unknown key ids asks an issuer at most once in 30 seconds.
//! - While an issuer is down, the keys it last showed go on working.
//!
//! # Locking
//! One asynchronous lock per issuer orders its fetches; the table's lock is never held across one.

use std::collections::HashMap;
use std::error::Error;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use branchline_kernel::Timestamp;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use tracing::warn;

use super::TokenError;

const REFRESH_INTERVAL_SECS: i64 = 30;
/// Keys that an issuer withdrew stop working within this time even if no new key turns up.
const MAX_AGE_SECS: i64 = 600;
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_DOCUMENT_BYTES: usize = 256 * 1024;

/// Why an issuer's keys could not be fetched.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JwksError {
    /// No connection, a timeout, or an answer that is no success.
    #[error("the identity provider did not give its keys")]
    Http(#[source] Arc<reqwest::Error>),
    /// The document is larger than any key set.
    #[error("the identity provider's key document is too large")]
    TooLarge,
    /// The document is no key set.
    #[error("the identity provider's key document is not a key set")]
    NotAKeySet(#[source] Arc<serde_json::Error>),
    /// A fetch failed moments ago and is not repeated yet.
    #[error("the identity provider did not give its keys a moment ago")]
    FailedRecently,
}

/// A public key and the one algorithm it is used with.
#[derive(Clone)]
pub(super) struct VerifyingKey {
    pub(super) key: DecodingKey,
    pub(super) algorithm: Algorithm,
}

#[derive(Clone, Default)]
struct KeySet {
    keys: Arc<HashMap<String, VerifyingKey>>,
    fetched_at: Option<Timestamp>,
    tried_at: Option<Timestamp>,
}

#[derive(Default)]
struct Issuer {
    set: RwLock<KeySet>,
    fetching: tokio::sync::Mutex<()>,
}

/// The keys of all issuers.
pub(super) struct KeyCache {
    http: reqwest::Client,
    issuers: RwLock<HashMap<String, Arc<Issuer>>>,
}

impl KeyCache {
    pub(super) fn new(http: reqwest::Client) -> Self {
        Self {
            http,
            issuers: RwLock::new(HashMap::new()),
        }
    }

    /// The key of that id, after one fetch when it is unknown or the set is old.
    pub(super) async fn key(
        &self,
        jwks_uri: &str,
        kid: &str,
        now: Timestamp,
    ) -> Result<VerifyingKey, TokenError> {
        let issuer = self.issuer(jwks_uri);
        let set = issuer.snapshot();
        if let Some(key) = set.keys.get(kid) {
            if set.is_old(now) && set.may_fetch(now) {
                // Only one caller refreshes an old set; the others go on with the keys at hand.
                if let Ok(_turn) = issuer.fetching.try_lock() {
                    let fetched = self.refresh(&issuer, jwks_uri, now).await;
                    if fetched.is_ok() {
                        let fresh = issuer.snapshot();
                        return fresh.keys.get(kid).cloned().ok_or(TokenError::UnknownKey);
                    }
                }
            }
            return Ok(key.clone());
        }
        let _turn = issuer.fetching.lock().await;
        let set = issuer.snapshot();
        if let Some(key) = set.keys.get(kid) {
            return Ok(key.clone());
        }
        if set.may_fetch(now) {
            self.refresh(&issuer, jwks_uri, now).await?;
            return issuer
                .snapshot()
                .keys
                .get(kid)
                .cloned()
                .ok_or(TokenError::UnknownKey);
        }
        match set.fetched_at {
            Some(_) => Err(TokenError::UnknownKey),
            None => Err(JwksError::FailedRecently.into()),
        }
    }

    fn issuer(&self, jwks_uri: &str) -> Arc<Issuer> {
        let known = self.issuers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(issuer) = known.get(jwks_uri) {
            return Arc::clone(issuer);
        }
        drop(known);
        let mut known = self.issuers.write().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(jwks_uri.to_owned()).or_default())
    }

    async fn refresh(
        &self,
        issuer: &Issuer,
        jwks_uri: &str,
        now: Timestamp,
    ) -> Result<(), JwksError> {
        issuer.change(|set| set.tried_at = Some(now));
        match self.fetch(jwks_uri).await {
            Ok(keys) => {
                issuer.change(|set| {
                    set.keys = Arc::new(keys);
                    set.fetched_at = Some(now);
                });
                Ok(())
            }
            Err(error) => {
                warn!(
                    issuer.jwks_uri = jwks_uri,
                    error = %error,
                    cause = error.source().map(tracing::field::display),
                    "Could not fetch an issuer's keys; those already known stay in use"
                );
                Err(error)
            }
        }
    }

    async fn fetch(&self, jwks_uri: &str) -> Result<HashMap<String, VerifyingKey>, JwksError> {
        let http = |error| JwksError::Http(Arc::new(error));
        let request = self.http.get(jwks_uri).timeout(FETCH_TIMEOUT);
        let answer = request.send().await.map_err(http)?;
        let mut answer = answer.error_for_status().map_err(http)?;
        let mut document = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(http)? {
            document.extend_from_slice(&chunk);
            if document.len() > MAX_DOCUMENT_BYTES {
                return Err(JwksError::TooLarge);
            }
        }
        read_keys(&document)
    }
}

impl Issuer {
    fn snapshot(&self) -> KeySet {
        let set = self.set.read().unwrap_or_else(PoisonError::into_inner);
        set.clone()
    }

    fn change(&self, change: impl FnOnce(&mut KeySet)) {
        change(&mut self.set.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl KeySet {
    fn may_fetch(&self, now: Timestamp) -> bool {
        is_past(self.tried_at, now, REFRESH_INTERVAL_SECS)
    }

    fn is_old(&self, now: Timestamp) -> bool {
        is_past(self.fetched_at, now, MAX_AGE_SECS)
    }
}

fn is_past(since: Option<Timestamp>, now: Timestamp, seconds: i64) -> bool {
    since.is_none_or(|then| now.signed_duration_since(then).num_seconds() >= seconds)
}

/// Reads a key set; keys of a sort that is not accepted are passed over, as one that is about to
/// come into use must not lock everybody out.
fn read_keys(document: &[u8]) -> Result<HashMap<String, VerifyingKey>, JwksError> {
    #[derive(Deserialize)]
    struct Document {
        keys: Vec<serde_json::Value>,
    }
    let document: Document =
        serde_json::from_slice(document).map_err(|error| JwksError::NotAKeySet(Arc::new(error)))?;
    let keys = document.keys.into_iter();
    Ok(keys
        .filter_map(|key| read_key(&serde_json::from_value(key).ok()?))
        .collect())
}

fn read_key(jwk: &Jwk) -> Option<(String, VerifyingKey)> {
    let algorithm = algorithm_of(&jwk.algorithm)?;
    let is_for_signatures = match &jwk.common.public_key_use {
        None | Some(PublicKeyUse::Signature) => true,
        Some(PublicKeyUse::Encryption | PublicKeyUse::Other(_)) => false,
    };
    let stated = jwk.common.key_algorithm;
    if !is_for_signatures || stated.is_some_and(|alg| alg != algorithm.into()) {
        return None;
    }
    let key = DecodingKey::from_jwk(jwk).ok()?;
    let kid = jwk.common.key_id.clone()?;
    Some((kid, VerifyingKey { key, algorithm }))
}

/// The one algorithm accepted for that sort of key.
fn algorithm_of(parameters: &AlgorithmParameters) -> Option<Algorithm> {
    if let AlgorithmParameters::RSA(_) = parameters {
        Some(Algorithm::RS256)
    } else if let AlgorithmParameters::EllipticCurve(key) = parameters {
        (key.curve == EllipticCurve::P256).then_some(Algorithm::ES256)
    } else if let AlgorithmParameters::OctetKeyPair(key) = parameters {
        (key.curve == EllipticCurve::Ed25519).then_some(Algorithm::EdDSA)
    } else {
        None
    }
}
