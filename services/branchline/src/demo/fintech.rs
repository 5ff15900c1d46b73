//! The fintech's side of the journey: what a third party's own software does, over HTTP only.

use anyhow::Context;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use branchline_iam::random_token;
use branchline_kernel::{Clock, IdSource, RandomIds, SystemClock};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{Client, Method};
use serde_json::{Value, json};

use super::browser::Page;

/// The port of the fintech's redirect address; the demo's browser hands what arrives there over.
pub(crate) const CALLBACK_PORT: u16 = 9;
/// Where browsers come back to.
pub(crate) const CALLBACK: &str = "http://127.0.0.1:9/callback";

/// A third party with its key and its registration.
#[derive(Clone)]
pub struct Fintech {
    http: Client,
    gateway: String,
    key: EncodingKey,
    jwk: Value,
    client_id: String,
}

/// An answer of the gateway.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body; `null` when there is none.
    pub body: Value,
}

/// A call of the XS2A interface.
#[derive(Debug, Clone)]
pub struct Call<'a> {
    /// The tenant, by its name in addresses.
    pub tenant: &'a str,
    /// The HTTP method.
    pub method: Method,
    /// The path behind `/v1`.
    pub path: String,
    /// The token.
    pub token: &'a str,
    /// The consent that is used, if any.
    pub consent: Option<&'a str>,
    /// The body, if any.
    pub body: Option<Value>,
    /// The id of the request.
    pub request_id: String,
}

/// An authorization that was begun: where to send the browser, and what the fintech keeps.
pub struct Begun {
    /// Where to send the member's browser.
    pub url: String,
    verifier: String,
    state: String,
}

impl Answer {
    /// The Berlin Group message code or the OAuth error in the body.
    #[must_use]
    pub fn code(&self) -> &str {
        let message = self
            .body
            .pointer("/tppMessages/0/code")
            .or_else(|| self.body.get("error"));
        message
            .or_else(|| self.body.get("code"))
            .and_then(Value::as_str)
            .unwrap_or_default()
    }

    /// A text member of the body.
    ///
    /// # Errors
    /// When the body has no such text.
    pub fn text(&self, pointer: &str) -> anyhow::Result<String> {
        let text = self.body.pointer(pointer).and_then(Value::as_str);
        Ok(text
            .with_context(|| format!("no {pointer} in {}", self.body))?
            .to_owned())
    }

    /// Itself, if the status is that.
    ///
    /// # Errors
    /// When the status is another; the error shows the body.
    pub fn expect(self, status: u16) -> anyhow::Result<Self> {
        anyhow::ensure!(
            self.status == status,
            "expected {status}, got {}: {}",
            self.status,
            self.body
        );
        Ok(self)
    }

    /// Makes sure that the call was refused in just that way.
    ///
    /// # Errors
    /// When it was answered otherwise.
    pub fn refused(&self, status: u16, code: &str) -> anyhow::Result<()> {
        let is_so = self.status == status && self.code() == code;
        anyhow::ensure!(
            is_so,
            "expected {status} {code}, got {}: {}",
            self.status,
            self.body
        );
        Ok(())
    }
}

impl<'a> Call<'a> {
    /// A call with an id of its own.
    #[must_use]
    pub fn new(tenant: &'a str, method: Method, path: &str, token: &'a str) -> Self {
        let request_id = RandomIds.next().to_string();
        Self {
            tenant,
            method,
            path: path.to_owned(),
            token,
            consent: None,
            body: None,
            request_id,
        }
    }

    /// Names the consent that is used.
    #[must_use]
    pub fn with_consent(mut self, consent: &'a str) -> Self {
        self.consent = Some(consent);
        self
    }

