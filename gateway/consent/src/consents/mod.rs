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
mod store;

use branchline_db::{DbError, TenantTx};
use branchline_kernel::{ConsentId, Kind, Refusal, Timestamp};
use branchline_xs2a::{
    Consent, ConsentError, ConsentState, GrantedAccount, Moment, Psu, Xs2aError,
};

pub use reads::admit_read;

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
    store::insert(tx, asked, confirm_by).await
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
    let found = store::find(tx, id).await?;
    Ok(found.map(|consent| consent.seen_at(moment)))
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
    let found = store::lock(tx, id).await?;
    Ok(found.ok_or(ChangeError::Unknown)?.seen_at(moment))
}

/// What a member has allowed so far, the latest first; at most 200 lines.
///
/// # Errors
/// [`DbError`] when the database fails.
pub async fn of_member(tx: &TenantTx, psu: &Psu, moment: Moment) -> Result<Vec<Allowed>, DbError> {
    let listed = store::page_of_member(tx, psu).await?.into_iter();
    let seen = listed.map(|allowed| Allowed {
        consent: allowed.consent.seen_at(moment),
        ..allowed
    });
    Ok(seen.collect())
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
    store::update_approved(tx, id, psu, moment).await?;
    store::insert_accounts(tx, id, accounts).await?;
    end_superseded(tx, &valid, psu, moment).await?;
    Ok(valid)
}

async fn end_superseded(
    tx: &TenantTx,
    newer: &Consent,
    psu: &Psu,
    moment: Moment,
) -> Result<(), ChangeError> {
    for older in store::lock_valid(tx, newer.tpp, psu).await? {
        let older = older.seen_at(moment);
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
    store::update_ended(tx, ended.id, status, moment).await
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
