//! What must be refused, in just which way, and without moving the books.

use anyhow::Context;
use branchline_db::{Access, Program, Values};
use branchline_kernel::{IdSource, RandomIds};
use reqwest::Method;
use serde_json::Value;

use super::payment::order;
use super::{Acts, Cast, fintech};
use crate::demo::browser::Browser;
use crate::demo::fintech::Call;
use crate::demo::journey::{ELEPHANT, Journey, LION, Order};
use crate::demo::stage::Stage;

/// Plays all refusals and compares the books before and after.
pub(super) async fn play(
    stage: &Stage,
    journey: &Journey,
    acts: &Acts,
    cast: &Cast,
) -> anyhow::Result<String> {
    let before = books(journey, acts).await?;
    foreign(stage, journey, acts, cast).await?;
    too_much(journey, acts, cast).await?;
    tampered(journey, acts, cast).await?;
    behind_the_page(stage, journey, acts, cast).await?;
    let after = books(journey, acts).await?;
    anyhow::ensure!(before == after, "the books moved: {before:?} → {after:?}");
    replayed(journey, acts, cast).await?;
    Ok("foreign tokens and consents, too much money, replays and tampering: all refused, the books unchanged".to_owned())
}

async fn books(journey: &Journey, acts: &Acts) -> anyhow::Result<[Value; 2]> {
    Ok([
        journey.trial_balance(&acts.lion_staff).await?,
        journey.trial_balance(&acts.elephant_staff).await?,
    ])
}

/// Lion's token at Elephant; another fintech's consent in the path and in the header.
async fn foreign(stage: &Stage, journey: &Journey, acts: &Acts, cast: &Cast) -> anyhow::Result<()> {
    let (token, consent) = (&cast.consent.token, &cast.consent.id);
    let at_elephant =
        Call::new(ELEPHANT.slug, Method::GET, "/accounts", token).with_consent(consent);
    cast.savanna
        .call(at_elephant)
        .await?
        .refused(401, "TOKEN_UNKNOWN")?;
    let (other, _) = fintech::register(stage, journey, "Other Budget").await?;
    let own = other.own_token(LION.slug, "AIS").await?;
    let in_path = Call::new(
        LION.slug,
        Method::GET,
        &format!("/consents/{consent}"),
        &own,
    );
    other
        .call(in_path)
        .await?
        .refused(404, "RESOURCE_UNKNOWN")?;
    let nobody = RandomIds.next().to_string();
    let in_header = Call::new(LION.slug, Method::GET, "/accounts", token).with_consent(&nobody);
    cast.savanna
        .call(in_header)
        .await?
        .refused(400, "CONSENT_UNKNOWN")?;
    let theirs = journey.consent(&other, &acts.lion).await?;
    let foreign =
        Call::new(LION.slug, Method::GET, "/accounts", &theirs.token).with_consent(consent);
    other.call(foreign).await?.refused(400, "CONSENT_UNKNOWN")
}

/// A payment over the balance: created, then RJCT after strong authentication.
async fn too_much(journey: &Journey, acts: &Acts, cast: &Cast) -> anyhow::Result<()> {
    let own = cast.savanna.own_token(LION.slug, "PIS").await?;
    let paid = journey
        .pay(&cast.savanna, &acts.lion, &order(cast, &own, "99999.00"))
        .await?;
    let status = journey
        .final_status(&cast.savanna, &acts.lion, &paid.id, &paid.token)
        .await?;
    anyhow::ensure!(
        status == "RJCT",
        "a payment over the balance ended {status}"
    );
    Ok(())
}

