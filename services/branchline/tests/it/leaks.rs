//! A canary in every text of Elephant's rows never shows while Lion's people and tokens act.

use branchline::demo::{Browser, Call, Layout, sign_in_at};
use reqwest::Method;
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::rows;
use crate::scene::Scene;

/// Stands in Elephant's rows and nowhere else.
const CANARY: &str = "CANARY7Q";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_elephant_shows_to_lion() {
    let scene = Scene::set(Layout::One).await.unwrap();
    plant(&scene).await.unwrap();
    let captured = act(&scene).await.unwrap();
    let leaks: Vec<_> = captured
        .iter()
        .filter(|(_, text)| text.contains(CANARY))
        .collect();
    assert!(leaks.is_empty(), "{leaks:?}");
    assert!(
        captured.len() > 12,
        "too little was captured: {}",
        captured.len()
    );
    scene.strike().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_planted_leak_is_found() {
    let scene = Scene::set(Layout::One).await.unwrap();
    plant(&scene).await.unwrap();
    // What a forgotten tenant would look like: a name of Elephant's in a row of Lion's.
    let lion = rows::schema(&scene, "lion").await.unwrap();
    rows::run(
        &scene,
        &format!("UPDATE t_{lion}.member SET name = '{CANARY}'"),
    )
    .await
    .unwrap();
    let captured = act(&scene).await.unwrap();
    assert!(
        captured.iter().any(|(_, text)| text.contains(CANARY)),
        "the check cannot see a leak"
    );
    scene.strike().await.unwrap();
}

/// Everything that Lion's people and tokens can get to see, by where it was seen.
async fn act(scene: &Scene) -> anyhow::Result<Vec<(String, String)>> {
    let mut captured = Vec::new();
    let journey = &scene.journey;
    let consent = journey.consent(&scene.fintech, &scene.lion).await?;
    let mut get = async |path: String, consent_id: Option<&str>| {
        let call = Call::new(scene.lion.bank.slug, Method::GET, &path, &consent.token);
        let call = Call {
            consent: consent_id,
            ..call
        };
        let answer = scene.fintech.call(call).await?;
        captured.push((path, answer.body.to_string()));
        anyhow::Ok(answer)
    };
    let listed = get("/accounts?withBalance=true".to_owned(), Some(&consent.id)).await?;
    let resource = listed.text("/accounts/0/resourceId")?;
    for path in [
        "",
        "/balances",
        "/transactions?bookingStatus=both&dateFrom=2026-01-01",
    ] {
        get(format!("/accounts/{resource}{path}"), Some(&consent.id)).await?;
    }
    get(format!("/consents/{}", consent.id), None).await?;
    get(
        "/accounts/00000000-0000-7000-8000-000000000000".to_owned(),
        Some(&consent.id),
    )
    .await?;
    captured.extend(people(scene).await?);
    captured.push((
        "log".to_owned(),
        std::fs::read_to_string(scene.stage.directory.join("platform.log"))?,
    ));
    for url in [&journey.gateway, &journey.core] {
        let figures = journey
            .http
            .get(format!("{url}/metrics"))
            .send()
            .await?
            .text()
            .await?;
        captured.push((format!("{url}/metrics"), figures));
    }
    Ok(captured)
}

/// Staff and member of Lion, with ids that exist at Elephant only.
async fn people(scene: &Scene) -> anyhow::Result<Vec<(String, String)>> {
    let mut captured = Vec::new();
    let staff = scene.journey.staff(&scene.lion).await?;
    for path in [
        format!("/accounts/{}", scene.payer.id),
        format!("/accounts/{}/entries", scene.payer.id),
        format!("/accounts/{}", scene.payee.id),
        format!("/accounts/{}/balances", scene.payee.id),
        format!("/accounts/{}/entries", scene.payee.id),
        "/trial-balance".to_owned(),
    ] {
        let answer = staff.get(&path).await?;
        captured.push((path, answer.body.to_string()));
    }
    let mut browser = Browser::new(scene.journey.http.clone());
    let login = browser
        .open(&format!("{}/t/lion/me", scene.journey.gateway))
        .await?;
    let page = sign_in_at(&mut browser, &login, scene.lion.bank.member.0).await?;
    captured.push(("/t/lion/me".to_owned(), page.body));
    Ok(captured)
}

/// Writes the canary into every free text of Elephant's rows, in both schemas.
async fn plant(scene: &Scene) -> anyhow::Result<()> {
    let own = scene
        .fintech
        .own_token(scene.elephant.bank.slug, "AIS")
        .await?;
    scene
        .journey
        .create_consent(&scene.fintech, &scene.elephant, &own)
        .await?;
    let elephant = rows::schema(scene, "elephant").await?;
    let mut connection = PgConnection::connect(scene.stage.database_url.expose()).await?;
    let columns: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT c.table_schema::text, c.table_name::text, c.column_name::text \
         FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name) \
         WHERE c.table_schema IN ('t_' || $1, 'g_' || $1) AND c.data_type = 'text' AND t.table_type = 'BASE TABLE'",
    )
    .bind(&elephant)
    .fetch_all(&mut connection)
    .await?;
    let mut planted = 0_u64;
    for (schema, table, column) in columns {
        // Columns that a constraint or a key binds to other texts keep theirs.
        let sql = format!(
            "SET session_replication_role = replica; \
             UPDATE {schema}.{table} SET {column} = {column} || '{CANARY}' WHERE {column} IS NOT NULL"
        );
        if let Ok(done) = sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut connection)
            .await
        {
            planted = planted.saturating_add(done.rows_affected());
        }
    }
    anyhow::ensure!(planted > 20, "only {planted} texts were planted");
    Ok(())
}
