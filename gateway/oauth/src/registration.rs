//! Dynamic client registration (RFC 7591): what a TPP says about its client and what we make of it.
//!
//! Roles come from the member `roles` of the request. When certificates and software statements are
//! read, they will bound it.

use branchline_kernel::Timestamp;
use serde_json::{Map, Value};

use crate::{ClientId, ClientKeys, LoopbackHttp, OAuthError, RedirectUri, Role, Roles};

/// A registration request whose members were found; what is not asked for was ignored (§2).
#[derive(Debug, Clone)]
pub struct RegistrationRequest(Map<String, Value>);

/// A client as it was accepted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Registration {
    /// The name that members see on the consent page.
    pub client_name: ClientName,
    /// Where the browser may be sent back to.
    pub redirect_uris: Vec<RedirectUri>,
    /// The keys with which the client proves who it is.
    pub jwks: ClientKeys,
    /// The grants it may use.
    pub grant_types: Vec<GrantType>,
    /// What the TPP is licensed for.
    pub roles: Roles,
}

/// A name that can be shown to a member: 1 to 70 characters, none of which hides or turns text.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientName(String);

/// A grant that the token endpoint offers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// With a member.
    AuthorizationCode,
    /// The client for itself.
    ClientCredentials,
}

/// The answer to an accepted registration (RFC 7591 §3.2.1).
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct RegistrationAnswer {
    client_id: String,
    client_id_issued_at: i64,
    token_endpoint_auth_method: &'static str,
    response_types: &'static [&'static str],
    #[serde(flatten)]
    #[schema(value_type = Object)]
    registration: Registration,
}

const METHOD: &str = "private_key_jwt";
const MAX_REDIRECTS: usize = 10;
const NAME_EXPECTED: &str = "1 to 70 printable characters";
const GRANTS_EXPECTED: &str = "authorization_code, client_credentials or both";

