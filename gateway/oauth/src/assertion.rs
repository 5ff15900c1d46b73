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

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::rsa::KeySize;
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    };
    use jsonwebtoken::{EncodingKey, Header};
    use serde_json::json;

    const CLIENT: &str = "tpp-0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f";
    const ISSUER: &str = "https://pay.example/t/lion";
    const NOW: i64 = 1_800_000_000;

    /// A signature key and its public half.
    struct Signer {
        algorithm: Algorithm,
        key: EncodingKey,
        jwk: Value,
    }

    fn base64(bytes: &[u8]) -> String {
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn ready() {
        // A second test finds the provider installed; that is what is wanted.
        let _installed_before = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    }

    fn p256() -> Signer {
        ready();
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let point = pair.public_key().as_ref();
        Signer {
            algorithm: Algorithm::ES256,
            key: EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref()),
            jwk: json!({"kty": "EC", "crv": "P-256", "kid": "one",
                "x": base64(&point[1..33]), "y": base64(&point[33..])}),
        }
    }

    fn ed25519() -> Signer {
        ready();
        let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
        Signer {
            algorithm: Algorithm::EdDSA,
            key: EncodingKey::from_ed_der(pkcs8.as_ref()),
            jwk: json!({"kty": "OKP", "crv": "Ed25519", "kid": "one",
                "x": base64(pair.public_key().as_ref())}),
        }
    }

    fn rsa() -> Signer {
        ready();
        let pair = aws_lc_rs::rsa::KeyPair::generate(KeySize::Rsa2048).unwrap();
        let public = KeyPair::public_key(&pair);
        let jwk = json!({"kty": "RSA", "kid": "one",
            "n": base64(public.modulus().big_endian_without_leading_zero()),
            "e": base64(public.exponent().big_endian_without_leading_zero())});
        let pem = {
            let der: aws_lc_rs::encoding::Pkcs8V1Der<'_> = pair.as_der().unwrap();
            let text = base64::engine::general_purpose::STANDARD.encode(der.as_ref());
            format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
        };
        Signer {
            algorithm: Algorithm::PS256,
            key: EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap(),
            jwk,
        }
    }

    impl Signer {
        fn keys(&self) -> ClientKeys {
            ClientKeys::parse(&json!({"keys": [self.jwk]})).unwrap()
        }

        fn sign(&self, claims: &Value) -> String {
            let mut header = Header::new(self.algorithm);
            header.kid = Some("one".to_owned());
            jsonwebtoken::encode(&header, claims, &self.key).unwrap()
        }

        /// Signs raw parts, for headers that jsonwebtoken would not write.
        fn sign_raw(&self, header: &Value, claims: &Value) -> String {
            let part = |value: &Value| base64(value.to_string().as_bytes());
            let message = format!("{}.{}", part(header), part(claims));
            let signature =
                jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, self.algorithm).unwrap();
            format!("{message}.{signature}")
        }
    }

    fn claims() -> Value {
        json!({"iss": CLIENT, "sub": CLIENT, "aud": ISSUER, "jti": "j1",
            "iat": NOW, "nbf": NOW, "exp": NOW + 60})
    }

    fn with(name: &str, value: Value) -> Value {
        let mut claims = claims();
        claims[name] = value;
        claims
    }

    fn without(name: &str) -> Value {
        let mut claims = claims();
        claims.as_object_mut().unwrap().remove(name);
        claims
    }

    fn form(assertion: &str, rest: &str) -> Params {
        let form =
            format!("client_assertion_type={ASSERTION_TYPE}&client_assertion={assertion}{rest}");
        Params::decode(form.as_bytes()).unwrap()
    }

    fn check(assertion: &str, keys: &ClientKeys) -> Result<VerifiedClient, OAuthError> {
        let issuer = Issuer::of("https://pay.example", &"lion".parse().unwrap());
        let now = DateTime::from_timestamp(NOW, 0).unwrap();
        ClientAssertion::read(&form(assertion, ""))?.verify(keys, &issuer, now)
    }

    fn is_refused(result: &Result<VerifiedClient, OAuthError>) -> bool {
        matches!(result, Err(OAuthError::RefusedAssertion(_)))
    }

    #[test]
    fn the_three_algorithms_of_fapi_prove_the_client() {
        for signer in [p256(), ed25519(), rsa()] {
            let verified = check(&signer.sign(&claims()), &signer.keys()).unwrap();
            assert_eq!(verified.client.to_string(), CLIENT);
            assert_eq!(verified.replay.jti, "j1");
            assert_eq!(verified.replay.expires_at.timestamp(), NOW + 60 + SKEW_SECS);
        }
    }

    #[test]
    fn a_key_of_somebody_else_proves_nothing() {
        let (mine, other) = (p256(), p256());
        assert!(is_refused(&check(&other.sign(&claims()), &mine.keys())));
    }

    #[test]
    fn a_changed_claim_breaks_the_signature() {
        let signer = p256();
        let good = signer.sign(&claims());
        let parts: Vec<_> = good.split('.').collect();
        let other = base64(with("jti", json!("j2")).to_string().as_bytes());
        let forged = format!("{}.{other}.{}", parts[0], parts[2]);
        assert!(is_refused(&check(&forged, &signer.keys())));
    }

    #[test]
    fn other_algorithms_are_refused() {
        let signer = p256();
        for algorithm in ["none", "None", "HS256", "RS256", "ES384", "es256", ""] {
            let header = json!({"alg": algorithm, "kid": "one"});
            let result = check(&signer.sign_raw(&header, &claims()), &signer.keys());
            assert!(is_refused(&result), "{algorithm}");
        }
        let unsigned = signer.sign_raw(&json!({"alg": "none"}), &claims());
        let bare = format!("{}.", unsigned.rsplit_once('.').unwrap().0);
        assert!(is_refused(&check(&bare, &signer.keys())));
        let keyless = signer.sign_raw(&json!({"kid": "one"}), &claims());
        assert!(is_refused(&check(&keyless, &signer.keys())));
    }

    #[test]
    fn a_key_is_not_talked_into_another_algorithm() {
        let signer = p256();
        let header = json!({"alg": "EdDSA", "kid": "one"});
        assert!(is_refused(&check(
            &signer.sign_raw(&header, &claims()),
            &signer.keys()
        )));
    }

    #[test]
    fn a_critical_extension_is_refused() {
        let signer = p256();
        let header = json!({"alg": "ES256", "kid": "one", "crit": ["x"]});
        assert!(is_refused(&check(
            &signer.sign_raw(&header, &claims()),
            &signer.keys()
        )));
    }

    #[test]
    fn a_kid_names_the_key_and_doubles_are_all_tried() {
        let (one, two) = (p256(), p256());
        let both = ClientKeys::parse(&json!({"keys": [one.jwk, two.jwk]})).unwrap();
        assert!(check(&two.sign(&claims()), &both).is_ok());
        let nameless = two.sign_raw(&json!({"alg": "ES256"}), &claims());
        assert!(check(&nameless, &both).is_ok());
        let header = json!({"alg": "ES256", "kid": "unknown"});
        assert!(is_refused(&check(&two.sign_raw(&header, &claims()), &both)));
        let header = json!({"alg": "ES256", "kid": 1});
        assert!(is_refused(&check(&two.sign_raw(&header, &claims()), &both)));
    }

    #[test]
    fn the_audience_is_the_issuer_as_one_string() {
        let signer = p256();
        for audience in [
            json!([ISSUER]),
            json!("https://pay.example/t/elephant"),
            json!("https://pay.example/t/lion/"),
            json!("https://pay.example/t/lion/oauth/token"),
            json!("https://pay.example/t/lion/oauth/par"),
            json!(""),
            json!(null),
        ] {
            let result = check(&signer.sign(&with("aud", audience.clone())), &signer.keys());
            assert!(is_refused(&result), "{audience}");
        }
        assert!(is_refused(&check(
            &signer.sign(&without("aud")),
            &signer.keys()
        )));
    }

    #[test]
    fn issuer_and_subject_are_both_the_client() {
        let signer = p256();
        for claims in [
            without("iss"),
            without("sub"),
            with("iss", json!("tpp-0191e3a4-5c2b-7d3e-8f00-000000000000")),
            with("iss", json!([CLIENT])),
        ] {
            assert!(is_refused(&check(&signer.sign(&claims), &signer.keys())));
        }
        let mut stranger = with("iss", json!("stranger"));
        stranger["sub"] = json!("stranger");
        assert_eq!(
            check(&signer.sign(&stranger), &signer.keys()),
            Err(OAuthError::UnknownClient)
        );
    }

    #[test]
    fn times_are_bounded_on_both_sides() {
        let signer = p256();
        for (name, value, good) in [
            ("exp", json!(NOW + 600), true),
            ("exp", json!(NOW + 601), false),
            ("exp", json!(253_402_300_799_i64), false),
            ("exp", json!(i64::MAX), false),
            ("exp", json!(NOW - 9), true),
            ("exp", json!(NOW - 10), false),
            ("exp", json!(i64::MIN), false),
            ("exp", json!("1800000060"), false),
            ("exp", json!(1.5), false),
            ("iat", json!(NOW + 10), true),
            ("iat", json!(NOW + 11), false),
            ("nbf", json!(NOW + 8), true),
            ("nbf", json!(NOW + 61), false),
            ("nbf", json!(null), false),
        ] {
            let result = check(&signer.sign(&with(name, value.clone())), &signer.keys());
            assert_eq!(result.is_ok(), good, "{name} {value}");
            assert!(good || is_refused(&result), "{name} {value}");
        }
        assert!(is_refused(&check(
            &signer.sign(&without("exp")),
            &signer.keys()
        )));
        for optional in ["iat", "nbf"] {
            assert!(check(&signer.sign(&without(optional)), &signer.keys()).is_ok());
        }
    }

    #[test]
    fn a_name_against_replay_is_mandatory() {
        let signer = p256();
        let long = json!("j".repeat(257));
        for claims in [
            without("jti"),
            with("jti", json!("")),
            with("jti", long),
            with("jti", json!(1)),
        ] {
            assert!(is_refused(&check(&signer.sign(&claims), &signer.keys())));
        }
    }

    #[test]
    fn what_is_no_assertion_is_refused() {
        let long = "a".repeat(10_000);
        for text in ["x", "a.b", "a.b.c", "..", "ä.ä.ä", "e30.e30.", &long] {
            let read = ClientAssertion::read(&form(text, ""));
            assert!(
                matches!(read.err(), Some(OAuthError::RefusedAssertion(_))),
                "{text}"
            );
        }
        for form in ["", "client_assertion=x", "client_id=x&client_secret=y"] {
            let read = ClientAssertion::read(&Params::decode(form.as_bytes()).unwrap());
            assert_eq!(read.err(), Some(OAuthError::MissingAssertion), "{form}");
        }
        let other_type = Params::decode(b"client_assertion_type=x&client_assertion=y").unwrap();
        assert!(ClientAssertion::read(&other_type).is_err());
    }

    #[test]
    fn a_client_id_beside_the_assertion_names_the_same_client() {
        let assertion = p256().sign(&claims());
        let same = ClientAssertion::read(&form(&assertion, &format!("&client_id={CLIENT}")));
        assert_eq!(same.unwrap().claimed_client().to_string(), CLIENT);
        let other = ClientAssertion::read(&form(&assertion, "&client_id=x"));
        assert_eq!(other.err(), Some(OAuthError::ClientMismatch));
    }
}
