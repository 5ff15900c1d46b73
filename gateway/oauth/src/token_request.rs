//! What the token and revocation endpoints read and answer.

use branchline_kernel::Timestamp;

use crate::{
    CodeVerifier, GrantType, OAuthError, OpaqueToken, Params, Registration, ServiceScope, TokenKind,
};

/// A request for a token by an authenticated client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenRequest {
    /// For a code that a member's approval gave.
    Code(CodeExchange),
    /// For the client itself.
    ClientCredentials(ServiceScope),
}

/// A code and what proves that it came to the right client.
#[derive(Clone, PartialEq, Eq)]
pub struct CodeExchange {
    /// The code; look it up by its hash.
    pub code: OpaqueToken,
    /// The address as the client repeats it.
    pub redirect_uri: String,
    /// PKCE.
    pub verifier: CodeVerifier,
}

impl std::fmt::Debug for CodeExchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CodeExchange")
            .field("redirect_uri", &self.redirect_uri)
            .finish_non_exhaustive()
    }
}

impl TokenRequest {
    /// Reads the form of the token endpoint.
    ///
    /// # Errors
    /// The [`OAuthError`] of the first parameter that is missing or wrong; a missing or malformed
    /// `code_verifier` is `invalid_grant`, as FAPI's tests want.
    pub fn parse(params: &Params, registration: &Registration) -> Result<Self, OAuthError> {
        let (grant, name) = match params.get("grant_type")? {
            "authorization_code" => (GrantType::AuthorizationCode, "code"),
            "client_credentials" => (GrantType::ClientCredentials, "scope"),
            _ => return Err(OAuthError::UnsupportedGrantType),
        };
        if !registration.may_use(grant) {
            return Err(OAuthError::GrantNotRegistered);
        }
        match grant {
            GrantType::AuthorizationCode => Ok(Self::Code(CodeExchange {
                code: OpaqueToken::parse(TokenKind::Code, params.get(name)?)?,
                redirect_uri: params.get("redirect_uri")?.to_owned(),
                verifier: params
                    .find("code_verifier")?
                    .ok_or(OAuthError::WrongVerifier)?
                    .parse()?,
            })),
            GrantType::ClientCredentials => {
                ServiceScope::parse(params.find(name)?, &registration.roles)
                    .map(Self::ClientCredentials)
            }
        }
    }
}

/// The answer of the token endpoint, with `Cache-Control: no-store`.
#[derive(Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    expires_in: i64,
    scope: String,
}

impl TokenAnswer {
    /// Shows `token` to its holder.
    #[must_use]
    pub fn bearer(
        token: &OpaqueToken,
        scope: &impl std::fmt::Display,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Self {
        Self {
            access_token: token.expose().to_owned(),
            token_type: "Bearer",
            expires_in: expires_at.signed_duration_since(now).num_seconds().max(0),
            scope: scope.to_string(),
        }
    }
}

/// A token that its client wants to end (RFC 7009).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RevocationRequest {
    /// One of our making: revoke it if it is this client's.
    Token(OpaqueToken),
    /// None of ours: answer 200 all the same (RFC 7009 §2.2).
    Unknown,
}

impl RevocationRequest {
    /// Reads the form of the revocation endpoint; `token_type_hint` is not needed.
    ///
    /// # Errors
    /// [`OAuthError::MissingParameter`] without a token.
    pub fn parse(params: &Params) -> Result<Self, OAuthError> {
        let text = params.get("token")?;
        Ok(OpaqueToken::parse(TokenKind::Access, text).map_or(Self::Unknown, Self::Token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LoopbackHttp, RegistrationRequest};
    use serde_json::json;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn registration(grants: &[&str]) -> Registration {
        let body = json!({
            "client_name": "Savanna Budget",
            "redirect_uris": ["https://savanna.example/cb"],
            "jwks": {"keys": [{"kty": "EC", "crv": "P-256",
                "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]},
            "roles": ["AISP"], "grant_types": grants,
        });
        RegistrationRequest::parse(body)
            .unwrap()
            .validate(LoopbackHttp::Refused)
            .unwrap()
    }

    fn request(form: &str) -> Result<TokenRequest, OAuthError> {
        let both = registration(&["authorization_code", "client_credentials"]);
        TokenRequest::parse(&Params::decode(form.as_bytes()).unwrap(), &both)
    }

    fn code_form(rest: &str) -> String {
        let code = OpaqueToken::mint(TokenKind::Code, &[1; 32]);
        format!("grant_type=authorization_code&code={}{rest}", code.expose())
    }

    #[test]
    fn a_code_is_exchanged_with_address_and_verifier() {
        let rest = format!("&redirect_uri=https://savanna.example/cb&code_verifier={VERIFIER}");
        assert!(matches!(
            request(&code_form(&rest)),
            Ok(TokenRequest::Code(_))
        ));
    }

    #[test]
    fn a_missing_or_malformed_verifier_is_an_invalid_grant() {
        for rest in ["", "&code_verifier=short"] {
            let form = code_form(&format!("&redirect_uri=https://savanna.example/cb{rest}"));
            let error = request(&form).unwrap_err();
            assert_eq!(error.oauth_code().as_str(), "invalid_grant");
        }
    }

    #[test]
    fn other_wrong_forms_have_their_refusals() {
        for (form, refusal) in [
            ("", OAuthError::MissingParameter("grant_type")),
            ("grant_type=password", OAuthError::UnsupportedGrantType),
            ("grant_type=refresh_token", OAuthError::UnsupportedGrantType),
            (
                "grant_type=authorization_code",
                OAuthError::MissingParameter("code"),
            ),
            (
                "grant_type=authorization_code&code=x",
                OAuthError::InvalidCode,
            ),
            (
                "grant_type=client_credentials&scope=PIS",
                OAuthError::ScopeNotAllowed,
            ),
            (
                "grant_type=client_credentials&scope=x",
                OAuthError::MalformedScope,
            ),
        ] {
            assert_eq!(request(form), Err(refusal), "{form}");
        }
    }

    #[test]
    fn a_grant_that_was_not_registered_is_refused() {
        let only_code = registration(&["authorization_code"]);
        let form = Params::decode(b"grant_type=client_credentials").unwrap();
        assert_eq!(
            TokenRequest::parse(&form, &only_code),
            Err(OAuthError::GrantNotRegistered)
        );
    }

    #[test]
    fn the_answer_says_how_long_the_token_is_good() {
        let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let token = OpaqueToken::mint(TokenKind::Access, &[1; 32]);
        let end = now + chrono::TimeDelta::seconds(900);
        let answer = TokenAnswer::bearer(&token, &"AIS", now, end);
        let answer = serde_json::to_value(answer).unwrap();
        assert_eq!(answer["expires_in"], 900);
        assert_eq!(answer["token_type"], "Bearer");
        assert_eq!(answer["access_token"], token.expose());
    }

    #[test]
    fn revoking_what_is_no_token_is_no_error() {
        let form = Params::decode(b"token=x").unwrap();
        assert_eq!(
            RevocationRequest::parse(&form),
            Ok(RevocationRequest::Unknown)
        );
        assert!(RevocationRequest::parse(&Params::decode(b"").unwrap()).is_err());
    }
}
