//! Redirect addresses: what may be registered, and how an answer is appended.

use std::fmt;

use crate::OAuthError;
use crate::params::escape;

/// Whether plain HTTP to the client's own machine is acceptable (profile `dev` only).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoopbackHttp {
    /// `http://127.0.0.1`, `http://[::1]` and `http://localhost` may be registered.
    Allowed,
    /// Only HTTPS.
    Refused,
}

/// An absolute address without fragment and user name; compared character for character.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RedirectUri(String);

const MAX_BYTES: usize = 2048;

impl RedirectUri {
    /// Reads an address that a client wants to register.
    ///
    /// # Errors
    /// [`OAuthError::InvalidRedirectUri`].
    pub fn parse(text: &str, loopback: LoopbackHttp) -> Result<Self, OAuthError> {
        let refused = OAuthError::InvalidRedirectUri;
        let visible = |byte: u8| byte.is_ascii_graphic() && !br##"#\"<>^`{|}"##.contains(&byte);
        if text.len() > MAX_BYTES || !text.bytes().all(visible) {
            return Err(refused);
        }
        let (scheme, rest) = text.split_once("://").ok_or(refused)?;
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let host = host_of(authority).ok_or(refused)?;
        let on_loopback = matches!(host, "127.0.0.1" | "[::1]" | "localhost");
        match (scheme, loopback) {
            ("https", _) => Ok(Self(text.to_owned())),
            ("http", LoopbackHttp::Allowed) if on_loopback => Ok(Self(text.to_owned())),
            _ => Err(refused),
        }
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address with `pairs` appended; a query of its own survives.
    pub(crate) fn with(&self, pairs: &[(&str, &str)]) -> String {
        let mut address = self.0.clone();
        let mut joiner = if address.contains('?') { '&' } else { '?' };
        for (name, value) in pairs {
            address.push(joiner);
            address.push_str(&format!("{name}={}", escape(value)));
            joiner = '&';
        }
        address
    }
}

/// The host of an authority without user name, when its port (if any) is a number.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(_) => {
            let end = authority.find(']')?.checked_add(1)?;
            authority.split_at_checked(end)?
        }
        None => authority.split_at_checked(authority.find(':').unwrap_or(authority.len()))?,
    };
    let port_fits = port.is_empty()
        || port
            .strip_prefix(':')
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            .is_some_and(|digits| digits.parse::<u16>().is_ok_and(|number| number > 0));
    let named = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    let host_fits = host == "[::1]" || (!host.is_empty() && host.bytes().all(named));
    (port_fits && host_fits).then_some(host)
}

impl TryFrom<String> for RedirectUri {
    type Error = OAuthError;

    /// For stored addresses: the policy was applied when they were registered.
    fn try_from(text: String) -> Result<Self, OAuthError> {
        Self::parse(&text, LoopbackHttp::Allowed)
    }
}

impl From<RedirectUri> for String {
    fn from(uri: RedirectUri) -> Self {
        uri.0
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_is_accepted_and_loopback_http_by_policy_only() {
        for text in [
            "https://tpp.example/cb",
            "https://tpp.example:8443/cb?x=1",
            "https://tpp.example",
        ] {
            assert!(
                RedirectUri::parse(text, LoopbackHttp::Refused).is_ok(),
                "{text}"
            );
        }
        for text in [
            "http://127.0.0.1:9000/cb",
            "http://[::1]/cb",
            "http://localhost:1/cb",
        ] {
            assert!(
                RedirectUri::parse(text, LoopbackHttp::Allowed).is_ok(),
                "{text}"
            );
            assert!(
                RedirectUri::parse(text, LoopbackHttp::Refused).is_err(),
                "{text}"
            );
        }
    }

    #[test]
    fn addresses_that_mislead_are_refused() {
        let long = format!("https://tpp.example/{}", "a".repeat(1_000_000));
        for text in [
            "",
            "/cb",
            "tpp.example/cb",
            "https://",
            "https:///cb",
            "https://tpp.example/cb#x",
            "https://user@tpp.example/cb",
            "https://127.0.0.1:80@evil.example/",
            "https://tpp.example\\@evil.example/",
            "https://tpp.example:99999/",
            "https://tpp.example:/",
            "https://tpp.example/a b",
            "https://tpp.exämple/",
            "HTTPS://tpp.example/",
            "javascript://tpp.example/%0aalert(1)",
            "http://tpp.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "https://[::2]/",
            &long,
        ] {
            assert_eq!(
                RedirectUri::parse(text, LoopbackHttp::Allowed),
                Err(OAuthError::InvalidRedirectUri),
                "{}",
                text.get(..40).unwrap_or(text)
            );
        }
    }

    #[test]
    fn a_query_of_its_own_survives() {
        let uri = RedirectUri::parse("https://tpp.example/cb?x=1", LoopbackHttp::Refused).unwrap();
        assert_eq!(
            uri.with(&[("code", "a&b"), ("state", "ä")]),
            "https://tpp.example/cb?x=1&code=a%26b&state=%C3%A4"
        );
    }
}
