//! `branchline tpp`: third parties on the platform and at its tenants.

use anyhow::Context;
use branchline_consent::tpp;
use branchline_db::{Access, Program};
use branchline_iam::random_bytes;
use branchline_kernel::TenantSlug;
use branchline_oauth::{ClientId, OpaqueToken, TokenKind};
use clap::Subcommand;

use crate::config::Config;
use crate::serve::parts;
use crate::terminal::say;

/// What can be done about third parties.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print an initial access token with which one third party may register, once, within 7 days.
    Invite {
        /// Whom it is for.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Let a registered third party in at a tenant.
    Enable {
        /// Its client id.
        #[arg(long)]
        client: String,
        /// The tenant's name in addresses.
        #[arg(long)]
        tenant: TenantSlug,
    },
    /// List all third parties.
    List,
}

/// Runs one of them.
pub(crate) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    let db = parts::door(config, Program::Gateway).await?;
    match command {
        Command::Invite { note } => {
            let tx = db.platform(Access::Write).await?;
            let random = <[u8; 32]>::try_from(random_bytes(32)?)
                .ok()
                .context("32 bytes are 32")?;
            let invitation = OpaqueToken::mint(TokenKind::Invitation, &random);
            tpp::invite(&tx, &invitation, &note).await?;
            tx.commit().await?;
            say(invitation.expose());
        }
        Command::Enable { client, tenant } => {
            let client: ClientId = client.parse()?;
            let known = db.find_tenant(&tenant).await?;
            let known = known.with_context(|| format!("there is no tenant {tenant}"))?;
            let tx = db.platform(Access::Write).await?;
            tpp::enable(&tx, &known.id, client.tpp()).await?;
            tx.commit().await?;
            say(&format!("{client} is let in at {tenant}"));
        }
        Command::List => {
            let tx = db.platform(Access::Read).await?;
            for listed in tpp::list(&tx).await? {
                let at: Vec<_> = listed.enabled_at.iter().map(ToString::to_string).collect();
                say(&format!(
                    "{}\t{}\t{}",
                    ClientId::of(listed.tpp.id),
                    listed.tpp.name(),
                    at.join(",")
                ));
            }
            tx.rollback().await?;
        }
    }
    Ok(())
}
