//! The tenant door: the only way to a database, and what every transaction carries with it.
//!
//! # Invariants
//! - A login has no rights of its own. [`TenantTx`] names the tenant's role and schema in the very
//!   message that begins the transaction; without it every statement is refused.
//! - Nobody else sees a pool, a schema's name or where a tenant lives.
//! - SQL text is constant or built by SeaORM; values are always bound.
//!
//! # Locking
//! A suspension locks `tenant_state` exclusively for an instant; nothing else here waits.

pub mod audit;
mod config;
mod crash;
mod digest;
mod directory;
pub mod doctor;
mod door;
mod error;
pub mod idempotency;
pub mod installation;
pub mod jobs;
mod lane;
pub mod migrate;
mod operator;
pub mod outbox;
mod placement;
mod pool;
pub mod provision;
mod tx;
mod values;

pub use config::{CellId, DbConfig, Program, Strictness};
pub use crash::{CRASH_POINTS, CrashPoints, UnknownCrashPoint};
pub use digest::Digest;
pub use directory::{Issuer, Tenant};
pub use door::{Access, Db};
pub use error::{DbError, OnConstraint};
pub use operator::Operator;
pub use placement::{Located, Placement};
pub use tx::{PlatformTx, TenantTx};
pub use values::Values;
