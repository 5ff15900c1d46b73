//! The second page: the code.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use branchline_consent::sca;
use branchline_consent::session::Destination;
use branchline_iam::KeyPurpose;
use branchline_oauth::{OneTimeCode, ResourceScope};
use branchline_xs2a::{Authorisation, CodeCheck, ContentHash, ScaOutcome};

use super::approve::{Draft, send_code};
use super::case::{Case, Found};
use super::conclude::{self, Answered};
use super::forms::Form;
use super::page::{go_to, show as show_page};
use super::refused::Refused;
use super::views::CodePage;
use super::{payment, sign_in};
use crate::Gateway;

/// The code that a challenge stands for.
pub(super) async fn derive(
    gateway: &Gateway,
    case: &branchline_db::Tenant,
    challenge: &str,
    content: &ContentHash,
) -> Result<OneTimeCode, Refused> {
    let key = gateway.key(&case.id, KeyPurpose::OneTimeCode).await?;
    Ok(OneTimeCode::derive(
        key.expose(),
        challenge,
        content.as_str(),
    ))
}

/// Shows the page.
pub(super) async fn show(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    match Case::of(&gateway, &request).await? {
        Found::Case(case) => page(&gateway, &case, None).await,
        Found::SignIn(tenant, id) => {
            sign_in::begin(&gateway, &tenant, &request, Destination::Approve(id)).await
        }
    }
}

async fn run(gateway: &Gateway, case: &Case) -> Result<sca::Run, Refused> {
    gateway
        .look(&case.tenant.id, &case.actor(), async |tx| {
            Ok(sca::of(tx, case.object()).await?)
        })
        .await
}

/// The page for the code that waits; before one was sent, the first page.
async fn page(
    gateway: &Gateway,
    case: &Case,
    problem: Option<String>,
) -> Result<HttpResponse, Refused> {
    let run = run(gateway, case).await?;
    let (Some(challenge), Authorisation::Started { expires_at, .. }) =
        (run.state.challenge(run.id), &run.state)
    else {
        return Ok(go_to(&case.address("")));
    };
    // What she approves is shown again, from the core: amount and payee stand on every page.
    let payment = match case.pushed.request.scope {
        ResourceScope::Consent(_) => None,
        ResourceScope::Payment(id) => {
            Some(payment::facts(&payment::find(gateway, case, id).await?)?)
        }
    };
    let confirm = match &payment {
        Some(facts) => format!("Pay {} to {}", facts.amount, facts.payee),
        None => "Allow".to_owned(),
    };
    let status = match problem {
        Some(_) => StatusCode::BAD_REQUEST,
        None => StatusCode::OK,
    };
    let page = CodePage {
        frame: case.frame(gateway),
        problem,
        payment,
        shown: run.shown.unwrap_or_default(),
        until: expires_at.format("%H:%M").to_string(),
        confirm,
        action: case.path("/code"),
        csrf: case.token("code", &[&challenge]),
    };
    let back = case.pushed.request.redirect_uri.as_str();
    show_page(status, &page, Some(back))
}

/// Takes her code.
pub(super) async fn decide(
    gateway: Data<Gateway>,
    request: HttpRequest,
    sent: Result<Bytes, actix_web::Error>,
) -> Result<HttpResponse, Refused> {
    let case = Case::of_form(&gateway, &request).await?;
    let form = Form::read(sent)?;
    let run = run(&gateway, &case).await?;
    let challenge = run.state.challenge(run.id).ok_or(Refused::Form)?;
    case.check("code", &[&challenge], &form)?;
    match form.one("decision") {
        Some("refuse") => conclude::refuse(&gateway, &case).await,
        Some("resend") => resend(&gateway, &case, run).await,
        // A browser that sends the form by the Enter key names the first button.
        Some("confirm") | None => {
            let typed = form.one("code").unwrap_or_default().to_owned();
            confirm(&gateway, &case, (&run, &challenge), &typed).await
        }
        Some(_) => Err(Refused::Choice),
    }
}

/// A new code for the very same content.
async fn resend(gateway: &Gateway, case: &Case, run: sca::Run) -> Result<HttpResponse, Refused> {
    let Authorisation::Started { content, .. } = run.state else {
        return Err(Refused::Form);
    };
    let draft = Draft {
        content,
        shown: run.shown.unwrap_or_default(),
        choice: run.choice,
    };
    send_code(gateway, case, draft).await?;
    Ok(go_to(&case.address("/code")))
}

/// Compares what she typed, and what the code is bound to with what stands there now. The answer
/// is stored before she reads it.
async fn confirm(
    gateway: &Gateway,
    case: &Case,
    (run, challenge): (&sca::Run, &str),
    typed: &str,
) -> Result<HttpResponse, Refused> {
    if typed.trim().is_empty() {
        let problem = "Type the 6 digits of the message on your phone.";
        return page(gateway, case, Some(problem.to_owned())).await;
    }
    let Authorisation::Started { content, .. } = &run.state else {
        return Err(Refused::Form);
    };
    let code = derive(gateway, &case.tenant, challenge, content).await?;
    let check = match code.matches(typed) {
        true => CodeCheck::Right,
        false => CodeCheck::Wrong,
    };
    // Read before the transaction: no call goes out while one is open.
    let paid = match case.pushed.request.scope {
        ResourceScope::Consent(_) => None,
        ResourceScope::Payment(id) => {
            Some(payment::content(&payment::find(gateway, case, id).await?)?)
        }
    };
    let answered = Answered {
        challenge: challenge.to_owned(),
        check,
        paid,
    };
    match conclude::answer(gateway, case, answered).await? {
        (ScaOutcome::Approved, Some(back)) => Ok(go_to(&back)),
        (ScaOutcome::WrongCode { left }, _) => {
            let times = if left == 1 { "once more" } else { "twice more" };
            let problem = format!("This is not the code we sent you. You can try {times}.");
            page(gateway, case, Some(problem)).await
        }
        (ScaOutcome::Failed(why), _) => conclude::show_failure(gateway, case, why),
        (ScaOutcome::Approved, None) => Err(Refused::NothingHere),
    }
}
