//! Names of a tenant: one that the database sees, one that people see.

use std::fmt;
use std::str::FromStr;

/// A text that cannot name a tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a tenant's name: expected 2 to 40 small letters, digits or underscores, a letter first"
)]
pub struct MalformedTenant;

/// A tenant's opaque name: what schemas and roles are called after, so it says nothing.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct TenantId(String);

/// A tenant's public name in addresses: `/t/{slug}`.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct TenantSlug(String);

impl TenantId {
    /// The name as text: `[a-z][a-z0-9_]{1,39}`, safe inside a quoted identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TenantSlug {
    /// The name as text: `[a-z][a-z0-9-]{1,39}`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_name(text: &str, joiner: u8) -> bool {
    let mut bytes = text.bytes();
    (2..=40).contains(&text.len())
        && bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == joiner)
}

impl FromStr for TenantId {
    type Err = MalformedTenant;

    fn from_str(text: &str) -> Result<Self, MalformedTenant> {
        if is_name(text, b'_') {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedTenant)
        }
    }
}

impl FromStr for TenantSlug {
    type Err = MalformedTenant;

    fn from_str(text: &str) -> Result<Self, MalformedTenant> {
        if is_name(text, b'-') {
            Ok(Self(text.to_owned()))
        } else {
            Err(MalformedTenant)
        }
    }
}

impl TryFrom<String> for TenantId {
    type Error = MalformedTenant;

    fn try_from(text: String) -> Result<Self, MalformedTenant> {
        text.parse()
    }
}

impl TryFrom<String> for TenantSlug {
    type Error = MalformedTenant;

    fn try_from(text: String) -> Result<Self, MalformedTenant> {
        text.parse()
    }
}

impl From<TenantId> for String {
    fn from(id: TenantId) -> Self {
        id.0
    }
}

impl From<TenantSlug> for String {
    fn from(slug: TenantSlug) -> Self {
        slug.0
    }
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TenantSlug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_leave_their_quotes_are_refused() {
        for text in [
            "",
            "a",
            "A1",
            "1a",
            "a\"b",
            "a;b",
            "a b",
            "ä1",
            &"a".repeat(41),
        ] {
            assert!(text.parse::<TenantId>().is_err(), "{text}");
            assert!(text.parse::<TenantSlug>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_slug_has_hyphens_and_an_id_has_underscores() {
        assert!("lion-cu".parse::<TenantSlug>().is_ok() && "lion-cu".parse::<TenantId>().is_err());
        assert!("k7_x".parse::<TenantId>().is_ok() && "k7_x".parse::<TenantSlug>().is_err());
    }
}
