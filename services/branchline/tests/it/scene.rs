//! A stage on which the journey has come as far as a test needs it.

use std::path::PathBuf;

use branchline::demo::{
    Account, DemoArgs, ELEPHANT, Fintech, IdentityChoice, Journey, LION, Layout, Order, Staff,
    Stage, Tenant,
};
use branchline_kernel::{IdSource, RandomIds};

/// Both credit unions with their members' accounts, and a fintech enabled at both.
pub(crate) struct Scene {
    pub(crate) stage: Stage,
    pub(crate) journey: Journey,
    pub(crate) lion: Tenant,
    pub(crate) elephant: Tenant,
    pub(crate) payer: Account,
    pub(crate) payee: Account,
    pub(crate) fintech: Fintech,
    args: DemoArgs,
}

fn args(layout: Layout, redis: bool) -> DemoArgs {
    let word: String = RandomIds
        .next()
        .simple()
        .to_string()
        .chars()
        .skip(20)
        .collect();
    DemoArgs {
        once: true,
        identity: IdentityChoice::Dev,
        redis,
        processes: layout,
        keep: false,
        reset: false,
        directory: Some(std::env::temp_dir().join(format!("branchline-test-{word}"))),
        database_url: None,
        embedded: false,
        gateway_port: None,
        core_port: None,
        binary: Some(PathBuf::from(env!("CARGO_BIN_EXE_branchline"))),
    }
}

impl Scene {
    /// Sets the scene with one process or two.
    pub(crate) async fn set(layout: Layout) -> anyhow::Result<Self> {
        Self::prepare(args(layout, false)).await
    }

    /// Sets the scene with a private Redis.
    pub(crate) async fn with_redis() -> anyhow::Result<Self> {
        Self::prepare(args(Layout::One, true)).await
    }

    async fn prepare(args: DemoArgs) -> anyhow::Result<Self> {
        install_crypto();
        let stage = Stage::prepare(&args).await?;
        // A test asks faster than any third party may.
        let limits = [("BRANCHLINE__GATEWAY__CALLS_PER_SECOND", "100000")];
        let journey = Journey::begin(&stage, &limits).await?;
        let (lion, elephant) = (
            journey.create_tenant(&stage, &LION).await?,
            journey.create_tenant(&stage, &ELEPHANT).await?,
        );
        let payer = open(&journey, &lion, "1000.00").await?;
        let payee = open(&journey, &elephant, "75.00").await?;
        let fintech = register(&stage, &journey, "Savanna Budget", &BOTH).await?;
        Ok(Self {
            stage,
            journey,
            lion,
            elephant,
            payer,
            payee,
            fintech,
            args,
        })
    }

    /// Another fintech, enabled at these tenants.
    pub(crate) async fn fintech(&self, name: &str, at: &[&str]) -> anyhow::Result<Fintech> {
        register(&self.stage, &self.journey, name, at).await
    }

    /// A page of the gateway, or an operation of it.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.journey.gateway)
    }

    /// An order from Lion's member to Elephant's.
    pub(crate) fn order<'a>(&'a self, own: &'a str, amount: &'a str) -> Order<'a> {
        Order {
            own,
            request_id: RandomIds.next().to_string(),
            debtor: &self.payer,
            creditor: &self.payee,
            creditor_name: ELEPHANT.member.1,
            amount,
        }
    }

    /// The supervisors of both.
    pub(crate) async fn staff(&self) -> anyhow::Result<[Staff; 2]> {
        Ok([
            self.journey.staff(&self.lion).await?,
            self.journey.staff(&self.elephant).await?,
        ])
    }

    /// Takes everything down.
    pub(crate) async fn strike(mut self) -> anyhow::Result<()> {
        self.journey.stop().await?;
        self.stage.take_down(&self.args).await
    }
}

const BOTH: [&str; 2] = [LION.slug, ELEPHANT.slug];

async fn register(
    stage: &Stage,
    journey: &Journey,
    name: &str,
    at: &[&str],
) -> anyhow::Result<Fintech> {
    let invitation = stage.operate(&["tpp", "invite", "--note", name]).await?;
    let http = journey.http.clone();
    let fintech = Fintech::register(http, &journey.gateway, name, invitation.trim()).await?;
    for tenant in at {
        let client = ["--client", fintech.client_id(), "--tenant", tenant];
        stage
            .operate(&[&["tpp", "enable"], client.as_slice()].concat())
            .await?;
    }
    Ok(fintech)
}

async fn open(journey: &Journey, tenant: &Tenant, deposit: &str) -> anyhow::Result<Account> {
    let staff = journey.staff(tenant).await?;
    let member = journey.enroll(&staff, tenant).await?;
    journey.open_account(&staff, &member, deposit).await
}

fn install_crypto() {
    // Another test of this process may have done it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}
