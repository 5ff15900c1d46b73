//! A private PostgreSQL, Redis and Keycloak for the demo and the tests.
//!
//! Each server listens on a loopback port of its own, keeps everything it writes in one folder, and stops when its
//! handle is stopped or dropped. Nothing here serves an institution: there the servers are installed and run by the
//! people who operate them.
//!
//! # Invariants
//! - One folder belongs to one launcher at a time; an exclusive lock on the file `lock` in it says so.
//! - A server never outlives its launcher, not even one that was killed: see `process`.
//! - Passwords are made once per folder and kept in a file that only its owner may read.
//!
//! Unix only. On Windows use WSL.

#[cfg(not(unix))]
compile_error!(
    "Branchline starts its private servers with Unix accounts and signals, which Windows does not have. \
     Build it inside WSL."
);

mod account;
mod error;
mod files;
mod keycloak;
mod loopback;
mod places;
mod postgres;
mod process;
mod progress;
mod redis;

pub use error::LauncherError;
pub use keycloak::{Keycloak, KeycloakOptions};
pub use loopback::free_port;
pub use places::Places;
pub use postgres::{Durability, Postgres, PostgresBinaries, PostgresOptions};
pub use progress::Progress;
pub use redis::Redis;
