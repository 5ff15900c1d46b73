//! Postings and their reversal.

use actix_web::web::Data;
use actix_web::{HttpResponse, get, post};
use branchline_core_contract::{NewPostingDto, PostedDto, PostingDto, ReversePostingDto};
use branchline_iam::{NeedsRight, can};
use branchline_ledger::{self as ledger, Engine, Reason, RefusedByLedger};
use branchline_web::{Actor, Answer, App, Body, IdempotencyKey, PathOf, Problem};
use uuid::Uuid;

use super::wire;
use crate::accounts::show_posted;
use crate::document::Refusals;
use crate::posting::{Posting, key_of, post_at_once};

/// Books a posting of 2 to 100 legs, perhaps taking the money of a hold.
#[utoipa::path(
    operation_id = "postToLedger",
    tag = "ledger",
    params(("Idempotency-Key" = Uuid, Header, description = "One per request; repeat with the same.")),
    request_body = NewPostingDto,
    responses((status = 201, description = "What was posted.", body = PostedDto), Refusals),
    extensions(("x-right" = json!(can::PostLedger::RIGHT))),
)]
#[post("/v1/ledger/postings")]
async fn post_to_ledger(
    (app, engine): (Data<App>, Data<Engine>),
    actor: Actor<can::PostLedger>,
    key: IdempotencyKey,
    body: Body<NewPostingDto>,
) -> Result<HttpResponse, Problem> {
    let new = wire::parse_new_posting(body.into_inner())?;
    let ledger_key = key_of(&actor, &key);
    let answer = post_at_once((&app, &engine), &actor, &key, |occasion| {
        let command = new.command(occasion, ledger_key)?;
        Ok(Posting::new(command, show_posted))
    })
    .await?;
    Ok(answer.respond())
}

/// Shows a posting with all its legs.
#[utoipa::path(
    operation_id = "getPosting",
    tag = "ledger",
    params(("id" = Uuid, Path, description = "The posting.")),
    responses((status = 200, description = "The posting.", body = PostingDto), Refusals),
    extensions(("x-right" = json!(can::ReadLedger::RIGHT))),
)]
#[get("/v1/ledger/postings/{id}")]
async fn get_posting(
    app: Data<App>,
    actor: Actor<can::ReadLedger>,
    id: PathOf<Uuid>,
) -> Result<HttpResponse, Problem> {
    let answer = app
        .query(&actor, async |tx| {
            let posting = ledger::find_posting(tx, (*id).into()).await?;
            let unknown = RefusedByLedger::Refused(Reason::UnknownPosting);
            let posting = posting.ok_or(unknown)?;
            Ok::<_, Problem>(Answer::ok(&wire::show_posting(&posting)))
        })
        .await?;
    Ok(answer.respond())
}

/// Undoes a posting by its mirror image, once.
#[utoipa::path(
    operation_id = "reversePosting",
    tag = "ledger",
    params(
        ("id" = Uuid, Path, description = "The posting to undo."),
        ("Idempotency-Key" = Uuid, Header, description = "One per request; repeat with the same."),
    ),
    request_body = ReversePostingDto,
    responses((status = 201, description = "What was posted.", body = PostedDto), Refusals),
    extensions(("x-right" = json!(can::PostLedger::RIGHT))),
)]
#[post("/v1/ledger/postings/{id}/reverse")]
async fn reverse_posting(
    (app, engine): (Data<App>, Data<Engine>),
    actor: Actor<can::PostLedger>,
    key: IdempotencyKey,
    id: PathOf<Uuid>,
    body: Body<ReversePostingDto>,
) -> Result<HttpResponse, Problem> {
    let days = wire::parse_reversal(body.into_inner())?;
    let ledger_key = key_of(&actor, &key);
    let answer = post_at_once((&app, &engine), &actor, &key, |occasion| {
        let command = wire::reversal(occasion, (*id).into(), days, ledger_key)?;
        Ok(Posting::new(command, show_posted))
    })
    .await?;
    Ok(answer.respond())
}
