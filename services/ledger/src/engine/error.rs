//! Why the engine gives no verdict.

use std::sync::Arc;

use branchline_kernel::{Kind, Refusal};

use crate::error::LedgerError;
use crate::verdict::{RefusedByLedger, Verdict};

/// A command that got no verdict. Unless it says so, nothing was done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EngineError {
    /// The tenant's queue is full.
    #[error("the queue of the tenant's ledger is full")]
    Full,
    /// The command waited too long and was never tried.
    #[error("the command waited too long for the ledger")]
    Expired,
    /// It was tried, and the answer was lost: the same key tells what became of it.
    #[error("what became of the command is not known")]
    InDoubt,
    /// Somebody else has locked an account, a period or a row of the rider for too long.
    #[error("a row that the command needs is locked")]
    Busy,
    /// The rider's object has changed since it was read.
    #[error("what rides on the command has changed meanwhile")]
    Stale,
    /// What rides on the command declined this verdict: nothing was kept, the key is free.
    #[error("what rides on the command did not take the verdict")]
    Declined(Verdict),
    /// The tenant is suspended: reads only.
    #[error("the tenant is suspended")]
    Suspended,
    /// The process is ending.
    #[error("the ledger's engine is stopping")]
    Stopping,
    /// The database refused what it should not refuse.
    #[error("the ledger failed on the command")]
    Failed(#[source] Arc<LedgerError>),
}

impl Refusal for EngineError {
    fn kind(&self) -> Kind {
        match self {
            Self::Full | Self::Expired | Self::InDoubt | Self::Busy | Self::Stopping => {
                Kind::Unavailable
            }
            Self::Stale => Kind::Conflict,
            Self::Declined(verdict) => refused(*verdict).map_or(Kind::Broken, |why| why.kind()),
            Self::Suspended => Kind::Forbidden,
            Self::Failed(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Full => "ledger-full",
            Self::Expired | Self::InDoubt | Self::Stopping => "unavailable",
            Self::Busy => "ledger-busy",
            Self::Stale => "changed-meanwhile",
            Self::Declined(verdict) => refused(*verdict).map_or("internal", |why| why.code()),
            Self::Suspended => "tenant-suspended",
            Self::Failed(error) => error.code(),
        }
    }

    fn public(&self) -> String {
        match self {
            Self::Full | Self::Expired => "The ledger has more to do than it can for the moment: \
                nothing was changed. Repeat the request with the same key."
                .to_owned(),
            Self::InDoubt | Self::Stopping => "The ledger's answer was lost. \
                Repeat the request with the same key: it is done once at most."
                .to_owned(),
            Self::Busy => "Something else is changing this account: nothing was changed. \
                Repeat the request with the same key."
                .to_owned(),
            Self::Stale => "It was changed by somebody else meanwhile: nothing was done. \
                Read it again and decide anew."
                .to_owned(),
            Self::Declined(verdict) => match refused(*verdict) {
                Some(why) => why.public(),
                None => "Something on our side is broken. It was logged; quote the request id to \
                    the operator."
                    .to_owned(),
            },
            Self::Suspended => "This institution is suspended for the moment: nothing was \
                changed. Ask its operator."
                .to_owned(),
            Self::Failed(error) => error.public(),
        }
    }
}

fn refused(verdict: Verdict) -> Option<RefusedByLedger> {
    verdict.accepted().err()
}
