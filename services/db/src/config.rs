//! What a program must know to reach its databases.

use branchline_kernel::Secret;

/// A database cluster that holds tenants, by the name the register uses.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CellId(String);

impl CellId {
    /// Names a cell.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The program that opens the door: it decides which of a tenant's schemas there is to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    /// Members, accounts, ledger, payments: schemas `t_…`.
    Core,
    /// Third parties, consents, tokens: schemas `g_…`.
    Gateway,
}

impl Program {
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Core => "t_",
            Self::Gateway => "g_",
        }
    }

    /// The schema of this program's jobs.
    pub(crate) const fn jobs_schema(self) -> &'static str {
        match self {
            Self::Core => "jobs_core",
            Self::Gateway => "jobs_gateway",
        }
    }
}

/// How the database's clock is compared with ours at start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strictness {
    /// More than 60 s apart is refused.
    Production,
    /// Any difference is accepted: a demo or a test with a clock of its own.
    Dev,
}

/// Where the databases are. Each cell has a login of its own.
#[derive(Clone)]
pub struct DbConfig {
    /// Which program connects.
    pub program: Program,
    /// Address of the database that holds the register, for this program's login.
    pub platform_url: Secret<String>,
    /// Address of each cell, for this program's login there.
    pub cells: Vec<(CellId, Secret<String>)>,
    /// Most connections to one cell.
    pub max_connections: u32,
    /// Whether clocks must agree.
    pub strictness: Strictness,
    /// The crash point that is armed, if any; refused in production.
    pub crash_at: Option<String>,
}
