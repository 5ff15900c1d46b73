//! Operations on members' accounts.

mod wire;

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get, post};
use branchline_banking as banking;
use branchline_core_contract::{
    AccountDto, AccountListDto, BalancesDto, EntryPageDto, FreezeAccountDto, NewAccountDto,
    NewDepositDto, PostedDto,
};
use branchline_iam::{NeedsRight, can};
use branchline_ledger::Engine;
use branchline_payments as payments;
use branchline_web::{Actor, Answer, App, Body, IdempotencyKey, PathOf, Problem, QueryOf};
use uuid::Uuid;

use crate::document::Refusals;
use crate::person::{find_member, readable_account};
use crate::posting::{Posting, key_of, post};

pub(crate) use wire::{EntriesQuery, parse_entries_query, show_money, show_posted};

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(open_account)
        .service(list_own_accounts)
        .service(get_account)
        .service(get_balances)
        .service(list_entries)
        .service(accept_deposit)
        .service(freeze_account)
        .service(unfreeze_account);
}

/// Opens an account for a member.
#[utoipa::path(
    operation_id = "openAccount",
    tag = "accounts",
    params(("Idempotency-Key" = Uuid, Header, description = "One per request; repeat with the same.")),
    request_body = NewAccountDto,
    responses((status = 201, description = "The account.", body = AccountDto), Refusals),
    extensions(("x-right" = json!(can::OpenAccount::RIGHT))),
)]
#[post("/v1/accounts")]
async fn open_account(
    app: Data<App>,
    actor: Actor<can::OpenAccount>,
    key: IdempotencyKey,
    body: Body<NewAccountDto>,
) -> Result<HttpResponse, Problem> {
    let new = wire::parse_new_account(&body.into_inner())?;
    let answer = app
        .command(&actor, &key, async |tx| {
            let account = banking::open_account(tx, &new).await?;
            Ok::<_, Problem>(Answer::created(&wire::show_account(&account)))
        })
        .await?;
    Ok(answer.respond())
}

/// Lists the caller's own accounts, or those that the caller's token is limited to.
#[utoipa::path(
    operation_id = "listOwnAccounts",
    tag = "accounts",
    responses((status = 200, description = "The accounts.", body = AccountListDto), Refusals),
    extensions(("x-right" = json!(can::ReadOwnAccounts::RIGHT))),
)]
#[get("/v1/accounts")]
async fn list_own_accounts(
    app: Data<App>,
    actor: Actor<can::ReadOwnAccounts>,
) -> Result<HttpResponse, Problem> {
    let answer = app
        .query(&actor, async |tx| {
            let accounts = match find_member(tx, actor.principal()).await? {
                Some(member) => banking::list_accounts(tx, member.id).await?,
                None => Vec::new(),
            };
            let covered = |account: &&banking::Account| actor.principal().covers(account.id);
            let accounts = accounts.iter().filter(covered);
            Ok::<_, Problem>(Answer::ok(&AccountListDto {
                accounts: accounts.map(wire::show_account).collect(),
            }))
        })
        .await?;
    Ok(answer.respond())
}

/// Shows an account: one's own, or any to staff who may.
#[utoipa::path(
    operation_id = "getAccount",
    tag = "accounts",
    params(("id" = Uuid, Path, description = "The account.")),
    responses((status = 200, description = "The account.", body = AccountDto), Refusals),
    extensions(("x-right" = json!(can::ReadAccount::RIGHT))),
)]
#[get("/v1/accounts/{id}")]
async fn get_account(
    app: Data<App>,
    actor: Actor<can::ReadAccount>,
    id: PathOf<Uuid>,
) -> Result<HttpResponse, Problem> {
    let answer = app
        .query(&actor, async |tx| {
            let account = readable_account(tx, actor.principal(), (*id).into()).await?;
            Ok::<_, Problem>(Answer::ok(&wire::show_account(&account)))
        })
        .await?;
    Ok(answer.respond())
}

/// Shows what is on an account.
#[utoipa::path(
    operation_id = "getAccountBalances",
    tag = "accounts",
    params(("id" = Uuid, Path, description = "The account.")),
    responses((status = 200, description = "The balances.", body = BalancesDto), Refusals),
    extensions(("x-right" = json!(can::ReadAccount::RIGHT))),
)]
#[get("/v1/accounts/{id}/balances")]
async fn get_balances(
    app: Data<App>,
    actor: Actor<can::ReadAccount>,
    id: PathOf<Uuid>,
) -> Result<HttpResponse, Problem> {
    let answer = app
        .query(&actor, async |tx| {
            let account = readable_account(tx, actor.principal(), (*id).into()).await?;
            let balances = banking::balances(tx, &account).await?;
            let shown = wire::show_balances(&account, &balances, tx.now());
            Ok::<_, Problem>(Answer::ok(&shown))
        })
        .await?;
    Ok(answer.respond())
}

