//! The end of an approval: granted, refused or failed, written in one transaction.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use branchline_consent::payments::{self, CoreCall, Errand};
use branchline_consent::{consents, oauth, sca};
use branchline_db::{Access, TenantTx, audit};
use branchline_oauth::{OAuthError, OpaqueToken, TokenKind, denied_redirect, granted_redirect};
use branchline_xs2a::{CodeCheck, ContentHash, ScaFailure, ScaOutcome};

use super::approve::say;
use super::case::Case;
use super::consent;
use super::page::{go_to, show};
use super::refused::Refused;
use super::views::{Link, MessagePage};
use crate::Gateway;
use crate::errands;
use crate::oauth::random_32;

/// What she typed, against what stands there now.
pub(super) struct Answered {
    /// The challenge that the form was for.
    pub(super) challenge: String,
    /// Whether the code was right.
    pub(super) check: CodeCheck,
    /// The fingerprint of the payment as the core has it now.
    pub(super) paid: Option<ContentHash>,
}

/// She refuses: the object ends, and the browser goes back to the application.
pub(super) async fn refuse(gateway: &Gateway, case: &Case) -> Result<HttpResponse, Refused> {
    let call = gateway
        .change(&case.tenant.id, &case.actor(), async |tx| {
            let mut run = sca::of_locked(tx, case.object()).await?;
            run.state = run.state.fail(ScaFailure::Refused, tx.now())?;
            sca::update(tx, &run).await?;
            let call = end_object(tx, gateway, case).await?;
            audit::record(tx, case.event("refuse", "done")).await?;
            Ok::<_, Refused>(call)
        })
        .await?;
    tell(gateway, case, call).await;
    Ok(go_to(&back(case, &OAuthError::RefusedByMember)))
}

fn back(case: &Case, why: &OAuthError) -> String {
    let request = &case.pushed.request;
    denied_redirect(
        &request.redirect_uri,
        request.state.as_deref(),
        &case.issuer,
        why,
    )
}

/// The consent is rejected, the payment is to be called off, the request is used up.
async fn end_object(
    tx: &TenantTx,
    gateway: &Gateway,
    case: &Case,
) -> Result<Option<CoreCall>, Refused> {
    oauth::complete(tx, &case.pushed.key).await?;
    match case.object() {
        sca::Object::Consent(id) => {
            let moment = gateway.moment();
            let consent = consents::get_locked(tx, id, moment).await?;
            // One that ended by itself stays as it is.
            if let Ok(rejected) = consent.reject(moment) {
                consents::end(tx, &rejected, moment).await?;
            }
            Ok(None)
        }
        sca::Object::Payment(payment) => {
            let call = CoreCall {
                payment,
                errand: Errand::Cancel,
                psu: case.session.psu.clone(),
            };
            payments::put(tx, &call).await?;
            Ok(Some(call))
        }
    }
}

/// Judges what she typed and writes down what follows; commits in every case, so that a wrong code
/// counts. With an approval comes the address to which the browser goes.
pub(super) async fn answer(
    gateway: &Gateway,
    case: &Case,
    answered: Answered,
) -> Result<(ScaOutcome, Option<String>), Refused> {
    let code = OpaqueToken::mint(TokenKind::Code, &random_32()?);
    let tx = gateway
        .db()
        .tenant(&case.tenant.id, &case.actor(), Access::Write)
        .await?;
    let mut run = sca::of_locked(&tx, case.object()).await?;
    // Another window may have sent a new code, or ended the run, in the meantime.
    if run.state.challenge(run.id).as_deref() != Some(answered.challenge.as_str()) {
        return Err(Refused::Form);
    }
    let (current, chosen) = match (case.object(), answered.paid) {
        (sca::Object::Consent(id), _) => {
            consent::current(&tx, gateway, id, run.choice.as_ref()).await?
        }
        (sca::Object::Payment(_), Some(content)) => (content, Vec::new()),
        (sca::Object::Payment(_), None) => return Err(Refused::NothingHere),
    };
    let (state, outcome) = run.state.answer(answered.check, &current, tx.now())?;
    run.state = state;
    sca::update(&tx, &run).await?;
    let call = match outcome {
        ScaOutcome::Approved => {
            oauth::complete(&tx, &case.pushed.key).await?;
            oauth::grant(&tx, &case.pushed.request, &code).await?;
            audit::record(&tx, case.event("approve", "done")).await?;
            approve_object(&tx, gateway, case, (&current, chosen)).await?
        }
        ScaOutcome::WrongCode { .. } => {
            audit::record(&tx, case.event("approve", "wrong-code")).await?;
            None
        }
        ScaOutcome::Failed(why) => {
            audit::record(&tx, case.event("approve", why.as_str())).await?;
            end_object(&tx, gateway, case).await?
        }
    };
    tx.commit().await?;
    if outcome == ScaOutcome::Approved {
        gateway.db().crash().reached("K5");
    }
    tell(gateway, case, call).await;
    let request = &case.pushed.request;
    let granted = (outcome == ScaOutcome::Approved).then(|| {
        let state = request.state.as_deref();
        granted_redirect(&request.redirect_uri, state, &case.issuer, &code)
    });
    Ok((outcome, granted))
}

async fn approve_object(
    tx: &TenantTx,
    gateway: &Gateway,
    case: &Case,
    (content, chosen): (&ContentHash, Vec<branchline_xs2a::GrantedAccount>),
) -> Result<Option<CoreCall>, Refused> {
    match case.object() {
        sca::Object::Consent(id) => {
            let approval = (&case.session.psu, chosen);
            consents::approve(tx, id, approval, gateway.moment()).await?;
            Ok(None)
        }
        sca::Object::Payment(payment) => {
            let call = CoreCall {
                payment,
                errand: Errand::Authorise {
                    fingerprint: content.to_string(),
                },
                psu: case.session.psu.clone(),
            };
            payments::put(tx, &call).await?;
            Ok(Some(call))
        }
    }
}

/// Tells the core at once; what fails now the sweep repeats.
async fn tell(gateway: &Gateway, case: &Case, call: Option<CoreCall>) {
    if let Some(call) = call {
        errands::run(gateway, &case.tenant.id, &call).await;
    }
}

/// The page after a failure, with the way back to the application.
pub(super) fn show_failure(
    gateway: &Gateway,
    case: &Case,
    why: ScaFailure,
) -> Result<HttpResponse, Refused> {
    let page = MessagePage {
        frame: case.frame(gateway),
        heading: "Nothing was approved".to_owned(),
        text: say(why).to_owned(),
        link: Some(Link {
            address: back(case, &OAuthError::AuthenticationFailed),
            words: format!("Back to {}", case.tpp.name()),
        }),
        reference: Some(case.interaction.id.to_string()),
    };
    let status = match why {
        ScaFailure::ContentChanged => StatusCode::CONFLICT,
        ScaFailure::CodesExhausted | ScaFailure::TimedOut | ScaFailure::Refused => {
            StatusCode::BAD_REQUEST
        }
    };
    show(status, &page, None)
}
