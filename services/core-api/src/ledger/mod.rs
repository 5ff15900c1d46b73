//! Operations on the ledger itself, for staff who keep the books.

pub(crate) mod holds;
pub(crate) mod postings;
mod wire;

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get, post};
use branchline_core_contract::{LedgerAccountDto, LedgerEntryPageDto, NewLedgerAccountDto};
use branchline_db::TenantTx;
use branchline_iam::{NeedsRight, can};
use branchline_kernel::LedgerAccountId;
use branchline_ledger::{self as ledger, LedgerError};
use branchline_web::{Actor, Answer, App, Body, IdempotencyKey, PathOf, Problem, QueryOf};

use crate::accounts::{EntriesQuery, parse_entries_query};
use crate::document::Refusals;

use self::holds::{get_hold, place_hold, void_hold};
use self::postings::{get_posting, post_to_ledger, reverse_posting};
pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(open_ledger_account)
        .service(get_ledger_account)
        .service(list_ledger_entries)
        .service(post_to_ledger)
        .service(get_posting)
        .service(reverse_posting)
        .service(place_hold)
        .service(get_hold)
        .service(void_hold);
}

/// Opens an account of the ledger that belongs to no member.
#[utoipa::path(
    operation_id = "openLedgerAccount",
    tag = "ledger",
    params(("Idempotency-Key" = Uuid, Header, description = "One per request; repeat with the same.")),
    request_body = NewLedgerAccountDto,
    responses((status = 201, description = "The account.", body = LedgerAccountDto), Refusals),
    extensions(("x-right" = json!(can::PostLedger::RIGHT))),
)]
#[post("/v1/ledger/accounts")]
async fn open_ledger_account(
    app: Data<App>,
    actor: Actor<can::PostLedger>,
    key: IdempotencyKey,
    body: Body<NewLedgerAccountDto>,
) -> Result<HttpResponse, Problem> {
    let new = wire::parse_new_account(body.into_inner())?;
    let answer = app
        .command(&actor, &key, async |tx| {
            let id = ledger::open_account(tx, &new).await?;
            Ok::<_, Problem>(Answer::created(&shown(tx, id).await?))
        })
        .await?;
    Ok(answer.respond())
}

/// Shows an account of the ledger and what is on it.
#[utoipa::path(
    operation_id = "getLedgerAccount",
    tag = "ledger",
    params(("id" = i64, Path, description = "The account of the ledger.")),
    responses((status = 200, description = "The account.", body = LedgerAccountDto), Refusals),
    extensions(("x-right" = json!(can::ReadLedger::RIGHT))),
)]
#[get("/v1/ledger/accounts/{id}")]
async fn get_ledger_account(
    app: Data<App>,
    actor: Actor<can::ReadLedger>,
    id: PathOf<i64>,
) -> Result<HttpResponse, Problem> {
    let answer = app
        .query(&actor, async |tx| {
            Ok::<_, Problem>(Answer::ok(&shown(tx, (*id).into()).await?))
        })
        .await?;
    Ok(answer.respond())
}

/// Shows what happened on an account of the ledger, the latest first, page by page.
#[utoipa::path(
    operation_id = "listLedgerEntries",
    tag = "ledger",
    params(("id" = i64, Path, description = "The account of the ledger."), EntriesQuery),
    responses((status = 200, description = "A page of entries.", body = LedgerEntryPageDto), Refusals),
    extensions(("x-right" = json!(can::ReadLedger::RIGHT))),
)]
#[get("/v1/ledger/accounts/{id}/entries")]
async fn list_ledger_entries(
    app: Data<App>,
    actor: Actor<can::ReadLedger>,
    id: PathOf<i64>,
    query: QueryOf<EntriesQuery>,
) -> Result<HttpResponse, Problem> {
    let query = parse_entries_query(query.into_inner())?;
    let id = LedgerAccountId::from(*id);
    let answer = app
        .query(&actor, async |tx| {
            // An account that does not exist is not one on which nothing happened.
            ledger::balances(tx, id).await?;
            let page = ledger::statement(tx, id, &query).await?;
            Ok::<_, Problem>(Answer::ok(&wire::show_page(&page)))
        })
        .await?;
    Ok(answer.respond())
}

async fn shown(tx: &TenantTx, id: LedgerAccountId) -> Result<LedgerAccountDto, Problem> {
    let account = ledger::find_account(tx, id).await?;
    let account = account.ok_or(LedgerError::UnknownAccount(id))?;
    let balances = ledger::balances(tx, id).await?;
    Ok(wire::show_account(&account, &balances))
}
