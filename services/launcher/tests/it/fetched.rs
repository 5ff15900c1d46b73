//! Servers that come over the network. Run them by hand: `cargo test --workspace --test it fetched -- --ignored`.

use branchline_launcher::{
    Keycloak, KeycloakOptions, Places, Postgres, PostgresBinaries, PostgresOptions, Progress,
};

use crate::folder::TestFolder;
use crate::postgres::sql;

fn aloud() -> Progress {
    let begun = std::time::Instant::now();
    Progress::new(move |sentence| println!("{:6.2} s {sentence}", begun.elapsed().as_secs_f32()))
}

#[tokio::test]
#[ignore = "fetches 15 MB"]
async fn an_embedded_postgres_keeps_its_data() {
    let folder = TestFolder::new("pg-embedded");
    let mut options = PostgresOptions::new(folder.path());
    options.binaries = PostgresBinaries::Embedded;
    let places = Places::from_environment();
    let first = Postgres::start(options.clone(), &places, &aloud())
        .await
        .unwrap();
    assert!(first.version().starts_with("18."));
    sql(
        &first.url("postgres"),
        "CREATE TABLE t (n int); INSERT INTO t VALUES (7)",
    )
    .unwrap();
    drop(first);
    // Data of 18 are served by 18, also where the machine has 15.
    options.binaries = PostgresBinaries::Embedded;
    let second = Postgres::start(options, &places, &aloud()).await.unwrap();
    assert_eq!(
        sql(&second.url("postgres"), "SELECT n FROM t").unwrap(),
        "7"
    );
}

#[tokio::test]
#[ignore = "fetches 176 MB, starts two servers of 500 MB"]
async fn two_keycloaks_run_side_by_side() {
    let (lion, elephant) = (TestFolder::new("kc-lion"), TestFolder::new("kc-elephant"));
    let places = Places::from_environment();
    let options = |folder: &TestFolder| KeycloakOptions {
        directory: folder.path().into(),
        port: None,
    };
    let mut first = Keycloak::start(options(&lion), &places, &aloud())
        .await
        .unwrap();
    let mut second = Keycloak::start(options(&elephant), &places, &aloud())
        .await
        .unwrap();
    assert_ne!(first.url(), second.url());
    assert_ne!(first.admin_password(), second.admin_password());
    first.stop().await.unwrap();
    second.stop().await.unwrap();
}
