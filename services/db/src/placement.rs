//! Where a tenant lives. Nobody outside this crate sees a cell's address.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use branchline_kernel::TenantId;

use crate::config::CellId;

/// The answer to "where does this tenant live".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The cell that holds its schemas.
    pub cell: CellId,
    /// Grows with every move: an answer of an older epoch is stale.
    pub epoch: i64,
}

/// Looks up where tenants live.
#[derive(Debug, Clone)]
pub enum Placement {
    /// Every tenant lives in the one cell there is.
    Single(CellId),
    /// The register says; what was read is kept until a cell refuses.
    Register(Arc<RwLock<HashMap<TenantId, Located>>>),
}

impl Placement {
    /// What is known without asking the register.
    #[must_use]
    pub fn known(&self, tenant: &TenantId) -> Option<Located> {
        match self {
            Self::Single(cell) => Some(Located {
                cell: cell.clone(),
                epoch: 1,
            }),
            Self::Register(seen) => seen
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .get(tenant)
                .cloned(),
        }
    }

    /// Keeps what the register said.
    pub fn learn(&self, tenant: &TenantId, located: &Located) {
        match self {
            Self::Single(_) => {}
            Self::Register(seen) => {
                let mut seen = seen.write().unwrap_or_else(PoisonError::into_inner);
                seen.insert(tenant.clone(), located.clone());
            }
        }
    }

    /// The cell refused: forget what was seen at `epoch`, unless something newer is known.
    pub fn forget(&self, tenant: &TenantId, epoch: i64) {
        match self {
            Self::Single(_) => {}
            Self::Register(seen) => {
                let mut seen = seen.write().unwrap_or_else(PoisonError::into_inner);
                if seen.get(tenant).is_some_and(|known| known.epoch <= epoch) {
                    seen.remove(tenant);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stale_refusal_does_not_forget_a_newer_place() {
        let register = Placement::Register(Arc::default());
        let tenant: TenantId = "k7x".parse().unwrap();
        let newer = Located {
            cell: CellId::new("b"),
            epoch: 2,
        };
        register.learn(&tenant, &newer);
        register.forget(&tenant, 1);
        assert_eq!(register.known(&tenant), Some(newer));
        register.forget(&tenant, 2);
        assert_eq!(register.known(&tenant), None);
    }
}