/// A form whose hidden fields were changed; a wrong code.
async fn tampered(journey: &Journey, acts: &Acts, cast: &Cast) -> anyhow::Result<()> {
    let own = cast.savanna.own_token(LION.slug, "PIS").await?;
    let small = order(cast, &own, "1.00");
    let id = journey
        .initiate(&cast.savanna, &acts.lion, &small)
        .await?
        .expect(201)?
        .text("/paymentId")?;
    let begun = cast
        .savanna
        .ask_for(LION.slug, &format!("PIS:{id}"))
        .await?;
    let mut browser = Browser::new(journey.http.clone());
    let page = journey.confirm(&mut browser, &acts.lion, &begun).await?;
    let form = page.form("code")?;
    let code = journey.code_on_phone(&acts.lion).await?;
    for (name, value) in form.fields.iter().filter(|(name, _)| name != "code") {
        let forged: String = value.chars().rev().collect();
        let answer = browser
            .submit(
                &page,
                &form,
                &[
                    (name.as_str(), forged.as_str()),
                    ("code", code.as_str()),
                    ("decision", "confirm"),
                ],
            )
            .await?;
        anyhow::ensure!(
            (400..500).contains(&answer.status),
            "a tampered {name} was answered {}",
            answer.status
        );
    }
    let status = journey.status(&cast.savanna, &acts.lion, &id, &own).await?;
    anyhow::ensure!(
        status == "RCVD",
        "a tampered form moved the payment to {status}"
    );
    Ok(())
}

/// The payment's row is changed after the code was sent: the code is void.
async fn behind_the_page(
    stage: &Stage,
    journey: &Journey,
    acts: &Acts,
    cast: &Cast,
) -> anyhow::Result<()> {
    let own = cast.savanna.own_token(LION.slug, "PIS").await?;
    let small = order(cast, &own, "2.00");
    let id = journey
        .initiate(&cast.savanna, &acts.lion, &small)
        .await?
        .expect(201)?
        .text("/paymentId")?;
    let begun = cast
        .savanna
        .ask_for(LION.slug, &format!("PIS:{id}"))
        .await?;
    let mut browser = Browser::new(journey.http.clone());
    let page = journey.confirm(&mut browser, &acts.lion, &begun).await?;
    change_amount(stage, &id).await?;
    let answer = journey.enter_code(&mut browser, &acts.lion, &page).await?;
    anyhow::ensure!(
        answer.text().contains("changed"),
        "the page does not say why: {}",
        answer.text()
    );
    let status = journey.status(&cast.savanna, &acts.lion, &id, &own).await?;
    anyhow::ensure!(status == "CANC", "a changed payment went on to {status}");
    Ok(())
}

const CHANGE: &str = "UPDATE payment SET amount_minor = amount_minor * 10 WHERE id = $1::uuid";

/// What somebody with the core's login could do.
async fn change_amount(stage: &Stage, payment: &str) -> anyhow::Result<()> {
    let config = crate::config::load(&stage.config, std::iter::empty())?;
    let db = crate::serve::parts::door(&config, Program::Core).await?;
    let lion = db
        .find_tenant(&LION.slug.parse()?)
        .await?
        .context("there is no lion")?;
    let tx = db
        .tenant(&lion.id, "system:intruder", Access::Write)
        .await?;
    let changed = tx.run(CHANGE, Values::new().with(payment)).await?;
    anyhow::ensure!(changed == 1, "{changed} payments were changed");
    Ok(tx.commit().await?)
}

/// The same `X-Request-ID`: the same answer and one payment; with other content it is refused.
async fn replayed(journey: &Journey, acts: &Acts, cast: &Cast) -> anyhow::Result<()> {
    let own = cast.savanna.own_token(LION.slug, "PIS").await?;
    let first = order(cast, &own, "3.00");
    let made = journey
        .initiate(&cast.savanna, &acts.lion, &first)
        .await?
        .expect(201)?;
    let again = journey
        .initiate(&cast.savanna, &acts.lion, &first)
        .await?
        .expect(201)?;
    anyhow::ensure!(
        made.body == again.body,
        "a replay was answered {} instead of {}",
        again.body,
        made.body
    );
    let other = Order {
        amount: "4.00",
        ..first
    };
    let refused = journey.initiate(&cast.savanna, &acts.lion, &other).await?;
    refused.refused(400, "PARAMETER_NOT_CONSISTENT")
}
