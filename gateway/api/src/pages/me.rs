//! What a member has allowed, and how she withdraws it.

use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use branchline_consent::consents::{self, Allowed};
use branchline_consent::session::{self, Destination, Session};
use branchline_consent::tpp;
use branchline_db::{Tenant, audit};
use branchline_iam::KeyPurpose;
use branchline_kernel::{ConsentId, TppId};
use branchline_web::request_context;
use branchline_xs2a::{ConsentState, Permissions};

use super::consent::spaced;
use super::cookies::Which;
use super::forms::{Form, Subject};
use super::page::{Frame, go_to, show as show_page};
use super::refused::Refused;
use super::sign_in;
use super::views::{FormTo, MePage, Permission, SharedAccount};
use crate::Gateway;

/// Shows the list.
pub(super) async fn show(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    let tenant = sign_in::tenant(&gateway, &request).await?;
    let Some(session) = sign_in::session(&gateway, &tenant, &request).await? else {
        return sign_in::begin(&gateway, &tenant, &request, Destination::Me).await;
    };
    let moment = gateway.moment();
    let allowed = gateway
        .look(&tenant.id, &actor(&session), async |tx| {
            Ok::<_, Refused>(consents::of_member(tx, &session.psu, moment).await?)
        })
        .await?;
    let ids: Vec<TppId> = allowed.iter().map(|allowed| allowed.consent.tpp).collect();
    let names = gateway
        .look_up(async |tx| tpp::names(tx, &ids).await)
        .await?;
    let key = gateway.key(&tenant.id, KeyPurpose::Pages).await?;
    let permissions = allowed
        .iter()
        .map(|allowed| {
            let name = names.get(&allowed.consent.tpp).cloned();
            permission(allowed, name, (key.expose(), &tenant, &session))
        })
        .collect();
    let page = MePage {
        frame: Frame::of(&gateway, &tenant, Some(&session.name)),
        done: (request.query_string() == "withdrawn").then_some("The permission is withdrawn."),
        permissions,
        sign_out: FormTo {
            action: format!("/t/{}/me/sign-out", tenant.slug),
            csrf: SIGN_OUT.token(key.expose(), &session.hash),
        },
    };
    show_page(StatusCode::OK, &page, None)
}

const SIGN_OUT: Subject<'static> = Subject {
    form: "sign-out",
    about: &[],
};

fn actor(session: &Session) -> String {
    format!("member:{}#{}", session.psu.issuer, session.psu.subject)
}

fn permission(
    allowed: &Allowed,
    name: Option<String>,
    (key, tenant, session): (&[u8], &Tenant, &Session),
) -> Permission {
    let consent = &allowed.consent;
    let (state, is_valid) = match consent.state {
        ConsentState::Received { .. } => ("waits for you", false),
        ConsentState::Valid { .. } => ("in force", true),
        ConsentState::Rejected { .. } => ("refused", false),
        ConsentState::RevokedByPsu { .. } => ("withdrawn by you", false),
        ConsentState::TerminatedByTpp { .. } => ("ended by the app", false),
        ConsentState::Expired { .. } => ("run out", false),
    };
    let id = consent.id.to_string();
    let withdraw = is_valid.then(|| FormTo {
        action: format!("/t/{}/me/consents/{id}/withdraw", tenant.slug),
        csrf: Subject {
            form: "withdraw",
            about: &[&id],
        }
        .token(key, &session.hash),
    });
    let accounts = allowed.accounts.iter().map(|granted| SharedAccount {
        iban: spaced(granted.iban.as_str()),
        rights: rights(granted.permissions),
    });
    Permission {
        tpp: name.unwrap_or_else(|| "An app that is no longer registered".to_owned()),
        state,
        since: allowed
            .since
            .map(|since| since.format("%-d %B %Y").to_string())
            .unwrap_or_default(),
        until: consent.request.valid_until.format("%-d %B %Y").to_string(),
        accounts: accounts.collect(),
        withdraw,
    }
}

const fn rights(permissions: Permissions) -> &'static str {
    match (permissions.balances, permissions.transactions) {
        (true, true) => "(balances and transactions)",
        (true, false) => "(balances)",
        (false, true) => "(transactions)",
        (false, false) => "(number and state only)",
    }
}

/// Who sends a form of this page: her session, and the key of its token.
async fn sender(
    gateway: &Gateway,
    request: &HttpRequest,
    (subject, sent): (&Subject<'_>, Result<Bytes, actix_web::Error>),
) -> Result<(Tenant, Session), Refused> {
    let tenant = sign_in::tenant(gateway, request).await?;
    let session = sign_in::session(gateway, &tenant, request).await?;
    let session = session.ok_or(Refused::Form)?;
    let key = gateway.key(&tenant.id, KeyPurpose::Pages).await?;
    subject.check(key.expose(), &session.hash, &Form::read(sent)?)?;
    Ok((tenant, session))
}

/// Withdraws a permission.
pub(super) async fn withdraw(
    gateway: Data<Gateway>,
    request: HttpRequest,
    sent: Result<Bytes, actix_web::Error>,
) -> Result<HttpResponse, Refused> {
    let text = request.match_info().get("consentId").unwrap_or_default();
    let id: ConsentId = text.parse().map_err(|_malformed| Refused::NothingHere)?;
    let named = id.to_string();
    let subject = Subject {
        form: "withdraw",
        about: &[&named],
    };
    let (tenant, session) = sender(&gateway, &request, (&subject, sent)).await?;
    let moment = gateway.moment();
    gateway
        .change(&tenant.id, &actor(&session), async |tx| {
            consents::withdraw(tx, id, &session.psu, moment).await?;
            let event = audit::Event {
                operation: "withdrawConsent".to_owned(),
                object: Some(named.clone()),
                outcome: "done".to_owned(),
                request_id: Some(request_context(&request).request_id().uuid()),
                ..audit::Event::default()
            };
            Ok::<_, Refused>(audit::record(tx, event).await?)
        })
        .await?;
    let issuer = gateway.issuer(&tenant.slug);
    Ok(go_to(&issuer.at("me?withdrawn")))
}

/// Signs her out.
pub(super) async fn sign_out(
    gateway: Data<Gateway>,
    request: HttpRequest,
    sent: Result<Bytes, actix_web::Error>,
) -> Result<HttpResponse, Refused> {
    let (tenant, session) = sender(&gateway, &request, (&SIGN_OUT, sent)).await?;
    gateway
        .change(&tenant.id, &actor(&session), async |tx| {
            session::end(tx, &session.hash).await
        })
        .await?;
    let page = super::views::MessagePage {
        frame: Frame::of(&gateway, &tenant, None),
        heading: "You are signed out".to_owned(),
        text: "You can close this page.".to_owned(),
        link: None,
        reference: None,
    };
    let mut response = show_page(StatusCode::OK, &page, None)?;
    // A name and a value of our own making always fit a header.
    let _fits = response.add_cookie(&Which::Session.remove(&gateway, &tenant));
    Ok(response)
}
