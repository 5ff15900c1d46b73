//! Operations on the books as a whole.

mod wire;

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get, post};
use branchline_core_contract::{ClosePeriodDto, ClosedPeriodDto, PeriodDto, TrialBalanceDto};
use branchline_iam::{NeedsRight, can};
use branchline_ledger as ledger;
use branchline_web::{Actor, Answer, App, Body, IdempotencyKey, Problem, QueryOf};

use crate::document::Refusals;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(get_trial_balance)
        .service(open_period)
        .service(close_period);
}

/// Shows the sums of all accounts of the general ledger, over all periods or some, in all
/// currencies or one.
#[utoipa::path(
    operation_id = "getTrialBalance",
    tag = "books",
    params(wire::TrialBalanceQuery),
    responses((status = 200, description = "The sums.", body = TrialBalanceDto), Refusals),
    extensions(("x-right" = json!(can::ReadTrialBalance::RIGHT))),
)]
#[get("/v1/trial-balance")]
async fn get_trial_balance(
    app: Data<App>,
    actor: Actor<can::ReadTrialBalance>,
    query: QueryOf<wire::TrialBalanceQuery>,
) -> Result<HttpResponse, Problem> {
    let wanted = wire::parse_trial_balance_query(query.into_inner())?;
    let answer = app
        .query(&actor, async |tx| {
            let mut rows = ledger::trial_balance(tx, wanted.first, wanted.last).await?;
            rows.retain(|row| wanted.shows(row));
            Ok::<_, Problem>(Answer::ok(&wire::show_trial_balance(&rows)?))
        })
        .await?;
    Ok(answer.respond())
}

/// Opens the books for some days.
#[utoipa::path(
    operation_id = "openPeriod",
    tag = "books",
    params(("Idempotency-Key" = Uuid, Header, description = "One per request; repeat with the same.")),
    request_body = PeriodDto,
    responses((status = 201, description = "The period.", body = PeriodDto), Refusals),
    extensions(("x-right" = json!(can::ManagePeriods::RIGHT))),
)]
#[post("/v1/periods")]
async fn open_period(
    app: Data<App>,
    actor: Actor<can::ManagePeriods>,
    key: IdempotencyKey,
    body: Body<PeriodDto>,
) -> Result<HttpResponse, Problem> {
    let period = wire::parse_period(body.into_inner())?;
    let answer = app
        .command(&actor, &key, async |tx| {
            ledger::open_period(tx, period.first_day, period.last_day).await?;
            Ok::<_, Problem>(Answer::created(&period))
        })
        .await?;
    Ok(answer.respond())
}

/// Closes a period for good: nothing more is booked under its days.
#[utoipa::path(
    operation_id = "closePeriod",
    tag = "books",
    params(("Idempotency-Key" = Uuid, Header, description = "One per request; repeat with the same.")),
    request_body = ClosePeriodDto,
    responses((status = 200, description = "The closed period.", body = ClosedPeriodDto), Refusals),
    extensions(("x-right" = json!(can::ManagePeriods::RIGHT))),
)]
#[post("/v1/periods/close")]
async fn close_period(
    app: Data<App>,
    actor: Actor<can::ManagePeriods>,
    key: IdempotencyKey,
    body: Body<ClosePeriodDto>,
) -> Result<HttpResponse, Problem> {
    let first_day = wire::parse_closing(&body.into_inner())?;
    let answer = app
        .command(&actor, &key, async |tx| {
            let closed_at = ledger::close_period(tx, first_day).await?;
            Ok::<_, Problem>(Answer::ok(&ClosedPeriodDto {
                first_day,
                closed_at,
            }))
        })
        .await?;
    Ok(answer.respond())
}
