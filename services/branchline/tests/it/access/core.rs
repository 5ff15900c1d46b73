//! The core's operations, asked by staff, members, programs and strangers.

use std::collections::BTreeSet;

use anyhow::Context;
use branchline::demo::{Answer, ELEPHANT, LION, Staff};
use branchline_iam::{ActorKind, ActorRef, InternalSigner, Job, Principal, Right, Rights};
use branchline_kernel::{Clock, IdSource, RandomIds, Secret, SystemClock};
use chrono::TimeDelta;
use reqwest::Method;
use serde_json::{Value, json};

use super::{expect, ledger, state};
use crate::scene::Scene;

/// An operation with a request that is right in every way.
pub(super) struct Probe {
    operation: &'static str,
    method: Method,
    path: String,
    body: Value,
    /// Who may.
    who: Who,
    /// The answer to them.
    status: u16,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Supervisor,
    Admin,
    Member,
}

/// The tokens that the matrix tries.
struct Tokens {
    supervisor: String,
    admin: String,
    member: String,
    other_supervisor: String,
    other_member: String,
    expired: String,
    for_no_account: String,
}

pub(crate) async fn probe_all(scene: &Scene) -> anyhow::Result<BTreeSet<String>> {
    let tokens = tokens(scene).await?;
    let probes = probes(scene, &tokens).await?;
    for probe in &probes {
        let before = state::of(&scene.stage).await?;
        refused(scene, &tokens, probe).await?;
        anyhow::ensure!(
            before == state::of(&scene.stage).await?,
            "{} changed something for those who may not",
            probe.operation
        );
        let token = match probe.who {
            Who::Supervisor => &tokens.supervisor,
            Who::Admin => &tokens.admin,
            Who::Member => &tokens.member,
        };
        let answer = ask(scene, probe, Some(token)).await?;
        expect("those who may", probe.operation, &answer, probe.status, "")?;
    }
    Ok(probes
        .iter()
        .map(|probe| probe.operation.to_owned())
        .collect())
}

async fn refused(scene: &Scene, tokens: &Tokens, probe: &Probe) -> anyhow::Result<()> {
    let operation = probe.operation;
    expect(
        "nobody",
        operation,
        &ask(scene, probe, None).await?,
        401,
        "token-missing",
    )?;
    for malformed in [
        "x",
        "a.b.c",
        &tokens.supervisor.chars().rev().collect::<String>(),
    ] {
        expect(
            "a malformed token",
            operation,
            &ask(scene, probe, Some(malformed)).await?,
            401,
            "token-invalid",
        )?;
    }
    expect(
        "an expired token",
        operation,
        &ask(scene, probe, Some(&tokens.expired)).await?,
        401,
        "token-expired",
    )?;
    let (wrong, foreign) = match probe.who {
        Who::Supervisor => (&tokens.member, &tokens.other_supervisor),
        Who::Admin => (&tokens.supervisor, &tokens.other_supervisor),
        Who::Member => (&tokens.supervisor, &tokens.other_member),
    };
    let is_for_both = operation.starts_with("getAccount") || operation == "listEntries";
    if !is_for_both {
        expect(
            "the wrong job",
            operation,
            &ask(scene, probe, Some(wrong)).await?,
            403,
            "right-missing",
        )?;
    }
    if probe.path.matches('-').count() > 3 {
        expect(
            "another tenant",
            operation,
            &ask(scene, probe, Some(foreign)).await?,
            404,
            "",
        )?;
    }
    if probe.who == Who::Member && probe.path.matches('-').count() > 3 {
        let limited = ask(scene, probe, Some(&tokens.for_no_account)).await?;
        expect("a token for no account", operation, &limited, 404, "")?;
    }
    Ok(())
}

async fn ask(scene: &Scene, probe: &Probe, token: Option<&str>) -> anyhow::Result<Answer> {
    let fresh = RandomIds.next().to_string();
    let key = probe
        .body
        .get("payment_id")
        .and_then(Value::as_str)
        .unwrap_or(&fresh);
    let mut request = scene
        .journey
        .http
        .request(
            probe.method.clone(),
            format!("{}/v1{}", scene.journey.core, probe.path),
        )
        .header("Idempotency-Key", key);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    if !probe.body.is_null() {
        request = request.json(&probe.body);
    }
    let response = request.send().await?;
    let status = response.status().as_u16();
    Ok(Answer {
        status,
        body: serde_json::from_str(&response.text().await?).unwrap_or_default(),
    })
}

async fn tokens(scene: &Scene) -> anyhow::Result<Tokens> {
    let sign_in = async |issuer: &str, name: &str| {
        let staff = Staff::sign_in(&scene.journey.http, &scene.journey.core, issuer, name).await?;
        anyhow::Ok(staff.token().to_owned())
    };
    let pem = std::fs::read_to_string(scene.stage.directory.join("internal.pem"))?;
    let signer = InternalSigner::try_new(&Secret::new(pem))?;
    let now = SystemClock.now();
    let tenant = scene.stage.operate(&["tenant", "list"]).await?;
    let lion = tenant
        .lines()
        .find(|line| line.starts_with("lion"))
        .and_then(|line| line.split('\t').nth(1));
    let principal = Principal {
        tenant: lion.context("no lion")?.parse()?,
        actor: ActorRef::own(ActorKind::System, "gateway"),
        on_behalf_of: Some(ActorRef::new(
            ActorKind::Member,
            &scene.lion.issuer,
            &scene.lion.member_subject,
        )),
        rights: Right::ALL
            .into_iter()
            .filter(|right| *right != Right::ReadAnyAccount)
            .collect::<Rights>(),
        accounts: Some(Vec::new()),
        reference: None,
    };
    let admin = Principal {
        actor: ActorRef::new(ActorKind::Staff, &scene.lion.issuer, "admin"),
        on_behalf_of: None,
        rights: Job::TenantAdmin.rights().iter().copied().collect(),
        accounts: None,
        ..principal.clone()
    };
    let long_ago = now
        .checked_sub_signed(TimeDelta::minutes(5))
        .context("no such time")?;
    Ok(Tokens {
        supervisor: sign_in(&scene.lion.issuer, LION.supervisor.0).await?,
        admin: signer.sign(&admin, now)?,
        member: sign_in(&scene.lion.issuer, LION.member.0).await?,
        other_supervisor: sign_in(&scene.elephant.issuer, ELEPHANT.supervisor.0).await?,
        other_member: sign_in(&scene.elephant.issuer, ELEPHANT.member.0).await?,
        expired: signer.sign(&principal, long_ago)?,
        for_no_account: signer.sign(&principal, now)?,
    })
}

