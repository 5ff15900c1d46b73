//! Runs of strong customer authentication and the messages that carry their codes.
//!
//! # Invariants
//! - The rules are `branchline_xs2a::Authorisation`'s. A wrong code is stored in a transaction of
//!   its own, which the caller commits before it answers.
//! - A message in the outbox names its challenge and nothing else; the code is derived when the
//!   message is made.
//!
//! # Locking
//! A change locks the run's row, before the consent's.

mod messages;
mod rows;

use branchline_db::{DbError, TenantTx};
use branchline_kernel::{AuthorisationId, ConsentId, PaymentId};
use branchline_xs2a::{Authorisation, Psu};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Select};
use serde_json::Value;

pub use messages::{Message, recent, send};
use rows::authorisation;

/// What is approved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Object {
    /// A consent.
    Consent(ConsentId),
    /// A payment.
    Payment(PaymentId),
}

/// A run as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Run {
    /// Its name.
    pub id: AuthorisationId,
    /// What is approved.
    pub object: Object,
    /// Where it stands.
    pub state: Authorisation,
    /// The sentence in the message to the member.
    pub shown: Option<String>,
    /// What she chose on the page, as the page wrote it.
    pub choice: Option<Value>,
}

/// Creates the run that starts with its consent or payment.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn insert(tx: &TenantTx, object: Object) -> Result<AuthorisationId, DbError> {
    let id = tx.next_id();
    let (consent, payment) = match object {
        Object::Consent(id) => (Some(id.uuid()), None),
        Object::Payment(id) => (None, Some(id.uuid())),
    };
    let row = authorisation::ActiveModel {
        id: Set(id),
        consent: Set(consent),
        payment: Set(payment),
        status: Set("received".to_owned()),
        psu_issuer: Set(None),
        psu_subject: Set(None),
        content: Set(None),
        round: Set(0),
        wrong_attempts: Set(0),
        code_expires_at: Set(None),
        shown: Set(None),
        choice: Set(None),
        why: Set(None),
        ended_at: Set(None),
        created_at: Set(tx.now()),
        changed_at: Set(tx.now()),
    };
    authorisation::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(AuthorisationId::from(id))
}

/// The run of a consent or payment.
///
/// # Errors
/// [`DbError`] when the database fails, or the run is missing.
pub async fn of(tx: &TenantTx, object: Object) -> Result<Run, DbError> {
    only(select(object).one(tx).await?)
}

/// The run of a consent or payment, locked until the transaction ends.
///
/// # Errors
/// [`DbError`] when the database fails, or the run is missing.
pub async fn of_locked(tx: &TenantTx, object: Object) -> Result<Run, DbError> {
    only(select(object).lock_exclusive().one(tx).await?)
}

fn select(object: Object) -> Select<authorisation::Entity> {
    let wanted = match object {
        Object::Consent(id) => authorisation::Column::Consent.eq(id.uuid()),
        Object::Payment(id) => authorisation::Column::Payment.eq(id.uuid()),
    };
    authorisation::Entity::find().filter(wanted)
}

/// Each consent and payment is written together with its run.
fn only(row: Option<authorisation::Model>) -> Result<Run, DbError> {
    row.map_or(
        Err(DbError::Inconsistent {
            table: "authorisation",
            column: "id",
        }),
        Run::try_from,
    )
}

/// The run with this id.
///
/// # Errors
/// [`DbError`] when the database fails.
async fn find(tx: &TenantTx, id: AuthorisationId) -> Result<Option<Run>, DbError> {
    let row = authorisation::Entity::find_by_id(id.uuid()).one(tx).await?;
    row.map(Run::try_from).transpose()
}

/// Writes where a run stands now.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn update(tx: &TenantTx, run: &Run) -> Result<(), DbError> {
    use authorisation::Column;
    let mut change = authorisation::Entity::update_many()
        .col_expr(Column::Status, Expr::value(status(&run.state)))
        .col_expr(Column::ChangedAt, Expr::value(tx.now()))
        .col_expr(Column::Shown, Expr::value(run.shown.clone()))
        .col_expr(Column::Choice, Expr::value(run.choice.clone()))
        .filter(Column::Id.eq(run.id.uuid()));
    if let Some(Psu { issuer, subject }) = run.state.psu() {
        change = change
            .col_expr(Column::PsuIssuer, Expr::value(issuer.clone()))
            .col_expr(Column::PsuSubject, Expr::value(subject.clone()));
    }
    let change = match &run.state {
        Authorisation::Started {
            content,
            round,
            wrong_attempts,
            expires_at,
            ..
        } => change
            .col_expr(Column::Content, Expr::value(content.as_str()))
            .col_expr(Column::Round, Expr::value(i32::from(*round)))
            .col_expr(
                Column::WrongAttempts,
                Expr::value(i32::from(*wrong_attempts)),
            )
            .col_expr(Column::CodeExpiresAt, Expr::value(*expires_at)),
        Authorisation::Failed { why, at } => change
            .col_expr(Column::Why, Expr::value(why.as_str()))
            .col_expr(Column::EndedAt, Expr::value(*at)),
        Authorisation::Finalised { at, .. } | Authorisation::Exempted { at } => {
            change.col_expr(Column::EndedAt, Expr::value(*at))
        }
        Authorisation::Received
        | Authorisation::PsuIdentified { .. }
        | Authorisation::PsuAuthenticated { .. } => change,
    };
    change.exec(tx).await?;
    Ok(())
}

const fn status(state: &Authorisation) -> &'static str {
    match state {
        Authorisation::Received => "received",
        Authorisation::PsuIdentified { .. } => "psuIdentified",
        Authorisation::PsuAuthenticated { .. } => "psuAuthenticated",
        Authorisation::Started { .. } => "started",
        Authorisation::Finalised { .. } => "finalised",
        Authorisation::Failed { .. } => "failed",
        Authorisation::Exempted { .. } => "exempted",
    }
}
