//! Scopes: which consent or payment a member is asked about, and which service a client may call
//! for itself.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use branchline_kernel::{ConsentId, PaymentId};

use crate::OAuthError;

/// What a TPP is licensed for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Role {
    /// Account information.
    #[serde(rename = "AISP")]
    Aisp,
    /// Payment initiation.
    #[serde(rename = "PISP")]
    Pisp,
}

impl Role {
    /// The role as text.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aisp => "AISP",
            Self::Pisp => "PISP",
        }
    }
}

impl FromStr for Role {
    type Err = OAuthError;

    fn from_str(text: &str) -> Result<Self, OAuthError> {
        match text {
            "AISP" => Ok(Self::Aisp),
            "PISP" => Ok(Self::Pisp),
            _ => Err(OAuthError::InvalidMetadata("roles", ROLES_EXPECTED)),
        }
    }
}

const ROLES_EXPECTED: &str = "a list with AISP, PISP or both";

/// The roles of a client: at least one.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "Vec<Role>", into = "Vec<Role>")]
pub struct Roles(BTreeSet<Role>);

impl Roles {
    /// Whether `role` is among them.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// The roles in a fixed order.
    pub fn iter(&self) -> impl Iterator<Item = Role> {
        self.0.iter().copied()
    }
}

impl TryFrom<Vec<Role>> for Roles {
    type Error = OAuthError;

    fn try_from(roles: Vec<Role>) -> Result<Self, OAuthError> {
        if roles.is_empty() {
            return Err(OAuthError::InvalidMetadata("roles", ROLES_EXPECTED));
        }
        Ok(Self(roles.into_iter().collect()))
    }
}

impl From<Roles> for Vec<Role> {
    fn from(roles: Roles) -> Self {
        roles.0.into_iter().collect()
    }
}

/// The one consent or payment that an authorization is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResourceScope {
    /// `AIS:{consentId}`.
    Consent(ConsentId),
    /// `PIS:{paymentId}`.
    Payment(PaymentId),
}

impl ResourceScope {
    /// The role that a client needs for it.
    #[must_use]
    pub const fn role(self) -> Role {
        match self {
            Self::Consent(_) => Role::Aisp,
            Self::Payment(_) => Role::Pisp,
        }
    }
}

impl FromStr for ResourceScope {
    type Err = OAuthError;

    /// Exactly one scope. A blank behind the colon is accepted because live clients send it.
    fn from_str(text: &str) -> Result<Self, OAuthError> {
        check_grammar(text)?;
        let (service, id) = text.split_once(':').ok_or(OAuthError::MalformedScope)?;
        let id = id.strip_prefix(' ').unwrap_or(id);
        let malformed = |_not_an_id| OAuthError::MalformedScope;
        match service {
            "AIS" => id.parse().map(Self::Consent).map_err(malformed),
            "PIS" => id.parse().map(Self::Payment).map_err(malformed),
            _ => Err(OAuthError::MalformedScope),
        }
    }
}

impl fmt::Display for ResourceScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Consent(id) => write!(f, "AIS:{id}"),
            Self::Payment(id) => write!(f, "PIS:{id}"),
        }
    }
}

/// The services that a client-credentials token opens: creating consents, initiating payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceScope(Roles);

impl ServiceScope {
    /// Reads `AIS`, `PIS` or both, in any order. Without a scope the client gets what its roles
    /// allow (RFC 6749 §3.3 asks for a documented default).
    ///
    /// # Errors
    /// [`OAuthError::MalformedScope`], and [`OAuthError::ScopeNotAllowed`] beyond `roles`.
    pub fn parse(text: Option<&str>, roles: &Roles) -> Result<Self, OAuthError> {
        let Some(text) = text else {
            return Ok(Self(roles.clone()));
        };
        check_grammar(text)?;
        let asked = text
            .split(' ')
            .map(|token| match token {
                "AIS" => Ok(Role::Aisp),
                "PIS" => Ok(Role::Pisp),
                _ => Err(OAuthError::MalformedScope),
            })
            .collect::<Result<Vec<_>, _>>()?;
        if asked.iter().any(|role| !roles.has(*role)) {
            return Err(OAuthError::ScopeNotAllowed);
        }
        Roles::try_from(asked)
            .map(Self)
            .map_err(|_empty| OAuthError::MalformedScope)
    }

    /// Whether the scope opens the service of `role`.
    #[must_use]
    pub fn opens(&self, role: Role) -> bool {
        self.0.has(role)
    }
}

impl fmt::Display for ServiceScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self
            .0
            .iter()
            .map(|role| match role {
                Role::Aisp => "AIS",
                Role::Pisp => "PIS",
            })
            .collect();
        f.write_str(&names.join(" "))
    }
}

/// RFC 6749 §3.3: tokens of visible ASCII without quote and backslash, one blank between them.
fn check_grammar(text: &str) -> Result<(), OAuthError> {
    let token = |token: &str| {
        !token.is_empty()
            && token
                .bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
    };
    if text.len() <= 200 && text.split(' ').all(token) {
        Ok(())
    } else {
        Err(OAuthError::MalformedScope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0191e3a4-5c2b-7d3e-8f00-1a2b3c4d5e6f";

    fn roles(list: &[Role]) -> Roles {
        Roles::try_from(list.to_vec()).unwrap()
    }

    #[test]
    fn a_scope_names_one_consent_or_payment() {
        for text in [format!("AIS:{ID}"), format!("PIS:{ID}")] {
            let scope: ResourceScope = text.parse().unwrap();
            assert_eq!(scope.to_string(), text);
        }
        let blank: ResourceScope = format!("AIS: {ID}").parse().unwrap();
        assert_eq!(blank.role(), Role::Aisp);
    }

    #[test]
    fn other_scopes_are_refused() {
        let long = "A".repeat(1_000_000);
        for text in [
            "",
            " ",
            "AIS",
            "AIS:",
            "AIS:x",
            &format!("ais:{ID}"),
            &format!("AIS:{ID} PIS:{ID}"),
            &format!("AIS:  {ID}"),
            &format!("AIS:{ID}\""),
            "AIS:ä",
            &long,
        ] {
            assert_eq!(
                text.parse::<ResourceScope>(),
                Err(OAuthError::MalformedScope)
            );
        }
    }

    #[test]
    fn a_client_gets_no_service_beyond_its_roles() {
        let aisp = roles(&[Role::Aisp]);
        assert_eq!(
            ServiceScope::parse(Some("PIS"), &aisp),
            Err(OAuthError::ScopeNotAllowed)
        );
        let scope = ServiceScope::parse(None, &aisp).unwrap();
        assert!(scope.opens(Role::Aisp) && !scope.opens(Role::Pisp));
    }

    #[test]
    fn services_may_stand_in_any_order() {
        let both = roles(&[Role::Aisp, Role::Pisp]);
        let scope = ServiceScope::parse(Some("PIS AIS"), &both).unwrap();
        assert_eq!(scope.to_string(), "AIS PIS");
        for text in ["", "AIS  PIS", "AIS accounts", "ais"] {
            assert_eq!(
                ServiceScope::parse(Some(text), &both),
                Err(OAuthError::MalformedScope),
                "{text}"
            );
        }
    }
}
