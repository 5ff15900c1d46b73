//! Where people sign in: a realm per tenant, at Keycloak or at the development identity.

mod dev;
mod error;
mod keycloak;

pub use dev::{DevIdentity, DevIdentityConfig};
pub use error::IdentityError;
pub use keycloak::{KeycloakAdmin, KeycloakConfig};

use branchline_kernel::{Secret, TenantSlug};

use crate::Job;

/// The client through which the gateway signs members in.
pub const GATEWAY_CLIENT: &str = "branchline-gateway";
/// The client of command lines and scripts: public, with a loopback redirect (RFC 8252).
pub const CLI_CLIENT: &str = "branchline-cli";

/// A person to be known in a realm.
pub struct Person {
    /// The name to sign in with, unique in the realm.
    pub username: String,
    /// The name as people write it.
    pub full_name: String,
    /// What the person does.
    pub jobs: Vec<Job>,
    /// A first password, of 12 characters or more; none for one that is set elsewhere.
    pub password: Option<Secret<String>>,
}

/// What a tenant's realm is to be.
pub struct RealmSpec {
    /// The tenant's public name.
    pub slug: TenantSlug,
    /// The institution's name as people write it.
    pub name: String,
    /// Who is known there.
    pub people: Vec<Person>,
    /// Where the gateway's login comes back to.
    pub redirect_uris: Vec<String>,
}

/// A realm as it stands.
pub struct Realm {
    /// The `iss` of its tokens, and where discovery starts.
    pub issuer: String,
    /// Where it shows its keys.
    pub jwks_uri: String,
    /// The gateway's client.
    pub client_id: String,
    /// The gateway's client secret.
    pub client_secret: Secret<String>,
    /// The client for command lines.
    pub cli_client_id: String,
    /// The people asked for, in that order.
    pub people: Vec<ProvisionedPerson>,
}

/// A person as the realm knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvisionedPerson {
    /// The name to sign in with.
    pub username: String,
    /// The `sub` of the person's tokens.
    pub subject: String,
}

/// Where the tenants' people sign in.
pub enum Identity {
    /// The one built in, for development.
    Dev(DevIdentity),
    /// A Keycloak.
    Keycloak(KeycloakAdmin),
}

impl Identity {
    /// Makes or mends the tenant's realm; calling again changes nothing that already fits.
    ///
    /// # Errors
    /// [`IdentityError`] naming what failed.
    pub async fn provision(&self, spec: &RealmSpec) -> Result<Realm, IdentityError> {
        match self {
            Self::Dev(dev) => dev.provision(spec).await,
            Self::Keycloak(keycloak) => keycloak.provision(spec).await,
        }
    }

    /// Removes the tenant's realm with everybody in it; one that is not there is fine.
    ///
    /// # Errors
    /// [`IdentityError`] naming what failed.
    pub async fn delete_realm(&self, slug: &TenantSlug) -> Result<(), IdentityError> {
        match self {
            Self::Dev(dev) => dev.delete_realm(slug).await,
            Self::Keycloak(keycloak) => keycloak.delete_realm(slug).await,
        }
    }
}

/// Whether an address leads to this machine, whatever name servers say.
fn is_loopback(url: &str) -> bool {
    let Ok(url) = reqwest::Url::parse(url) else {
        return false;
    };
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Given names and the last one; identity providers keep them apart.
fn split_name(full_name: &str) -> (&str, &str) {
    full_name.rsplit_once(' ').unwrap_or((full_name, ""))
}
