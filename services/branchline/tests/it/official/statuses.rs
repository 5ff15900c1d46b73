//! Answers that the access matrix and bad input do not bring about: each is held against the file as
//! it comes in, and has the status and code of the decisions.

use branchline::demo::{Consent, LION, Layout};
use reqwest::Method;

use super::file_or_skip;
use crate::access::xs2a::{consent_body, payment_body};
use crate::scene::Scene;
use crate::wire::{Ask, Reply};

#[tokio::test(flavor = "multi_thread")]
async fn every_status_that_can_be_brought_about_follows_the_file() {
    if file_or_skip().is_none() {
        return;
    }
    let scene = Box::pin(Scene::set(Layout::One)).await.unwrap();
    Box::pin(payments(&scene)).await.unwrap();
    let consent = Box::pin(scene.journey.consent(&scene.fintech, &scene.lion))
        .await
        .unwrap();
    Box::pin(reads(&scene, &consent)).await.unwrap();
    Box::pin(ends(&scene, &consent)).await.unwrap();
    scene.strike().await.unwrap();
}

fn at(scene: &Scene, operation: &'static str, method: Method, path: &str) -> Ask {
    Ask::xs2a(
        operation,
        method,
        &scene.at(&format!("/t/{}/v1{path}", LION.slug)),
    )
}

async fn answered(scene: &Scene, ask: &Ask, status: u16, code: &str) -> anyhow::Result<Reply> {
    let reply = ask.send(&scene.journey.http).await?;
    let is_so = reply.status == status && reply.answer().code() == code;
    anyhow::ensure!(
        is_so,
        "{} {}: expected {status} {code}, got {} {}",
        ask.operation,
        ask.url,
        reply.status,
        reply.text
    );
    Ok(reply)
}

/// A payment goes through, one above the balance is created and then rejected, and what has ended
/// cannot be cancelled.
async fn payments(scene: &Scene) -> anyhow::Result<()> {
    let own = scene.fintech.own_token(LION.slug, "PIS").await?;
    let product = "/payments/sepa-credit-transfers";
    let ask = |operation, method, path: &str| {
        at(scene, operation, method, &format!("{product}{path}")).bearer(&own)
    };
    for (amount, end) in [("10.00", "ACCC"), ("99999.00", "RJCT")] {
        let paid = scene
            .journey
            .pay(&scene.fintech, &scene.lion, &scene.order(&own, amount))
            .await?;
        let status = scene
            .journey
            .final_status(&scene.fintech, &scene.lion, &paid.id, &paid.token)
            .await?;
        anyhow::ensure!(status == end, "{amount} ended {status}");
        let path = format!("/{}", paid.id);
        answered(
            scene,
            &ask("getPaymentInformation", Method::GET, &path),
            200,
            "",
        )
        .await?;
        let status = ask(
            "getPaymentInitiationStatus",
            Method::GET,
            &format!("{path}/status"),
        );
        answered(scene, &status, 200, "").await?;
        answered(
            scene,
            &ask("cancelPayment", Method::DELETE, &path),
            405,
            "CANCELLATION_INVALID",
        )
        .await?;
    }
    let new = ask("initiatePayment", Method::POST, "").json(&payment_body(scene));
    let made = answered(scene, &new, 201, "").await?;
    anyhow::ensure!(
        answered(scene, &new, 201, "").await?.text == made.text,
        "a replay made another"
    );
    let mut other = payment_body(scene);
    if let Some(name) = other.get_mut("creditorName") {
        *name = "Somebody Else".into();
    }
    answered(
        scene,
        &new.clone().json(&other),
        400,
        "PARAMETER_NOT_CONSISTENT",
    )
    .await?;
    answered(
        scene,
        &new.again().header("Content-Type", "application/xml"),
        415,
        "",
    )
    .await?;
    let unknown = new.elsewhere("sepa-credit-transfers", "target-2-payments");
    answered(scene, &unknown, 404, "PRODUCT_UNKNOWN").await?;
    let put = ask("initiatePayment", Method::PUT, "");
    answered(scene, &put, 405, "SERVICE_INVALID").await?;
    Ok(())
}

/// Reads with something to show; the fifth without the member is one too many.
async fn reads(scene: &Scene, consent: &Consent) -> anyhow::Result<()> {
    let ask = |operation, path: &str| {
        let ask = at(scene, operation, Method::GET, &format!("/accounts{path}"));
        ask.bearer(&consent.token).header("Consent-ID", &consent.id)
    };
    let list = answered(scene, &ask("getAccountList", "?withBalance=true"), 200, "").await?;
    let id = list.answer().text("/accounts/0/resourceId")?;
    let details = ask("readAccountDetails", &format!("/{id}?withBalance=true"));
    answered(scene, &details, 200, "").await?;
    let period = "dateFrom=2026-01-01&withBalance=true";
    for status in ["booked", "pending", "both"] {
        let path = format!("/{id}/transactions?bookingStatus={status}&{period}");
        let report = answered(scene, &ask("getTransactionList", &path), 200, "").await?;
        let booked = report.body().pointer("/transactions/booked/0").is_some();
        anyhow::ensure!(booked == (status != "pending"), "{status}: {}", report.text);
    }
    let xml = ask("getAccountList", "").header("Accept", "application/xml");
    answered(scene, &xml, 406, "REQUESTED_FORMATS_INVALID").await?;
    let alone = ask("getBalances", &format!("/{id}/balances")).without("PSU-IP-Address");
    for _ in 0..4 {
        answered(scene, &alone.again(), 200, "").await?;
    }
    answered(scene, &alone.again(), 429, "ACCESS_EXCEEDED").await?;
    Ok(())
}

/// A consent ends once; what it opened is closed.
async fn ends(scene: &Scene, consent: &Consent) -> anyhow::Result<()> {
    let path = format!("/consents/{}", consent.id);
    let end = at(scene, "deleteConsent", Method::DELETE, &path).bearer(&consent.own);
    answered(scene, &end, 204, "").await?;
    answered(scene, &end, 204, "").await?;
    let read = at(scene, "getAccountList", Method::GET, "/accounts").bearer(&consent.token);
    let read = read.header("Consent-ID", &consent.id);
    answered(scene, &read, 401, "CONSENT_INVALID").await?;
    let shown = at(scene, "getConsentInformation", Method::GET, &path).bearer(&consent.own);
    answered(scene, &shown, 200, "").await?;
    let again = answered(scene, &end.again(), 401, "CONSENT_INVALID").await;
    again?;
    let put = at(scene, "createConsent", Method::PUT, "/consents").bearer(&consent.own);
    answered(scene, &put.json(&consent_body()), 405, "SERVICE_INVALID").await?;
    Ok(())
}
