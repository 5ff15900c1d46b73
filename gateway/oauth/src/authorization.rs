//! The authorization request as it is pushed, and the answers that go through the browser.
//!
//! # Invariants
//! - The browser is only ever sent to an address that the client registered, with `iss`.
//! - `state` is given back byte for byte (RFC 6749 §4.1.2), or not at all when it was not sent.

use crate::{
    ClientId, CodeChallenge, GrantType, Issuer, OAuthError, OpaqueToken, Params, RedirectUri,
    Registration, ResourceScope,
};

/// What a client asks its member to approve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client: ClientId,
    /// Where the browser goes afterwards; one of the registered addresses.
    pub redirect_uri: RedirectUri,
    /// The consent or payment it is about.
    pub scope: ResourceScope,
    /// The client's own mark, given back unchanged.
    pub state: Option<String>,
    /// PKCE.
    pub challenge: CodeChallenge,
}

const MAX_STATE_BYTES: usize = 4096;

impl AuthorizationRequest {
    /// Reads what `client` pushed (RFC 9126 §2.1). `nonce` and unknown parameters are ignored, as
    /// no ID token is issued here.
    ///
    /// The caller still has to check that the consent or payment is this client's and waits for
    /// its member ([`OAuthError::UnknownResource`]).
    ///
    /// # Errors
    /// The [`OAuthError`] of the first parameter that is missing or wrong.
    pub fn parse(
        params: &Params,
        client: ClientId,
        registration: &Registration,
    ) -> Result<Self, OAuthError> {
        if params.find("request_uri")?.is_some() {
            return Err(OAuthError::RequestUriNotSupported);
        }
        if params.find("request")?.is_some() {
            return Err(OAuthError::RequestObjectNotSupported);
        }
        if params.find("authorization_details")?.is_some() {
            return Err(OAuthError::AuthorizationDetailsNotSupported);
        }
        if params
            .find("client_id")?
            .is_some_and(|id| id != client.to_string())
        {
            return Err(OAuthError::ClientMismatch);
        }
        if params.get("response_type")? != "code" {
            return Err(OAuthError::UnsupportedResponseType);
        }
        if params.find("response_mode")?.unwrap_or("query") != "query" {
            return Err(OAuthError::MalformedParameter("response_mode", "query"));
        }
        if !registration.may_use(GrantType::AuthorizationCode) {
            return Err(OAuthError::GrantNotRegistered);
        }
        let wanted = params.get("redirect_uri")?;
        let redirect_uri = registration
            .redirect_uris
            .iter()
            .find(|registered| registered.as_str() == wanted)
            .ok_or(OAuthError::UnregisteredRedirect)?
            .clone();
        Ok(Self {
            client,
            redirect_uri,
            challenge: challenge(params)?,
            scope: scope(params, registration)?,
            state: params
                .find_bounded("state", MAX_STATE_BYTES)?
                .map(str::to_owned),
        })
    }
}

/// The method must be said: without it RFC 7636 §4.3 means `plain`.
fn challenge(params: &Params) -> Result<CodeChallenge, OAuthError> {
    let challenge = params.get("code_challenge")?.parse()?;
    if params.get("code_challenge_method")? == "S256" {
        Ok(challenge)
    } else {
        Err(OAuthError::MalformedParameter(
            "code_challenge_method",
            "S256",
        ))
    }
}

fn scope(params: &Params, registration: &Registration) -> Result<ResourceScope, OAuthError> {
    let scope: ResourceScope = params.get("scope")?.parse()?;
    if registration.roles.has(scope.role()) {
        Ok(scope)
    } else {
        Err(OAuthError::ScopeNotAllowed)
    }
}

/// Where the browser goes when the member approved (send it with status 303, RFC 9700 §4.12).
#[must_use]
pub fn granted_redirect(
    redirect_uri: &RedirectUri,
    state: Option<&str>,
    issuer: &Issuer,
    code: &OpaqueToken,
) -> String {
    redirect(redirect_uri, &[("code", code.expose())], state, issuer)
}

/// Where the browser goes when nothing was granted.
#[must_use]
pub fn denied_redirect(
    redirect_uri: &RedirectUri,
    state: Option<&str>,
    issuer: &Issuer,
    why: &OAuthError,
) -> String {
    let body = why.body();
    let pairs = [
        ("error", body.error),
        ("error_description", body.error_description.as_str()),
    ];
    redirect(redirect_uri, &pairs, state, issuer)
}

