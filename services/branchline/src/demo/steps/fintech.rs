//! The fintech registers, gets a consent, reads with it, and loses it.

use anyhow::Context;
use branchline_kernel::{Clock, SystemClock};
use reqwest::Method;
use serde_json::Value;

use super::{Acts, Cast};
use crate::demo::browser::Browser;
use crate::demo::fintech::{Call, Fintech};
use crate::demo::journey::{Consent, ELEPHANT, Journey, LION};
use crate::demo::staff::sign_in_at;
use crate::demo::stage::Stage;

/// Registers once and is enabled at both tenants.
pub(super) async fn register(
    stage: &Stage,
    journey: &Journey,
    name: &str,
) -> anyhow::Result<(Fintech, String)> {
    let invitation = stage.operate(&["tpp", "invite", "--note", name]).await?;
    let fintech = Fintech::register(
        journey.http.clone(),
        &journey.gateway,
        name,
        invitation.trim(),
    )
    .await?;
    let again = Fintech::register(
        journey.http.clone(),
        &journey.gateway,
        name,
        invitation.trim(),
    )
    .await;
    anyhow::ensure!(again.is_err(), "an invitation was used twice");
    anyhow::ensure!(
        fintech.own_token(LION.slug, "AIS").await.is_err(),
        "it was not enabled yet"
    );
    for bank in [LION.slug, ELEPHANT.slug] {
        stage
            .operate(&[
                "tpp",
                "enable",
                "--client",
                fintech.client_id(),
                "--tenant",
                bank,
            ])
            .await?;
        fintech.own_token(bank, "AIS").await?;
    }
    let proof = format!(
        "{name} registered once as {} and got a token at both",
        fintech.client_id()
    );
    Ok((fintech, proof))
}

/// Amina gives her consent.
pub(super) async fn consent(
    journey: &Journey,
    acts: &Acts,
    savanna: &Fintech,
) -> anyhow::Result<(Consent, String)> {
    let consent = journey.consent(savanna, &acts.lion).await?;
    let path = format!("/consents/{}/status", consent.id);
    let call = Call::new(LION.slug, Method::GET, &path, &consent.own);
    let status = savanna
        .call(call)
        .await?
        .expect(200)?
        .text("/consentStatus")?;
    anyhow::ensure!(status == "valid", "the consent is {status}");
    let proof = format!(
        "Amina approved with her one-time code; consent {} is {status}",
        consent.id
    );
    Ok((consent, proof))
}

/// Accounts, balances and transactions with the token.
pub(super) async fn read(acts: &Acts, cast: &Cast) -> anyhow::Result<String> {
    let get = async |path: &str| {
        let call = Call::new(LION.slug, Method::GET, path, &cast.consent.token);
        cast.savanna
            .call(call.with_consent(&cast.consent.id))
            .await?
            .expect(200)
    };
    let listed = get("/accounts").await?;
    let accounts = listed
        .body
        .pointer("/accounts")
        .and_then(Value::as_array)
        .context("no accounts")?;
    let shown = accounts
        .iter()
        .find(|account| account.get("iban").and_then(Value::as_str) == Some(&cast.payer.iban));
    let resource = shown
        .and_then(|account| account.get("resourceId").and_then(Value::as_str))
        .context("Amina's account is not shown")?;
    let balances = get(&format!("/accounts/{resource}/balances")).await?;
    let amount = balances.text("/balances/0/balanceAmount/amount")?;
    let since = SystemClock.now().format("%Y-01-01");
    let entries = get(&format!(
        "/accounts/{resource}/transactions?bookingStatus=booked&dateFrom={since}"
    ))
    .await?;
    let booked = entries
        .body
        .pointer("/transactions/booked")
        .and_then(|booked| booked.as_array())
        .map_or(0, Vec::len);
    anyhow::ensure!(booked > 0, "no transactions: {}", entries.body);
    let id = &acts.lion.bank.name;
    Ok(format!(
        "{} accounts at {id}, balance {amount} EUR, {booked} booked entries",
        accounts.len()
    ))
}

/// Amina withdraws her consent on her own page; the next read is refused.
pub(super) async fn withdraw(
    journey: &Journey,
    acts: &Acts,
    cast: &Cast,
) -> anyhow::Result<String> {
    let mut browser = Browser::new(journey.http.clone());
    let login = browser
        .open(&format!("{}/t/{}/me", journey.gateway, LION.slug))
        .await?;
    let page = sign_in_at(&mut browser, &login, acts.lion.bank.member.0).await?;
    let form = page.form(&cast.consent.id)?;
    let after = browser.submit(&page, &form, &[]).await?;
    anyhow::ensure!(
        after.status == 200,
        "withdrawing answered {}: {}",
        after.status,
        after.text()
    );
    let call = Call::new(LION.slug, Method::GET, "/accounts", &cast.consent.token);
    cast.savanna
        .call(call.with_consent(&cast.consent.id))
        .await?
        .refused(401, "CONSENT_INVALID")?;
    Ok("Amina withdrew her consent; the next read was refused with 401 CONSENT_INVALID".to_owned())
}
