//! Queries over consents, the accounts they open and what was read with them.

use branchline_db::{DbError, TenantTx, Values};
use branchline_kernel::{ConsentId, Timestamp, TppId};
use branchline_xs2a::{Consent, GrantedAccount, Moment, Psu};
use chrono::NaiveDate;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use sqlx::Row;

use super::Allowed;
use super::rows::{consent, consent_account, read_consent};

// The row is locked by the upsert, so two reads at once cannot both be the last one allowed.
const COUNT: &str = "INSERT INTO consent_access (consent, day, endpoint, reads) \
VALUES ($1, $2, $3, 1) ON CONFLICT ON CONSTRAINT consent_access_pkey \
DO UPDATE SET reads = consent_access.reads + 1 RETURNING reads";

pub(super) async fn insert(
    tx: &TenantTx,
    asked: &Consent,
    confirm_by: Timestamp,
) -> Result<(), DbError> {
    let row = consent::ActiveModel {
        id: Set(asked.id.uuid()),
        tpp: Set(asked.tpp.uuid()),
        status: Set("received".to_owned()),
        access: Set(asked.request.access.to_json()),
        recurring: Set(asked.request.recurring),
        valid_until: Set(asked.request.valid_until),
        frequency_per_day: Set(i32::from(asked.request.frequency_per_day)),
        psu_issuer: Set(None),
        psu_subject: Set(None),
        created_at: Set(tx.now()),
        confirm_by: Set(confirm_by),
        approved_at: Set(None),
        ended_at: Set(None),
        last_action_on: Set(asked.last_action),
    };
    consent::Entity::insert(row)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

/// A consent as it was written; its caller looks at it at a moment.
pub(super) async fn find(tx: &TenantTx, id: ConsentId) -> Result<Option<Consent>, DbError> {
    match consent::Entity::find_by_id(id.uuid()).one(tx).await? {
        Some(row) => Ok(Some(read(tx, row).await?.consent)),
        None => Ok(None),
    }
}

/// A consent as it was written, locked until the transaction ends.
pub(super) async fn lock(tx: &TenantTx, id: ConsentId) -> Result<Option<Consent>, DbError> {
    let row = consent::Entity::find_by_id(id.uuid())
        .lock_exclusive()
        .one(tx)
        .await?;
    match row {
        Some(row) => Ok(Some(read(tx, row).await?.consent)),
        None => Ok(None),
    }
}

/// What a member has approved so far, the latest first; at most 200.
pub(super) async fn page_of_member(tx: &TenantTx, psu: &Psu) -> Result<Vec<Allowed>, DbError> {
    let rows = consent::Entity::find()
        .filter(consent::Column::PsuIssuer.eq(psu.issuer.clone()))
        .filter(consent::Column::PsuSubject.eq(psu.subject.clone()))
        .order_by_desc(consent::Column::Id)
        .limit(200)
        .all(tx)
        .await?;
    let mut listed = Vec::with_capacity(rows.len());
    for row in rows {
        listed.push(read(tx, row).await?);
    }
    Ok(listed)
}

/// The consents of a member for `tpp` that were not ended, locked in the order of their ids.
pub(super) async fn lock_valid(
    tx: &TenantTx,
    tpp: TppId,
    psu: &Psu,
) -> Result<Vec<Consent>, DbError> {
    let rows = consent::Entity::find()
        .filter(consent::Column::Tpp.eq(tpp.uuid()))
        .filter(consent::Column::PsuIssuer.eq(psu.issuer.clone()))
        .filter(consent::Column::PsuSubject.eq(psu.subject.clone()))
        .filter(consent::Column::Status.eq("valid"))
        .order_by_asc(consent::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await?;
    let mut valid = Vec::with_capacity(rows.len());
    for row in rows {
        valid.push(read(tx, row).await?.consent);
    }
    Ok(valid)
}

async fn read(tx: &TenantTx, row: consent::Model) -> Result<Allowed, DbError> {
    let accounts = if row.approved_at.is_some() {
        consent_account::Entity::find()
            .filter(consent_account::Column::Consent.eq(row.id))
            .order_by_asc(consent_account::Column::ResourceId)
            .all(tx)
            .await?
            .into_iter()
            .map(GrantedAccount::try_from)
            .collect::<Result<Vec<_>, _>>()?
    } else {
        Vec::new()
    };
    let since = row.approved_at;
    Ok(Allowed {
        consent: read_consent(row, accounts.clone())?,
        accounts,
        since,
    })
}

pub(super) async fn update_approved(
    tx: &TenantTx,
    id: ConsentId,
    psu: &Psu,
    moment: Moment,
) -> Result<(), DbError> {
    consent::Entity::update_many()
        .col_expr(consent::Column::Status, Expr::value("valid"))
        .col_expr(consent::Column::PsuIssuer, Expr::value(psu.issuer.clone()))
        .col_expr(
            consent::Column::PsuSubject,
            Expr::value(psu.subject.clone()),
        )
        .col_expr(consent::Column::ApprovedAt, Expr::value(moment.now))
        .col_expr(consent::Column::LastActionOn, Expr::value(moment.today))
        .filter(consent::Column::Id.eq(id.uuid()))
        .exec(tx)
        .await?;
    Ok(())
}

pub(super) async fn insert_accounts(
    tx: &TenantTx,
    id: ConsentId,
    accounts: Vec<GrantedAccount>,
) -> Result<(), DbError> {
    let rows = accounts
        .into_iter()
        .map(|granted| consent_account::ActiveModel {
            resource_id: Set(granted.resource.uuid()),
            consent: Set(id.uuid()),
            core_account: Set(granted.account.uuid()),
            iban: Set(granted.iban.to_string()),
            currency: Set(granted.currency.code().to_owned()),
            balances: Set(granted.permissions.balances),
            transactions: Set(granted.permissions.transactions),
        });
    consent_account::Entity::insert_many(rows)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

pub(super) async fn update_ended(
    tx: &TenantTx,
    id: ConsentId,
    status: &'static str,
    moment: Moment,
) -> Result<(), DbError> {
    consent::Entity::update_many()
        .col_expr(consent::Column::Status, Expr::value(status))
        .col_expr(consent::Column::EndedAt, Expr::value(moment.now))
        .col_expr(consent::Column::LastActionOn, Expr::value(moment.today))
        .filter(consent::Column::Id.eq(id.uuid()))
        .exec(tx)
        .await?;
    Ok(())
}

/// Counts one more read at `place` in the window that `day` names, and says how many came before.
pub(super) async fn count_read(
    tx: &TenantTx,
    id: ConsentId,
    day: NaiveDate,
    place: String,
) -> Result<u32, DbError> {
    let values = Values::new().with(id.uuid()).with(day).with(place);
    let rows = tx.named(COUNT, values).await?;
    let row = rows.first().ok_or(DbError::Ended)?;
    let reads: i32 = row.try_get("reads")?;
    let before = reads.saturating_sub(1);
    u32::try_from(before).map_err(|_negative| DbError::Inconsistent {
        table: "consent_access",
        column: "reads",
    })
}
