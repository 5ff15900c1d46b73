//! The months ahead are opened in time: without an open period nothing can be booked.

use branchline_db::{Access, Db};
use branchline_kernel::TenantId;
use branchline_ledger::{LedgerError, last_day_of_books, open_period};
use chrono::{Days, Months, NaiveDate};
use tracing::{info, warn};

/// How far ahead the books are open, so that a standing order can be dated and a job that fails
/// for weeks stops nobody.
const AHEAD: Days = Days::new(62);

/// Opens what is missing at every tenant.
pub(super) async fn open_months(db: Db) -> anyhow::Result<()> {
    for tenant in db.tenants().await? {
        if let Err(error) = open_of(&db, &tenant.id).await {
            warn!(
                tenant = tenant.id.as_str(),
                "The coming months are not open: {error:#}"
            );
        }
    }
    Ok(())
}

/// Opens month after month of one tenant, each in a transaction of its own; says how many.
pub(super) async fn open_of(db: &Db, tenant: &TenantId) -> anyhow::Result<u32> {
    let mut opened = 0_u32;
    loop {
        let tx = db.tenant(tenant, "system:books", Access::Write).await?;
        let today = tx.now().date_naive();
        let last = last_day_of_books(&tx).await?;
        let Some((first, end)) = last.and_then(|last| next_month(last, today)) else {
            tx.rollback().await?;
            return Ok(opened);
        };
        match open_period(&tx, first, end).await {
            Ok(()) => tx.commit().await?,
            // Another process was quicker.
            Err(LedgerError::PeriodOverlaps) => {
                tx.rollback().await?;
                return Ok(opened);
            }
            Err(error) => return Err(error.into()),
        }
        opened = opened.saturating_add(1);
        info!(
            tenant = tenant.as_str(),
            "Opened the books from {first} to {end}"
        );
    }
}

/// The days from behind `last` to the end of their month, if the books end too soon. Books that
/// were never opened, or that their institution ended in the past, stay as they are.
fn next_month(last: NaiveDate, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    if last < today || last >= today.checked_add_days(AHEAD)? {
        return None;
    }
    let first = last.succ_opt()?;
    let end = chrono::Datelike::with_day(&first, 1)?
        .checked_add_months(Months::new(1))?
        .pred_opt()?;
    Some((first, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn next(last: &str, today: &str) -> Option<(NaiveDate, NaiveDate)> {
        next_month(day(last), day(today))
    }

    #[test]
    fn a_month_is_opened_62_days_before_the_books_end() {
        assert_eq!(next("2026-12-31", "2026-10-30"), None);
        let january = Some((day("2027-01-01"), day("2027-01-31")));
        assert_eq!(next("2026-12-31", "2026-10-31"), january);
        assert_eq!(next("2026-12-31", "2026-12-31"), january);
    }

    #[test]
    fn books_that_end_within_a_month_are_open_to_its_end() {
        let rest = Some((day("2028-02-11"), day("2028-02-29")));
        assert_eq!(next("2028-02-10", "2028-02-01"), rest);
    }

    #[test]
    fn books_that_ended_in_the_past_stay_closed() {
        assert_eq!(next("2026-12-31", "2027-01-01"), None);
    }
}
