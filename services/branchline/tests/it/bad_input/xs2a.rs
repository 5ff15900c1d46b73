//! Bad input at the XS2A interface. Members that nobody knows are ignored there.

use branchline::demo::LION;
use reqwest::Method;
use serde_json::{Value, json};

use super::bodies::{Case, amounts, currencies, ibans, texts};
use super::{Bad, all_refused, headers};
use crate::access::xs2a::{consent_body, payment_body};
use crate::cast::Cast;
use crate::scene::Scene;
use crate::wire::Ask;

pub(super) async fn send_all(scene: &Scene, cast: &Cast) -> anyhow::Result<()> {
    for case in [consent(scene, cast), payment(scene, cast)] {
        let mut bad = case.bad();
        bad.extend(initiation_headers(&case.good.clone().json(&case.body)));
        all_refused(scene, &bad).await?;
        let good = case
            .good
            .again()
            .json(&case.body)
            .send(&scene.journey.http)
            .await?;
        good.answer().expect(case.status)?;
    }
    for ask in reads(scene, cast) {
        let mut bad = call_headers(&ask);
        if ask.operation.contains("Transaction") {
            bad.extend(periods(&ask));
        }
        all_refused(scene, &bad).await?;
        ask.again()
            .send(&scene.journey.http)
            .await?
            .answer()
            .expect(200)?;
    }
    let others = [Method::PUT, Method::PATCH, Method::DELETE].map(|method| {
        let ask = Ask {
            method: method.clone(),
            operation: "createConsent",
            ..consent(scene, cast).good
        };
        (format!("{method} of consents"), ask)
    });
    all_refused(scene, &others).await
}

fn at(scene: &Scene, operation: &'static str, method: Method, path: &str) -> Ask {
    Ask::xs2a(
        operation,
        method,
        &scene.at(&format!("/t/{}/v1{path}", LION.slug)),
    )
}

fn consent(scene: &Scene, cast: &Cast) -> Case {
    let iban = |iban: &str| json!([{ "iban": iban }]);
    let dates = [
        "",
        "2020-01-01",
        "2026-13-01",
        "2026-02-30",
        "0000-00-00",
        "tomorrow",
        "1.1.2030",
        "2030-01-01T00:00:00Z",
        "99999-01-01",
        "2030-1-1",
        "\u{0}",
    ];
    let accesses = vec![
        json!({}),
        json!({ "accounts": ["x"] }),
        json!({ "accounts": [null] }),
        json!({ "accounts": iban("DE00") }),
        json!({ "accounts": iban("") }),
        json!({ "accounts": [], "balances": iban(&scene.payer.iban) }),
        json!({ "allPsd2": "everything" }),
        json!({ "availableAccounts": true }),
    ];
    Case {
        good: at(scene, "createConsent", Method::POST, "/consents").bearer(&cast.ais),
        body: consent_body(),
        status: 201,
        required: &[
            "/access",
            "/recurringIndicator",
            "/validUntil",
            "/frequencyPerDay",
            "/combinedServiceIndicator",
        ],
        wrong: vec![
            ("/access", accesses),
            ("/validUntil", dates.map(Value::from).to_vec()),
            (
                "/frequencyPerDay",
                vec![
                    json!(0),
                    json!(-1),
                    json!(1.5),
                    json!(-9_223_372_036_854_775_808_i64),
                ],
            ),
            ("/combinedServiceIndicator", vec![json!(true)]),
        ],
        refuses_unknown: false,
    }
}

fn payment(scene: &Scene, cast: &Cast) -> Case {
    Case {
        good: at(
            scene,
            "initiatePayment",
            Method::POST,
            "/payments/sepa-credit-transfers",
        )
        .bearer(&cast.pis),
        body: payment_body(scene),
        status: 201,
        required: &[
            "/debtorAccount",
            "/debtorAccount/iban",
            "/instructedAmount",
            "/instructedAmount/amount",
            "/instructedAmount/currency",
            "/creditorAccount",
            "/creditorAccount/iban",
            "/creditorName",
        ],
        wrong: vec![
            ("/instructedAmount/amount", amounts()),
            (
                "/instructedAmount/currency",
                [currencies(), vec![json!("KES"), json!("JPY")]].concat(),
            ),
            (
                "/debtorAccount/iban",
                [ibans(), vec![json!(scene.payee.iban)]].concat(),
            ),
            ("/creditorAccount/iban", ibans()),
            (
                "/creditorName",
                [
                    texts(70),
                    vec![json!(""), json!("a\nb"), json!("\u{202e}x")],
                ]
                .concat(),
            ),
            ("/remittanceInformationUnstructured", texts(140)),
            (
                "/endToEndIdentification",
                [texts(35), vec![json!("")]].concat(),
            ),
            (
                "/requestedExecutionDate",
                vec![json!("2020-01-01"), json!("9999-12-31"), json!("x")],
            ),
            ("/creditorAgent", vec![json!("x"), json!("\u{0}")]),
        ],
        refuses_unknown: false,
    }
}

