//! Bad input at the core. Members that nobody knows are refused there.

use anyhow::Context;
use branchline::demo::{LION, Staff};
use branchline_kernel::{IdSource, RandomIds};
use reqwest::Method;
use serde_json::{Value, json};

use super::bodies::{Case, amounts, currencies, ibans, texts};
use super::{Bad, all_refused, headers};
use crate::scene::Scene;
use crate::wire::Ask;

pub(super) async fn send_all(scene: &Scene) -> anyhow::Result<()> {
    let staff = sign_in(scene, LION.supervisor.0).await?;
    let member = sign_in(scene, LION.member.0).await?;
    // The payment that is authorized last goes on by itself, so nothing is compared after it.
    all_refused(scene, &reads(scene, &member)).await?;
    for case in cases(scene, &staff, &member).await? {
        let mut bad = case.bad();
        bad.extend(keys(&case.good.clone().json(&case.body)));
        bad.extend(headers(&case.good.clone().json(&case.body)));
        bad.extend(ids(scene, &case));
        all_refused(scene, &bad).await?;
        let mut body = case.body.clone();
        let mut good = keyed(case.good.clone());
        if let Some(id) = body.get_mut("payment_id") {
            let fresh = RandomIds.next().to_string();
            *id = json!(fresh);
            good = good.header("Idempotency-Key", fresh);
        }
        good.json(&body)
            .send(&scene.journey.http)
            .await?
            .answer()
            .expect(case.status)?;
    }
    Ok(())
}

async fn sign_in(scene: &Scene, name: &str) -> anyhow::Result<String> {
    let journey = &scene.journey;
    let person = Staff::sign_in(&journey.http, &journey.core, &scene.lion.issuer, name).await?;
    Ok(person.token().to_owned())
}

fn keyed(ask: Ask) -> Ask {
    ask.header("Idempotency-Key", RandomIds.next().to_string())
}

fn at(scene: &Scene, operation: &'static str, method: Method, path: &str) -> Ask {
    Ask::new(
        operation,
        method,
        &format!("{}/v1{path}", scene.journey.core),
    )
}

async fn cases(scene: &Scene, staff: &str, member: &str) -> anyhow::Result<Vec<Case>> {
    let case = |operation, path: &str, token: &str, body, status, required, wrong| Case {
        good: keyed(at(scene, operation, Method::POST, path).bearer(token)),
        body,
        status,
        required,
        wrong,
        refuses_unknown: true,
    };
    let new =
        json!({ "name": "Neema", "login": { "issuer": "https://id.test", "subject": "neema" } });
    let enrolled = keyed(at(scene, "enrollMember", Method::POST, "/members").bearer(staff));
    let other =
        json!({ "name": "Asha", "login": { "issuer": "https://id.test", "subject": "asha" } });
    let enrolled = enrolled
        .json(&other)
        .send(&scene.journey.http)
        .await?
        .answer();
    let owner = enrolled.expect(201)?.text("/member_id")?;
    let open = json!({ "member_id": owner, "currency": "EUR", "product": "current" });
    let account = format!("/accounts/{}", scene.payer.id);
    let deposit = json!({ "amount": { "amount": "1.00", "currency": "EUR" } });
    let reason = json!({ "reason": "Court order 17/2026" });
    let names = || [texts(140), vec![json!(""), json!("  ")]].concat();
    let money = || {
        vec![
            ("/amount/amount", amounts()),
            ("/amount/currency", currencies()),
        ]
    };
    let payment = new_payment(scene);
    let key = text(&payment, "payment_id")?;
    let unknown = vec![
        json!(""),
        json!("x"),
        json!("00000000-0000-7000-8000-000000000000"),
    ];
    let mut all = vec![
        case(
            "enrollMember",
            "/members",
            staff,
            new,
            201,
            &["/name", "/login", "/login/issuer", "/login/subject"],
            vec![
                ("/name", names()),
                (
                    "/login/issuer",
                    vec![json!(""), json!("x\u{0}"), json!("a".repeat(60_000))],
                ),
                (
                    "/login/subject",
                    vec![json!(""), json!("x\u{0}"), json!("a".repeat(60_000))],
                ),
            ],
        ),
        case(
            "openAccount",
            "/accounts",
            staff,
            open,
            201,
            &["/member_id", "/currency", "/product"],
            vec![
                ("/member_id", unknown.clone()),
                ("/currency", currencies()),
                ("/product", vec![json!(""), json!("gold"), json!("Current")]),
            ],
        ),
        case(
            "acceptDeposit",
            &format!("{account}/deposits"),
            staff,
            deposit,
            201,
            &["/amount", "/amount/amount", "/amount/currency"],
            money(),
        ),
        case(
            "freezeAccount",
            &format!("{account}/freeze"),
            staff,
            reason.clone(),
            200,
            &["/reason"],
            vec![("/reason", names())],
        ),
        case(
            "unfreezeAccount",
            &format!("{account}/unfreeze"),
            staff,
            reason,
            200,
            &["/reason"],
            vec![("/reason", names())],
        ),
        case(
            "createPayment",
            "/payments",
            member,
            payment,
            201,
            &[
                "/payment_id",
                "/debtor_iban",
                "/creditor_iban",
                "/creditor_name",
                "/amount",
                "/end_to_end_id",
            ],
            [
                money(),
                vec![
                    ("/payment_id", unknown),
                    (
                        "/debtor_iban",
                        [ibans(), vec![json!(scene.payee.iban)]].concat(),
                    ),
                    ("/creditor_iban", ibans()),
                    ("/creditor_name", names()),
                    ("/end_to_end_id", [texts(35), vec![json!("")]].concat()),
                    ("/remittance", [texts(140), vec![json!("")]].concat()),
                    (
                        "/debtor_account_id",
                        vec![json!(scene.payer.id), json!("x")],
                    ),
                ],
            ]
            .concat(),
        ),
    ];
    if let Some(case) = all.last_mut() {
        case.good = case.good.clone().header("Idempotency-Key", key);
    }
    all.push(authorise(scene, member).await?);
    Ok(all)
}

