//! Operations on members.

mod wire;

use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpResponse, post};
use branchline_banking as banking;
use branchline_core_contract::{MemberDto, NewMemberDto};
use branchline_iam::{NeedsRight, can};
use branchline_web::{Actor, Answer, App, Body, IdempotencyKey, Problem};

use crate::document::Refusals;

pub(crate) fn configure(config: &mut ServiceConfig) {
    config.service(enroll_member);
}

/// Enrolls a member together with the login.
#[utoipa::path(
    operation_id = "enrollMember",
    tag = "members",
    params(("Idempotency-Key" = Uuid, Header, description = "One per request; repeat with the same.")),
    request_body = NewMemberDto,
    responses((status = 201, description = "The member.", body = MemberDto), Refusals),
    extensions(("x-right" = json!(can::EnrollMember::RIGHT))),
)]
#[post("/v1/members")]
async fn enroll_member(
    app: Data<App>,
    actor: Actor<can::EnrollMember>,
    key: IdempotencyKey,
    body: Body<NewMemberDto>,
) -> Result<HttpResponse, Problem> {
    let new = wire::parse_new_member(body.into_inner())?;
    let answer = app
        .command(&actor, &key, async |tx| {
            let member = banking::enroll(tx, new.clone()).await?;
            Ok::<_, Problem>(Answer::created(&wire::show_member(&member)))
        })
        .await?;
    Ok(answer.respond())
}