/// One read of each kind.
fn reads(scene: &Scene, cast: &Cast) -> Vec<Ask> {
    let consent = format!("/consents/{}", cast.consent.id);
    let payment = format!("/payments/sepa-credit-transfers/{}", cast.paid.id);
    let own = [
        ("getConsentInformation", consent.clone(), &cast.ais),
        ("getConsentStatus", format!("{consent}/status"), &cast.ais),
        (
            "getConsentAuthorisation",
            format!("{consent}/authorisations"),
            &cast.ais,
        ),
        ("getPaymentInformation", payment.clone(), &cast.pis),
        (
            "getPaymentInitiationStatus",
            format!("{payment}/status"),
            &cast.pis,
        ),
        (
            "getPaymentInitiationAuthorisation",
            format!("{payment}/authorisations"),
            &cast.pis,
        ),
    ];
    let own =
        own.map(|(operation, path, token)| at(scene, operation, Method::GET, &path).bearer(token));
    let resource = &cast.resource;
    let accounts = [
        ("getAccountList", "/accounts".to_owned()),
        ("readAccountDetails", format!("/accounts/{resource}")),
        ("getBalances", format!("/accounts/{resource}/balances")),
        (
            "getTransactionList",
            format!("/accounts/{resource}/transactions?bookingStatus=both&dateFrom=2026-01-01"),
        ),
    ];
    let accounts = accounts.map(|(operation, path)| {
        let ask = at(scene, operation, Method::GET, &path).bearer(&cast.consent.token);
        ask.header("Consent-ID", &cast.consent.id)
    });
    own.into_iter().chain(accounts).collect()
}

fn call_headers(good: &Ask) -> Vec<Bad> {
    let mut bad = headers(good);
    let with = |name: &str, value: &str| {
        (
            format!("{name} is {value}"),
            good.again().header(name, value),
        )
    };
    bad.push((
        "no X-Request-ID".to_owned(),
        good.clone().without("X-Request-ID"),
    ));
    for value in [
        "",
        "1",
        "not-a-uuid",
        "99391c7e-ad88-49ec-a2ad-99ddcb1f77211",
    ] {
        bad.push(with("X-Request-ID", value));
    }
    for value in ["", "localhost", "1.2.3", "1.2.3.4:80", "999.1.1.1", "::g"] {
        bad.push(with("PSU-IP-Address", value));
    }
    if good.url.contains("/accounts") {
        bad.push(with("Consent-ID", ""));
        bad.push(with("Accept", "application/xml"));
        let sign = if good.url.contains('?') { '&' } else { '?' };
        if !good.url.contains("/balances") {
            for value in ["maybe", "1", ""] {
                let mut ask = good.again();
                ask.url = format!("{}{sign}withBalance={value}", good.url);
                bad.push((format!("withBalance is {value}"), ask));
            }
            let mut ask = good.again();
            ask.url = format!("{}{sign}withBalance=%ZZ%FF", good.url);
            bad.push(("a badly escaped query".to_owned(), ask));
        }
    }
    bad
}

fn initiation_headers(good: &Ask) -> Vec<Bad> {
    let mut bad = call_headers(good);
    bad.push((
        "no PSU-IP-Address".to_owned(),
        good.again().without("PSU-IP-Address"),
    ));
    bad.push((
        "no Content-Type".to_owned(),
        good.again().without("Content-Type"),
    ));
    for value in ["", "x", "javascript:alert(1)", "//evil.example", "https://"] {
        bad.push((
            format!("TPP-Redirect-URI is {value}"),
            good.again().header("TPP-Redirect-URI", value),
        ));
    }
    bad
}

fn periods(good: &Ask) -> Vec<Bad> {
    let base = good.url.split('?').next().unwrap_or_default();
    let queries = [
        "",
        "bookingStatus=booked",
        "dateFrom=2026-01-01",
        "bookingStatus=&dateFrom=2026-01-01",
        "bookingStatus=all&dateFrom=2026-01-01",
        "bookingStatus=x&dateFrom=2026-01-01",
        "bookingStatus=booked&dateFrom=x",
        "bookingStatus=booked&dateFrom=2026-13-01",
        "bookingStatus=booked&dateFrom=2026-02-01&dateTo=2026-01-01",
        "bookingStatus=booked&dateFrom=2026-01-01&dateTo=x",
        "bookingStatus=booked&dateFrom=%00",
        "bookingStatus=booked&dateFrom=99999-01-01",
        "bookingStatus=booked&dateFrom=-0001-01-01",
        "bookingStatus=booked&bookingStatus=pending&dateFrom=2026-01-01",
        "bookingStatus=booked&dateFrom=2026-01-01&cursor=x",
        "bookingStatus=booked&dateFrom=2026-01-01&cursor=%00",
        "bookingStatus=booked&entryReferenceFrom=1&deltaList=true",
    ];
    let all = queries.map(|query| {
        let mut ask = good.again();
        ask.url = format!("{base}?{query}");
        (format!("the query {query}"), ask)
    });
    all.into()
}
