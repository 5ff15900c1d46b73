//! Counting reads against what a consent allows without its member.

use branchline_db::TenantTx;
use branchline_kernel::ResourceId;
use branchline_xs2a::{Consent, CountWindow, Counting, Endpoint, Moment, QuotaRule, Xs2aError};

use super::{ChangeError, store};

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
    let used = store::count_read(tx, consent.id, day, place).await?;
    let rule = QuotaRule::of(&consent.request);
    rule.admit(used).map_err(Xs2aError::into)
}