/// One probe per operation; the payment that is paid and the one that is cancelled are made first.
async fn probes(scene: &Scene, tokens: &Tokens) -> anyhow::Result<Vec<Probe>> {
    let account = &scene.payer.id;
    let new_member =
        json!({ "name": "Neema", "login": { "issuer": "https://id.test", "subject": "neema" } });
    let member =
        json!({ "name": "Asha", "login": { "issuer": "https://id.test", "subject": "asha" } });
    let staff = scene.journey.staff(&scene.lion).await?;
    let member = staff
        .post("/members", &member)
        .await?
        .expect(201)?
        .text("/member_id")?;
    let (paid, cancelled) = (payment(scene), payment(scene));
    let mut fingerprints = Vec::new();
    for payment in [&paid, &cancelled] {
        let create = Probe::member(
            "createPayment",
            Method::POST,
            "/payments".to_owned(),
            payment.clone(),
            201,
        );
        fingerprints.push(
            ask(scene, &create, Some(&tokens.member))
                .await?
                .expect(201)?
                .text("/fingerprint")?,
        );
    }
    let id = |payment: &Value| {
        payment
            .get("payment_id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let authorise = json!({ "fingerprint": fingerprints.first() });
    let deposit = json!({ "amount": { "amount": "1.00", "currency": "EUR" } });
    let open = json!({ "member_id": member, "currency": "EUR", "product": "current" });
    let none = Value::Null;
    let mut probes = vec![
        Probe::staff(
            "enrollMember",
            Method::POST,
            "/members".to_owned(),
            new_member,
            201,
        ),
        Probe::staff(
            "openAccount",
            Method::POST,
            "/accounts".to_owned(),
            open,
            201,
        ),
        Probe::staff(
            "acceptDeposit",
            Method::POST,
            format!("/accounts/{account}/deposits"),
            deposit,
            201,
        ),
        Probe::staff(
            "getTrialBalance",
            Method::GET,
            "/trial-balance".to_owned(),
            none.clone(),
            200,
        ),
        Probe::member(
            "listOwnAccounts",
            Method::GET,
            "/accounts".to_owned(),
            none.clone(),
            200,
        ),
        Probe::member(
            "createPayment",
            Method::POST,
            "/payments".to_owned(),
            payment(scene),
            201,
        ),
        Probe::member(
            "getPayment",
            Method::GET,
            format!("/payments/{}", id(&paid)),
            none.clone(),
            200,
        ),
        Probe::member(
            "cancelReceivedPayment",
            Method::POST,
            format!("/payments/{}/cancel", id(&cancelled)),
            none.clone(),
            200,
        ),
    ];
    for (operation, rest) in [
        ("getAccount", ""),
        ("getAccountBalances", "/balances"),
        ("listEntries", "/entries"),
    ] {
        probes.push(Probe::member(
            operation,
            Method::GET,
            format!("/accounts/{account}{rest}"),
            none.clone(),
            200,
        ));
    }
    probes.extend(freezes(account));
    probes.extend(ledger::probes(&staff).await?);
    // Last, because the payment goes on by itself.
    probes.push(Probe::member(
        "authorisePayment",
        Method::POST,
        format!("/payments/{}/authorise", id(&paid)),
        authorise,
        200,
    ));
    Ok(probes)
}

fn freezes(account: &str) -> Vec<Probe> {
    let reason = json!({ "reason": "Court order 17/2026" });
    let of = |operation, verb: &str| {
        let path = format!("/accounts/{account}/{verb}");
        Probe::staff(operation, Method::POST, path, reason.clone(), 200)
    };
    vec![
        of("freezeAccount", "freeze"),
        of("unfreezeAccount", "unfreeze"),
    ]
}

fn payment(scene: &Scene) -> Value {
    json!({
        "payment_id": RandomIds.next(),
        "debtor_iban": scene.payer.iban,
        "creditor_iban": scene.payee.iban,
        "creditor_name": "Joseph Banda",
        "amount": { "amount": "1.00", "currency": "EUR" },
        "end_to_end_id": "INV-1",
    })
}

impl Probe {
    pub(super) fn staff(
        operation: &'static str,
        method: Method,
        path: String,
        body: Value,
        status: u16,
    ) -> Self {
        Self {
            operation,
            method,
            path,
            body,
            who: Who::Supervisor,
            status,
        }
    }

    /// The same for the one who keeps the settings.
    pub(super) fn of_admin(self) -> Self {
        Self {
            who: Who::Admin,
            ..self
        }
    }

    fn member(
        operation: &'static str,
        method: Method,
        path: String,
        body: Value,
        status: u16,
    ) -> Self {
        Self {
            operation,
            method,
            path,
            body,
            who: Who::Member,
            status,
        }
    }
}
