//! The door itself: it begins transactions, and nothing else does.

use std::collections::BTreeMap;
use std::sync::Arc;

use branchline_kernel::{Clock, IdSource, TenantId};
use chrono::TimeDelta;
use sqlx::postgres::PgPool;
use sqlx::{AssertSqlSafe, Row};
use tokio::sync::Mutex;

use crate::config::{CellId, DbConfig, Program, Strictness};
use crate::crash::CrashPoints;
use crate::directory::Directory;
use crate::error::DbError;
use crate::lane::{Lane, LaneTx};
use crate::migrate::platform_role;
use crate::placement::{Located, Placement};
use crate::pool;
use crate::tx::{Open, PlatformScope, PlatformTx, TenantScope, TenantTx, Tx};
use crate::values::Values;

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads one consistent state of things; allowed while a tenant is suspended.
    Read,
    /// Reads and writes.
    Write,
}

/// The databases of one program. Cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

struct Inner {
    config: DbConfig,
    platform_role: String,
    platform: PgPool,
    cells: BTreeMap<CellId, Cell>,
    placement: Placement,
    directory: Directory,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn IdSource>,
    crash: CrashPoints,
}

/// The connections to a cell.
enum Cell {
    Pool(PgPool),
    Lane(Arc<Mutex<Lane>>),
}

impl Cell {
    async fn begin(&self, tenant: &TenantId, start: &str) -> Result<Open, DbError> {
        match self {
            Self::Pool(pool) => begin(pool, start).await,
            Self::Lane(lane) => LaneTx::begin(lane, tenant, start).await.map(Open::Lane),
        }
    }
}

const MAX_CLOCK_DIFFERENCE: TimeDelta = TimeDelta::seconds(60);

