//! An installation for a test: a database of its own with two tenants, made by the production code.
//!
//! For tests only: everything here panics when something is not as it should be.

use std::sync::Arc;

use branchline_db::migrate::{Admin, Login, Logins};
use branchline_db::provision::{self, NewTenant};
use branchline_db::{CellId, Db, DbConfig, Placement, Program, Strictness};
use branchline_kernel::{Clock, FakeClock, IdSource, RandomIds, Secret, SystemClock, TenantId};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Lion and Elephant on one database.
pub struct Installation {
    /// The migrator.
    pub admin: Admin,
    /// The core's door.
    pub core: Db,
    /// The gateway's door.
    pub gateway: Db,
    /// The clock of both doors.
    pub clock: FakeClock,
    /// The first tenant.
    pub lion: TenantId,
    /// The second tenant.
    pub elephant: TenantId,
    /// The address of the core's login, for attacks that go round the door.
    pub core_url: String,
    /// The address of the server's superuser on this database.
    pub superuser_url: String,
}

/// The address of the server that tests use. Says so and gives nothing where there is none; panics
/// when skipping is not allowed.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "a test reads where its server is"
)]
pub fn server_or_skip(suite: &str) -> Option<String> {
    let url = std::env::var("BRANCHLINE_TEST_DATABASE_URL").ok();
    let must = std::env::var("BRANCHLINE_REQUIRE_ALL").is_ok();
    assert!(
        url.is_some() || !must,
        "BRANCHLINE_TEST_DATABASE_URL is missing"
    );
    if url.is_none() {
        println!("skipped: {suite} needs BRANCHLINE_TEST_DATABASE_URL (cargo xtask test sets it)");
    }
    url
}

/// Makes an installation whose doors allow `connections` transactions at once; nothing where there
/// is no server.
pub async fn installation(suite: &str, connections: u32) -> Option<Installation> {
    let server = server_or_skip(suite)?;
    let word: String = RandomIds
        .next()
        .simple()
        .to_string()
        .chars()
        .skip(20)
        .collect();
    let database = format!("test_{word}");
    let mut root = PgConnection::connect(&server).await.unwrap();
    let create = AssertSqlSafe(format!("CREATE DATABASE {database}"));
    sqlx::raw_sql(create).execute(&mut root).await.unwrap();
    let (base, _) = server.rsplit_once('/').unwrap();
    let superuser_url = format!("{base}/{database}");
    let login = |name: &str| Login {
        name: format!("{name}_{word}"),
        password: Secret::new("secret".to_owned()),
    };
    let logins = Logins {
        core: login("core"),
        gateway: login("gateway"),
        core_jobs: login("cjobs"),
        gateway_jobs: login("gjobs"),
    };
    let url_of = |login: &Login| {
        let host = base
            .rsplit_once('@')
            .or_else(|| base.split_once("://"))
            .unwrap()
            .1;
        format!("postgres://{}:secret@{host}/{database}", login.name)
    };
    let (core_url, gateway_url) = (url_of(&logins.core), url_of(&logins.gateway));
    let admin = Admin::connect(&Secret::new(superuser_url.clone()), logins)
        .await
        .unwrap();
    admin.platform().await.unwrap();
    let clock = FakeClock::at(SystemClock.now());
    let (lion, elephant) = (format!("l{word}"), format!("e{word}"));
    let (lion, elephant) = (lion.parse().unwrap(), elephant.parse().unwrap());
    for (id, slug, code) in [
        (&lion, "lion", "70010001"),
        (&elephant, "elephant", "70010002"),
    ] {
        provision::create(&admin, &new_tenant(id, slug, code), clock.now())
            .await
            .unwrap();
    }
    let core = connect(Program::Core, &core_url, connections, &clock).await;
    let gateway = connect(Program::Gateway, &gateway_url, connections, &clock).await;
    Some(Installation {
        admin,
        core,
        gateway,
        clock,
        lion,
        elephant,
        core_url,
        superuser_url,
    })
}

/// A tenant as an operator would name it.
#[must_use]
pub fn new_tenant(id: &TenantId, slug: &str, bank_code: &str) -> NewTenant {
    NewTenant {
        id: id.clone(),
        slug: slug.parse().unwrap(),
        name: format!("{slug} credit union"),
        country: "DE".to_owned(),
        currency: "EUR".parse().unwrap(),
        bank_code: bank_code.to_owned(),
        cell: CellId::new("main"),
    }
}

async fn connect(program: Program, url: &str, connections: u32, clock: &FakeClock) -> Db {
    let url = Secret::new(url.to_owned());
    let config = DbConfig {
        program,
        platform_url: url.clone(),
        cells: vec![(CellId::new("main"), url)],
        max_connections: connections,
        strictness: Strictness::Production,
        crash_at: None,
    };
    let placement = Placement::Register(Arc::default());
    Db::connect(
        &config,
        placement,
        Arc::new(clock.clone()),
        Arc::new(RandomIds),
    )
    .await
    .unwrap()
}

impl Installation {
    /// A connection of the server's superuser to this database.
    pub async fn superuser(&self) -> PgConnection {
        PgConnection::connect(&self.superuser_url).await.unwrap()
    }

    /// Does in a schema what no role of ours may do.
    pub async fn as_superuser(&self, schema: &str, sql: &str) {
        let sql = AssertSqlSafe(format!("SET search_path TO {schema}; {sql}"));
        sqlx::raw_sql(sql)
            .execute(&mut self.superuser().await)
            .await
            .unwrap();
    }

    /// Tries a statement in a schema as a role and gives the SQLSTATE of the refusal.
    pub async fn refusal_of(&self, role: &str, schema: &str, sql: &str) -> Option<String> {
        let sql = AssertSqlSafe(format!(
            "SET search_path TO {schema}; SET ROLE {role}; {sql}"
        ));
        let refused = sqlx::raw_sql(sql)
            .execute(&mut self.superuser().await)
            .await
            .err()?;
        Some(refused.as_database_error()?.code()?.into_owned())
    }
}
