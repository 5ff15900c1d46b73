//! Processes and databases that die in the middle of a payment: after a restart it ends, once, and
//! both books agree.

use std::time::{Duration, Instant};

use anyhow::Context;
use branchline::demo::{Browser, Fintech, Journey, Layout, Tenant};

use crate::scene::Scene;

const WITHIN: Duration = Duration::from_secs(30);
const CENTS: i64 = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn one_process_recovers_at_every_crash_point() {
    Box::pin(every_crash(Layout::One)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_recover_at_every_crash_point() {
    Box::pin(every_crash(Layout::Two)).await.unwrap();
}

async fn every_crash(layout: Layout) -> anyhow::Result<()> {
    let mut scene = Scene::set(layout).await?;
    for point in ["K2", "K4", "K5", "K6", "K8", "K11"] {
        let before = books(&scene).await?;
        killed_at(&mut scene, point)
            .await
            .with_context(|| format!("killed at {point}"))?;
        moved_once(&scene, before)
            .await
            .with_context(|| format!("after {point}"))?;
    }
    let before = books(&scene).await?;
    database_gone(&mut scene)
        .await
        .context("the database went away")?;
    moved_once(&scene, before)
        .await
        .context("after the database went away")?;
    scene.strike().await
}

/// Pays 10.00 with the point armed, restarts when the process has died, and lets the payment end.
async fn killed_at(scene: &mut Scene, point: &str) -> anyhow::Result<()> {
    scene
        .journey
        .restart(&scene.stage, &[("BRANCHLINE__CRASH_AT", point)])
        .await?;
    let own = scene.fintech.own_token(scene.lion.bank.slug, "PIS").await?;
    let request_id = scene.order(&own, "10.00").request_id;
    // How far the payment comes depends on the point; the client sees a broken connection.
    let _ = pay(scene, &own, &request_id).await;
    scene.journey.platform()?.until_one_ends(WITHIN).await?;
    scene.journey.restart(&scene.stage, &[]).await?;
    finish(scene, &own, &request_id).await
}

/// PostgreSQL is stopped at once while a payment is under way.
async fn database_gone(scene: &mut Scene) -> anyhow::Result<()> {
    let own = scene.fintech.own_token(scene.lion.bank.slug, "PIS").await?;
    let request_id = scene.order(&own, "10.00").request_id;
    let mut order = scene.order(&own, "10.00");
    request_id.clone_into(&mut order.request_id);
    let id = scene
        .journey
        .initiate(&scene.fintech, &scene.lion, &order)
        .await?
        .expect(201)?
        .text("/paymentId")?;
    let postgres = scene.stage.postgres().context("no private server")?;
    let approve = approve(&scene.journey, &scene.fintech, &scene.lion, &id);
    // Whichever comes first: the approval may be broken off anywhere.
    let (_, stopped) = tokio::join!(approve, postgres.immediate_stop());
    stopped?;
    postgres.restart().await?;
    finish(scene, &own, &request_id).await
}

async fn pay(scene: &Scene, own: &str, request_id: &str) -> anyhow::Result<()> {
    let mut order = scene.order(own, "10.00");
    request_id.clone_into(&mut order.request_id);
    scene
        .journey
        .pay(&scene.fintech, &scene.lion, &order)
        .await
        .map(drop)
}

/// What a client does after an outage: the same request again, then strong authentication if the
/// payment still waits for it, then it asks until the payment has ended.
async fn finish(scene: &Scene, own: &str, request_id: &str) -> anyhow::Result<()> {
    let started = Instant::now();
    let mut order = scene.order(own, "10.00");
    request_id.clone_into(&mut order.request_id);
    let made = patiently(async || {
        let answer = scene
            .journey
            .initiate(&scene.fintech, &scene.lion, &order)
            .await?;
        answer.expect(201)?.text("/paymentId")
    });
    let id = made.await?;
    let status = async || {
        scene
            .journey
            .status(&scene.fintech, &scene.lion, &id, own)
            .await
    };
    if patiently(status).await? == "RCVD" {
        // The approval may be on its way already; then the member is not asked again.
        let _ = approve(&scene.journey, &scene.fintech, &scene.lion, &id).await;
    }
    let ended = patiently(async || {
        let status = status().await?;
        anyhow::ensure!(
            matches!(status.as_str(), "ACCC" | "RJCT" | "CANC"),
            "still {status}"
        );
        Ok(status)
    });
    let ended = ended.await?;
    anyhow::ensure!(ended == "ACCC", "the payment ended {ended}");
    anyhow::ensure!(
        started.elapsed() < WITHIN,
        "it took {:?}",
        started.elapsed()
    );
    Ok(())
}

/// Tries until it works or the time is up, as a client does during an outage.
async fn patiently<T>(work: impl AsyncFn() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let started = Instant::now();
    loop {
        match work().await {
            Err(error) if started.elapsed() > WITHIN => return Err(error),
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            done => return done,
        }
    }
}

/// Lets the member approve the payment, as far as she is still asked.
async fn approve(
    journey: &Journey,
    fintech: &Fintech,
    lion: &Tenant,
    id: &str,
) -> anyhow::Result<()> {
    let begun = fintech
        .ask_for(lion.bank.slug, &format!("PIS:{id}"))
        .await?;
    let mut browser = Browser::new(journey.http.clone());
    let page = journey.confirm(&mut browser, lion, &begun).await?;
    journey
        .enter_code(&mut browser, lion, &page)
        .await
        .map(drop)
}

/// What is available to payer and payee, in cents.
async fn books(scene: &Scene) -> anyhow::Result<[i64; 2]> {
    let [lion, elephant] = scene.staff().await?;
    let payer = scene.journey.available(&lion, &scene.payer).await?;
    let payee = scene.journey.available(&elephant, &scene.payee).await?;
    Ok([
        payer.replace('.', "").parse()?,
        payee.replace('.', "").parse()?,
    ])
}

async fn moved_once(scene: &Scene, before: [i64; 2]) -> anyhow::Result<()> {
    let after = books(scene).await?;
    let [payer, payee] = before;
    let expected = [payer.saturating_sub(CENTS), payee.saturating_add(CENTS)];
    anyhow::ensure!(
        after == expected,
        "{before:?} → {after:?}, expected {expected:?}"
    );
    let said = scene.stage.operate(&["ledger", "verify"]).await?;
    anyhow::ensure!(said.contains("2 tenants verified, 0 findings"), "{said}");
    scene.stage.operate(&["clearing", "settle"]).await.map(drop)
}