/// Shows what happened on an account, the latest first, page by page.
#[utoipa::path(
    operation_id = "listEntries",
    tag = "accounts",
    params(("id" = Uuid, Path, description = "The account."), EntriesQuery),
    responses((status = 200, description = "A page of entries.", body = EntryPageDto), Refusals),
    extensions(("x-right" = json!(can::ReadAccount::RIGHT))),
)]
#[get("/v1/accounts/{id}/entries")]
async fn list_entries(
    app: Data<App>,
    actor: Actor<can::ReadAccount>,
    id: PathOf<Uuid>,
    query: QueryOf<EntriesQuery>,
) -> Result<HttpResponse, Problem> {
    let query = parse_entries_query(query.into_inner())?;
    let answer = app
        .query(&actor, async |tx| {
            let account = readable_account(tx, actor.principal(), (*id).into()).await?;
            let page = banking::statement(tx, &account, &query).await?;
            let others = payments::counterparties(tx, &wire::payments_of(&page)).await?;
            Ok::<_, Problem>(Answer::ok(&wire::show_page(&page, &others)))
        })
        .await?;
    Ok(answer.respond())
}

/// Books cash that a member brought.
#[utoipa::path(
    operation_id = "acceptDeposit",
    tag = "accounts",
    params(
        ("id" = Uuid, Path, description = "The account."),
        ("Idempotency-Key" = Uuid, Header, description = "One per request; repeat with the same."),
    ),
    request_body = NewDepositDto,
    responses((status = 201, description = "What was posted.", body = PostedDto), Refusals),
    extensions(("x-right" = json!(can::AcceptDeposit::RIGHT))),
)]
#[post("/v1/accounts/{id}/deposits")]
async fn accept_deposit(
    (app, engine): (Data<App>, Data<Engine>),
    actor: Actor<can::AcceptDeposit>,
    key: IdempotencyKey,
    id: PathOf<Uuid>,
    body: Body<NewDepositDto>,
) -> Result<HttpResponse, Problem> {
    let amount = wire::parse_new_deposit(&body.into_inner())?;
    let ledger_key = key_of(&actor, &key);
    let answer = post((&app, &engine), &actor, &key, async |tx| {
        let command = banking::cash_deposit(tx, (*id).into(), amount, ledger_key).await?;
        Ok(Posting::new(command, show_posted).into())
    })
    .await?;
    Ok(answer.respond())
}

/// Freezes an account: nothing goes out or comes in, except what was held before.
#[utoipa::path(
    operation_id = "freezeAccount",
    tag = "accounts",
    params(
        ("id" = Uuid, Path, description = "The account."),
        ("Idempotency-Key" = Uuid, Header, description = "One per request; repeat with the same."),
    ),
    request_body = FreezeAccountDto,
    responses((status = 200, description = "The account.", body = AccountDto), Refusals),
    extensions(("x-right" = json!(can::FreezeAccount::RIGHT))),
)]
#[post("/v1/accounts/{id}/freeze")]
async fn freeze_account(
    app: Data<App>,
    actor: Actor<can::FreezeAccount>,
    key: IdempotencyKey,
    id: PathOf<Uuid>,
    body: Body<FreezeAccountDto>,
) -> Result<HttpResponse, Problem> {
    let reason = wire::parse_reason(body.into_inner())?;
    let answer = app
        .command(&actor, &key, async |tx| {
            let account = banking::freeze(tx, (*id).into(), &reason).await?;
            Ok::<_, Problem>(Answer::ok(&wire::show_account(&account)))
        })
        .await?;
    Ok(answer.respond())
}

/// Lets money move on a frozen account again.
#[utoipa::path(
    operation_id = "unfreezeAccount",
    tag = "accounts",
    params(
        ("id" = Uuid, Path, description = "The account."),
        ("Idempotency-Key" = Uuid, Header, description = "One per request; repeat with the same."),
    ),
    request_body = FreezeAccountDto,
    responses((status = 200, description = "The account.", body = AccountDto), Refusals),
    extensions(("x-right" = json!(can::FreezeAccount::RIGHT))),
)]
#[post("/v1/accounts/{id}/unfreeze")]
async fn unfreeze_account(
    app: Data<App>,
    actor: Actor<can::FreezeAccount>,
    key: IdempotencyKey,
    id: PathOf<Uuid>,
    body: Body<FreezeAccountDto>,
) -> Result<HttpResponse, Problem> {
    let reason = wire::parse_reason(body.into_inner())?;
    let answer = app
        .command(&actor, &key, async |tx| {
            let account = banking::unfreeze(tx, (*id).into(), &reason).await?;
            Ok::<_, Problem>(Answer::ok(&wire::show_account(&account)))
        })
        .await?;
    Ok(answer.respond())
}
