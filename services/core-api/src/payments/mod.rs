//! Operations on payments.

mod wire;

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, get, post};
use branchline_banking::{self as banking, Account, AccountError};
use branchline_core_contract::{AuthorisePaymentDto, NewPaymentDto, PaymentDto};
use branchline_db::TenantTx;
use branchline_iam::{ActorKind, NeedsRight, Principal, can};
use branchline_kernel::PaymentId;
use branchline_ledger::Engine;
use branchline_payments::{self as payments, Payment, PaymentError, Plan, Planned};
use branchline_web::{Actor, Answer, App, Body, IdempotencyKey, PathOf, Problem};
use uuid::Uuid;

use crate::document::Refusals;
use crate::person::owns;
use crate::posting::{Posting, Work, post};

pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(initiate_payment)
        .service(get_payment)
        .service(authorise_payment)
        .service(cancel_payment);
}

/// Writes a payment down. No balance is looked at and nothing is held before the member agrees.
#[utoipa::path(
    operation_id = "createPayment",
    tag = "payments",
    params(("Idempotency-Key" = Uuid, Header, description = "Equal to `payment_id`.")),
    request_body = NewPaymentDto,
    responses((status = 201, description = "The payment.", body = PaymentDto), Refusals),
    extensions(("x-right" = json!(can::InitiatePayment::RIGHT))),
)]
#[post("/v1/payments")]
async fn initiate_payment(
    app: Data<App>,
    actor: Actor<can::InitiatePayment>,
    key: IdempotencyKey,
    body: Body<NewPaymentDto>,
) -> Result<HttpResponse, Problem> {
    let new = wire::parse_new_payment(body.into_inner(), key.key())?;
    let answer = app
        .command(&actor, &key, async |tx| {
            let debtor = debtor(tx, actor.principal(), &new.debtor).await?;
            let payment = payments::initiate(tx, new.clone().from(&debtor)).await?;
            Ok::<_, Problem>(Answer::created(&wire::show_payment(&payment)))
        })
        .await?;
    app.db().crash().reached("K2");
    Ok(answer.respond())
}

/// Shows a payment to whoever initiated it and to the member who pays.
#[utoipa::path(
    operation_id = "getPayment",
    tag = "payments",
    params(("id" = Uuid, Path, description = "The payment.")),
    responses((status = 200, description = "The payment.", body = PaymentDto), Refusals),
    extensions(("x-right" = json!(can::ReadPayment::RIGHT))),
)]
#[get("/v1/payments/{id}")]
async fn get_payment(
    app: Data<App>,
    actor: Actor<can::ReadPayment>,
    id: PathOf<Uuid>,
) -> Result<HttpResponse, Problem> {
    let answer = app
        .query(&actor, async |tx| {
            let payment = visible(tx, actor.principal(), (*id).into()).await?;
            Ok::<_, Problem>(Answer::ok(&wire::show_payment(&payment)))
        })
        .await?;
    Ok(answer.respond())
}

/// The member who pays agrees to exactly what was shown. Too little money ends the payment; the
/// answer says so in its state.
#[utoipa::path(
    operation_id = "authorisePayment",
    tag = "payments",
    params(
        ("id" = Uuid, Path, description = "The payment."),
        ("Idempotency-Key" = Uuid, Header, description = "One per request; repeat with the same."),
    ),
    request_body = AuthorisePaymentDto,
    responses((status = 200, description = "The payment.", body = PaymentDto), Refusals),
    extensions(("x-right" = json!(can::AuthorisePayment::RIGHT))),
)]
#[post("/v1/payments/{id}/authorise")]
async fn authorise_payment(
    (app, engine): (Data<App>, Data<Engine>),
    actor: Actor<can::AuthorisePayment>,
    key: IdempotencyKey,
    id: PathOf<Uuid>,
    body: Body<AuthorisePaymentDto>,
) -> Result<HttpResponse, Problem> {
    let AuthorisePaymentDto { fingerprint } = body.into_inner();
    let id = PaymentId::from(*id);
    let answer = post((&app, &engine), &actor, &key, async |tx| {
        payers_own(tx, actor.principal(), id).await?;
        let shown = |payment: &Payment| wire::fingerprint(payment) == fingerprint;
        Ok(match payments::authorise(tx, id, shown).await? {
            Plan::Settled(payment) => Work::Answer(Answer::ok(&wire::show_payment(&payment))),
            Plan::Post(planned) => authorising(*planned).into(),
        })
    })
    .await?;
    app.db().crash().reached("K6");
    Ok(answer.respond())
}

