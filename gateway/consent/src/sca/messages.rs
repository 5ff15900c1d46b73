//! Messages that carry a code: the outbox names the challenge, everything else is looked up when
//! the message is made.

use branchline_db::{DbError, TenantTx, outbox};
use branchline_kernel::{AuthorisationId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Run, store};

const KIND: &str = "one-time-code";

#[derive(Serialize, Deserialize)]
struct Payload {
    challenge: String,
}

/// A message to a member.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// When it was sent.
    pub at: Timestamp,
    /// The run whose code it carries.
    pub run: Run,
    /// The challenge from which the code is derived, while it is the one that waits.
    pub challenge: Option<String>,
}

/// Has a message sent for the challenge that waits in `run`.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn send(tx: &TenantTx, run: &Run) -> Result<(), DbError> {
    match run.state.challenge(run.id) {
        Some(challenge) => outbox::publish(tx, KIND, &Payload { challenge }).await,
        None => Ok(()),
    }
}

/// The messages sent since then, the latest first, at most 50.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn recent(tx: &TenantTx, since: Timestamp) -> Result<Vec<Message>, DbError> {
    let mut messages = Vec::new();
    for (at, payload) in store::recent(tx, since).await? {
        let (id, named) = read(payload)?;
        if let Some(run) = store::find(tx, id).await? {
            let waiting = run.state.challenge(run.id);
            messages.push(Message {
                at,
                challenge: waiting.filter(|challenge| *challenge == named),
                run,
            });
        }
    }
    Ok(messages)
}

fn read(payload: Value) -> Result<(AuthorisationId, String), DbError> {
    let inconsistent = || DbError::Inconsistent {
        table: "outbox",
        column: "payload",
    };
    let Payload { challenge } =
        serde_json::from_value(payload).map_err(|_unreadable| inconsistent())?;
    let id = challenge.split_once('/').map(|(id, _)| id.parse());
    match id {
        Some(Ok(id)) => Ok((id, challenge)),
        Some(Err(_)) | None => Err(inconsistent()),
    }
}
