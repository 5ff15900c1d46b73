//! Members' phones, in development: the messages that a gateway to the telephone network would send.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use branchline_consent::sca::{self, Message};
use branchline_consent::session;
use branchline_db::Tenant;
use branchline_xs2a::Authorisation;
use chrono::TimeDelta;

use super::code::derive;
use super::page::{Frame, show as show_page};
use super::refused::Refused;
use super::sign_in;
use super::views::{PhoneMessage, PhonePage};
use crate::Gateway;

const SHOWN: TimeDelta = TimeDelta::minutes(15);

/// Shows the messages. Outside development there is no such page.
pub(super) async fn show(
    gateway: Data<Gateway>,
    request: HttpRequest,
) -> Result<HttpResponse, Refused> {
    if !gateway.is_dev() {
        return Err(Refused::NothingHere);
    }
    let tenant = sign_in::tenant(&gateway, &request).await?;
    let now = gateway.now();
    let since = now.checked_sub_signed(SHOWN).unwrap_or(now);
    let sent = gateway
        .look(&tenant.id, "system:phone", async |tx| {
            let mut named = Vec::new();
            for message in sca::recent(tx, since).await? {
                let name = match message.run.state.psu() {
                    Some(psu) => session::find_name(tx, psu).await?,
                    None => None,
                };
                named.push((message, name));
            }
            Ok::<_, Refused>(named)
        })
        .await?;
    let mut messages = Vec::with_capacity(sent.len());
    for (message, name) in sent {
        messages.push(write(&gateway, &tenant, &message, name).await?);
    }
    let page = PhonePage {
        frame: Frame::of(&gateway, &tenant, None),
        messages,
    };
    show_page(StatusCode::OK, &page, None)
}

/// The text is made here, at sending: no row has ever held the code.
async fn write(
    gateway: &Gateway,
    tenant: &Tenant,
    message: &Message,
    name: Option<String>,
) -> Result<PhoneMessage, Refused> {
    let code = match (&message.challenge, &message.run.state) {
        (
            Some(challenge),
            Authorisation::Started {
                content,
                expires_at,
                ..
            },
        ) if *expires_at > gateway.now() => {
            let code = derive(gateway, tenant, challenge, content).await?;
            Some(code.expose().to_owned())
        }
        _ => None,
    };
    Ok(PhoneMessage {
        authorisation: message.run.id.to_string(),
        to: name.unwrap_or_else(|| "a member".to_owned()),
        at: message.at.format("%H:%M:%S").to_string(),
        text: message.run.shown.clone().unwrap_or_default(),
        code,
    })
}
