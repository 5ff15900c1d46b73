//! A database of its own for each test, made by the production code.

use std::sync::Arc;

use branchline_db::migrate::{Admin, Login, Logins};
use branchline_db::provision::{self, NewTenant};
use branchline_db::{CellId, Db, DbConfig, Placement, Program, Strictness};
use branchline_kernel::{Clock, IdSource, RandomIds, Secret, SystemClock, TenantId};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

pub(crate) struct Installation {
    pub(crate) admin: Admin,
    pub(crate) core: Db,
    pub(crate) gateway: Db,
    pub(crate) lion: TenantId,
    pub(crate) elephant: TenantId,
    /// The core's address, for attacks that go round the door.
    pub(crate) core_url: String,
}

/// The server that tests use, or why there is none.
pub(crate) fn server() -> Option<String> {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test reads where its server is"
    )]
    let url = std::env::var("BRANCHLINE_TEST_DATABASE_URL").ok();
    #[expect(
        clippy::disallowed_methods,
        reason = "a test reads whether it may skip"
    )]
    let must = std::env::var("BRANCHLINE_REQUIRE_ALL").is_ok();
    assert!(
        url.is_some() || !must,
        "BRANCHLINE_TEST_DATABASE_URL is missing"
    );
    if url.is_none() {
        println!(
            "skipped: the door's tests need BRANCHLINE_TEST_DATABASE_URL (cargo xtask test sets it)"
        );
    }
    url
}

fn with_login(url: &str, login: &str, database: &str) -> String {
    let after_at = url
        .rsplit_once('@')
        .map_or_else(|| url.rsplit_once("://").unwrap().1, |(_, rest)| rest);
    let host = after_at.split('/').next().unwrap();
    format!("postgres://{login}:secret@{host}/{database}")
}

/// An installation with two tenants.
pub(crate) async fn installation() -> Option<Installation> {
    let server = server()?;
    let word = RandomIds.next().simple().to_string();
    let word = &word[20..];
    let database = format!("door_{word}");
    let mut root = PgConnection::connect(&server).await.unwrap();
    let sql = format!("CREATE DATABASE {database}");
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(&mut root)
        .await
        .unwrap();
    let base = server.rsplit_once('/').unwrap().0;
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
    let core_url = with_login(&server, &logins.core.name, &database);
    let gateway_url = with_login(&server, &logins.gateway.name, &database);
    let admin = Admin::connect(&Secret::new(format!("{base}/{database}")), logins)
        .await
        .unwrap();
    admin.platform().await.unwrap();
    let (lion, elephant) = (tenant(&format!("l{word}")), tenant(&format!("e{word}")));
    for (id, slug, code) in [
        (&lion, "lion", "70010001"),
        (&elephant, "elephant", "70010002"),
    ] {
        provision::create(&admin, &new_tenant(id, slug, code), SystemClock.now())
            .await
            .unwrap();
    }
    let core = connect(Program::Core, &core_url).await;
    let gateway = connect(Program::Gateway, &gateway_url).await;
    Some(Installation {
        admin,
        core,
        gateway,
        lion,
        elephant,
        core_url,
    })
}

fn tenant(name: &str) -> TenantId {
    name.parse().unwrap()
}

pub(crate) fn new_tenant(id: &TenantId, slug: &str, code: &str) -> NewTenant {
    NewTenant {
        id: id.clone(),
        slug: slug.parse().unwrap(),
        name: format!("{slug} credit union"),
        country: "DE".to_owned(),
        currency: "EUR".parse().unwrap(),
        bank_code: code.to_owned(),
        cell: CellId::new("main"),
    }
}

async fn connect(program: Program, url: &str) -> Db {
    let url = Secret::new(url.to_owned());
    let config = DbConfig {
        program,
        platform_url: url.clone(),
        cells: vec![(CellId::new("main"), url)],
        max_connections: 1,
        strictness: Strictness::Production,
        crash_at: None,
    };
    let placement = Placement::Register(Arc::default());
    Db::connect(
        &config,
        placement,
        Arc::new(SystemClock),
        Arc::new(RandomIds),
    )
    .await
    .unwrap()
}

impl Installation {
    /// The tenants named in the core's jobs, as the server's superuser sees them.
    pub(crate) async fn job_tenants(&self) -> Vec<String> {
        let mut root = self.superuser().await;
        let sql = "SELECT payload ->> 'tenant' FROM jobs_core._private_jobs";
        sqlx::query_scalar(sql).fetch_all(&mut root).await.unwrap()
    }

    /// Does to Lion's core what no role of ours may do.
    pub(crate) async fn as_superuser(&self, sql: &str) {
        let mut root = self.superuser().await;
        let sql = format!("SET search_path TO t_{}; {sql}", self.lion);
        sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut root)
            .await
            .unwrap();
    }

    /// Tries a statement as the owner of Lion's core and gives the SQLSTATE of the refusal.
    pub(crate) async fn as_owner(&self, sql: &str) -> Option<String> {
        let mut root = self.superuser().await;
        let sql = format!(
            "SET search_path TO t_{0}; SET ROLE t_{0}_owner; {sql}",
            self.lion
        );
        let refused = sqlx::raw_sql(AssertSqlSafe(sql))
            .execute(&mut root)
            .await
            .err()?;
        Some(refused.as_database_error()?.code()?.into_owned())
    }

    async fn superuser(&self) -> PgConnection {
        let server = server().unwrap();
        let base = server.rsplit_once('/').unwrap().0;
        let database = self.core_url.rsplit_once('/').unwrap().1;
        PgConnection::connect(&format!("{base}/{database}"))
            .await
            .unwrap()
    }
}
