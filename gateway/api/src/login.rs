//! Signing members in at their institution's own OpenID provider.
//!
//! # Invariants
//! - State, nonce and PKCE verifier are fresh for each sign-in, and the ID token must fit all.
//! - A provider's metadata is kept for a while and fetched anew when a token does not verify.

use std::collections::HashMap;
use std::fmt;
use std::sync::{PoisonError, RwLock};

use branchline_iam::{NoRandomness, random_token};
use branchline_kernel::{Kind, Refusal, Secret, Timestamp};
use branchline_xs2a::Psu;
use chrono::TimeDelta;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreJwsSigningAlgorithm, CoreProviderMetadata,
};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl,
    Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, TokenResponse,
};

/// The providers that were met so far.
pub(crate) struct Providers {
    http: reqwest::Client,
    known: RwLock<HashMap<String, (CoreProviderMetadata, Timestamp)>>,
}

/// An institution's provider and our client there.
pub(crate) struct Provider {
    /// Its issuer.
    pub(crate) issuer: String,
    /// Our client's name.
    pub(crate) client_id: String,
    /// Our client's secret.
    pub(crate) secret: Secret<String>,
    /// Where it sends members back to.
    pub(crate) callback: String,
}

/// A sign-in that is about to leave for the provider.
pub(crate) struct Begun {
    /// Where the browser goes.
    pub(crate) address: String,
    /// What it must bring back.
    pub(crate) state: String,
    /// What the ID token must repeat.
    pub(crate) nonce: String,
    /// The PKCE verifier.
    pub(crate) verifier: String,
}

/// A member who signed in.
pub(crate) struct SignedIn {
    /// Who she is.
    pub(crate) psu: Psu,
    /// What the provider calls her.
    pub(crate) name: String,
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoginError {
    /// The institution has no provider in the register.
    #[error("the institution has no provider")]
    NoProvider,
    /// The provider cannot be reached, or does not answer as it should.
    #[error("the provider did not answer as it should: {0}")]
    Provider(String),
    /// Its answer does not verify.
    #[error("the sign-in did not verify: {0}")]
    NotVerified(String),
    /// No random numbers.
    #[error("no secret could be made")]
    Random(#[from] NoRandomness),
}

impl Refusal for LoginError {
    fn kind(&self) -> Kind {
        match self {
            Self::NoProvider => Kind::Broken,
            Self::Provider(_) | Self::Random(_) => Kind::Unavailable,
            Self::NotVerified(_) => Kind::Invalid,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoProvider => "no-provider",
            Self::Provider(_) | Self::Random(_) => "sign-in-unavailable",
            Self::NotVerified(_) => "sign-in-not-verified",
        }
    }

    fn public(&self) -> String {
        match self {
            Self::NoProvider | Self::Provider(_) | Self::Random(_) => {
                "You cannot be signed in for the moment. Try again in a minute."
            }
            Self::NotVerified(_) => {
                "Your sign-in could not be verified. Go back to the app and start again."
            }
        }
        .to_owned()
    }
}

/// A request of the OpenID library did not get through.
#[derive(Debug)]
struct Transport(String);

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Transport {}

const KEPT: TimeDelta = TimeDelta::minutes(10);

impl Providers {
    pub(crate) fn new(http: reqwest::Client) -> Self {
        Self {
            http,
            known: RwLock::default(),
        }
    }

    /// Begins a sign-in.
    pub(crate) async fn send_away(
        &self,
        provider: &Provider,
        now: Timestamp,
    ) -> Result<Begun, LoginError> {
        let metadata = self.metadata(&provider.issuer, now).await?;
        let (state, nonce) = (random_token(32)?, random_token(32)?);
        let verifier = random_token(32)?;
        let challenge =
            PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.clone()));
        let callback = callback(provider)?;
        let client = CoreClient::from_provider_metadata(
            metadata,
            ClientId::new(provider.client_id.clone()),
            None,
        )
        .set_redirect_uri(callback);
        let (fixed_state, fixed_nonce) = (state.clone(), nonce.clone());
        let (address, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(fixed_state),
                move || Nonce::new(fixed_nonce),
            )
            .add_scope(Scope::new("profile".to_owned()))
            .set_pkce_challenge(challenge)
            .url();
        Ok(Begun {
            address: address.to_string(),
            state,
            nonce,
            verifier,
        })
    }

