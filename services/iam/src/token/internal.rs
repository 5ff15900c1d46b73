//! The token with which the gateway speaks to the core: who acts, for whom, with which rights.
//!
//! # Invariants
//! - Ed25519 only, 60 seconds at most, for the core alone; its `typ` sets it apart from every
//!   token that people hold.
//! - Two public keys are accepted so that the key can be changed without a pause.
//! - A signature is checked once per token; its times, at each use.

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use branchline_kernel::{AccountId, Kind, Refusal, Secret, TenantId, Timestamp};
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header};
use serde::{Deserialize, Serialize};

use super::jws::Jws;
use super::known::{Known, KnownTokens, TokenHash};
use super::{Audience, CORE_AUDIENCE, Lifetime, TokenError};
use crate::pem::pem;
use crate::random::{NoRandomness, random_token};
use crate::{ActorRef, Principal, Rights};

const LIFE_SECS: i64 = 60;
/// RFC 8725 §3.11: a type of its own keeps one sort of token from passing for another.
const TYPE: &str = "branchline-internal+jwt";

/// Why a key for internal tokens could not be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The text is no Ed25519 key in PEM.
    #[error("not an Ed25519 {0} key in PEM: make a pair anew or restore the file")]
    NotAKey(&'static str),
    /// No random bytes.
    #[error("could not make a key pair")]
    NoRandomness(#[from] NoRandomness),
    /// The library refused.
    #[error("could not make a key pair or sign with it")]
    Library,
}

impl Refusal for KeyError {
    fn kind(&self) -> Kind {
        Kind::Broken
    }

    fn code(&self) -> &'static str {
        "internal-key"
    }

    fn public(&self) -> String {
        "The service cannot identify itself to the core. Its operators must look at the logs."
            .to_owned()
    }
}

/// A new pair of keys, each as the text of a PEM file.
pub struct InternalKeyPair {
    /// For the gateway alone (PKCS #8).
    pub private_pem: Secret<String>,
    /// For the core (SubjectPublicKeyInfo).
    pub public_pem: String,
}

/// Makes a pair of keys for internal tokens.
///
/// # Errors
/// [`KeyError::Library`] when no key could be made.
pub fn generate_internal_key() -> Result<InternalKeyPair, KeyError> {
    let library = |_unspecified| KeyError::Library;
    // Version 1 of PKCS #8 is what OpenSSL and jsonwebtoken read.
    let private = Ed25519KeyPair::generate_pkcs8v1(&SystemRandom::new()).map_err(library)?;
    let pair =
        Ed25519KeyPair::from_pkcs8(private.as_ref()).map_err(|_rejected| KeyError::Library)?;
    let public: PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(library)?;
    Ok(InternalKeyPair {
        private_pem: Secret::new(pem("PRIVATE KEY", private.as_ref())),
        public_pem: pem("PUBLIC KEY", public.as_ref()),
    })
}

