//! One browser working through one pushed request.

use branchline_db::{DbError, TenantTx};
use branchline_kernel::Timestamp;
use chrono::TimeDelta;
use uuid::Uuid;

use super::{SecretHash, store};
use crate::oauth::PushedKey;

/// Names an interaction in the address of its pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InteractionId(Uuid);

impl From<Uuid> for InteractionId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl std::fmt::Display for InteractionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl InteractionId {
    pub(crate) const fn uuid(self) -> Uuid {
        self.0
    }
}

/// How long a member may take to sign in, read, choose and type her code.
const INTERACTION_LIFE: TimeDelta = TimeDelta::minutes(30);

/// A browser and the request it works on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interaction {
    /// Its name.
    pub id: InteractionId,
    /// The request.
    pub pushed: PushedKey,
    /// The session it belongs to, once somebody has signed in.
    pub session: Option<SecretHash>,
    /// When it was opened.
    pub opened_at: Timestamp,
}

/// Opens the pages of a pushed request for one browser.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn open(
    tx: &TenantTx,
    pushed: &PushedKey,
    session: Option<&SecretHash>,
) -> Result<InteractionId, DbError> {
    let opened = Interaction {
        id: InteractionId(tx.next_id()),
        pushed: pushed.clone(),
        session: session.cloned(),
        opened_at: tx.now(),
    };
    let expires_at = tx.now().checked_add_signed(INTERACTION_LIFE);
    store::insert_interaction(tx, &opened, expires_at.unwrap_or(tx.now())).await?;
    Ok(opened.id)
}
