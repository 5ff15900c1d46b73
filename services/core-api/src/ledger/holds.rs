//! Holds: placed and voided here, posted by a posting that names them, expired by a job.

use actix_web::web::Data;
use actix_web::{HttpResponse, get, post};
use branchline_core_contract::{HoldDto, HoldIdDto, NewHoldDto};
use branchline_iam::{NeedsRight, can};
use branchline_ledger::{self as ledger, Engine, Reason, RefusedByLedger};
use branchline_web::{Actor, Answer, App, Body, IdempotencyKey, PathOf, Problem};
use uuid::Uuid;

use super::wire;
use crate::document::Refusals;
use crate::posting::{Posting, key_of, post_at_once};

/// Sets money of an account aside.
#[utoipa::path(
    operation_id = "placeHold",
    tag = "ledger",
    params(("Idempotency-Key" = Uuid, Header, description = "One per request; repeat with the same.")),
    request_body = NewHoldDto,
    responses((status = 201, description = "The hold.", body = HoldIdDto), Refusals),
    extensions(("x-right" = json!(can::PostLedger::RIGHT))),
)]
#[post("/v1/ledger/holds")]
async fn place_hold(
    (app, engine): (Data<App>, Data<Engine>),
    actor: Actor<can::PostLedger>,
    key: IdempotencyKey,
    body: Body<NewHoldDto>,
) -> Result<HttpResponse, Problem> {
    let new = wire::parse_new_hold(body.into_inner())?;
    let ledger_key = key_of(&actor, &key);
    let answer = post_at_once((&app, &engine), &actor, &key, |occasion| {
        let command = new.command(occasion, ledger_key)?;
        Ok(Posting::new(command, wire::show_held))
    })
    .await?;
    Ok(answer.respond())
}

/// Shows a hold and how far it has come.
#[utoipa::path(
    operation_id = "getHold",
    tag = "ledger",
    params(("id" = Uuid, Path, description = "The hold.")),
    responses((status = 200, description = "The hold.", body = HoldDto), Refusals),
    extensions(("x-right" = json!(can::ReadLedger::RIGHT))),
)]
#[get("/v1/ledger/holds/{id}")]
async fn get_hold(
    app: Data<App>,
    actor: Actor<can::ReadLedger>,
    id: PathOf<Uuid>,
) -> Result<HttpResponse, Problem> {
    let answer = app
        .query(&actor, async |tx| {
            let hold = ledger::find_hold(tx, (*id).into()).await?;
            let unknown = RefusedByLedger::Refused(Reason::UnknownHold);
            let hold = hold.ok_or(unknown)?;
            Ok::<_, Problem>(Answer::ok(&wire::show_hold(&hold)))
        })
        .await?;
    Ok(answer.respond())
}

/// Ends a hold and frees its money.
#[utoipa::path(
    operation_id = "voidHold",
    tag = "ledger",
    params(
        ("id" = Uuid, Path, description = "The hold."),
        ("Idempotency-Key" = Uuid, Header, description = "One per request; repeat with the same."),
    ),
    responses((status = 200, description = "The hold.", body = HoldIdDto), Refusals),
    extensions(("x-right" = json!(can::PostLedger::RIGHT))),
)]
#[post("/v1/ledger/holds/{id}/void")]
async fn void_hold(
    (app, engine): (Data<App>, Data<Engine>),
    actor: Actor<can::PostLedger>,
    key: IdempotencyKey,
    id: PathOf<Uuid>,
) -> Result<HttpResponse, Problem> {
    let ledger_key = key_of(&actor, &key);
    let answer = post_at_once((&app, &engine), &actor, &key, |occasion| {
        let command = wire::voiding(occasion, (*id).into(), ledger_key)?;
        Ok(Posting::new(command, wire::show_held))
    })
    .await?;
    Ok(answer.respond())
}
