//! The composition root: subcommands, configuration, start-up, the demo.
//!
//! # Invariants
//! - Only this crate puts parts together; no other reads the environment or the clock of the
//!   machine.
//! - A service's process has no right to change a schema; `migrate` and `tenant` have.

mod cli;
mod commands;
pub mod config;
pub mod demo;
pub mod executor;
mod serve;
mod terminal;

pub use cli::run;
