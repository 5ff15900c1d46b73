//! A private server with tenants whose books are open: what torture and bench are played on.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use branchline_db::migrate::{Admin, Login, Logins};
use branchline_db::provision::{self, NewTenant};
use branchline_db::{
    Access, CellId, Db, DbConfig, Operator, Placement, Program, Strictness, TenantTx, installation,
};
use branchline_kernel::{
    Clock, Currency, IdSource, LedgerAccountId, Money, PostingId, RandomIds, Secret, SystemClock,
    TenantId,
};
use branchline_launcher::{Places, Postgres, PostgresOptions, Progress};
use branchline_ledger::{
    Action, Command, Dates, GlAccount, GlClass, LedgerKey, Leg, Limits, NewAccount, Post, Side,
    add_gl_account, open_account, open_period, post,
};
use chrono::{Datelike, NaiveDate};

use crate::serve::parts::CELL;
use crate::terminal::tell;

const DATABASE: &str = "ground";
const PASSWORD: &str = "ground";
const LOGIN: &str = "ground";
/// Legs of one opening posting besides the one of cash.
const OPENED_AT_ONCE: usize = 90;

/// The server and the door to it.
pub(super) struct Ground {
    pub(super) server: Postgres,
    pub(super) db: Db,
    pub(super) day: NaiveDate,
    admin: Admin,
    pub(super) directory: PathBuf,
}

/// A tenant with money on its accounts.
#[derive(Clone)]
pub(super) struct Books {
    pub(super) tenant: TenantId,
    pub(super) accounts: Vec<LedgerAccountId>,
}

/// The address of the core's login when the server listens on `port`.
pub(super) fn core_url(port: u16) -> Secret<String> {
    login_url("core", port)
}

fn login_url(program: &str, port: u16) -> Secret<String> {
    Secret::new(format!(
        "postgres://{LOGIN}_{program}:{PASSWORD}@127.0.0.1:{port}/{DATABASE}"
    ))
}

/// A door through that address.
pub(super) async fn door(url: Secret<String>, connections: u32) -> anyhow::Result<Db> {
    let config = DbConfig {
        program: Program::Core,
        platform_url: url.clone(),
        cells: vec![(CellId::new(CELL), url)],
        max_connections: connections,
        strictness: Strictness::Dev,
        crash_at: None,
    };
    let placement = Placement::Single(CellId::new(CELL));
    Ok(Db::connect(
        &config,
        placement,
        Arc::new(SystemClock),
        Arc::new(RandomIds),
    )
    .await?)
}

pub(super) fn eur(minor: i64) -> anyhow::Result<Money> {
    let currency: Currency = "EUR".parse()?;
    Ok(Money::new(minor, currency))
}

impl Ground {
    /// Starts a durable server in a folder of its own.
    pub(super) async fn prepare(
        name: &str,
        settings: &[(&str, &str)],
        max_connections: u32,
    ) -> anyhow::Result<Self> {
        let places = Places::from_environment();
        let directory = places.state.join(format!("{name}-{}", std::process::id()));
        let mut options = PostgresOptions::new(directory.join("postgres"));
        options.max_connections = max_connections;
        let given = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        options.settings = given.collect();
        let server = Postgres::start(options, &places, &Progress::new(tell)).await?;
        let server_url = Secret::new(server.url("postgres"));
        installation::create(&server_url, DATABASE).await?;
        let login = |program: &str| Login {
            name: format!("{LOGIN}_{program}"),
            password: Secret::new(PASSWORD.to_owned()),
        };
        let logins = Logins {
            core: login("core"),
            gateway: login("gateway"),
            core_jobs: login("core_jobs"),
            gateway_jobs: login("gateway_jobs"),
        };
        let admin = Admin::connect(&Secret::new(server.url(DATABASE)), logins).await?;
        admin.platform().await?;
        let db = door(core_url(server.port()), 4).await?;
        Ok(Self {
            server,
            db,
            day: SystemClock.now().date_naive(),
            admin,
            directory,
        })
    }

    /// The address of the login of a program: `core`, `core_jobs`.
    pub(super) fn login_url(&self, program: &str) -> Secret<String> {
        login_url(program, self.server.port())
    }

