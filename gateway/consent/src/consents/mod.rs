//! Consents and the accounts they open.
//!
//! # Invariants
//! - The rules are `branchline_xs2a::Consent`'s; here is only where it is kept.
//! - The member who approved and her accounts stay on record after the end.
//!
//! # Locking
//! A change locks the consent's row first; approving then locks the older consents it ends, in the
//! order of their ids.

mod reads;
mod rows;

use branchline_db::{DbError, TenantTx};
use branchline_kernel::{ConsentId, Kind, Refusal, Timestamp};
use branchline_xs2a::{
    Consent, ConsentError, ConsentState, GrantedAccount, Moment, Psu, Xs2aError,
};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

pub use reads::admit_read;
use rows::{consent, consent_account, read_consent};

/// Why a consent was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// There is no such consent for this caller.
    #[error("there is no such consent")]
    Unknown,
    /// Its rules refuse.
    #[error("the consent does not allow it")]
    Rule(#[from] ConsentError),
    /// Its rules refuse, in the words of the standard.
    #[error("the consent does not allow it")]
    Standard(#[from] Xs2aError),
    /// The database failed.
    #[error("the consent could not be read or written")]
    Db(#[from] DbError),
}

impl From<DbErr> for ChangeError {
    fn from(error: DbErr) -> Self {
        Self::Db(error.into())
    }
}

impl Refusal for ChangeError {
    fn kind(&self) -> Kind {
        match self {
            Self::Unknown => Kind::NotFound,
            Self::Rule(error) => error.kind(),
            Self::Standard(error) => error.kind(),
            Self::Db(error) => error.kind(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown-consent",
            Self::Rule(error) => error.code(),
            Self::Standard(error) => error.code(),
            Self::Db(error) => error.code(),
        }
    }

    fn public(&self) -> String {
        match self {
            Self::Unknown => "There is no such permission of yours.".to_owned(),
            Self::Rule(error) => error.public(),
            Self::Standard(error) => error.public(),
            Self::Db(error) => error.public(),
        }
    }
}

/// A consent as its member's page lists it: what was opened stays readable after the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The consent as it stands.
    pub consent: Consent,
    /// The accounts she chose.
    pub accounts: Vec<GrantedAccount>,
    /// When she approved.
    pub since: Option<Timestamp>,
}

/// Writes a consent that was just asked for.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn insert(tx: &TenantTx, asked: &Consent) -> Result<(), DbError> {
    let confirm_by = match asked.state {
        ConsentState::Received { confirm_by } => confirm_by,
        ConsentState::Valid { .. }
        | ConsentState::Rejected { .. }
        | ConsentState::RevokedByPsu { .. }
        | ConsentState::TerminatedByTpp { .. }
        | ConsentState::Expired { .. } => tx.now(),
    };
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

/// A consent as it stands at `moment`.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn find(
    tx: &TenantTx,
    id: ConsentId,
    moment: Moment,
) -> Result<Option<Consent>, DbError> {
    let Some(row) = consent::Entity::find_by_id(id.uuid()).one(tx).await? else {
        return Ok(None);
    };
    Ok(Some(read(tx, row).await?.consent.seen_at(moment)))
}

/// A consent as it stands at `moment`, locked until the transaction ends.
///
/// # Errors
/// [`ChangeError::Unknown`], and failures of the database.
pub async fn get_locked(
    tx: &TenantTx,
    id: ConsentId,
    moment: Moment,
) -> Result<Consent, ChangeError> {
    let row = consent::Entity::find_by_id(id.uuid())
        .lock_exclusive()
        .one(tx)
        .await?
        .ok_or(ChangeError::Unknown)?;
    Ok(read(tx, row).await?.consent.seen_at(moment))
}

/// What a member has allowed so far, the latest first; at most 200 lines.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn of_member(tx: &TenantTx, psu: &Psu, moment: Moment) -> Result<Vec<Allowed>, DbError> {
    let rows = consent::Entity::find()
        .filter(consent::Column::PsuIssuer.eq(psu.issuer.clone()))
        .filter(consent::Column::PsuSubject.eq(psu.subject.clone()))
        .order_by_desc(consent::Column::Id)
        .limit(200)
        .all(tx)
        .await?;
    let mut listed = Vec::with_capacity(rows.len());
    for row in rows {
        let allowed = read(tx, row).await?;
        listed.push(Allowed {
            consent: allowed.consent.seen_at(moment),
            ..allowed
        });
    }
    Ok(listed)
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

/// The member approves; an older recurring consent that this one takes the place of ends (R5).
///
/// # Errors
/// [`ChangeError`]; nothing is approved then.
pub async fn approve(
    tx: &TenantTx,
    id: ConsentId,
    (psu, accounts): (&Psu, Vec<GrantedAccount>),
    moment: Moment,
) -> Result<Consent, ChangeError> {
    let waiting = get_locked(tx, id, moment).await?;
    let valid = waiting.approve(psu.clone(), accounts.clone(), moment)?;
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
    end_superseded(tx, &valid, psu, moment).await?;
    Ok(valid)
}

async fn end_superseded(
    tx: &TenantTx,
    newer: &Consent,
    psu: &Psu,
    moment: Moment,
) -> Result<(), ChangeError> {
    let rows = consent::Entity::find()
        .filter(consent::Column::Tpp.eq(newer.tpp.uuid()))
        .filter(consent::Column::PsuIssuer.eq(psu.issuer.clone()))
        .filter(consent::Column::PsuSubject.eq(psu.subject.clone()))
        .filter(consent::Column::Status.eq("valid"))
        .order_by_asc(consent::Column::Id)
        .lock_exclusive()
        .all(tx)
        .await?;
    for row in rows {
        let older = read(tx, row).await?.consent.seen_at(moment);
        if newer.supersedes(&older) {
            let ended = older.superseded(moment)?;
            end(tx, &ended, moment).await?;
        }
    }
    Ok(())
}

/// Writes the end of a consent that `branchline_xs2a::Consent` has just ended.
///
/// # Errors
/// [`DbError`] when the row cannot be written.
pub async fn end(tx: &TenantTx, ended: &Consent, moment: Moment) -> Result<(), DbError> {
    let status = match ended.state {
        ConsentState::Rejected { .. } => "rejected",
        ConsentState::RevokedByPsu { .. } => "revokedByPsu",
        ConsentState::TerminatedByTpp { .. } => "terminatedByTpp",
        ConsentState::Expired { .. } => "expired",
        ConsentState::Received { .. } | ConsentState::Valid { .. } => {
            return Err(DbError::Inconsistent {
                table: "consent",
                column: "status",
            });
        }
    };
    consent::Entity::update_many()
        .col_expr(consent::Column::Status, Expr::value(status))
        .col_expr(consent::Column::EndedAt, Expr::value(moment.now))
        .col_expr(consent::Column::LastActionOn, Expr::value(moment.today))
        .filter(consent::Column::Id.eq(ended.id.uuid()))
        .exec(tx)
        .await?;
    Ok(())
}

/// The member withdraws a consent of hers.
///
/// # Errors
/// [`ChangeError::Unknown`] for somebody else's, and what its rules refuse.
pub async fn withdraw(
    tx: &TenantTx,
    id: ConsentId,
    psu: &Psu,
    moment: Moment,
) -> Result<Consent, ChangeError> {
    let consent = get_locked(tx, id, moment).await?;
    // Somebody else's looks like one that is not there.
    if consent.psu() != Some(psu) {
        return Err(ChangeError::Unknown);
    }
    let ended = consent.revoke(moment)?;
    end(tx, &ended, moment).await?;
    Ok(ended)
}
