//! The steps of the demo, in their order. Each gives the sentence that says what it proved.

mod banking;
mod fintech;
mod payment;
mod refusals;

use anyhow::Context;
use branchline_db::installation::{self, Reach};
use serde_json::Value;

use super::fintech::Fintech;
use super::journey::{Account, Consent, ELEPHANT, Journey, LION, Tenant};
use super::show::Show;
use super::staff::{PASSWORD, Staff};
use super::stage::Stage;
use crate::terminal::say;

/// How many steps there are.
const STEPS: usize = 12;

/// What the steps hand on to each other.
struct Acts {
    lion: Tenant,
    elephant: Tenant,
    lion_staff: Staff,
    elephant_staff: Staff,
}

/// What the fintech of the journey has got.
struct Cast {
    savanna: Fintech,
    payer: Account,
    payee: Account,
    consent: Consent,
}

/// Plays all steps.
///
/// # Errors
/// The step that is not as it must be.
pub(super) async fn play(stage: &Stage) -> anyhow::Result<(Show, Journey)> {
    let mut show = Show::of(STEPS);
    let mut begun = None;
    show.step("platform", async {
        let (journey, proof) = platform(stage).await?;
        begun = Some(journey);
        Ok(proof)
    })
    .await?;
    let journey = begun.context("the platform did not start")?;
    let mut tenants = None;
    show.step("tenants", async {
        let (acts, proof) = self::tenants(stage, &journey).await?;
        tenants = Some(acts);
        Ok(proof)
    })
    .await?;
    let acts = tenants.context("there are no tenants")?;
    let cast = cast(&mut show, stage, &journey, &acts).await?;
    show.step("read", fintech::read(&acts, &cast)).await?;
    show.step("pay", payment::pay(&journey, &acts, &cast))
        .await?;
    show.step("cap", payment::cap(stage, &journey, &acts, &cast))
        .await?;
    show.step("refusals", refusals::play(stage, &journey, &acts, &cast))
        .await?;
    show.step("withdraw", fintech::withdraw(&journey, &acts, &cast))
        .await?;
    show.step("settle", payment::settle(stage, &journey, &acts))
        .await?;
    show.step("books", banking::books(stage, &journey, &acts))
        .await?;
    Ok((show, journey))
}

async fn cast(
    show: &mut Show,
    stage: &Stage,
    journey: &Journey,
    acts: &Acts,
) -> anyhow::Result<Cast> {
    let mut accounts = None;
    show.step("banking", async {
        let (payer, payee, proof) = banking::open(journey, acts).await?;
        accounts = Some((payer, payee));
        Ok(proof)
    })
    .await?;
    let (payer, payee) = accounts.context("there are no accounts")?;
    let mut registered = None;
    show.step("fintech", async {
        let (fintech, proof) = fintech::register(stage, journey, "Savanna Budget").await?;
        registered = Some(fintech);
        Ok(proof)
    })
    .await?;
    let savanna = registered.context("there is no fintech")?;
    let mut given = None;
    show.step("consent", async {
        let (consent, proof) = fintech::consent(journey, acts, &savanna).await?;
        given = Some(consent);
        Ok(proof)
    })
    .await?;
    Ok(Cast {
        savanna,
        payer,
        payee,
        consent: given.context("there is no consent")?,
    })
}

async fn platform(stage: &Stage) -> anyhow::Result<(Journey, String)> {
    let started = std::time::Instant::now();
    let journey = Journey::begin(stage, &[]).await?;
    let took = started.elapsed();
    for url in [&journey.gateway, &journey.core] {
        journey
            .look(&format!("{url}/health/live"))
            .await?
            .expect(200)?;
        journey
            .look(&format!("{url}/openapi.json"))
            .await?
            .expect(200)?;
    }
    Ok((
        journey,
        format!(
            "gateway and core answered ready after {} ms",
            took.as_millis()
        ),
    ))
}

async fn tenants(stage: &Stage, journey: &Journey) -> anyhow::Result<(Acts, String)> {
    let lion = journey.create_tenant(stage, &LION).await?;
    let elephant = journey.create_tenant(stage, &ELEPHANT).await?;
    let reach = async |program: &str| {
        installation::reach(&stage.database_url, &format!("branchline_demo_{program}")).await
    };
    let (core, gateway) = (reach("core").await?, reach("gateway").await?);
    anyhow::ensure!(
        core == Reach {
            core: 2,
            gateway: 0
        },
        "the core's login reaches {core:?}"
    );
    anyhow::ensure!(
        gateway
            == Reach {
                core: 0,
                gateway: 2
            },
        "the gateway's reaches {gateway:?}"
    );
    for bank in [&LION, &ELEPHANT] {
        let url = format!(
            "{}/t/{}/.well-known/oauth-authorization-server",
            journey.gateway, bank.slug
        );
        let issuer = journey.look(&url).await?.expect(200)?.text("/issuer")?;
        anyhow::ensure!(
            issuer == format!("{}/t/{}", journey.gateway, bank.slug),
            "issuer {issuer}"
        );
    }
    let (lion_staff, elephant_staff) =
        (journey.staff(&lion).await?, journey.staff(&elephant).await?);
    let acts = Acts {
        lion,
        elephant,
        lion_staff,
        elephant_staff,
    };
    let proof =
        "two issuers; each program's login reaches its own two schemas and no other".to_owned();
    Ok((acts, proof))
}

/// What the audience can go on with.
pub(super) fn invite(journey: &Journey) {
    let gateway = &journey.gateway;
    for line in [
        format!(
            "The platform is running. Gateway {gateway}, core {}.",
            journey.core
        ),
        format!("  people      amina (member) and tendai (supervisor) at {gateway}/t/lion/me,"),
        format!(
            "              joseph and grace at {gateway}/t/elephant/me; password at Keycloak: {PASSWORD}"
        ),
        format!("  phones      {gateway}/t/lion/phone  {gateway}/t/elephant/phone"),
        format!("  API pages   {gateway}/docs/  {}/docs/", journey.core),
        format!("  curl -s {gateway}/t/lion/.well-known/oauth-authorization-server"),
        format!("  curl -s {gateway}/health/ready"),
        format!("  curl -s {gateway}/metrics | head"),
        "Ctrl-C stops everything.".to_owned(),
    ] {
        say(&line);
    }
}

/// Sum of all balances of a trial balance and the balance of one account of the chart, in cents.
fn sums(trial: &Value, gl_account: &str) -> anyhow::Result<(i64, i64)> {
    let rows = trial
        .pointer("/rows")
        .and_then(Value::as_array)
        .context("the trial balance has no rows")?;
    let mut all = 0_i64;
    let mut one = 0_i64;
    for row in rows {
        let text = row
            .pointer("/balance/amount")
            .and_then(Value::as_str)
            .context("a row without a balance")?;
        let cents: i64 = text.replace('.', "").parse()?;
        all = all.checked_add(cents).context("too large")?;
        if row.get("gl_account").and_then(Value::as_str) == Some(gl_account) {
            one = one.checked_add(cents).context("too large")?;
        }
    }
    Ok((all, one))
}
