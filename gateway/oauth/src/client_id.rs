//! The name under which a registered client is known to every issuer of the platform.

use std::fmt;
use std::str::FromStr;

use branchline_kernel::TppId;

use crate::OAuthError;

/// Made by us, and of a shape that no subject id has, so that a client cannot choose a name that
/// passes for a member's (FAPI 2.0 Security Profile §6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientId(TppId);

const PREFIX: &str = "tpp-";

impl ClientId {
    /// The client id of a TPP.
    #[must_use]
    pub const fn of(tpp: TppId) -> Self {
        Self(tpp)
    }

    /// The TPP behind the client.
    #[must_use]
    pub const fn tpp(self) -> TppId {
        self.0
    }
}

impl fmt::Display for ClientId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.0)
    }
}

impl FromStr for ClientId {
    type Err = OAuthError;

    /// A text that we never gave out is an unknown client, like one that we do not know.
    fn from_str(text: &str) -> Result<Self, OAuthError> {
        let tpp = text
            .strip_prefix(PREFIX)
            .and_then(|id| id.parse::<TppId>().ok())
            .ok_or(OAuthError::UnknownClient)?;
        let client = Self(tpp);
        // Only one spelling: capitals in the UUID would give a client two names.
        if client.to_string() == text {
            Ok(client)
        } else {
            Err(OAuthError::UnknownClient)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_id_is_read_back_from_its_own_text() {
        let id: ClientId = "tpp-0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f".parse().unwrap();
        assert_eq!(id.to_string().parse(), Ok(id));
    }

    #[test]
    fn other_texts_name_no_client() {
        for text in [
            "",
            "0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f",
            "tpp-",
            "tpp-0191E3A4-5C2B-7D3E-8F00-1A2B3C4D5E6F",
            "tpp-0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f ",
        ] {
            assert_eq!(
                text.parse::<ClientId>(),
                Err(OAuthError::UnknownClient),
                "{text}"
            );
        }
    }
}
