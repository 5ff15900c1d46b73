//! Tokens that were verified before: a program sends the same one with many requests, and a
//! signature costs more to check than all the rest of a small request.
//!
//! # Invariants
//! - What is kept is what the signed claims say, under the SHA-256 of the whole token, signature
//!   included: no token can be had from here, and one that differs in a single character is not
//!   known.
//! - At most two generations are kept, so memory is bounded whatever is sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest::{Digest, SHA256, digest};

use super::Lifetime;
use crate::Principal;

/// Tokens of one generation. Of two, one fills while the other is still asked.
const GENERATION: usize = 1_024;

/// A token as it is known here.
pub(super) struct TokenHash(Digest);

impl TokenHash {
    pub(super) fn of(token: &str) -> Self {
        Self(digest(&SHA256, token.as_bytes()))
    }
}

/// What a verified token says. Its times are to be checked at each use.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) life: Lifetime,
    pub(super) principal: Arc<Principal>,
}

/// What is known of tokens that were verified before.
#[derive(Default)]
pub(super) struct KnownTokens(Mutex<Generations>);

#[derive(Default)]
struct Generations {
    young: HashMap<Vec<u8>, Known>,
    old: HashMap<Vec<u8>, Known>,
}

impl KnownTokens {
    /// What a token says, if it was verified before and is not forgotten.
    pub(super) fn find(&self, token: &TokenHash) -> Option<Known> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Generations { young, old } = &*kept;
        let hash = token.0.as_ref();
        young.get(hash).or_else(|| old.get(hash)).cloned()
    }

    /// Remembers a verified token. Nobody looks for expired ones: they go with their generation.
    pub(super) fn learn(&self, token: &TokenHash, known: Known) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.young.len() >= GENERATION {
            kept.old = std::mem::take(&mut kept.young);
        }
        kept.young.insert(token.0.as_ref().to_vec(), known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ActorKind, ActorRef, Rights};

    fn known(tenant: &str) -> Known {
        Known {
            life: Lifetime {
                iat: 0,
                exp: 60,
                nbf: None,
            },
            principal: Arc::new(Principal {
                tenant: tenant.parse().unwrap(),
                actor: ActorRef::own(ActorKind::System, "test"),
                on_behalf_of: None,
                rights: Rights::none(),
                accounts: None,
                reference: None,
            }),
        }
    }

    #[test]
    fn the_bound_holds_and_the_latest_are_known() {
        let tokens = KnownTokens::default();
        let name = |number: usize| TokenHash::of(&format!("token {number}"));
        for number in 0..5 * GENERATION {
            tokens.learn(&name(number), known("lion"));
            assert!(tokens.find(&name(number)).is_some());
        }
        let kept = (0..5 * GENERATION).filter(|number| tokens.find(&name(*number)).is_some());
        assert_eq!(kept.count(), 2 * GENERATION);
        assert!(tokens.find(&name(0)).is_none());
        assert!(tokens.find(&name(4 * GENERATION)).is_some());
    }

    #[test]
    fn each_token_tells_of_its_own_principal() {
        let tokens = KnownTokens::default();
        for tenant in ["lion", "elephant"] {
            tokens.learn(&TokenHash::of(tenant), known(tenant));
        }
        for tenant in ["lion", "elephant"] {
            let found = tokens.find(&TokenHash::of(tenant)).unwrap();
            assert_eq!(found.principal.tenant.as_str(), tenant);
        }
        assert!(tokens.find(&TokenHash::of("giraffe")).is_none());
    }
}
