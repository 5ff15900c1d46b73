//! Processes and databases that die in the middle of a payment: after a restart it ends, once, and
//! both books agree.

use std::time::{Duration, Instant};

use anyhow::Context;
use branchline::demo::{Browser, Layout};

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
    pay(scene, &own, &request_id).await?;
    let postgres = scene.stage.postgres().context("no private server")?;
    postgres.immediate_stop().await?;
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
    let id = loop {
        match scene
            .journey
            .initiate(&scene.fintech, &scene.lion, &order)
            .await
        {
            Ok(answer) if answer.status == 201 => break answer.text("/paymentId")?,
            Ok(answer) if started.elapsed() > WITHIN => anyhow::bail!("still {answer:?}"),
            Err(error) if started.elapsed() > WITHIN => return Err(error),
            Ok(_) | Err(_) => tokio::time::sleep(Duration::from_millis(200)).await,
        }
    };
    if scene
        .journey
        .status(&scene.fintech, &scene.lion, &id, own)
        .await?
        == "RCVD"
    {
        approve_if_asked(scene, &id).await?;
    }
    let status = scene
        .journey
        .final_status(&scene.fintech, &scene.lion, &id, own)
        .await?;
    anyhow::ensure!(status == "ACCC", "the payment ended {status}");
    anyhow::ensure!(
        started.elapsed() < WITHIN,
        "it took {:?}",
        started.elapsed()
    );
    Ok(())
}

/// Approves the payment unless the member's approval is on its way already.
async fn approve_if_asked(scene: &Scene, id: &str) -> anyhow::Result<()> {
    let begun = scene
        .fintech
        .ask_for(scene.lion.bank.slug, &format!("PIS:{id}"))
        .await;
    let Ok(begun) = begun else { return Ok(()) };
    let mut browser = Browser::new(scene.journey.http.clone());
    let Ok(page) = scene
        .journey
        .confirm(&mut browser, &scene.lion, &begun)
        .await
    else {
        return Ok(());
    };
    scene
        .journey
        .enter_code(&mut browser, &scene.lion, &page)
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
