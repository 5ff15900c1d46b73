//! The first page: who asks, for what; continue or refuse.

use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use branchline_consent::sca;
use branchline_consent::session::Destination;
use branchline_db::audit;
use branchline_oauth::ResourceScope;
use branchline_xs2a::{ContentHash, ScaFailure};
use serde_json::Value;

use super::case::{Case, Found};
use super::conclude;
use super::forms::Form;
use super::page::go_to;
use super::refused::Refused;
use super::{consent, payment, sign_in};
use crate::Gateway;

/// What she is about to be sent a code for.
pub(super) struct Draft {
    /// The hash of what she approves.
    pub(super) content: ContentHash,
    /// The sentence of the message.
    pub(super) shown: String,
    /// The accounts she chose.
    pub(super) choice: Option<Value>,
}

/// Shows the page.
pub(super) async fn show(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let case = match Case::of(&gateway, &request).await? {
        Found::Case(case) => case,
        Found::SignIn(tenant, id) => {
            return sign_in::begin(&gateway, &tenant, &request, Destination::Approve(id)).await;
        }
    };
    // A payment from somebody else's account is not there for her, and must not become hers.
    let page = match case.pushed.request.scope {
        ResourceScope::Consent(id) => consent::show_page(&gateway, &case, id, None).await?,
        ResourceScope::Payment(id) => payment::show_page(&gateway, &case, id).await?,
    };
    authenticated(&gateway, &case).await?;
    Ok(page)
}

/// She is known now; the run keeps to her from here on.
async fn authenticated(gateway: &Gateway, case: &Case) -> Result<(), Refused> {
    gateway
        .change(&case.tenant.id, &case.actor(), async |tx| {
            let mut run = sca::of_locked(tx, case.object()).await?;
            let state = run.state.clone().authenticate(case.session.psu.clone())?;
            if state != run.state {
                run.state = state;
                sca::update(tx, &run).await?;
                audit::record(tx, case.event("authenticateMember", "done")).await?;
            }
            Ok::<_, Refused>(())
        })
        .await
}

/// A page that was loaded anew after a form with a mistake: back to the form.
pub(super) async fn again(request: HttpRequest) -> HttpResponse {
    go_to(request.path().trim_end_matches("/decision"))
}

/// Takes her choice.
pub(super) async fn decide(
    gateway: Data<Gateway>,
    request: HttpRequest,
    sent: Result<Bytes, actix_web::Error>,
) -> Result<HttpResponse, Refused> {
    let case = Case::of_form(&gateway, &request).await?;
    let form = Form::read(sent)?;
    case.check("approve", &[], &form)?;
    match form.one("decision") {
        Some("refuse") => conclude::refuse(&gateway, &case).await,
        Some("continue") => {
            let draft = match case.pushed.request.scope {
                ResourceScope::Consent(id) => {
                    match consent::draft(&gateway, &case, id, &form).await? {
                        Some(draft) => draft,
                        None => {
                            let problem = "Choose at least one account, or refuse.";
                            return consent::show_page(&gateway, &case, id, Some(problem)).await;
                        }
                    }
                }
                ResourceScope::Payment(id) => payment::draft(&gateway, &case, id).await?,
            };
            send_code(&gateway, &case, draft).await?;
            Ok(go_to(&case.address("/code")))
        }
        Some(_) | None => Err(Refused::Choice),
    }
}

/// Binds a code to what she approves and has it sent.
pub(super) async fn send_code(gateway: &Gateway, case: &Case, draft: Draft) -> Result<(), Refused> {
    gateway
        .change(&case.tenant.id, &case.actor(), async |tx| {
            let mut run = sca::of_locked(tx, case.object()).await?;
            run.state = run
                .state
                .authenticate(case.session.psu.clone())?
                .start(draft.content, tx.now())?;
            run.shown = Some(draft.shown);
            run.choice = draft.choice;
            sca::update(tx, &run).await?;
            sca::send(tx, &run).await?;
            audit::record(tx, case.event("sendCode", "done")).await?;
            Ok::<_, Refused>(())
        })
        .await?;
    gateway.db().crash().reached("K4");
    Ok(())
}

/// Why a run that failed ended, in her words.
pub(super) const fn say(why: ScaFailure) -> &'static str {
    match why {
        ScaFailure::CodesExhausted => {
            "The code was wrong three times, so nothing was approved. Go back to the app and \
             start again."
        }
        ScaFailure::TimedOut => {
            "The code was typed too late, so nothing was approved. Go back to the app and start \
             again."
        }
        ScaFailure::ContentChanged => {
            "What you were asked to approve has changed since the code was sent. The code is void, \
             nothing was approved and no money is held. Go back to the app and start again."
        }
        ScaFailure::Refused => "You refused. Nothing was approved.",
    }
}