impl Db {
    /// Prepares the pools and compares clocks; connections are made when first used.
    ///
    /// # Errors
    /// [`DbError`] when an address cannot be read, the register's database does not answer, or
    /// its clock differs too much from ours.
    pub async fn connect(
        config: &DbConfig,
        placement: Placement,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self, DbError> {
        let db = Self::prepare(config.clone(), placement, clock, ids)?;
        if config.strictness == Strictness::Production {
            db.compare_clocks().await?;
        }
        Ok(db)
    }

    /// The same door with connections of its own, at most `connections` to each cell: whoever
    /// must not wait for others, nor make them wait, takes one.
    ///
    /// # Errors
    /// [`DbError`] when an address cannot be read.
    pub fn apart(&self, connections: u32) -> Result<Self, DbError> {
        let config = DbConfig {
            max_connections: connections,
            ..self.0.config.clone()
        };
        Self::prepare(
            config,
            self.0.placement.clone(),
            Arc::clone(&self.0.clock),
            Arc::clone(&self.0.ids),
        )
    }

    /// The same door with one connection of its own to each cell, for a writer that comes back to
    /// the same tenant: it keeps the connection, and cleans it when another tenant comes, not after
    /// each transaction. One transaction at a time.
    ///
    /// # Errors
    /// [`DbError`] when an address cannot be read.
    pub fn lane(&self) -> Result<Self, DbError> {
        let mut cells = BTreeMap::new();
        for (cell, url) in &self.0.config.cells {
            cells.insert(cell.clone(), Cell::Lane(Lane::try_new(url)?));
        }
        Ok(Self(Arc::new(Inner {
            config: self.0.config.clone(),
            platform_role: self.0.platform_role.clone(),
            platform: self.0.platform.clone(),
            cells,
            placement: self.0.placement.clone(),
            directory: Directory::default(),
            clock: Arc::clone(&self.0.clock),
            ids: Arc::clone(&self.0.ids),
            crash: self.0.crash.clone(),
        })))
    }

    /// Says that nobody writes for `tenant` any more: a lane that it had last gives up its
    /// connection, unless somebody has it.
    pub fn rest(&self, tenant: &TenantId) {
        for cell in self.0.cells.values() {
            if let Cell::Lane(lane) = cell {
                Lane::rest(lane, tenant);
            }
        }
    }

    fn prepare(
        config: DbConfig,
        placement: Placement,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn IdSource>,
    ) -> Result<Self, DbError> {
        let platform = pool::lazy(&config.platform_url, config.max_connections)?;
        let mut cells = BTreeMap::new();
        for (cell, url) in &config.cells {
            let shared = url.expose() == config.platform_url.expose();
            let cell_pool = if shared {
                platform.clone()
            } else {
                pool::lazy(url, config.max_connections)?
            };
            cells.insert(cell.clone(), Cell::Pool(cell_pool));
        }
        let login = pool::options(&config.platform_url)?
            .get_username()
            .to_owned();
        let crash = CrashPoints::armed_at(config.crash_at.as_deref())
            .map_err(|unknown| DbError::UnknownCell(unknown.to_string()))?;
        Ok(Self(Arc::new(Inner {
            config,
            platform_role: platform_role(&login),
            platform,
            cells,
            placement,
            directory: Directory::default(),
            clock,
            ids,
            crash,
        })))
    }

    /// Begins a transaction on a tenant's data. `actor` is who acts, as audit rows name them.
    ///
    /// # Errors
    /// [`DbError::Suspended`] for a write while the tenant is suspended, [`DbError::Moved`] when
    /// it lives elsewhere now, and whatever keeps the database from answering.
    pub async fn tenant(
        &self,
        tenant: &TenantId,
        actor: &str,
        access: Access,
    ) -> Result<TenantTx, DbError> {
        let located = self.locate(tenant).await?;
        let open = match self.open_at(&located, tenant, access).await {
            Err(error) if looks_moved(&error) => {
                self.0.placement.forget(tenant, located.epoch);
                let again = self.locate(tenant).await?;
                self.open_at(&again, tenant, access).await
            }
            first => first,
        }
        .map_err(gate_verdict)?;
        let scope = TenantScope {
            tenant: tenant.clone(),
            actor: actor.to_owned(),
        };
        Ok(Tx::new(
            open,
            self.0.clock.now(),
            Arc::clone(&self.0.ids),
            scope,
        ))
    }

    /// Begins a transaction on the register.
    ///
    /// # Errors
    /// [`DbError`] when the database does not answer.
    pub async fn platform(&self, access: Access) -> Result<PlatformTx, DbError> {
        let start = start_message(&self.0.platform_role, "platform", None, access);
        let open = begin(&self.0.platform, &start).await?;
        Ok(Tx::new(
            open,
            self.0.clock.now(),
            Arc::clone(&self.0.ids),
            PlatformScope,
        ))
    }

    /// The crash points of this process.
    #[must_use]
    pub fn crash(&self) -> &CrashPoints {
        &self.0.crash
    }

    /// The clock that transactions take their `now` from.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// The source of new ids.
    #[must_use]
    pub fn ids(&self) -> &Arc<dyn IdSource> {
        &self.0.ids
    }

    /// The program this door belongs to.
    #[must_use]
    pub fn program(&self) -> Program {
        self.0.config.program
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.0.directory
    }

    async fn open_at(
        &self,
        located: &Located,
        tenant: &TenantId,
        access: Access,
    ) -> Result<Open, DbError> {
        let cell = self.0.cells.get(&located.cell);
        let cell = cell.ok_or_else(|| DbError::UnknownCell(located.cell.as_str().to_owned()))?;
        let name = format!("{}{tenant}", self.0.config.program.prefix());
        let gate = match access {
            Access::Read => "SELECT tenant_gate(false)",
            Access::Write => "SELECT tenant_gate(true)",
        };
        cell.begin(tenant, &start_message(&name, &name, Some(gate), access))
            .await
    }

    async fn locate(&self, tenant: &TenantId) -> Result<Located, DbError> {
        if let Some(known) = self.0.placement.known(tenant) {
            return Ok(known);
        }
        let tx = self.platform(Access::Read).await?;
        let located = crate::directory::placement_of(&tx, tenant).await?;
        tx.rollback().await?;
        self.0.placement.learn(tenant, &located);
        Ok(located)
    }

    async fn compare_clocks(&self) -> Result<(), DbError> {
        let tx = self.platform(Access::Read).await?;
        let rows = tx.named("SELECT clock_timestamp() AS at", Values::new());
        let theirs: branchline_kernel::Timestamp =
            rows.await?.first().ok_or(DbError::Ended)?.try_get("at")?;
        let apart = tx.now.signed_duration_since(theirs).abs();
        if apart > MAX_CLOCK_DIFFERENCE {
            return Err(DbError::ClocksDiffer(apart.num_seconds()));
        }
        Ok(())
    }
}

/// One message: the settings first and `BEGIN` last, so that a setting that fails leaves the
/// connection as it was, outside any transaction.
fn start_message(role: &str, schema: &str, gate: Option<&str>, access: Access) -> String {
    // The isolation must be set before the gate's query; a write sees each commit before it.
    let (isolation, begin) = match access {
        Access::Read => (
            "SET LOCAL transaction_isolation TO 'repeatable read'; ",
            "BEGIN READ ONLY",
        ),
        Access::Write => ("", "BEGIN READ WRITE"),
    };
    let gate = gate.map(|gate| format!("{gate}; ")).unwrap_or_default();
    // The names come from the register and hold small letters, digits and underscores only.
    format!(
        "{isolation}SET LOCAL ROLE \"{role}\"; SET LOCAL search_path TO \"{schema}\", pg_temp; \
         SET LOCAL statement_timeout TO 10000; SET LOCAL lock_timeout TO 5000; \
         SET LOCAL idle_in_transaction_session_timeout TO 30000; {gate}{begin}"
    )
}

/// Begins, and once more on a fresh connection if the pooled one turned out to be dead: nothing
/// was sent before.
async fn begin(pool: &PgPool, start: &str) -> Result<Open, DbError> {
    let once = async || Ok(pool.begin_with(AssertSqlSafe(start.to_owned())).await?);
    let open = match once().await {
        Err(error) if DbError::is_connection_lost(&error) => once().await,
        first => first,
    };
    open.map(Open::Pooled)
}

fn looks_moved(error: &DbError) -> bool {
    error
        .sqlstate()
        .is_some_and(|state| matches!(state.as_str(), "42501" | "BL002"))
}

fn gate_verdict(error: DbError) -> DbError {
    match error.sqlstate().as_deref() {
        Some("BL001") => DbError::Suspended,
        Some("BL002") => DbError::Moved,
        Some(_) | None => error,
    }
}
