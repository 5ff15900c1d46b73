//! `branchline tpp`: third parties on the platform and at its tenants.

use anyhow::Context;
use branchline_db::Program;
use branchline_gateway_api as operations;
use branchline_kernel::TenantSlug;
use branchline_oauth::ClientId;
use clap::Subcommand;

use crate::config::Config;
use crate::serve::parts;
use crate::terminal::say;

/// What can be done about third parties.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print an initial access token with which one third party may register, once, within 7 days.
    Invite {
        /// Whom it is for, in up to 200 characters.
        #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
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
        Command::Invite { note } => say(operations::invite(&db, &note).await?.expose()),
        Command::Enable { client, tenant } => {
            let client: ClientId = client.parse()?;
            let known = db.find_tenant(&tenant).await?;
            let known = known.with_context(|| format!("there is no tenant {tenant}"))?;
            operations::enable(&db, &known.id, client).await?;
            say(&format!("{client} is let in at {tenant}"));
        }
        Command::List => {
            for listed in operations::list(&db).await? {
                let at: Vec<_> = listed.enabled_at.iter().map(ToString::to_string).collect();
                let client = ClientId::of(listed.tpp.id);
                say(&format!(
                    "{client}\t{}\t{}",
                    listed.tpp.name(),
                    at.join(",")
                ));
            }
        }
    }
    Ok(())
}
