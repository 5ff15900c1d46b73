//! Who somebody is and what they may do: tokens, principals, rights, Keycloak, dev identity.
//!
//! # Invariants
//! - A [`Principal`] is made from a verified token only, or by the composition root for the
//!   installation's own work; its tenant is the one that the token's issuer belongs to.
//! - Jobs come from the identity provider, rights from the one table in [`Job::rights`].

mod principal;
mod rights;

pub use principal::{ActorKind, ActorRef, MalformedActor, Principal};
pub use rights::{Job, NeedsRight, Right, Rights, can};
