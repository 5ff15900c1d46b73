//! The operations below `/t/{tenant}/v1`, asked with every token that is not good for them.

use std::collections::BTreeSet;

use branchline::demo::LION;
use reqwest::Method;
use serde_json::{Value, json};

use super::refusals::{for_everyone, of_accounts, of_consent, of_new, of_payment};
use super::refused_without_trace;
use crate::cast::Cast;
use crate::scene::Scene;
use crate::wire::Ask;

/// An operation with a call that is right in every way.
struct Probe {
    ask: Ask,
    about: About,
    status: u16,
}

/// What an operation is about; it decides who may.
enum About {
    /// Something new, under the client's own token.
    New {
        wrong_scope: String,
    },
    Consent,
    Payment,
    /// The accounts of a consent; whether the path names one.
    Accounts {
        one: bool,
    },
}

/// Probes every operation; the ids of those that were.
pub(super) async fn probe_all(scene: &Scene, cast: &Cast) -> anyhow::Result<BTreeSet<String>> {
    let probes = probes(scene, cast);
    for probe in &probes {
        let mut refusals = for_everyone(cast, &probe.ask);
        refusals.extend(match &probe.about {
            About::New { wrong_scope } => of_new(cast, &probe.ask, wrong_scope),
            About::Consent => of_consent(cast, &probe.ask),
            About::Payment => of_payment(cast, &probe.ask),
            About::Accounts { one } => of_accounts(cast, &probe.ask, *one),
        });
        refused_without_trace(scene, &refusals).await?;
        let reply = probe.ask.again().send(&scene.journey.http).await?;
        super::expect(
            "those who may",
            probe.ask.operation,
            &reply.answer(),
            probe.status,
            "",
        )?;
    }
    Ok(probes
        .iter()
        .map(|probe| probe.ask.operation.to_owned())
        .collect())
}

fn probes(scene: &Scene, cast: &Cast) -> Vec<Probe> {
    let mut probes = vec![
        initiation(scene, cast, "createConsent"),
        initiation(scene, cast, "initiatePayment"),
    ];
    let consent = format!("/consents/{}", cast.consent.id);
    let run = format!("{consent}/authorisations/{}", cast.consent_run);
    for (operation, method, path, status) in [
        ("getConsentInformation", Method::GET, consent.clone(), 200),
        (
            "getConsentStatus",
            Method::GET,
            format!("{consent}/status"),
            200,
        ),
        (
            "getConsentAuthorisation",
            Method::GET,
            format!("{consent}/authorisations"),
            200,
        ),
        ("getConsentScaStatus", Method::GET, run, 200),
        (
            "deleteConsent",
            Method::DELETE,
            format!("/consents/{}", cast.waiting),
            204,
        ),
    ] {
        let ask = call(scene, operation, method, &path).bearer(&cast.ais);
        probes.push(Probe {
            ask,
            about: About::Consent,
            status,
        });
    }
    for (operation, rest) in [
        ("getAccountList", String::new()),
        ("readAccountDetails", format!("/{}", cast.resource)),
        ("getBalances", format!("/{}/balances", cast.resource)),
        (
            "getTransactionList",
            format!(
                "/{}/transactions?bookingStatus=booked&dateFrom=2026-01-01",
                cast.resource
            ),
        ),
    ] {
        let ask = call(scene, operation, Method::GET, &format!("/accounts{rest}"))
            .bearer(&cast.consent.token)
            .header("Consent-ID", &cast.consent.id);
        let about = About::Accounts {
            one: !rest.is_empty(),
        };
        probes.push(Probe {
            ask,
            about,
            status: 200,
        });
    }
    let product = "/payments/sepa-credit-transfers";
    let payment = format!("{product}/{}", cast.paid.id);
    let run = format!("{payment}/authorisations/{}", cast.paid_run);
    for (operation, method, path, status) in [
        ("getPaymentInformation", Method::GET, payment.clone(), 200),
        (
            "getPaymentInitiationStatus",
            Method::GET,
            format!("{payment}/status"),
            200,
        ),
        (
            "getPaymentInitiationAuthorisation",
            Method::GET,
            format!("{payment}/authorisations"),
            200,
        ),
        ("getPaymentInitiationScaStatus", Method::GET, run, 200),
        (
            "cancelPayment",
            Method::DELETE,
            format!("{product}/{}", cast.order),
            204,
        ),
    ] {
        let ask = call(scene, operation, method, &path).bearer(&cast.pis);
        probes.push(Probe {
            ask,
            about: About::Payment,
            status,
        });
    }
    probes
}

fn call(scene: &Scene, operation: &'static str, method: Method, path: &str) -> Ask {
    Ask::xs2a(
        operation,
        method,
        &scene.at(&format!("/t/{}/v1{path}", LION.slug)),
    )
}

fn initiation(scene: &Scene, cast: &Cast, operation: &'static str) -> Probe {
    let (path, token, wrong_scope, body) = match operation {
        "createConsent" => ("/consents", &cast.ais, &cast.pis, consent_body()),
        _ => (
            "/payments/sepa-credit-transfers",
            &cast.pis,
            &cast.ais,
            payment_body(scene),
        ),
    };
    let ask = call(scene, operation, Method::POST, path)
        .bearer(token)
        .json(&body);
    let wrong_scope = wrong_scope.clone();
    Probe {
        ask,
        about: About::New { wrong_scope },
        status: 201,
    }
}

/// A consent to ask for.
pub(crate) fn consent_body() -> Value {
    json!({
        "access": { "accounts": [], "balances": [], "transactions": [] },
        "recurringIndicator": true,
        "validUntil": "9999-12-31",
        "frequencyPerDay": 4,
        "combinedServiceIndicator": false,
    })
}

/// A payment to initiate.
pub(crate) fn payment_body(scene: &Scene) -> Value {
    json!({
        "endToEndIdentification": "INV-17",
        "debtorAccount": { "iban": scene.payer.iban },
        "instructedAmount": { "amount": "1.00", "currency": "EUR" },
        "creditorAccount": { "iban": scene.payee.iban },
        "creditorName": "Joseph Banda",
        "remittanceInformationUnstructured": "Maize seed",
    })
}
