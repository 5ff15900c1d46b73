//! What every HTTP service of ours shares: extractors, the wrapper around each operation, problems,
//! limits, health and telemetry.
//!
//! # Invariants
//! - A handler neither opens a transaction nor writes audit: [`App::command`], [`App::query`] and
//!   [`App::relay`] do, and the core's own wrapper for what goes through the ledger's engine.
//! - An answer with status 2xx leaves only after its transaction was committed.

mod actor;
mod answer;
mod app;
mod body;
mod docs;
mod health;
mod http;
mod key;
mod limits;
mod problem;
mod relay;
mod replays;
mod telemetry;

pub use actor::{Actor, bearer};
pub use answer::{Answer, Remembered};
pub use app::{App, Callers, People, answered_before};
pub use body::{Body, BodyHash, PathOf, QueryOf, input_limits};
pub use docs::serve_docs;
pub use health::health;
pub use http::{HttpError, Patience, outbound_client};
pub use key::IdempotencyKey;
pub use limits::{LimitError, Limits, limit_by_address};
pub use problem::Problem;
pub use relay::{Outcome, Relay};
pub use replays::Replays;
pub use telemetry::{RequestContext, Telemetry, request_context, watch};
