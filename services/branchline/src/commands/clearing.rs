//! `branchline clearing`: what the tenants of this installation owe each other.

use anyhow::Context;
use branchline_db::{Access, Program};
use branchline_kernel::{Currency, Money, TenantSlug};
use clap::Subcommand;

use crate::config::Config;
use crate::executor;
use crate::serve::parts;
use crate::terminal::say;

/// Who acts.
const OPERATOR: &str = "system:operator";

/// What can be done about clearing.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Say how much a tenant may owe the others before its payments are refused.
    Cap {
        /// The tenant's name in addresses.
        #[arg(long)]
        tenant: TenantSlug,
        /// The currency.
        #[arg(long)]
        currency: Currency,
        /// The most it may owe, such as 10000.00.
        #[arg(long)]
        amount: String,
    },
    /// Net what the tenants owe each other into their settlement accounts.
    Settle,
}

/// Runs one of them.
pub(crate) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    let db = parts::door(config, Program::Core).await?;
    match command {
        Command::Cap {
            tenant,
            currency,
            amount,
        } => {
            let known = db.find_tenant(&tenant).await?;
            let known = known.with_context(|| format!("there is no tenant {tenant}"))?;
            let cap = Money::parse(&amount, currency)?;
            let tx = db.tenant(&known.id, OPERATOR, Access::Write).await?;
            branchline_payments::set_cap(&tx, cap).await?;
            tx.commit().await?;
            say(&format!("{tenant} may owe the others {cap}"));
        }
        Command::Settle => {
            let netted = executor::settle(&db).await?;
            for net in &netted {
                say(&format!("{}\t{}", net.tenant, net.amount));
            }
            say(&format!("{} positions were netted", netted.len()));
        }
    }
    Ok(())
}