    /// A connection of the superuser.
    pub(super) async fn root(&self) -> anyhow::Result<Operator> {
        Ok(Operator::connect(&Secret::new(self.server.url(DATABASE))).await?)
    }

    /// A tenant whose `count` accounts hold `opening` each and may not fall below zero.
    pub(super) async fn tenant(
        &self,
        name: &str,
        count: usize,
        opening: i64,
    ) -> anyhow::Result<Books> {
        let tenant = self.provision(name).await?;
        self.open(tenant, count, opening).await
    }

    /// A tenant without books.
    pub(super) async fn provision(&self, name: &str) -> anyhow::Result<TenantId> {
        let tenant: TenantId = name.parse()?;
        let new = NewTenant {
            id: tenant.clone(),
            slug: name.parse()?,
            name: name.to_owned(),
            country: "DE".to_owned(),
            currency: "EUR".parse()?,
            bank_code: name.to_uppercase(),
            cell: CellId::new(CELL),
        };
        provision::create(&self.admin, &new, SystemClock.now()).await?;
        Ok(tenant)
    }

    /// Books of that tenant: see [`Ground::tenant`].
    pub(super) async fn open(
        &self,
        tenant: TenantId,
        count: usize,
        opening: i64,
    ) -> anyhow::Result<Books> {
        let tx = self
            .db
            .tenant(&tenant, "system:ground", Access::Write)
            .await?;
        let cash = self.open_books(&tx).await?;
        let mut accounts = Vec::with_capacity(count);
        for number in 0..count {
            let code = format!("member-{number}");
            let member = NewAccount::new(&code, "EUR".parse()?, Side::Credit, "2000");
            let member = member.with_limits(Limits::NO_OVERDRAFT);
            accounts.push(open_account(&tx, &member).await?);
        }
        tx.commit().await?;
        if opening > 0 {
            for some in accounts.chunks(OPENED_AT_ONCE) {
                self.pay_in(&tenant, cash, some, opening).await?;
            }
        }
        Ok(Books { tenant, accounts })
    }

    async fn open_books(&self, tx: &TenantTx) -> anyhow::Result<LedgerAccountId> {
        for (code, name, class) in [
            ("1000", "Cash", GlClass::Asset),
            ("2000", "Deposits", GlClass::Liability),
        ] {
            let account = GlAccount {
                code: code.to_owned(),
                name: name.to_owned(),
                class,
            };
            add_gl_account(tx, &account).await?;
        }
        let first = self.day.with_ordinal(1).context("a year has a first day")?;
        let last = first.with_month(12).and_then(|day| day.with_day(31));
        open_period(tx, first, last.context("a year has a last day")?).await?;
        let cash = NewAccount::new("cash", "EUR".parse()?, Side::Debit, "1000");
        Ok(open_account(tx, &cash).await?)
    }

    async fn pay_in(
        &self,
        tenant: &TenantId,
        cash: LedgerAccountId,
        members: &[LedgerAccountId],
        opening: i64,
    ) -> anyhow::Result<()> {
        let each = eur(opening)?;
        let mut sum = eur(0)?;
        let mut legs = Vec::new();
        for member in members {
            legs.push(Leg::credit(*member, each));
            sum = sum.checked_add(each)?;
        }
        legs.push(Leg::debit(cash, sum));
        let id = PostingId::from(RandomIds.next());
        let opening = Post::try_new(id, "opening", Dates::on(self.day), legs)?;
        let command = Command::new(LedgerKey::from(RandomIds.next()), Action::Post(opening));
        let tx = self
            .db
            .tenant(tenant, "system:ground", Access::Write)
            .await?;
        for verdict in post(&tx, &[command]).await? {
            verdict.accepted()?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// Stops the server and removes its folder.
    pub(super) async fn clear(mut self) -> anyhow::Result<()> {
        self.server.stop().await?;
        let folder = self.server.directory().to_owned();
        drop(self.server);
        // What cannot be removed is small and lies in the user's own state folder.
        let _ = std::fs::remove_dir_all(folder);
        let _ = std::fs::remove_dir_all(&self.directory);
        Ok(())
    }
}
