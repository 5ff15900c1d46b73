//! What PostgreSQL's own benchmark does on the same server.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use branchline_db::{Operator, installation};
use branchline_kernel::Secret;
use branchline_launcher::Postgres;
use tokio::process::Command;

/// What the anchor does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Script {
    /// TPC-B-like at scale 10.
    TpcB,
    /// The same at scale 1: every transaction updates the one branch.
    HotRow,
    /// One account's update, one look, one insert, at scale 10: hardly more than a commit.
    SimpleUpdate,
    /// One insert and its commit.
    BareInsert,
}

impl Script {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::TpcB => "pgbench-tpcb",
            Self::HotRow => "pgbench-hot-row",
            Self::SimpleUpdate => "pgbench-simple-update",
            Self::BareInsert => "bare-insert",
        }
    }
}

const BARE_TABLE: &str = "CREATE TABLE bare (id uuid PRIMARY KEY, note text)";
const BARE: &str = "INSERT INTO bare (id, note) VALUES (gen_random_uuid(), 'x');\n";

/// pgbench, with its tables in databases of their own.
pub(super) struct Anchor {
    program: PathBuf,
    wide: String,
    narrow: String,
    script: PathBuf,
}

impl Anchor {
    pub(super) async fn prepare(server: &Postgres, scale: u32) -> anyhow::Result<Self> {
        let own = server.programs().join("pgbench");
        let program = if own.exists() {
            own
        } else {
            PathBuf::from("pgbench")
        };
        let server_url = Secret::new(server.url("postgres"));
        for database in ["anchor_wide", "anchor_narrow"] {
            installation::create(&server_url, database).await?;
        }
        let anchor = Self {
            program,
            wide: server.url("anchor_wide"),
            narrow: server.url("anchor_narrow"),
            script: std::env::temp_dir().join(format!("bare-{}.sql", std::process::id())),
        };
        std::fs::write(&anchor.script, BARE)?;
        anchor
            .run(&["-i", "-q", "-s", &scale.to_string(), &anchor.wide])
            .await?;
        anchor.run(&["-i", "-q", "-s", "1", &anchor.narrow]).await?;
        let narrow = Secret::new(anchor.narrow.clone());
        Operator::connect(&narrow).await?.run(BARE_TABLE).await?;
        Ok(anchor)
    }

    /// Transactions per second.
    pub(super) async fn rate(
        &self,
        script: Script,
        clients: usize,
        window: Duration,
    ) -> anyhow::Result<u64> {
        let (clients, seconds) = (clients.to_string(), window.as_secs().max(1).to_string());
        let file = self.script.to_string_lossy();
        let mut arguments = vec![
            "-n", "-M", "prepared", "-j", "2", "-c", &clients, "-T", &seconds,
        ];
        arguments.extend(match script {
            Script::TpcB => vec![self.wide.as_str()],
            Script::HotRow => vec![self.narrow.as_str()],
            Script::SimpleUpdate => vec!["-b", "simple-update", self.wide.as_str()],
            Script::BareInsert => vec!["-f", &file, self.narrow.as_str()],
        });
        let said = self.run(&arguments).await?;
        let tps = said.lines().find_map(|line| line.strip_prefix("tps = "));
        let whole = tps.and_then(|tps| tps.split(['.', ' ']).next());
        let whole = whole.context("pgbench said no rate")?;
        Ok(whole.parse()?)
    }

    async fn run(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let output = Command::new(&self.program).args(arguments).output().await;
        let output = output.context("pgbench did not start: install PostgreSQL's programs")?;
        let said = String::from_utf8_lossy(&output.stderr);
        anyhow::ensure!(output.status.success(), "pgbench failed: {said}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

impl Drop for Anchor {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.script);
    }
}