    /// Sends a body.
    #[must_use]
    pub fn with_body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

impl Fintech {
    /// Makes a key and registers with the sandbox's initial access token (RFC 7591).
    ///
    /// # Errors
    /// When the registration is refused.
    pub async fn register(
        http: Client,
        gateway: &str,
        name: &str,
        invitation: &str,
    ) -> anyhow::Result<Self> {
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref())?;
        let point = pair.public_key().as_ref();
        let (x, y) = point
            .get(1..)
            .context("no point")?
            .split_at_checked(32)
            .context("no point")?;
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        let jwk = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "1", "x": x, "y": y });
        let key = EncodingKey::from_ec_der(pkcs8.as_ref());
        let mut fintech = Self {
            http,
            gateway: gateway.to_owned(),
            key,
            jwk,
            client_id: String::new(),
        };
        let body = json!({
            "client_name": name,
            "redirect_uris": [CALLBACK],
            "token_endpoint_auth_method": "private_key_jwt",
            "grant_types": ["authorization_code", "client_credentials"],
            "response_types": ["code"],
            "jwks": { "keys": [fintech.jwk] },
            "roles": ["AISP", "PISP"],
        });
        let request = fintech
            .http
            .post(format!("{gateway}/register"))
            .bearer_auth(invitation)
            .json(&body);
        fintech.client_id = answer(request).await?.expect(201)?.text("/client_id")?;
        Ok(fintech)
    }

    /// The id it was given.
    #[must_use]
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// Calls the XS2A interface.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub async fn call(&self, call: Call<'_>) -> anyhow::Result<Answer> {
        let url = format!("{}/t/{}/v1{}", self.gateway, call.tenant, call.path);
        let mut request = self
            .http
            .request(call.method, url)
            .bearer_auth(call.token)
            .header("X-Request-ID", call.request_id)
            .header("PSU-IP-Address", "192.0.2.17")
            .header("TPP-Redirect-URI", CALLBACK);
        if let Some(consent) = call.consent {
            request = request.header("Consent-ID", consent);
        }
        if let Some(body) = call.body {
            request = request.json(&body);
        }
        answer(request).await
    }

    /// A token of its own, for starting consents (`AIS`) or payments (`PIS`).
    ///
    /// # Errors
    /// When the token endpoint refuses.
    pub async fn own_token(&self, tenant: &str, scope: &str) -> anyhow::Result<String> {
        let grant = [
            ("grant_type", "client_credentials".to_owned()),
            ("scope", scope.to_owned()),
        ];
        self.token(tenant, &grant)
            .await?
            .expect(200)?
            .text("/access_token")
    }

    /// Pushes an authorization request (RFC 9126) for a scope such as `AIS:{consentId}`.
    ///
    /// # Errors
    /// When the request is refused.
    pub async fn ask_for(&self, tenant: &str, scope: &str) -> anyhow::Result<Begun> {
        let (verifier, state) = (random_token(32)?, random_token(16)?);
        let challenge = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
        let mut form = self.client_auth(tenant)?;
        form.extend([
            ("response_type", "code".to_owned()),
            ("redirect_uri", CALLBACK.to_owned()),
            ("scope", scope.to_owned()),
            ("state", state.clone()),
            ("code_challenge", URL_SAFE_NO_PAD.encode(challenge)),
            ("code_challenge_method", "S256".to_owned()),
        ]);
        let request = self
            .http
            .post(format!("{}/t/{tenant}/oauth/par", self.gateway))
            .form(&form);
        let request_uri = answer(request).await?.expect(201)?.text("/request_uri")?;
        let mut url = reqwest::Url::parse(&format!("{}/t/{tenant}/oauth/authorize", self.gateway))?;
        url.query_pairs_mut()
            .append_pair("client_id", &self.client_id)
            .append_pair("request_uri", &request_uri);
        Ok(Begun {
            url: url.into(),
            verifier,
            state,
        })
    }

    /// Takes the browser back: checks issuer (RFC 9207) and state, and gets the token.
    ///
    /// # Errors
    /// When the member refused, something does not fit, or the token endpoint refuses.
    pub async fn finish(&self, tenant: &str, begun: &Begun, back: &Page) -> anyhow::Result<String> {
        anyhow::ensure!(
            back.url.as_str().starts_with(CALLBACK),
            "the browser is still at {}: {}",
            back.url,
            back.text()
        );
        let issuer = format!("{}/t/{tenant}", self.gateway);
        anyhow::ensure!(
            back.parameter("iss").as_ref() == Some(&issuer),
            "another issuer answered: {}",
            back.url
        );
        anyhow::ensure!(
            back.parameter("state").as_ref() == Some(&begun.state),
            "another state: {}",
            back.url
        );
        let code = back
            .parameter("code")
            .with_context(|| format!("no code: {}", back.url))?;
        self.redeem(tenant, begun, &code)
            .await?
            .expect(200)?
            .text("/access_token")
    }

    /// Redeems a code.
    ///
    /// # Errors
    /// When the gateway does not answer.
    pub async fn redeem(&self, tenant: &str, begun: &Begun, code: &str) -> anyhow::Result<Answer> {
        let grant = [
            ("grant_type", "authorization_code".to_owned()),
            ("code", code.to_owned()),
            ("redirect_uri", CALLBACK.to_owned()),
            ("code_verifier", begun.verifier.clone()),
        ];
        self.token(tenant, &grant).await
    }

    async fn token(
        &self,
        tenant: &str,
        grant: &[(&'static str, String)],
    ) -> anyhow::Result<Answer> {
        let mut form = self.client_auth(tenant)?;
        form.extend_from_slice(grant);
        answer(
            self.http
                .post(format!("{}/t/{tenant}/oauth/token", self.gateway))
                .form(&form),
        )
        .await
    }

    /// The claims of a `private_key_jwt` (RFC 7523), for one use.
    ///
    /// # Errors
    /// When there are no random numbers.
    pub fn claims(&self, tenant: &str) -> anyhow::Result<Value> {
        let now = SystemClock.now().timestamp();
        Ok(json!({
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": format!("{}/t/{tenant}", self.gateway),
            "iat": now,
            "exp": now.saturating_add(60),
            "jti": random_token(16)?,
        }))
    }

    /// Signs claims with the key of the registration.
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn sign(&self, claims: &Value) -> anyhow::Result<String> {
        let header = Header {
            kid: Some("1".to_owned()),
            ..Header::new(Algorithm::ES256)
        };
        Ok(jsonwebtoken::encode(&header, claims, &self.key)?)
    }

    /// The fields of a form that prove who sends it.
    ///
    /// # Errors
    /// When the key does not sign.
    pub fn client_auth(&self, tenant: &str) -> anyhow::Result<Vec<(&'static str, String)>> {
        let assertion = self.sign(&self.claims(tenant)?)?;
        Ok(vec![
            ("client_id", self.client_id.clone()),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer".to_owned(),
            ),
            ("client_assertion", assertion),
        ])
    }
}

/// Sends a request and reads the answer as JSON, if it is any.
pub(super) async fn answer(request: reqwest::RequestBuilder) -> anyhow::Result<Answer> {
    let response = request.send().await?;
    let status = response.status().as_u16();
    let text = response.text().await?;
    Ok(Answer {
        status,
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
    })
}
