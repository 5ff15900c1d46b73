//! Queries over runs of strong customer authentication and their messages.

use branchline_db::{DbError, TenantTx, Values};
use branchline_kernel::{AuthorisationId, Timestamp};
use branchline_xs2a::{Authorisation, Psu};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect, Select};
use serde_json::Value;
use sqlx::Row;

use super::rows::{authorisation, status};
use super::{Object, Run};

const RECENT: &str = "SELECT at, payload FROM outbox WHERE kind = 'one-time-code' AND at > $1 \
ORDER BY id DESC LIMIT 50";

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
pub(super) async fn find(tx: &TenantTx, id: AuthorisationId) -> Result<Option<Run>, DbError> {
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

/// When messages of this kind were sent since then, and what they carry; the latest first, at most
/// 50.
pub(super) async fn recent(
    tx: &TenantTx,
    since: Timestamp,
) -> Result<Vec<(Timestamp, Value)>, DbError> {
    let rows = tx.named(RECENT, Values::new().with(since)).await?;
    rows.iter()
        .map(|row| Ok((row.try_get("at")?, row.try_get("payload")?)))
        .collect()
}
