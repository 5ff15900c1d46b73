//! Who somebody is and what they may do: tokens, principals, rights, Keycloak, dev identity.
//!
//! # Invariants
//! - A [`Principal`] is made from a verified token only, or by the composition root for the
//!   installation's own work; its tenant is the one that the token's issuer belongs to.
//! - Jobs come from the identity provider, rights from the one table in [`Job::rights`].

mod identity;
mod master_key;
mod pem;
mod principal;
mod random;
mod rights;
mod token;

pub use identity::{
    CLI_CLIENT, DevIdentity, DevIdentityConfig, GATEWAY_CLIENT, Identity, IdentityError,
    KeycloakAdmin, KeycloakConfig, Person, ProvisionedPerson, Realm, RealmSpec,
};
pub use master_key::{KeyPurpose, MasterKey, MasterKeyError};
pub use principal::{ActorKind, ActorRef, MalformedActor, Principal};
pub use random::{NoRandomness, random_bytes, random_token};
pub use rights::{Job, NeedsRight, Right, Rights, can};
pub use token::{
    AccessTokens, CORE_AUDIENCE, InternalKeyPair, InternalSigner, InternalVerifier,
    IssuerDirectory, IssuerEntry, JwksError, KeyError, TokenError, generate_internal_key,
    is_internal,
};