    /// Redeems the code that came back and reads who signed in.
    pub(crate) async fn finish(
        &self,
        provider: &Provider,
        code: &str,
        (nonce, verifier): (&str, &str),
        now: Timestamp,
    ) -> Result<SignedIn, LoginError> {
        let metadata = self.metadata(&provider.issuer, now).await?;
        let secret = ClientSecret::new(provider.secret.expose().clone());
        let client = CoreClient::from_provider_metadata(
            metadata,
            ClientId::new(provider.client_id.clone()),
            Some(secret),
        )
        .set_redirect_uri(callback(provider)?);
        let exchange = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| LoginError::Provider(error.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
        let http = |request| fetch(self.http.clone(), request);
        let tokens = exchange
            .request_async(&http)
            .await
            .map_err(|error| LoginError::NotVerified(error.to_string()))?;
        let algorithms = [
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            CoreJwsSigningAlgorithm::EdDsa,
        ];
        let verifier = client.id_token_verifier().set_allowed_algs(algorithms);
        let id_token = tokens
            .id_token()
            .ok_or_else(|| LoginError::NotVerified("there is no ID token".to_owned()))?;
        let claims = id_token
            .claims(&verifier, &Nonce::new(nonce.to_owned()))
            .map_err(|error| {
                // The provider may have changed its keys: ask anew next time.
                self.forget(&provider.issuer);
                LoginError::NotVerified(error.to_string())
            })?;
        let name = claims
            .name()
            .and_then(|name| name.get(None))
            .map(|name| name.as_str().to_owned())
            .or_else(|| {
                claims
                    .preferred_username()
                    .map(|name| name.as_str().to_owned())
            });
        Ok(SignedIn {
            psu: Psu {
                issuer: provider.issuer.clone(),
                subject: claims.subject().as_str().to_owned(),
            },
            name: name
                .unwrap_or_else(|| "Member".to_owned())
                .chars()
                .take(140)
                .collect(),
        })
    }

    async fn metadata(
        &self,
        issuer: &str,
        now: Timestamp,
    ) -> Result<CoreProviderMetadata, LoginError> {
        let known = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            known.get(issuer).cloned()
        };
        match known {
            Some((metadata, at)) if now.signed_duration_since(at) < KEPT => return Ok(metadata),
            Some(_) | None => {}
        }
        let url = IssuerUrl::new(issuer.to_owned())
            .map_err(|error| LoginError::Provider(error.to_string()))?;
        let http = |request| fetch(self.http.clone(), request);
        let metadata = CoreProviderMetadata::discover_async(url, &http)
            .await
            .map_err(|error| LoginError::Provider(error.to_string()))?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(issuer.to_owned(), (metadata.clone(), now));
        Ok(metadata)
    }

    fn forget(&self, issuer: &str) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.remove(issuer);
    }
}

fn callback(provider: &Provider) -> Result<RedirectUrl, LoginError> {
    RedirectUrl::new(provider.callback.clone())
        .map_err(|error| LoginError::Provider(error.to_string()))
}

/// Carries one request of the OpenID library over our own client.
async fn fetch(http: reqwest::Client, request: HttpRequest) -> Result<HttpResponse, Transport> {
    let failed = |error: reqwest::Error| Transport(error.without_url().to_string());
    let request = reqwest::Request::try_from(request).map_err(failed)?;
    let response = http.execute(request).await.map_err(failed)?;
    let mut answer = openidconnect::http::Response::builder().status(response.status());
    for (name, value) in response.headers() {
        answer = answer.header(name, value);
    }
    let body = response.bytes().await.map_err(failed)?.to_vec();
    answer
        .body(body)
        .map_err(|error| Transport(error.to_string()))
}