/// Calls a payment off before the member agreed.
#[utoipa::path(
    operation_id = "cancelReceivedPayment",
    tag = "payments",
    params(
        ("id" = Uuid, Path, description = "The payment."),
        ("Idempotency-Key" = Uuid, Header, description = "One per request; repeat with the same."),
    ),
    responses((status = 200, description = "The payment.", body = PaymentDto), Refusals),
    extensions(("x-right" = json!(can::InitiatePayment::RIGHT))),
)]
#[post("/v1/payments/{id}/cancel")]
async fn cancel_payment(
    app: Data<App>,
    actor: Actor<can::InitiatePayment>,
    key: IdempotencyKey,
    id: PathOf<Uuid>,
) -> Result<HttpResponse, Problem> {
    let answer = app
        .command(&actor, &key, async |tx| {
            let payment = visible(tx, actor.principal(), (*id).into()).await?;
            let payment = payments::cancel(tx, payment.id).await?;
            Ok::<_, Problem>(Answer::ok(&wire::show_payment(&payment)))
        })
        .await?;
    Ok(answer.respond())
}

/// The payment rides on its hold, and the answer shows what the ledger made of it.
fn authorising(planned: Planned) -> Posting {
    let (command, rider) = (planned.command().clone(), planned.rider());
    let answer = move |verdict| {
        let payment = planned.outcome(verdict)?;
        Ok(Answer::ok(&wire::show_payment(&payment)))
    };
    Posting::new(command, answer).with(rider)
}

/// The account that shall pay. A person names an account of her own; a program that acts for
/// nobody yet names any, since the member who owns it must still agree.
async fn debtor(
    tx: &TenantTx,
    caller: &Principal,
    named: &wire::DebtorAccount,
) -> Result<Account, Problem> {
    let account = match named {
        wire::DebtorAccount::Id(id) => banking::get_account(tx, *id).await?,
        wire::DebtorAccount::Iban(iban) => banking::find_by_iban(tx, iban)
            .await?
            .ok_or(AccountError::NotFound)?,
    };
    let may = match caller.person().kind {
        ActorKind::Member | ActorKind::Staff => owns(tx, caller, &account).await?,
        ActorKind::Tpp | ActorKind::Rail | ActorKind::System => caller.covers(account.id),
    };
    if may {
        Ok(account)
    } else {
        Err(AccountError::NotFound.into())
    }
}

/// The payment, if the caller initiated it or owns the account that pays.
async fn visible(tx: &TenantTx, caller: &Principal, id: PaymentId) -> Result<Payment, Problem> {
    let payment = payments::get_payment(tx, id).await?;
    if payment.initiated_by == caller.actor.to_string() {
        return Ok(payment);
    }
    payers_own(tx, caller, id).await
}

/// The payment, if the caller owns the account that pays.
async fn payers_own(tx: &TenantTx, caller: &Principal, id: PaymentId) -> Result<Payment, Problem> {
    let payment = payments::get_payment(tx, id).await?;
    let account = banking::get_account(tx, payment.instruction.debtor.account).await?;
    if owns(tx, caller, &account).await? {
        Ok(payment)
    } else {
        Err(PaymentError::NotFound.into())
    }
}
