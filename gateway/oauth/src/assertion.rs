//! `private_key_jwt`: how a client proves who it is (RFC 7523, FAPI 2.0 Security Profile §5.3.2.1).
//!
//! The claims are read from the raw JSON: jsonwebtoken's own validation accepts an audience list,
//! unknown `crit` headers and far-future expiry, all of which FAPI refuses.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use branchline_kernel::Timestamp;
use chrono::DateTime;
use jsonwebtoken::Algorithm;
use serde_json::{Map, Value};

use crate::{ClientId, ClientKeys, Issuer, OAuthError, Params};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const MAX_BYTES: usize = 8192;
const MAX_JTI_BYTES: usize = 256;
/// Clocks may differ this much (FAPI 2.0 §5.3.2.1: 0 to 10 s must be accepted).
const SKEW_SECS: i64 = 10;
/// The window that a lost replay cache would leave open, so it is short.
const MAX_LIFE_SECS: i64 = 600;

/// An assertion as it came in: the client id in it is a claim, not yet a fact.
#[derive(Clone)]
pub struct ClientAssertion {
    client: ClientId,
    algorithm: Algorithm,
    kid: Option<String>,
    claims: Map<String, Value>,
    signed: String,
    signature: String,
}

/// A client that proved who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedClient {
    /// Who it is.
    pub client: ClientId,
    /// What must be remembered so that the assertion is not used again.
    pub replay: ReplayKey,
}

/// The name of an assertion: seen before means refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReplayKey {
    /// The client's own unique name of the assertion.
    pub jti: String,
    /// When it may be forgotten.
    pub expires_at: Timestamp,
}

impl ClientAssertion {
    /// Reads the assertion of a request. A `client_id` beside it must name the same client.
    ///
    /// # Errors
    /// [`OAuthError::MissingAssertion`], [`OAuthError::RefusedAssertion`],
    /// [`OAuthError::UnknownClient`], [`OAuthError::ClientMismatch`].
    pub fn read(params: &Params) -> Result<Self, OAuthError> {
        let (Some(kind), Some(text)) = (
            params.find("client_assertion_type")?,
            params.find("client_assertion")?,
        ) else {
            return Err(OAuthError::MissingAssertion);
        };
        if kind != ASSERTION_TYPE {
            return Err(OAuthError::RefusedAssertion(
                "client_assertion_type must be the jwt-bearer type of RFC 7523",
            ));
        }
        let assertion = Self::parse(text)?;
        match params.find("client_id")? {
            Some(id) if id != assertion.client.to_string() => Err(OAuthError::ClientMismatch),
            Some(_) | None => Ok(assertion),
        }
    }