/// RFC 7638: the key's own hash names it, so key files need no name beside them.
fn key_id(jwk: &Jwk, which: &'static str) -> Result<String, KeyError> {
    jwk.thumbprint(ThumbprintHash::SHA256)
        .map_err(|_not_ed25519| KeyError::NotAKey(which))
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Claims {
    aud: Audience,
    iat: i64,
    exp: i64,
    jti: String,
    tenant: TenantId,
    actor: ActorRef,
    #[serde(skip_serializing_if = "Option::is_none")]
    on_behalf_of: Option<ActorRef>,
    rights: Rights,
    #[serde(skip_serializing_if = "Option::is_none")]
    accounts: Option<Vec<AccountId>>,
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

/// Signs internal tokens; the gateway has one.
pub struct InternalSigner {
    key: EncodingKey,
    key_id: String,
}

impl InternalSigner {
    /// Reads the private key.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`].
    pub fn try_new(private_pem: &Secret<String>) -> Result<Self, KeyError> {
        let not_a_key = |_invalid| KeyError::NotAKey("private");
        let key = EncodingKey::from_ed_pem(private_pem.expose().as_bytes()).map_err(not_a_key)?;
        let jwk = Jwk::from_encoding_key(&key, Algorithm::EdDSA).map_err(not_a_key)?;
        let key_id = key_id(&jwk, "private")?;
        Ok(Self { key, key_id })
    }

    /// A token that makes the core see this principal for the next 60 seconds.
    ///
    /// # Errors
    /// [`KeyError`] when the library or the source of random bytes fails.
    pub fn sign(&self, principal: &Principal, now: Timestamp) -> Result<String, KeyError> {
        let iat = now.timestamp();
        let claims = Claims {
            aud: Audience::One(CORE_AUDIENCE.to_owned()),
            iat,
            exp: iat.saturating_add(LIFE_SECS),
            jti: random_token(16)?,
            tenant: principal.tenant.clone(),
            actor: principal.actor.clone(),
            on_behalf_of: principal.on_behalf_of.clone(),
            rights: principal.rights.clone(),
            accounts: principal.accounts.clone(),
            reference: principal.reference.clone(),
        };
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.to_owned());
        header.kid = Some(self.key_id.clone());
        jsonwebtoken::encode(&header, &claims, &self.key).map_err(|_signing| KeyError::Library)
    }
}

/// Verifies internal tokens; the core has one.
pub struct InternalVerifier {
    keys: Vec<(String, DecodingKey)>,
    /// Verified by these very keys, which are read once: a verifier with others knows none of it.
    known: KnownTokens,
}

impl InternalVerifier {
    /// Reads the public keys: the one in use and, while it is being changed, the next one.
    ///
    /// # Errors
    /// [`KeyError::NotAKey`] when one of them is none.
    pub fn try_new(current_pem: &str, next_pem: Option<&str>) -> Result<Self, KeyError> {
        let keys = [Some(current_pem), next_pem].into_iter().flatten();
        Ok(Self {
            keys: keys.map(read_public).collect::<Result<_, _>>()?,
            known: KnownTokens::default(),
        })
    }

    /// The principal that the token names.
    ///
    /// # Errors
    /// [`TokenError`] saying what is wrong with the token.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Principal, TokenError> {
        let hash = TokenHash::of(token);
        if let Some(Known { life, principal }) = self.known.find(&hash) {
            life.check(now, LIFE_SECS)?;
            return Ok(Principal::clone(&principal));
        }
        let claims = self.verified(token)?;
        let life = Lifetime {
            iat: claims.iat,
            exp: claims.exp,
            nbf: None,
        };
        life.check(now, LIFE_SECS)?;
        if !claims.aud.is_only(CORE_AUDIENCE) {
            return Err(TokenError::Audience);
        }
        let principal = Principal {
            tenant: claims.tenant,
            actor: claims.actor,
            on_behalf_of: claims.on_behalf_of,
            rights: claims.rights,
            accounts: claims.accounts,
            reference: claims.reference,
        };
        let known = Known {
            life,
            principal: Arc::new(principal.clone()),
        };
        self.known.learn(&hash, known);
        Ok(principal)
    }

    /// The claims of a token that one of the keys has signed.
    fn verified(&self, token: &str) -> Result<Claims, TokenError> {
        let jws = Jws::parse(token)?;
        if jws.header.typ.as_deref() != Some(TYPE) {
            return Err(TokenError::Malformed);
        }
        let kid = jws.header.kid.as_deref().ok_or(TokenError::Malformed)?;
        let (_, key) = self
            .keys
            .iter()
            .find(|(known, _)| known == kid)
            .ok_or(TokenError::UnknownKey)?;
        jws.verified(key, Algorithm::EdDSA)
    }
}

fn read_public(pem: &str) -> Result<(String, DecodingKey), KeyError> {
    let not_a_key = |_invalid| KeyError::NotAKey("public");
    let key = DecodingKey::from_ed_pem(pem.as_bytes()).map_err(not_a_key)?;
    let jwk = Jwk::from_decoding_key(&key, Some(Algorithm::EdDSA)).map_err(not_a_key)?;
    Ok((key_id(&jwk, "public")?, key))
}

/// Whether a token calls itself internal, which decides who is to verify it; it proves nothing.
#[must_use]
pub fn is_internal(token: &str) -> bool {
    Jws::parse(token).is_ok_and(|jws| jws.header.typ.as_deref() == Some(TYPE))
}
