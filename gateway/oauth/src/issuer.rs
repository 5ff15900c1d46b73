//! The issuer of a tenant: the name of its authorization server and the root of its addresses.

use std::fmt;

use branchline_kernel::TenantSlug;

/// `{public_url}/t/{slug}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Issuer {
    public_url: String,
    slug: TenantSlug,
}

impl Issuer {
    /// The issuer of `slug` on the platform at `public_url` (a trailing slash is dropped).
    #[must_use]
    pub fn of(public_url: &str, slug: &TenantSlug) -> Self {
        Self {
            public_url: public_url.trim_end_matches('/').to_owned(),
            slug: slug.clone(),
        }
    }

    /// The address of `path` below the issuer; `path` has no leading slash.
    #[must_use]
    pub fn at(&self, path: &str) -> String {
        format!("{self}/{path}")
    }

    /// The address of `path` on the platform, above all tenants.
    #[must_use]
    pub fn on_platform(&self, path: &str) -> String {
        format!("{}/{path}", self.public_url)
    }

    /// Where RFC 8414 §3.1 puts the metadata document: the well-known part stands before the path.
    #[must_use]
    pub fn metadata_url(&self) -> String {
        self.on_platform(&format!(
            ".well-known/oauth-authorization-server/t/{}",
            self.slug
        ))
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/t/{}", self.public_url, self.slug)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_well_known_part_stands_before_the_path() {
        let issuer = Issuer::of("https://pay.example/", &"lion".parse().unwrap());
        assert_eq!(issuer.to_string(), "https://pay.example/t/lion");
        assert_eq!(
            issuer.metadata_url(),
            "https://pay.example/.well-known/oauth-authorization-server/t/lion"
        );
    }
}
