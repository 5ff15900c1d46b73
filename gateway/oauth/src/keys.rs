//! The public keys of a client (RFC 7517), reduced to what signatures here need.
//!
//! # Invariants
//! - The type of a key fixes its one algorithm: EC P-256 is ES256, RSA is PS256, Ed25519 is EdDSA.
//!   So no header can talk a key into another algorithm.
//! - No private member of a JWK gets in.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey};
use serde_json::{Map, Value, json};

use crate::OAuthError;

/// Between one and ten signature keys.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct ClientKeys(Vec<ClientKey>);

const MAX_KEYS: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientKey {
    kid: Option<String>,
    public: PublicKey,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum PublicKey {
    P256 { x: String, y: String },
    Rsa { n: String, e: String },
    Ed25519 { x: String },
}

impl ClientKeys {
    /// Reads a JWK Set. Keys for encryption are left out; everything else must be usable.
    ///
    /// # Errors
    /// [`OAuthError::InvalidKeys`] says what is wrong.
    pub fn parse(set: &Value) -> Result<Self, OAuthError> {
        let listed = set
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(OAuthError::InvalidKeys(
                "expected an object with an array 'keys'",
            ))?;
        if listed.len() > MAX_KEYS {
            return Err(OAuthError::InvalidKeys("expected at most 10 keys"));
        }
        let keys = listed
            .iter()
            .filter(|key| key.get("use").and_then(Value::as_str) != Some("enc"))
            .map(parse_key)
            .collect::<Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err(OAuthError::InvalidKeys(
                "expected at least one signature key",
            ));
        }
        Ok(Self(keys))
    }

    /// The keys that fit a signature header; several when a `kid` stands twice or is not sent.
    pub(crate) fn candidates<'a>(
        &'a self,
        kid: Option<&'a str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &'a ClientKey> {
        self.0.iter().filter(move |key| {
            key.algorithm() == algorithm && (kid.is_none() || key.kid.as_deref() == kid)
        })
    }
}

impl ClientKey {
    const fn algorithm(&self) -> Algorithm {
        match self.public {
            PublicKey::P256 { .. } => Algorithm::ES256,
            PublicKey::Rsa { .. } => Algorithm::PS256,
            PublicKey::Ed25519 { .. } => Algorithm::EdDSA,
        }
    }

    pub(crate) fn decoding_key(&self) -> Option<DecodingKey> {
        match &self.public {
            PublicKey::P256 { x, y } => DecodingKey::from_ec_components(x, y),
            PublicKey::Rsa { n, e } => DecodingKey::from_rsa_components(n, e),
            PublicKey::Ed25519 { x } => DecodingKey::from_ed_components(x),
        }
        .ok()
    }

    fn to_jwk(&self) -> Value {
        let mut jwk = match &self.public {
            PublicKey::P256 { x, y } => {
                json!({"kty": "EC", "crv": "P-256", "x": x, "y": y, "alg": "ES256"})
            }
            PublicKey::Rsa { n, e } => json!({"kty": "RSA", "n": n, "e": e, "alg": "PS256"}),
            PublicKey::Ed25519 { x } => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": x, "alg": "EdDSA"})
            }
        };
        if let (Some(members), Some(kid)) = (jwk.as_object_mut(), &self.kid) {
            members.insert("kid".to_owned(), Value::from(kid.as_str()));
        }
        jwk
    }
}

fn parse_key(jwk: &Value) -> Result<ClientKey, OAuthError> {
    let members = jwk
        .as_object()
        .ok_or(OAuthError::InvalidKeys("each key must be an object"))?;
    // RFC 7518 §6.2.2, §6.3.2, §6.4.1: `d` and its kin are private, `k` is a shared secret.
    if ["d", "p", "q", "dp", "dq", "qi", "oth", "k"]
        .iter()
        .any(|name| members.contains_key(*name))
    {
        return Err(OAuthError::InvalidKeys(
            "a key has private members: send public keys only and throw these away",
        ));
    }
    let kid = match members.get("kid") {
        None => None,
        Some(Value::String(kid)) if (1..=128).contains(&kid.len()) => Some(kid.clone()),
        Some(_) => {
            return Err(OAuthError::InvalidKeys(
                "kid must be 1 to 128 bytes of text",
            ));
        }
    };
    let public = parse_public(members)?;
    let key = ClientKey { kid, public };
    let fits = match members.get("alg").map(Value::as_str) {
        None => true,
        Some(Some("ES256")) => key.algorithm() == Algorithm::ES256,
        Some(Some("PS256")) => key.algorithm() == Algorithm::PS256,
        Some(Some("EdDSA" | "Ed25519")) => key.algorithm() == Algorithm::EdDSA,
        Some(Some(_) | None) => false,
    };
    if fits && key.decoding_key().is_some() {
        Ok(key)
    } else {
        Err(OAuthError::InvalidKeys(
            "alg must be ES256, PS256 or EdDSA and fit the key",
        ))
    }
}

