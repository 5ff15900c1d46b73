//! One tenant with open books, made by the production code.

use std::sync::Arc;

use branchline_db::migrate::{Admin, Login, Logins};
use branchline_db::provision::{self, NewTenant, Serving};
use branchline_db::{Access, CellId, Db, DbConfig, Placement, Program, Strictness, TenantTx};
use branchline_kernel::{
    Clock, FakeClock, HoldId, IdSource, LedgerAccountId, Money, PostingId, RandomIds, Secret,
    SystemClock, TenantId,
};
use branchline_ledger::{
    Action, Balances, Command, Dates, Direction, GlAccount, GlClass, LedgerError, LedgerKey, Leg,
    Limits, NewAccount, NewHold, Page, Post, Reason, Reverse, Side, StatementQuery, Verdict,
};
use chrono::{DateTime, NaiveDate};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

pub(crate) struct Books {
    pub(crate) db: Db,
    pub(crate) tenant: TenantId,
    pub(crate) clock: FakeClock,
    /// The institution's cash: normal side debit, no bounds.
    pub(crate) cash: LedgerAccountId,
    admin: Admin,
    core_url: String,
    server: String,
    database: String,
}

/// The server that tests use, or why there is none.
fn server() -> Option<String> {
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
            "skipped: the ledger's tests need BRANCHLINE_TEST_DATABASE_URL (cargo xtask test sets it)"
        );
    }
    url
}

pub(crate) fn day(day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, day).unwrap()
}

pub(crate) fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

pub(crate) fn kwd(minor: i64) -> Money {
    Money::new(minor, "KWD".parse().unwrap())
}

pub(crate) fn id() -> Uuid {
    RandomIds.next()
}

pub(crate) fn key() -> LedgerKey {
    LedgerKey::from(id())
}

pub(crate) fn post_of(legs: Vec<Leg>) -> Post {
    Post::try_new(PostingId::from(id()), "transfer", Dates::on(day(3)), legs).unwrap()
}

pub(crate) fn legs(from: LedgerAccountId, to: LedgerAccountId, amount: Money) -> Vec<Leg> {
    vec![Leg::debit(from, amount), Leg::credit(to, amount)]
}

pub(crate) fn transfer(from: LedgerAccountId, to: LedgerAccountId, minor: i64) -> Command {
    Command::new(key(), Action::Post(post_of(legs(from, to, eur(minor)))))
}

pub(crate) fn hold(hold: HoldId, account: LedgerAccountId, minor: i64) -> Command {
    let new = NewHold::try_new(hold, account, eur(minor), Direction::Outgoing).unwrap();
    Command::new(key(), Action::Hold(new))
}

pub(crate) fn hold_id() -> HoldId {
    HoldId::from(id())
}

pub(crate) fn reverse(of: PostingId) -> Command {
    let reverse = Reverse {
        id: PostingId::from(id()),
        of,
        dates: Dates::on(day(4)),
    };
    Command::new(key(), Action::Reverse(reverse))
}

pub(crate) fn why(verdict: Verdict) -> Option<Reason> {
    match verdict {
        Verdict::Refused { reason, .. } => Some(reason),
        Verdict::Posted { .. } | Verdict::Conflict => None,
    }
}

pub(crate) fn is_posted(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Posted { .. })
}

/// Books with November 2026 open, or nothing where there is no server.
pub(crate) async fn books() -> Option<Books> {
    books_with(4).await
}

