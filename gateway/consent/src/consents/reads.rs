//! Counting reads against what a consent allows without its member.

use branchline_db::{DbError, TenantTx, Values};
use branchline_kernel::ResourceId;
use branchline_xs2a::{Consent, CountWindow, Counting, Endpoint, Moment, QuotaRule, Xs2aError};
use sqlx::Row;

use super::ChangeError;

// The row is locked by the upsert, so two reads at once cannot both be the last one allowed.
const COUNT: &str = "INSERT INTO consent_access (consent, day, endpoint, reads) \
VALUES ($1, $2, $3, 1) ON CONFLICT ON CONSTRAINT consent_access_pkey \
DO UPDATE SET reads = consent_access.reads + 1 RETURNING reads";

/// Counts a read of `endpoint`, or refuses it when the consent allows no more.
///
/// # Errors
/// ACCESS_EXCEEDED, and failures of the database.
pub async fn admit_read(
    tx: &TenantTx,
    consent: &Consent,
    (endpoint, resource): (Endpoint, Option<ResourceId>),
    counting: Counting,
    moment: Moment,
) -> Result<(), ChangeError> {
    let day = match counting {
        Counting::Free => return Ok(()),
        Counting::Counted(CountWindow::Day) => moment.today,
        // One row for the whole life of the consent: its last day never changes.
        Counting::Counted(CountWindow::WholeLife) => consent.request.valid_until,
    };
    let place = resource.map_or_else(
        || endpoint.as_str().to_owned(),
        |resource| format!("{} {resource}", endpoint.as_str()),
    );
    let values = Values::new().with(consent.id.uuid()).with(day).with(place);
    let rows = tx.named(COUNT, values).await?;
    let row = rows.first().ok_or(DbError::Ended)?;
    let reads: i32 = row.try_get("reads").map_err(DbError::from)?;
    let before = reads.saturating_sub(1);
    let used = u32::try_from(before).map_err(|_negative| DbError::Inconsistent {
        table: "consent_access",
        column: "reads",
    })?;
    let rule = QuotaRule::of(&consent.request);
    rule.admit(used).map_err(Xs2aError::into)
}
