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

fn args(layout: Layout) -> DemoArgs {
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
        redis: false,
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
        install_crypto();
        let args = args(layout);
        let stage = Stage::prepare(&args).await?;
        let journey = Journey::begin(&stage, &[]).await?;
        let (lion, elephant) = (
            journey.create_tenant(&stage, &LION).await?,
            journey.create_tenant(&stage, &ELEPHANT).await?,
        );
        let payer = open(&journey, &lion, "1000.00").await?;
        let payee = open(&journey, &elephant, "75.00").await?;
        let invitation = stage
            .operate(&["tpp", "invite", "--note", "Savanna Budget"])
            .await?;
        let fintech = Fintech::register(
            journey.http.clone(),
            &journey.gateway,
            "Savanna Budget",
            invitation.trim(),
        )
        .await?;
        for tenant in [LION.slug, ELEPHANT.slug] {
            stage
                .operate(&[
                    "tpp",
                    "enable",
                    "--client",
                    fintech.client_id(),
                    "--tenant",
                    tenant,
                ])
                .await?;
        }
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
