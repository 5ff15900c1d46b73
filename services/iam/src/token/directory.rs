//! Which tenant an issuer of people's tokens belongs to.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use branchline_kernel::TenantId;

/// What is known about an issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerEntry {
    /// The tenant whose people it signs in.
    pub tenant: TenantId,
    /// Where it shows its keys.
    pub jwks_uri: String,
}

/// All issuers by their exact name (`iss`); clones share one table.
///
/// The composition root fills it from the database and refills it when tenants come and go.
#[derive(Debug, Clone)]
pub struct IssuerDirectory(Arc<RwLock<HashMap<String, IssuerEntry>>>);

impl IssuerDirectory {
    /// A directory that knows these issuers.
    #[must_use]
    pub fn new(issuers: HashMap<String, IssuerEntry>) -> Self {
        Self(Arc::new(RwLock::new(issuers)))
    }

    /// Forgets all issuers and knows these instead.
    pub fn replace_all(&self, issuers: HashMap<String, IssuerEntry>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = issuers;
    }

    /// The entry of an issuer.
    #[must_use]
    pub fn lookup(&self, issuer: &str) -> Option<IssuerEntry> {
        let issuers = self.0.read().unwrap_or_else(PoisonError::into_inner);
        issuers.get(issuer).cloned()
    }
}