    fn parse(text: &str) -> Result<Self, OAuthError> {
        let malformed = OAuthError::RefusedAssertion("it is not a JWT of at most 8192 bytes");
        if text.len() > MAX_BYTES {
            return Err(malformed);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(malformed)?;
        let header = json_part(header).ok_or(malformed)?;
        let claims = json_part(claims).ok_or(malformed)?;
        let (algorithm, kid) = check_header(&header)?;
        let named = |claim: &str| claims.get(claim).and_then(Value::as_str);
        let (Some(issuer), Some(subject)) = (named("iss"), named("sub")) else {
            return Err(OAuthError::RefusedAssertion(
                "iss and sub must both be the client_id",
            ));
        };
        if issuer != subject {
            return Err(OAuthError::RefusedAssertion(
                "iss and sub must both be the client_id",
            ));
        }
        Ok(Self {
            client: subject.parse()?,
            algorithm,
            kid,
            signed: signed.to_owned(),
            signature: signature.to_owned(),
            claims,
        })
    }

    /// The client whose keys must be looked up to verify this.
    #[must_use]
    pub const fn claimed_client(&self) -> ClientId {
        self.client
    }

    /// Checks signature, audience and times.
    ///
    /// The caller still has to refuse a [`ReplayKey`] that it has seen before.
    ///
    /// # Errors
    /// [`OAuthError::RefusedAssertion`] says which check failed.
    pub fn verify(
        self,
        keys: &ClientKeys,
        issuer: &Issuer,
        now: Timestamp,
    ) -> Result<VerifiedClient, OAuthError> {
        let verified = keys
            .candidates(self.kid.as_deref(), self.algorithm)
            .filter_map(crate::keys::ClientKey::decoding_key)
            .any(|key| {
                let message = self.signed.as_bytes();
                jsonwebtoken::crypto::verify(&self.signature, message, &key, self.algorithm)
                    .is_ok_and(|fits| fits)
            });
        if !verified {
            return Err(OAuthError::RefusedAssertion(
                "no registered key of the client verifies its signature",
            ));
        }
        // FAPI 2.0 §5.3.2.1-8: the issuer as one string, not a list and not an endpoint.
        if self.claims.get("aud").and_then(Value::as_str) != Some(issuer.to_string().as_str()) {
            return Err(OAuthError::RefusedAssertion(
                "aud must be the issuer of this institution, as one string",
            ));
        }
        let expires_at = self.check_times(now)?;
        let jti = self.claims.get("jti").and_then(Value::as_str);
        match jti {
            Some(jti) if (1..=MAX_JTI_BYTES).contains(&jti.len()) => Ok(VerifiedClient {
                client: self.client,
                replay: ReplayKey {
                    jti: jti.to_owned(),
                    expires_at,
                },
            }),
            Some(_) | None => Err(OAuthError::RefusedAssertion(
                "jti must be 1 to 256 bytes of text, new for each assertion",
            )),
        }
    }

    /// The moment up to which the assertion could be replayed.
    fn check_times(&self, now: Timestamp) -> Result<Timestamp, OAuthError> {
        let second = now.timestamp();
        let latest_start = second.saturating_add(SKEW_SECS);
        for claim in ["iat", "nbf"] {
            if self.time(claim)?.is_some_and(|at| at > latest_start) {
                return Err(OAuthError::RefusedAssertion(
                    "iat or nbf lies in the future: set the clock right",
                ));
            }
        }
        let expires = self
            .time("exp")?
            .ok_or(OAuthError::RefusedAssertion("exp is missing"))?;
        let dead_at = expires.saturating_add(SKEW_SECS);
        if dead_at <= second {
            return Err(OAuthError::RefusedAssertion(
                "it has expired: sign a new one",
            ));
        }
        if expires > second.saturating_add(MAX_LIFE_SECS) {
            return Err(OAuthError::RefusedAssertion(
                "exp lies more than 10 minutes ahead: sign it for one minute",
            ));
        }
        DateTime::from_timestamp(dead_at, 0)
            .ok_or(OAuthError::RefusedAssertion("exp is no point in time"))
    }

    fn time(&self, claim: &str) -> Result<Option<i64>, OAuthError> {
        match self.claims.get(claim) {
            None => Ok(None),
            Some(value) => value.as_i64().map(Some).ok_or(OAuthError::RefusedAssertion(
                "iat, nbf and exp must be whole seconds since 1970",
            )),
        }
    }
}

fn check_header(header: &Map<String, Value>) -> Result<(Algorithm, Option<String>), OAuthError> {
    // RFC 7515 §4.1.11: an extension that we do not know and that is critical must be refused.
    if header.contains_key("crit") {
        return Err(OAuthError::RefusedAssertion(
            "its header has crit, of which nothing is supported",
        ));
    }
    let algorithm = match header.get("alg").and_then(Value::as_str) {
        Some("ES256") => Algorithm::ES256,
        Some("PS256") => Algorithm::PS256,
        Some("EdDSA" | "Ed25519") => Algorithm::EdDSA,
        Some(_) | None => {
            return Err(OAuthError::RefusedAssertion(
                "alg must be ES256, PS256 or EdDSA",
            ));
        }
    };
    match header.get("kid") {
        None => Ok((algorithm, None)),
        Some(Value::String(kid)) => Ok((algorithm, Some(kid.clone()))),
        Some(_) => Err(OAuthError::RefusedAssertion("kid must be text")),
    }
}

fn json_part(part: &str) -> Option<Map<String, Value>> {
    let bytes = URL_SAFE_NO_PAD.decode(part).ok()?;
    serde_json::from_slice(&bytes).ok()
}
