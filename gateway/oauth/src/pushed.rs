//! The `request_uri` that stands for a pushed request, and the call of the browser that shows it
//! (RFC 9126 §2.2, §4).

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use branchline_kernel::Timestamp;

use crate::{ClientId, OAuthError, Params, TokenHash};

/// How long a pushed request waits for its browser (FAPI 2.0 §5.3.2.2-12: below 600 s).
pub const REQUEST_URI_LIFE_SECS: i64 = 90;

const PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// The name of a pushed request: 256 random bits. Who knows it may open the page, so it is stored
/// as a hash.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestUri(String);

/// What became of a pushed request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushedState {
    /// Waits for its browser; may be opened several times before somebody signs in.
    Open {
        /// From this moment on it cannot be opened any more.
        expires_at: Timestamp,
    },
    /// Was granted or denied.
    Completed {
        /// When.
        at: Timestamp,
    },
}

/// What the browser brings to the authorization endpoint: nothing else is read (RFC 9126 §4).
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationCall {
    /// Who pushed the request, as the browser says.
    pub client: ClientId,
    /// The name of the pushed request.
    pub request_uri: RequestUri,
}

/// The answer of the PAR endpoint, with status 201 and `Cache-Control: no-store`.
#[derive(Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct PushedAnswer {
    request_uri: String,
    expires_in: i64,
}

impl RequestUri {
    /// Makes a name from 32 bytes of the caller's random source.
    #[must_use]
    pub fn mint(random: &[u8; 32]) -> Self {
        Self(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random)))
    }

    /// What is stored and looked up.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(&self.0)
    }

    /// The answer that gives the name to its client.
    #[must_use]
    pub fn answer(&self) -> PushedAnswer {
        PushedAnswer {
            request_uri: self.0.clone(),
            expires_in: REQUEST_URI_LIFE_SECS,
        }
    }
}

impl fmt::Debug for RequestUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RequestUri(…)")
    }
}

impl FromStr for RequestUri {
    type Err = OAuthError;

    fn from_str(text: &str) -> Result<Self, OAuthError> {
        let random = text
            .strip_prefix(PREFIX)
            .and_then(|body| URL_SAFE_NO_PAD.decode(body).ok());
        match random {
            Some(bytes) if bytes.len() == 32 => Ok(Self(text.to_owned())),
            Some(_) | None => Err(OAuthError::InvalidRequestUri),
        }
    }
}

impl AuthorizationCall {
    /// Reads the query of the authorization endpoint. A refusal here is a page, never a redirect:
    /// no address is known yet that could be trusted.
    ///
    /// # Errors
    /// [`OAuthError::NotPushed`], [`OAuthError::InvalidRequestUri`], [`OAuthError::UnknownClient`].
    pub fn parse(query: &Params) -> Result<Self, OAuthError> {
        let request_uri = query
            .find("request_uri")?
            .ok_or(OAuthError::NotPushed)?
            .parse()?;
        let client = query.get("client_id")?.parse()?;
        Ok(Self {
            client,
            request_uri,
        })
    }
}

impl PushedState {
    /// A request pushed at `now`.
    #[must_use]
    pub fn pushed(now: Timestamp) -> Self {
        let life = chrono::TimeDelta::seconds(REQUEST_URI_LIFE_SECS);
        Self::Open {
            expires_at: now.checked_add_signed(life).unwrap_or(now),
        }
    }

    /// Whether the page may be opened now. Opening does not use the request up: browsers and mail
    /// scanners open pages twice (FAPI 2.0 §5.3.2.2 note 3).
    ///
    /// # Errors
    /// [`OAuthError::InvalidRequestUri`].
    pub fn open(self, now: Timestamp) -> Result<(), OAuthError> {
        match self {
            Self::Open { expires_at } if now < expires_at => Ok(()),
            Self::Open { .. } | Self::Completed { .. } => Err(OAuthError::InvalidRequestUri),
        }
    }

    /// Uses the request up, when a code is issued or the member refused. The 90 seconds bound the
    /// opening only: a member may take longer to sign in and read.
    ///
    /// # Errors
    /// [`OAuthError::InvalidRequestUri`] when it was used up before.
    pub const fn complete(self, now: Timestamp) -> Result<Self, OAuthError> {
        match self {
            Self::Open { .. } => Ok(Self::Completed { at: now }),
            Self::Completed { .. } => Err(OAuthError::InvalidRequestUri),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta};

    const CLIENT: &str = "tpp-0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f";

    fn call(query: &str) -> Result<AuthorizationCall, OAuthError> {
        AuthorizationCall::parse(&Params::decode(query.as_bytes()).unwrap())
    }

    #[test]
    fn only_client_and_request_uri_are_read() {
        let name = RequestUri::mint(&[3; 32]);
        let query = format!(
            "redirect_uri=https://evil.example&scope=x&scope=y&client_id={CLIENT}&request_uri={}",
            name.0
        );
        let call = call(&query).unwrap();
        assert_eq!(call.request_uri.hash(), name.hash());
        assert_eq!(call.client.to_string(), CLIENT);
    }

    #[test]
    fn a_request_that_was_not_pushed_is_refused() {
        assert_eq!(
            call(&format!("client_id={CLIENT}&response_type=code")).err(),
            Some(OAuthError::NotPushed)
        );
        for name in [
            "x",
            "https://tpp.example/request",
            "urn:ietf:params:oauth:request_uri:AAAA",
        ] {
            assert_eq!(
                call(&format!("client_id={CLIENT}&request_uri={name}")).err(),
                Some(OAuthError::InvalidRequestUri)
            );
        }
    }

    #[test]
    fn a_request_may_be_opened_twice_but_used_once() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let pushed = PushedState::pushed(now);
        assert_eq!(pushed.open(now), Ok(()));
        assert_eq!(pushed.open(now), Ok(()));
        let done = pushed.complete(now).unwrap();
        assert_eq!(done.open(now), Err(OAuthError::InvalidRequestUri));
        assert_eq!(done.complete(now), Err(OAuthError::InvalidRequestUri));
    }

    #[test]
    fn a_request_waits_ninety_seconds_for_its_browser() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let pushed = PushedState::pushed(now);
        assert!(pushed.open(now + TimeDelta::seconds(89)).is_ok());
        assert!(pushed.open(now + TimeDelta::seconds(90)).is_err());
        let answer = serde_json::to_value(RequestUri::mint(&[1; 32]).answer()).unwrap();
        assert_eq!(answer["expires_in"], 90);
    }
}