fn redirect(
    redirect_uri: &RedirectUri,
    answer: &[(&str, &str)],
    state: Option<&str>,
    issuer: &Issuer,
) -> String {
    let issuer = issuer.to_string();
    let mut pairs = answer.to_vec();
    if let Some(state) = state {
        pairs.push(("state", state));
    }
    // RFC 9207 §2: without `iss` a client of two servers can be made to mix them up.
    pairs.push(("iss", &issuer));
    redirect_uri.with(&pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LoopbackHttp, RegistrationRequest, TokenKind};
    use serde_json::json;

    const ID: &str = "0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn client() -> ClientId {
        format!("tpp-{ID}").parse().unwrap()
    }

    fn registration(roles: &[&str], grants: &[&str]) -> Registration {
        let body = json!({
            "client_name": "Savanna Budget",
            "redirect_uris": ["https://savanna.example/cb", "https://savanna.example/two"],
            "jwks": {"keys": [{"kty": "EC", "crv": "P-256",
                "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]},
            "roles": roles, "grant_types": grants,
        });
        RegistrationRequest::parse(body)
            .unwrap()
            .validate(LoopbackHttp::Refused)
            .unwrap()
    }

    fn good() -> Vec<(String, String)> {
        [
            ("response_type", "code"),
            ("redirect_uri", "https://savanna.example/two"),
            ("scope", &format!("AIS:{ID}")),
            ("state", "s 1"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec()
    }

    fn params(pairs: &[(String, String)]) -> Params {
        let form: Vec<_> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={}", crate::params::escape(value)))
            .collect();
        Params::decode(form.join("&").as_bytes()).unwrap()
    }

    fn with(name: &str, value: &str) -> Result<AuthorizationRequest, OAuthError> {
        let mut pairs = good();
        pairs.retain(|(key, _)| key != name);
        pairs.push((name.to_owned(), value.to_owned()));
        let registration = registration(&["AISP"], &["authorization_code"]);
        AuthorizationRequest::parse(&params(&pairs), client(), &registration)
    }

    #[test]
    fn a_good_request_is_accepted_in_any_order_and_without_state_or_nonce() {
        let request = with("client_id", &client().to_string()).unwrap();
        assert_eq!(request.redirect_uri.as_str(), "https://savanna.example/two");
        assert_eq!(request.state.as_deref(), Some("s 1"));
        assert_eq!(with("state", "").unwrap().state, None);
        assert!(with("nonce", &"n".repeat(384)).is_ok());
        assert!(with("unknown", "x").is_ok());
    }

    #[test]
    fn a_long_state_is_kept_whole_or_refused_never_cut() {
        let long = "s".repeat(4096);
        assert_eq!(with("state", &long).unwrap().state, Some(long.clone()));
        assert_eq!(
            with("state", &format!("{long}s")),
            Err(OAuthError::OversizedParameter("state", 4096))
        );
    }

    #[test]
    fn each_mandatory_parameter_is_asked_for_by_name() {
        for name in [
            "response_type",
            "redirect_uri",
            "scope",
            "code_challenge",
            "code_challenge_method",
        ] {
            assert_eq!(with(name, ""), Err(OAuthError::MissingParameter(name)));
        }
    }

    #[test]
    fn each_wrong_parameter_has_its_code() {
        for (name, value, code) in [
            ("response_type", "token", "unsupported_response_type"),
            (
                "response_type",
                "code id_token",
                "unsupported_response_type",
            ),
            ("response_mode", "fragment", "invalid_request"),
            (
                "redirect_uri",
                "https://savanna.example/CB",
                "invalid_request",
            ),
            (
                "redirect_uri",
                "https://savanna.example/cb/",
                "invalid_request",
            ),
            ("scope", "AIS", "invalid_scope"),
            ("scope", &format!("PIS:{ID}"), "invalid_scope"),
            ("code_challenge", "short", "invalid_request"),
            ("code_challenge_method", "plain", "invalid_request"),
            ("request_uri", "urn:x", "request_uri_not_supported"),
            ("request", "x.y.z", "request_not_supported"),
            (
                "authorization_details",
                "[]",
                "invalid_authorization_details",
            ),
            ("client_id", "tpp-other", "invalid_request"),
        ] {
            let error = with(name, value).unwrap_err();
            assert_eq!(error.oauth_code().as_str(), code, "{name}={value}");
        }
    }

    #[test]
    fn a_parameter_that_stands_twice_is_refused() {
        let mut pairs = good();
        pairs.push(("scope".to_owned(), format!("AIS:{ID}")));
        let registration = registration(&["AISP"], &["authorization_code"]);
        assert_eq!(
            AuthorizationRequest::parse(&params(&pairs), client(), &registration),
            Err(OAuthError::RepeatedParameter("scope"))
        );
    }

    #[test]
    fn a_client_without_the_code_grant_is_refused() {
        let registration = registration(&["AISP"], &["client_credentials"]);
        assert_eq!(
            AuthorizationRequest::parse(&params(&good()), client(), &registration),
            Err(OAuthError::GrantNotRegistered)
        );
    }

    #[test]
    fn every_answer_carries_state_and_iss() {
        let issuer = Issuer::of("https://pay.example", &"lion".parse().unwrap());
        let uri = RedirectUri::parse("https://s.example/cb?x=1", LoopbackHttp::Refused).unwrap();
        let code = OpaqueToken::mint(TokenKind::Code, &[0; 32]);
        assert_eq!(
            granted_redirect(&uri, Some("a&b"), &issuer, &code),
            format!(
                "https://s.example/cb?x=1&code={}&state=a%26b&iss=https%3A%2F%2Fpay.example%2Ft%2Flion",
                code.expose()
            )
        );
        let denied = denied_redirect(&uri, None, &issuer, &OAuthError::RefusedByMember);
        assert_eq!(
            denied,
            "https://s.example/cb?x=1&error=access_denied&error_description=the%20member%20refused&iss=https%3A%2F%2Fpay.example%2Ft%2Flion"
        );
    }
}