/// The same, for `connections` transactions at once.
pub(crate) async fn books_with(connections: u32) -> Option<Books> {
    let server = server()?;
    let word = RandomIds.next().simple().to_string()[20..].to_owned();
    let database = format!("ledger_{word}");
    let mut root = PgConnection::connect(&server).await.unwrap();
    let create = format!("CREATE DATABASE {database}");
    sqlx::raw_sql(AssertSqlSafe(create))
        .execute(&mut root)
        .await
        .unwrap();
    let base = server.rsplit_once('/').unwrap().0.to_owned();
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
    let host = base
        .rsplit_once('@')
        .map_or_else(|| base.rsplit_once("://").unwrap().1, |(_, host)| host);
    let core_url = format!("postgres://{}:secret@{host}/{database}", logins.core.name);
    let admin_url = Secret::new(format!("{base}/{database}"));
    let admin = Admin::connect(&admin_url, logins).await.unwrap();
    admin.platform().await.unwrap();
    let tenant: TenantId = format!("l{word}").parse().unwrap();
    provision::create(&admin, &new_tenant(&tenant), SystemClock.now())
        .await
        .unwrap();
    let clock = FakeClock::at(DateTime::from_timestamp(1_794_744_000, 0).unwrap());
    let url = Secret::new(core_url.clone());
    let config = DbConfig {
        program: Program::Core,
        platform_url: url.clone(),
        cells: vec![(CellId::new("main"), url)],
        max_connections: connections,
        strictness: Strictness::Dev,
        crash_at: None,
    };
    let placement = Placement::Register(Arc::default());
    let db = Db::connect(
        &config,
        placement,
        Arc::new(clock.clone()),
        Arc::new(RandomIds),
    )
    .await
    .unwrap();
    let mut books = Books {
        db,
        tenant,
        clock,
        cash: LedgerAccountId::from(0),
        admin,
        core_url,
        server,
        database,
    };
    books.open().await;
    Some(books)
}

fn new_tenant(id: &TenantId) -> NewTenant {
    NewTenant {
        id: id.clone(),
        slug: "lion".parse().unwrap(),
        name: "Lion Credit Union".to_owned(),
        country: "DE".to_owned(),
        currency: "EUR".parse().unwrap(),
        bank_code: "70010001".to_owned(),
        cell: CellId::new("main"),
    }
}

impl Books {
    pub(crate) async fn write(&self) -> TenantTx {
        self.db
            .tenant(&self.tenant, "staff:tester", Access::Write)
            .await
            .unwrap()
    }

    pub(crate) async fn read(&self) -> TenantTx {
        self.db
            .tenant(&self.tenant, "staff:tester", Access::Read)
            .await
            .unwrap()
    }