fn parse_public(members: &Map<String, Value>) -> Result<PublicKey, OAuthError> {
    let text = |name: &str| members.get(name).and_then(Value::as_str);
    match (text("kty"), text("crv")) {
        (Some("EC"), Some("P-256")) => Ok(PublicKey::P256 {
            x: number(text("x"), 32..=32)?,
            y: number(text("y"), 32..=32)?,
        }),
        (Some("RSA"), _) => Ok(PublicKey::Rsa {
            // 2048 to 8192 bits; aws-lc verifies no more.
            n: number(text("n"), 256..=1024)?,
            e: number(text("e"), 1..=8)?,
        }),
        (Some("OKP"), Some("Ed25519")) => Ok(PublicKey::Ed25519 {
            x: number(text("x"), 32..=32)?,
        }),
        _ => Err(OAuthError::InvalidKeys(
            "expected kty EC with crv P-256, kty OKP with crv Ed25519, or kty RSA",
        )),
    }
}

fn number(
    text: Option<&str>,
    bytes: std::ops::RangeInclusive<usize>,
) -> Result<String, OAuthError> {
    let refused = OAuthError::InvalidKeys(
        "a number of a key is missing, not base64url or of the wrong size (RSA: 2048 bits or more)",
    );
    let text = text.ok_or(refused)?;
    match URL_SAFE_NO_PAD.decode(text) {
        Ok(number) if bytes.contains(&number.len()) => Ok(text.to_owned()),
        Ok(_) | Err(_) => Err(refused),
    }
}

impl TryFrom<Value> for ClientKeys {
    type Error = OAuthError;

    fn try_from(set: Value) -> Result<Self, OAuthError> {
        Self::parse(&set)
    }
}

impl From<ClientKeys> for Value {
    fn from(keys: ClientKeys) -> Self {
        let listed: Vec<_> = keys.0.iter().map(ClientKey::to_jwk).collect();
        json!({ "keys": listed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ec() -> Value {
        // RFC 7515 appendix A.3.1, public members.
        json!({"kty": "EC", "crv": "P-256", "kid": "one",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})
    }

    fn with(mut key: Value, name: &str, value: Value) -> Value {
        key.as_object_mut().unwrap().insert(name.to_owned(), value);
        json!({ "keys": [key] })
    }

    #[test]
    fn keys_survive_storage() {
        let keys = ClientKeys::parse(&json!({"keys": [ec()]})).unwrap();
        let stored = Value::from(keys.clone());
        assert_eq!(ClientKeys::parse(&stored), Ok(keys));
    }

    #[test]
    fn a_private_key_is_refused() {
        for name in ["d", "p", "k"] {
            assert!(matches!(
                ClientKeys::parse(&with(ec(), name, json!("AAAA"))),
                Err(OAuthError::InvalidKeys(text)) if text.contains("private")
            ));
        }
    }

    #[test]
    fn keys_that_cannot_sign_here_are_refused() {
        let short_rsa = json!({"kty": "RSA", "n": URL_SAFE_NO_PAD.encode([255; 128]), "e": "AQAB"});
        for set in [
            json!(null),
            json!([]),
            json!({}),
            json!({"keys": []}),
            json!({"keys": ["x"]}),
            json!({"keys": [{"kty": "oct", "kid": "x"}]}),
            json!({"keys": [short_rsa]}),
            json!({"keys": vec![ec(); 11]}),
            with(ec(), "alg", json!("RS256")),
            with(ec(), "alg", json!("EdDSA")),
            with(ec(), "alg", json!(7)),
            with(ec(), "crv", json!("P-384")),
            with(ec(), "x", json!("AAAA")),
            with(ec(), "x", json!(1)),
            with(ec(), "kid", json!("")),
            with(ec(), "kid", json!("k".repeat(1_000_000))),
            with(ec(), "use", json!("enc")),
        ] {
            assert!(
                matches!(ClientKeys::parse(&set), Err(OAuthError::InvalidKeys(_))),
                "{}",
                set.to_string().chars().take(80).collect::<String>()
            );
        }
    }

    #[test]
    fn a_key_is_found_by_name_and_algorithm() {
        let keys = ClientKeys::parse(&json!({"keys": [ec(), ec()]})).unwrap();
        let count = |kid, algorithm| keys.candidates(kid, algorithm).count();
        assert_eq!(count(Some("one"), Algorithm::ES256), 2);
        assert_eq!(count(None, Algorithm::ES256), 2);
        assert_eq!(count(Some("two"), Algorithm::ES256), 0);
        assert_eq!(count(Some("one"), Algorithm::PS256), 0);
    }
}