impl RegistrationRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`OAuthError::MalformedJson`] when it is no JSON object.
    pub fn parse(body: Value) -> Result<Self, OAuthError> {
        match body {
            Value::Object(members) => Ok(Self(members)),
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => Err(OAuthError::MalformedJson),
        }
    }

    /// Accepts the client or says which member is wrong.
    ///
    /// # Errors
    /// [`OAuthError::InvalidMetadata`], [`OAuthError::InvalidRedirectUri`],
    /// [`OAuthError::InvalidKeys`], [`OAuthError::SoftwareStatementNotSupported`].
    pub fn validate(self, loopback: LoopbackHttp) -> Result<Registration, OAuthError> {
        if self.0.contains_key("software_statement") {
            // Ignoring a statement would accept a client that its directory never vouched for.
            return Err(OAuthError::SoftwareStatementNotSupported);
        }
        self.check_fixed("token_endpoint_auth_method", &[METHOD])?;
        self.check_fixed(
            "token_endpoint_auth_signing_alg",
            &["ES256", "PS256", "EdDSA", "Ed25519"],
        )?;
        self.check_response_types()?;
        Ok(Registration {
            client_name: self.client_name()?,
            redirect_uris: self.redirect_uris(loopback)?,
            jwks: self.jwks()?,
            grant_types: self.grant_types()?,
            roles: self.roles()?,
        })
    }

    /// A member that may be absent, but if present is one of `allowed`.
    fn check_fixed(&self, name: &'static str, allowed: &[&str]) -> Result<(), OAuthError> {
        match self.0.get(name).map(Value::as_str) {
            None => Ok(()),
            Some(Some(text)) if allowed.contains(&text) => Ok(()),
            Some(Some(_) | None) => Err(OAuthError::InvalidMetadata(
                name,
                "private_key_jwt with ES256, PS256 or EdDSA",
            )),
        }
    }

    fn check_response_types(&self) -> Result<(), OAuthError> {
        match self.texts("response_types", "a list with code")? {
            None => Ok(()),
            Some(types) if types == ["code"] => Ok(()),
            Some(_) => Err(OAuthError::InvalidMetadata(
                "response_types",
                "a list with code",
            )),
        }
    }

    fn client_name(&self) -> Result<ClientName, OAuthError> {
        let text = self.0.get("client_name").and_then(Value::as_str);
        ClientName::try_from(text.unwrap_or_default().to_owned())
    }

    fn redirect_uris(&self, loopback: LoopbackHttp) -> Result<Vec<RedirectUri>, OAuthError> {
        let listed = self
            .texts("redirect_uris", "a list of addresses")?
            .unwrap_or_default();
        if listed.is_empty() || listed.len() > MAX_REDIRECTS {
            return Err(OAuthError::InvalidRedirectUri);
        }
        listed
            .into_iter()
            .map(|text| RedirectUri::parse(text, loopback))
            .collect()
    }

    fn jwks(&self) -> Result<ClientKeys, OAuthError> {
        if self.0.contains_key("jwks_uri") {
            return Err(OAuthError::InvalidMetadata(
                "jwks_uri",
                "the keys themselves in jwks; keys are not fetched yet",
            ));
        }
        let set = self
            .0
            .get("jwks")
            .ok_or(OAuthError::InvalidKeys("the member is missing"))?;
        ClientKeys::parse(set)
    }

    /// `refresh_token` is dropped, which RFC 7591 §2 allows and the answer shows; the rest is refused.
    fn grant_types(&self) -> Result<Vec<GrantType>, OAuthError> {
        let refused = OAuthError::InvalidMetadata("grant_types", GRANTS_EXPECTED);
        let Some(listed) = self.texts("grant_types", GRANTS_EXPECTED)? else {
            return Ok(vec![
                GrantType::AuthorizationCode,
                GrantType::ClientCredentials,
            ]);
        };
        let mut grants = Vec::new();
        for name in listed {
            let grant = match name {
                "authorization_code" => GrantType::AuthorizationCode,
                "client_credentials" => GrantType::ClientCredentials,
                "refresh_token" => continue,
                _ => return Err(refused),
            };
            if !grants.contains(&grant) {
                grants.push(grant);
            }
        }
        if grants.is_empty() {
            return Err(refused);
        }
        Ok(grants)
    }

    fn roles(&self) -> Result<Roles, OAuthError> {
        self.texts("roles", "a list with AISP, PISP or both")?
            .unwrap_or_default()
            .into_iter()
            .map(str::parse)
            .collect::<Result<Vec<Role>, _>>()?
            .try_into()
    }

    /// A list of texts, `None` when the member is absent.
    fn texts(
        &self,
        name: &'static str,
        expected: &'static str,
    ) -> Result<Option<Vec<&str>>, OAuthError> {
        let refused = OAuthError::InvalidMetadata(name, expected);
        match self.0.get(name) {
            None => Ok(None),
            Some(value) => value
                .as_array()
                .ok_or(refused)?
                .iter()
                .map(|entry| entry.as_str().ok_or(refused))
                .collect::<Result<_, _>>()
                .map(Some),
        }
    }
}