async fn authorise(scene: &Scene, member: &str) -> anyhow::Result<Case> {
    let body = new_payment(scene);
    let id = text(&body, "payment_id")?;
    let create = at(scene, "createPayment", Method::POST, "/payments").bearer(member);
    let made = create
        .header("Idempotency-Key", &id)
        .json(&body)
        .send(&scene.journey.http)
        .await?;
    let fingerprint = made.answer().expect(201)?.text("/fingerprint")?;
    let wrong = ["", "x", &"0".repeat(64), &"F".repeat(64), &"0".repeat(63)].map(Value::from);
    Ok(Case {
        good: keyed(
            at(
                scene,
                "authorisePayment",
                Method::POST,
                &format!("/payments/{id}/authorise"),
            )
            .bearer(member),
        ),
        body: json!({ "fingerprint": fingerprint }),
        status: 200,
        required: &["/fingerprint"],
        wrong: vec![("/fingerprint", wrong.to_vec())],
        refuses_unknown: true,
    })
}

fn text(body: &Value, name: &str) -> anyhow::Result<String> {
    let text = body.get(name).and_then(Value::as_str);
    text.map(str::to_owned)
        .with_context(|| format!("no {name}"))
}

fn new_payment(scene: &Scene) -> Value {
    json!({
        "payment_id": RandomIds.next(),
        "debtor_iban": scene.payer.iban,
        "creditor_iban": scene.payee.iban,
        "creditor_name": "Joseph Banda",
        "amount": { "amount": "1.00", "currency": "EUR" },
        "end_to_end_id": "INV-1",
    })
}

fn keys(good: &Ask) -> Vec<Bad> {
    let mut bad = vec![(
        "no Idempotency-Key".to_owned(),
        good.clone().without("Idempotency-Key"),
    )];
    for value in ["", "x", "1", "99391c7e-ad88-49ec-a2ad-99ddcb1f77211"] {
        bad.push((
            format!("Idempotency-Key is {value}"),
            good.clone().header("Idempotency-Key", value),
        ));
    }
    bad
}

const MALFORMED: [&str; 6] = [
    "x",
    "1",
    "%00",
    "%FF",
    "00000000-0000-7000-8000-000000000000",
    "..%2f",
];

/// Ids in the path that are no ids, or nobody's.
fn ids(scene: &Scene, case: &Case) -> Vec<Bad> {
    let id = &scene.payer.id;
    if !case.good.url.contains(id.as_str()) {
        return Vec::new();
    }
    let good = case.good.clone().json(&case.body);
    let mut all: Vec<&str> = MALFORMED.to_vec();
    all.push(&scene.payee.id);
    let all = all
        .into_iter()
        .map(|other| (format!("the id {other}"), keyed(good.elsewhere(id, other))));
    all.collect()
}

fn reads(scene: &Scene, member: &str) -> Vec<Bad> {
    let account = &scene.payer.id;
    let get = |operation, path: String| {
        (
            path.clone(),
            at(scene, operation, Method::GET, &path).bearer(member),
        )
    };
    let mut bad = Vec::new();
    for query in [
        "limit=0",
        "limit=-1",
        "limit=x",
        "limit=1.5",
        "limit=99999999999999999999",
        "cursor=x",
        "cursor=%00",
        "cursor=%FF",
        "date_from=x",
        "date_from=2026-13-01",
        "date_from=99999-01-01",
        "date_to=%00",
        "date_from=2026-02-01&date_to=2026-01-01",
        "nobody_knows=1",
        "limit=1&limit=2",
    ] {
        bad.push(get(
            "listEntries",
            format!("/accounts/{account}/entries?{query}"),
        ));
    }
    for id in MALFORMED.into_iter().chain([scene.payee.id.as_str()]) {
        bad.push(get("getAccount", format!("/accounts/{id}")));
        bad.push(get(
            "getAccountBalances",
            format!("/accounts/{id}/balances"),
        ));
        bad.push(get("listEntries", format!("/accounts/{id}/entries")));
        bad.push(get("getPayment", format!("/payments/{id}")));
        let cancel = at(
            scene,
            "cancelReceivedPayment",
            Method::POST,
            &format!("/payments/{id}/cancel"),
        );
        bad.push((format!("cancel {id}"), keyed(cancel.bearer(member))));
    }
    bad
}
