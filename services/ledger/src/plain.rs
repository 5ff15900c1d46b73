//! A command alone, of the usual kind: the database posts it in a few steps, or leaves it to the
//! batch function. Most batches of most tenants are such a command.

use branchline_db::{DbError, TenantTx, Values};
use sqlx::Row;

use crate::canonical::fingerprint;
use crate::command::{Action, Command, Leg, Post, Side};
use crate::error::LedgerError;
use crate::verdict::{Effect, Verdict};

const POST_PLAIN: &str = "SELECT post_plain($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) AS posted";

/// Posts `command` if it is one debit and one credit, takes no hold and is sure to be accepted.
/// Otherwise nothing is changed and there is no verdict yet.
///
/// # Errors
/// As [`post`](crate::post).
pub(crate) async fn post_plain(
    tx: &TenantTx,
    command: &Command,
) -> Result<Option<Verdict>, LedgerError> {
    let Some((post, debit, credit)) = plain(&command.action) else {
        return Ok(None);
    };
    let values = bind(command, post, (debit, credit), tx.actor());
    let rows = tx.named(POST_PLAIN, values).await?;
    let row = rows.first();
    let row = row.ok_or(LedgerError::inconsistent("ledger_key", "reason"))?;
    let posted: bool = row.try_get("posted").map_err(DbError::from)?;
    Ok(posted.then_some(Verdict::Posted {
        effect: Effect::Booked(post.id),
        replayed: false,
    }))
}

/// The debit and the credit of a posting that has no more than these and takes no hold.
fn plain(action: &Action) -> Option<(&Post, &Leg, &Leg)> {
    let Action::Post(post) = action else {
        return None;
    };
    if post.hold.is_some() {
        return None;
    }
    match post.legs.as_slice() {
        [debit, credit] | [credit, debit]
            if (debit.side, credit.side) == (Side::Debit, Side::Credit) =>
        {
            Some((post, debit, credit))
        }
        _other => None,
    }
}

fn bind(command: &Command, post: &Post, (debit, credit): (&Leg, &Leg), actor: &str) -> Values {
    let about = command.reference.as_ref();
    let debit_first = post.legs.first() == Some(debit);
    Values::new()
        .with(command.key.uuid())
        .with(fingerprint(command).to_vec())
        .with(post.id.uuid())
        .with(post.kind.as_str())
        .with(post.dates.booking)
        .with(post.dates.value)
        .with(command.actor.as_deref().unwrap_or(actor))
        .with(command.memo.as_deref())
        .with(about.map(|about| about.kind.as_str()))
        .with(about.map(|about| about.id))
        .with(command.branch.as_str())
        .with(debit.account.number())
        .with(credit.account.number())
        .with(debit_first)
        .with(debit.amount.minor())
        .with(debit.amount.currency().code())
}