impl Registration {
    /// Whether the client may use `grant`.
    #[must_use]
    pub fn may_use(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    /// The answer that the registering TPP gets.
    #[must_use]
    pub fn answer(&self, client: ClientId, now: Timestamp) -> RegistrationAnswer {
        RegistrationAnswer {
            client_id: client.to_string(),
            client_id_issued_at: now.timestamp(),
            token_endpoint_auth_method: METHOD,
            response_types: &["code"],
            registration: self.clone(),
        }
    }
}

impl ClientName {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Characters that hide or reorder the text around them on a page.
const fn misleads(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

impl TryFrom<String> for ClientName {
    type Error = OAuthError;

    fn try_from(text: String) -> Result<Self, OAuthError> {
        let shown = |character: char| !character.is_control() && !misleads(character);
        let fits = text.trim() == text
            && (1..=70).contains(&text.chars().take(71).count())
            && text.chars().all(shown);
        if fits {
            Ok(Self(text))
        } else {
            Err(OAuthError::InvalidMetadata("client_name", NAME_EXPECTED))
        }
    }
}

impl From<ClientName> for String {
    fn from(name: ClientName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body() -> Value {
        json!({
            "client_name": "Savanna Budget",
            "redirect_uris": ["https://savanna.example/cb"],
            "jwks": {"keys": [{"kty": "EC", "crv": "P-256", "kid": "one",
                "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]},
            "roles": ["AISP", "PISP"],
            "logo_uri": "ignored", "contacts": 7,
        })
    }

    fn register(body: Value) -> Result<Registration, OAuthError> {
        RegistrationRequest::parse(body)?.validate(LoopbackHttp::Refused)
    }

    fn with(name: &str, value: Value) -> Result<Registration, OAuthError> {
        let mut body = body();
        body[name] = value;
        register(body)
    }

    #[test]
    fn unknown_members_are_ignored_and_defaults_are_shown() {
        let registration = register(body()).unwrap();
        let id: ClientId = "tpp-0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f".parse().unwrap();
        let now = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let answer = serde_json::to_value(registration.answer(id, now)).unwrap();
        assert_eq!(answer["client_id"], id.to_string());
        assert_eq!(answer["client_id_issued_at"], 1_800_000_000);
        assert_eq!(answer["token_endpoint_auth_method"], "private_key_jwt");
        assert_eq!(
            answer["grant_types"],
            json!(["authorization_code", "client_credentials"])
        );
        assert_eq!(answer["roles"], json!(["AISP", "PISP"]));
        assert_eq!(answer["client_name"], "Savanna Budget");
        assert!(answer.get("logo_uri").is_none());
    }

    #[test]
    fn a_registration_survives_storage() {
        let registration = register(body()).unwrap();
        let row = serde_json::to_value(&registration).unwrap();
        assert_eq!(
            serde_json::from_value::<Registration>(row).unwrap(),
            registration
        );
    }

    #[test]
    fn wrong_members_are_named() {
        for (name, value) in [
            ("client_name", json!("")),
            ("client_name", json!(" x")),
            ("client_name", json!(7)),
            ("client_name", json!("a".repeat(71))),
            ("client_name", json!("a".repeat(1_000_000))),
            ("client_name", json!("Bank\u{202e}knaB")),
            ("client_name", json!("a\nb")),
            ("token_endpoint_auth_method", json!("client_secret_basic")),
            ("token_endpoint_auth_method", json!(null)),
            ("token_endpoint_auth_signing_alg", json!("RS256")),
            ("response_types", json!(["token"])),
            ("response_types", json!(["code", "code id_token"])),
            ("grant_types", json!(["implicit"])),
            ("grant_types", json!(["refresh_token"])),
            ("grant_types", json!([])),
            ("grant_types", json!("authorization_code")),
            ("roles", json!([])),
            ("roles", json!(["aisp"])),
            ("roles", json!(["AISP", 1])),
            ("jwks_uri", json!("https://savanna.example/jwks")),
        ] {
            assert!(
                matches!(with(name, value), Err(OAuthError::InvalidMetadata(named, _)) if named == name),
                "{name}"
            );
        }
    }

    #[test]
    fn redirect_addresses_are_required_and_bounded() {
        for value in [
            json!([]),
            json!(["http://savanna.example/cb"]),
            json!(["https://savanna.example/cb#x"]),
            json!(vec!["https://savanna.example/cb"; 11]),
            json!([""]),
        ] {
            assert_eq!(
                with("redirect_uris", value),
                Err(OAuthError::InvalidRedirectUri)
            );
        }
    }

    #[test]
    fn a_software_statement_is_not_ignored() {
        assert_eq!(
            with("software_statement", json!("x.y.z")),
            Err(OAuthError::SoftwareStatementNotSupported)
        );
    }

    #[test]
    fn each_required_member_is_required() {
        for name in ["client_name", "redirect_uris", "jwks", "roles"] {
            let mut body = body();
            body.as_object_mut().unwrap().remove(name);
            assert!(register(body).is_err(), "{name}");
        }
        assert_eq!(register(json!([])), Err(OAuthError::MalformedJson));
    }

    #[test]
    fn a_refresh_grant_is_dropped_visibly() {
        let registration = with(
            "grant_types",
            json!(["authorization_code", "refresh_token", "authorization_code"]),
        )
        .unwrap();
        assert_eq!(registration.grant_types, [GrantType::AuthorizationCode]);
        assert!(!registration.may_use(GrantType::ClientCredentials));
    }
}