    async fn open(&mut self) {
        let tx = self.write().await;
        for (code, name, class) in [
            ("1000", "Cash", GlClass::Asset),
            ("1900", "Currency position", GlClass::Asset),
            ("2000", "Deposits", GlClass::Liability),
        ] {
            let account = GlAccount {
                code: code.to_owned(),
                name: name.to_owned(),
                class,
            };
            branchline_ledger::add_gl_account(&tx, &account)
                .await
                .unwrap();
        }
        branchline_ledger::open_period(&tx, day(1), day(30))
            .await
            .unwrap();
        let cash = NewAccount::new("cash-eur", eur(0).currency(), Side::Debit, "1000");
        self.cash = branchline_ledger::open_account(&tx, &cash).await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Opens a member's account that may not fall below zero.
    pub(crate) async fn member(&self, minor: i64) -> LedgerAccountId {
        let account = self.account(Limits::NO_OVERDRAFT, Side::Credit).await;
        if minor > 0 {
            let paid_in = self.post(&[transfer(self.cash, account, minor)]).await;
            assert!(is_posted(paid_in[0]));
        }
        account
    }

    pub(crate) async fn account(&self, limits: Limits, side: Side) -> LedgerAccountId {
        self.account_in(eur(0), limits, side).await
    }

    pub(crate) async fn account_in(
        &self,
        zero: Money,
        limits: Limits,
        side: Side,
    ) -> LedgerAccountId {
        let gl_account = match side {
            Side::Debit => "1900",
            Side::Credit => "2000",
        };
        let new = NewAccount::new(&id().to_string(), zero.currency(), side, gl_account);
        let tx = self.write().await;
        let opened = branchline_ledger::open_account(&tx, &new.with_limits(limits))
            .await
            .unwrap();
        tx.commit().await.unwrap();
        opened
    }

    /// Posts in one transaction and commits it.
    pub(crate) async fn post(&self, commands: &[Command]) -> Vec<Verdict> {
        self.try_post(commands).await.unwrap()
    }

    pub(crate) async fn try_post(&self, commands: &[Command]) -> Result<Vec<Verdict>, LedgerError> {
        let tx = self.write().await;
        let verdicts = branchline_ledger::post(&tx, commands).await?;
        tx.commit().await?;
        Ok(verdicts)
    }

    pub(crate) async fn one(&self, command: Command) -> Verdict {
        self.post(&[command]).await[0]
    }

    pub(crate) async fn balances(&self, account: LedgerAccountId) -> Balances {
        let tx = self.read().await;
        branchline_ledger::balances(&tx, account).await.unwrap()
    }

    pub(crate) async fn statement(&self, account: LedgerAccountId) -> Page {
        let tx = self.read().await;
        let query = StatementQuery {
            limit: 500,
            ..StatementQuery::default()
        };
        branchline_ledger::statement(&tx, account, &query)
            .await
            .unwrap()
    }

    /// Nothing contradicts: every test that posts ends with this.
    pub(crate) async fn agree(&self) {
        let tx = self.read().await;
        assert_eq!(branchline_ledger::verify(&tx).await.unwrap(), vec![]);
    }

    /// Another tenant in the same database, without books.
    pub(crate) async fn second_tenant(&self) -> TenantId {
        let tenant: TenantId = format!("{}b", self.tenant).parse().unwrap();
        let new = NewTenant {
            slug: "elephant".parse().unwrap(),
            bank_code: "70010002".to_owned(),
            ..new_tenant(&tenant)
        };
        provision::create(&self.admin, &new, SystemClock.now())
            .await
            .unwrap();
        tenant
    }

    /// From now on the tenant may only be read.
    pub(crate) async fn suspend(&self) {
        provision::set_serving(&self.admin, &self.tenant, Serving::Suspended, "a test")
            .await
            .unwrap();
    }

    /// Ends every other connection to the database, as a restart of the server would.
    pub(crate) async fn cut_others(&self) {
        let base = self.server.rsplit_once('/').unwrap().0;
        let mut root = PgConnection::connect(&format!("{base}/{}", self.database))
            .await
            .unwrap();
        let cut = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity \
            WHERE datname = current_database() AND pid <> pg_backend_pid()";
        sqlx::raw_sql(cut).execute(&mut root).await.unwrap();
    }

    async fn connect(&self, role: &str, url: &str) -> PgConnection {
        let mut connection = PgConnection::connect(url).await.unwrap();
        let become_role = format!(
            "SET search_path TO t_{0}, pg_temp; SET ROLE {role}",
            self.tenant
        );
        sqlx::raw_sql(AssertSqlSafe(become_role))
            .execute(&mut connection)
            .await
            .unwrap();
        connection
    }

    /// A connection as the role that the core's services act under.
    pub(crate) async fn app(&self) -> PgConnection {
        self.connect(&format!("t_{}", self.tenant), &self.core_url)
            .await
    }

    /// A connection as the owner of the schema: what a migration gone wrong could do.
    pub(crate) async fn owner(&self) -> PgConnection {
        let base = self.server.rsplit_once('/').unwrap().0;
        let url = format!("{base}/{}", self.database);
        self.connect(&format!("t_{}_owner", self.tenant), &url)
            .await
    }
}

/// The refusal of a statement: its SQLSTATE, and the constraint if it names one.
pub(crate) async fn refusal(connection: &mut PgConnection, sql: &str) -> Option<(String, String)> {
    let failed = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
        .execute(&mut *connection)
        .await
        .err()?;
    let error = failed.as_database_error().unwrap();
    let state = error.code().unwrap().into_owned();
    let found = (state, error.constraint().unwrap_or_default().to_owned());
    sqlx::raw_sql("ROLLBACK")
        .execute(&mut *connection)
        .await
        .unwrap();
    Some(found)
}

/// Asserts that the statement is refused with that SQLSTATE.
pub(crate) async fn refused(connection: &mut PgConnection, sql: &str, state: &str) {
    let found = refusal(connection, sql).await;
    let found = found.as_ref().map(|(state, _)| state.as_str());
    assert_eq!(found, Some(state), "{sql}");
}
