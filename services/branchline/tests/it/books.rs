//! The jobs of the books run in every process that runs jobs, from its start on.

use branchline::demo::Layout;

use crate::rows;
use crate::scene::Scene;

#[tokio::test(flavor = "multi_thread")]
async fn days_that_are_over_are_sealed_and_closed_periods_marked_without_being_asked() {
    let mut scene = Box::pin(Scene::set(Layout::One)).await.unwrap();
    Box::pin(play(&mut scene)).await.unwrap();
    scene.strike().await.unwrap();
}

async fn play(scene: &mut Scene) -> anyhow::Result<()> {
    let lion = rows::schema(scene, "lion").await?;
    let elephant = rows::schema(scene, "elephant").await?;
    let closed = format!(
        "SELECT t_{lion}.ledger_open_period('2020-01-01', '2020-12-31'); \
         SELECT t_{lion}.ledger_close_period('2020-01-01')"
    );
    rows::run(scene, &closed).await?;
    // The tenants were made after the first round of the first process.
    scene.journey.restart(&scene.stage, &[]).await?;
    for table in [
        format!("t_{lion}.day_seal"),
        format!("t_{elephant}.day_seal"),
        format!("t_{lion}.marked_period"),
    ] {
        rows::arrive(scene, &table).await?;
    }
    let said = scene.stage.operate(&["ledger", "seal"]).await?;
    anyhow::ensure!(said.lines().count() == 2, "{said}");
    let said = scene.stage.operate(&["ledger", "verify"]).await?;
    anyhow::ensure!(said.contains("2 tenants verified, 0 findings"), "{said}");
    Ok(())
}
