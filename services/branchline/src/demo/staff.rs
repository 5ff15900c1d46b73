//! Staff of a credit union: they sign in at its realm and work with the core.

use anyhow::Context;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use branchline_iam::{CLI_CLIENT, random_token};
use branchline_kernel::{IdSource, RandomIds};
use reqwest::{Client, Method, Url};
use serde_json::Value;

use super::browser::{Browser, Page};
use super::fintech::{Answer, CALLBACK, answer};

/// The password of every person of the demo. The development identity asks for none.
pub const PASSWORD: &str = "not-a-secret-in-a-demo";

/// A person of an institution with an access token for the core.
pub struct Staff {
    http: Client,
    core: String,
    token: String,
}

impl Staff {
    /// Signs in through the realm's own page (authorization code with PKCE, RFC 8252).
    ///
    /// # Errors
    /// When the realm refuses.
    pub async fn sign_in(
        http: &Client,
        core: &str,
        issuer: &str,
        username: &str,
    ) -> anyhow::Result<Self> {
        let metadata = answer(http.get(format!("{issuer}/.well-known/openid-configuration")))
            .await?
            .expect(200)?;
        let verifier = random_token(32)?;
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        let state = random_token(16)?;
        let mut url = Url::parse(&metadata.text("/authorization_endpoint")?)?;
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", CLI_CLIENT)
            .append_pair("redirect_uri", CALLBACK)
            .append_pair("scope", "openid")
            .append_pair("state", &state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        let mut browser = Browser::new(http.clone());
        let login = browser.open(url.as_str()).await?;
        let back = sign_in_at(&mut browser, &login, username).await?;
        let code = back
            .parameter("code")
            .with_context(|| format!("no code came back: {}", back.url))?;
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", CLI_CLIENT),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", &verifier),
        ];
        let tokens = answer(http.post(metadata.text("/token_endpoint")?).form(&form))
            .await?
            .expect(200)?;
        Ok(Self {
            http: http.clone(),
            core: core.to_owned(),
            token: tokens.text("/access_token")?,
        })
    }

    /// The access token.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Reads from the core.
    ///
    /// # Errors
    /// When the core does not answer.
    pub async fn get(&self, path: &str) -> anyhow::Result<Answer> {
        answer(
            self.http
                .get(format!("{}/v1{path}", self.core))
                .bearer_auth(&self.token),
        )
        .await
    }

    /// Asks the core for a change, under a key of its own.
    ///
    /// # Errors
    /// When the core does not answer.
    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        let request = self
            .http
            .request(Method::POST, format!("{}/v1{path}", self.core))
            .bearer_auth(&self.token)
            .header("Idempotency-Key", RandomIds.next().to_string())
            .json(body);
        answer(request).await
    }
}

/// Signs a person in at a realm's page: by a click at the development identity, with name and
/// password at Keycloak.
///
/// # Errors
/// When the page offers neither.
pub async fn sign_in_at(
    browser: &mut Browser,
    login: &Page,
    username: &str,
) -> anyhow::Result<Page> {
    if let Ok(form) = login.form("authorize")
        && form.choices_of("person").contains(&username)
    {
        return browser.submit(login, &form, &[("person", username)]).await;
    }
    let form = login.form("login-actions")?;
    browser
        .submit(
            login,
            &form,
            &[("username", username), ("password", PASSWORD)],
        )
        .await
}
