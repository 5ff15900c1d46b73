//! Redis holds nothing that must survive: it dies and comes back empty in the middle of the journey,
//! and the journey goes on.

use anyhow::Context;
use branchline::demo::{Browser, Call, LION};
use reqwest::Method;
use serde_json::json;

use crate::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_dies_and_comes_back_empty_takes_nothing_with_it() {
    let mut scene = Box::pin(Scene::with_redis()).await.unwrap();
    Box::pin(play(&mut scene)).await.unwrap();
    scene.strike().await.unwrap();
}

async fn play(scene: &mut Scene) -> anyhow::Result<()> {
    let (journey, fintech, lion) = (&scene.journey, &scene.fintech, &scene.lion);
    let consent = journey.consent(fintech, lion).await?;
    let own = fintech.own_token(LION.slug, "PIS").await?;
    let request_id = scene.order(&own, "5.00").request_id;
    let order = || branchline::demo::Order {
        request_id: request_id.clone(),
        ..scene.order(&own, "5.00")
    };
    let made = journey
        .initiate(fintech, lion, &order())
        .await?
        .expect(201)?;
    let id = made.text("/paymentId")?;
    let begun = fintech.ask_for(LION.slug, &format!("PIS:{id}")).await?;
    let mut browser = Browser::new(journey.http.clone());
    let code_page = journey.confirm(&mut browser, lion, &begun).await?;

    scene
        .stage
        .redis()
        .context("there is no Redis")?
        .kill()
        .await?;
    let (journey, fintech, lion) = (&scene.journey, &scene.fintech, &scene.lion);
    let back = journey.enter_code(&mut browser, lion, &code_page).await?;
    let token = fintech.finish(LION.slug, &begun, &back).await?;
    let status = journey.final_status(fintech, lion, &id, &token).await?;
    anyhow::ensure!(status == "ACCC", "without Redis the payment ended {status}");

    scene
        .stage
        .redis()
        .context("there is no Redis")?
        .restart()
        .await?;
    let (journey, fintech, lion) = (&scene.journey, &scene.fintech, &scene.lion);
    let read =
        Call::new(LION.slug, Method::GET, "/accounts", &consent.token).with_consent(&consent.id);
    fintech.call(read).await?.expect(200)?;
    let order = || branchline::demo::Order {
        request_id: request_id.clone(),
        ..scene.order(&own, "5.00")
    };
    let again = journey
        .initiate(fintech, lion, &order())
        .await?
        .expect(201)?;
    anyhow::ensure!(
        again.body == made.body,
        "a replay made {} of {}",
        again.body,
        made.body
    );
    let changed = branchline::demo::Order {
        amount: "6.00",
        ..order()
    };
    journey
        .initiate(fintech, lion, &changed)
        .await?
        .refused(400, "PARAMETER_NOT_CONSISTENT")?;
    let newer = journey.consent(fintech, lion).await?;
    anyhow::ensure!(newer.id != consent.id, "no new consent");
    let [staff, _] = scene.staff().await?;
    let available = scene.journey.available(&staff, &scene.payer).await?;
    anyhow::ensure!(
        json!(available) == json!("995.00"),
        "{available} instead of one payment"
    );
    let said = scene.stage.operate(&["ledger", "verify"]).await?;
    anyhow::ensure!(said.contains("2 tenants verified, 0 findings"), "{said}");
    Ok(())
}
