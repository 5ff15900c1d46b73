//! Operations on the books as a whole.

mod wire;

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get};
use branchline_core_contract::TrialBalanceDto;
use branchline_iam::{NeedsRight, can};
use branchline_ledger as ledger;
use branchline_web::{Actor, Answer, App, Problem};
use chrono::NaiveDate;

use crate::document::Refusals;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(get_trial_balance);
}

/// All periods that there may be.
fn ever() -> Option<(NaiveDate, NaiveDate)> {
    NaiveDate::from_ymd_opt(1900, 1, 1).zip(NaiveDate::from_ymd_opt(9999, 12, 31))
}

/// Shows the sums of all accounts of the general ledger.
#[utoipa::path(
    operation_id = "getTrialBalance",
    tag = "books",
    responses((status = 200, description = "The sums.", body = TrialBalanceDto), Refusals),
    extensions(("x-right" = json!(can::ReadTrialBalance::RIGHT))),
)]
#[get("/v1/trial-balance")]
async fn get_trial_balance(
    app: Data<App>,
    actor: Actor<can::ReadTrialBalance>,
) -> Result<HttpResponse, Problem> {
    let answer = app
        .query(&actor, async |tx| {
            let rows = match ever() {
                Some((first, last)) => ledger::trial_balance(tx, first, last).await?,
                None => Vec::new(),
            };
            Ok::<_, Problem>(Answer::ok(&wire::show_trial_balance(&rows)?))
        })
        .await?;
    Ok(answer.respond())
}
