//! `branchline tenant`: the production path that makes a tenant, and what else is done to one.

use std::path::PathBuf;

use anyhow::Context;
use branchline_banking::{Institution, InstitutionError};
use branchline_db::doctor;
use branchline_db::migrate::Login;
use branchline_db::provision::{self, NewTenant, ProvisionError, Serving};
use branchline_db::{Access, CellId, Db, Issuer, Program, Tenant};
use branchline_iam::{Job, KeyPurpose, MasterKey, Person, Realm, RealmSpec, random_bytes};
use branchline_kernel::{
    Clock, Currency, IdSource, RandomIds, Secret, SystemClock, TenantId, TenantSlug,
};
use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use crate::commands::migrate::admin;
use crate::config::Config;
use crate::serve::parts;
use crate::terminal::say;

/// What can be done to tenants.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a tenant: schemas, roles, keys, realm, people. Safe to repeat after a failure.
    Create(Create),
    /// List the tenants.
    List,
    /// Say how well the database keeps tenants apart, and what to do about it.
    Doctor,
    /// Let a tenant be read but not changed.
    Suspend(Which),
    /// Let a suspended tenant serve again.
    Resume(Which),
}

/// A tenant by its public name.
#[derive(Args)]
pub(crate) struct Which {
    /// Its name in addresses.
    slug: TenantSlug,
    /// Why; the operators see it.
    #[arg(long, default_value = "")]
    reason: String,
}

/// A new tenant.
#[derive(Args)]
pub(crate) struct Create {
    /// Its name in addresses: small letters, digits, hyphens.
    #[arg(long)]
    pub(crate) slug: TenantSlug,
    /// What people call it.
    #[arg(long)]
    pub(crate) name: String,
    /// The two letters of its country.
    #[arg(long)]
    pub(crate) country: String,
    /// The currency it reports in.
    #[arg(long)]
    pub(crate) currency: String,
    /// Its bank code: how the BBAN of its accounts begins.
    #[arg(long)]
    pub(crate) bank_code: String,
    /// A JSON file with its first people: [{"username", "full_name", "jobs": [..], "password"}].
    #[arg(long)]
    pub(crate) people: Option<PathBuf>,
}

/// A person of the file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FirstPerson {
    username: String,
    full_name: String,
    jobs: Vec<Job>,
    password: Option<Secret<String>>,
}

/// What was made, as JSON.
#[derive(Serialize)]
struct Made<'a> {
    tenant: &'a TenantId,
    slug: &'a TenantSlug,
    issuer: &'a str,
    authorization_server: String,
    people: Vec<MadePerson<'a>>,
}

#[derive(Serialize)]
struct MadePerson<'a> {
    username: &'a str,
    subject: &'a str,
}

/// Runs one of them.
pub(crate) async fn run(config: &Config, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create(create) => make(config, create).await,
        Command::List => list(config).await,
        Command::Doctor => examine(config).await,
        Command::Suspend(which) => set(config, &which, Serving::Suspended).await,
        Command::Resume(which) => set(config, &which, Serving::Open).await,
    }
}

async fn make(config: &Config, create: Create) -> anyhow::Result<()> {
    let people = people(&create)?;
    let admin = admin(config).await?;
    let gateway = parts::door(config, Program::Gateway).await?;
    let currency: Currency = create.currency.parse()?;
    let new = NewTenant {
        id: opaque_name(&RandomIds)?,
        slug: create.slug.clone(),
        name: create.name.clone(),
        country: create.country.clone(),
        currency,
        bank_code: create.bank_code.clone(),
        cell: CellId::new(parts::CELL),
    };
    // A name that is taken may be this very tenant, half made by a run that failed.
    match provision::create(&admin, &new, SystemClock.now()).await {
        Ok(()) | Err(ProvisionError::SlugTaken(_)) => {}
        Err(error) => return Err(error.into()),
    }
    let tenant = gateway
        .find_tenant(&create.slug)
        .await?
        .context("the tenant is not in the register")?;
    anyhow::ensure!(
        tenant.name == create.name
            && tenant.country == create.country
            && tenant.currency == currency,
        "there is a tenant {} already, with another name, country or currency: choose another slug",
        create.slug
    );
    establish(config, &tenant, &create.bank_code).await?;
    let realm = realm(config, &create, people).await?;
    let issuer = Issuer {
        issuer: realm.issuer.clone(),
        tenant: tenant.id.clone(),
        jwks_uri: realm.jwks_uri.clone(),
        client_id: realm.client_id.clone(),
    };
    provision::set_issuer(&admin, &issuer).await?;
    keep_keys(config, &gateway, &tenant.id, &realm).await?;
    report(config, &tenant, &realm)
}

fn people(create: &Create) -> anyhow::Result<Vec<Person>> {
    let Some(path) = &create.people else {
        return Ok(Vec::new());
    };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("the people's file {} cannot be read", path.display()))?;
    let people: Vec<FirstPerson> = serde_json::from_str(&text)
        .with_context(|| format!("the people's file {} does not fit", path.display()))?;
    let person = |FirstPerson {
                      username,
                      full_name,
                      jobs,
                      password,
                  }| Person {
        username,
        full_name,
        jobs,
        password,
    };
    Ok(people.into_iter().map(person).collect())
}

/// A name for schemas and roles that says nothing: the random end of a UUID, a letter first.
fn opaque_name(ids: &impl IdSource) -> anyhow::Result<TenantId> {
    let random: String = ids
        .next()
        .simple()
        .to_string()
        .chars()
        .rev()
        .take(12)
        .collect();
    Ok(format!("x{random}").parse()?)
}

async fn realm(config: &Config, create: &Create, people: Vec<Person>) -> anyhow::Result<Realm> {
    let identity = parts::identity_admin(config)?;
    let callback = format!(
        "{}/t/{}/login/callback",
        config.gateway.public_url, create.slug
    );
    let spec = RealmSpec {
        slug: create.slug.clone(),
        name: create.name.clone(),
        people,
        redirect_uris: vec![callback],
    };
    Ok(identity.provision(&spec).await?)
}

/// Gives the institution its chart of accounts and its first period, once.
async fn establish(config: &Config, tenant: &Tenant, bank_code: &str) -> anyhow::Result<()> {
    let core = parts::door(config, Program::Core).await?;
    let tx = core.tenant(&tenant.id, PROVISIONING, Access::Write).await?;
    let new = Institution {
        country: tenant.country.clone(),
        bank_code: bank_code.to_owned(),
        currency: tenant.currency,
    };
    match branchline_banking::establish(&tx, &new).await {
        Ok(()) => tx.commit().await?,
        Err(InstitutionError::Established) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(())
}

/// Who acts.
const PROVISIONING: &str = "system:provisioning";
const KEEP: &str = "INSERT INTO tenant_key (purpose, wrapped, created_at) VALUES ($1, $2, $3) \
ON CONFLICT ON CONSTRAINT tenant_key_pkey DO NOTHING";

/// Makes the tenant's own keys and keeps them wrapped; keys that are there stay.
async fn keep_keys(
    config: &Config,
    gateway: &Db,
    tenant: &TenantId,
    realm: &Realm,
) -> anyhow::Result<()> {
    let master = MasterKey::load(&config.keys.master_key_file)?;
    let tx = gateway.tenant(tenant, PROVISIONING, Access::Write).await?;
    let login = realm.client_secret.expose().as_bytes().to_vec();
    for (purpose, key) in [
        (KeyPurpose::LoginClient, login),
        (KeyPurpose::OneTimeCode, random_bytes(32)?),
        (KeyPurpose::PairwiseSubject, random_bytes(32)?),
        (KeyPurpose::Pages, random_bytes(32)?),
    ] {
        let wrapped = master.wrap(tenant, purpose, &key)?;
        let values = branchline_db::Values::new()
            .with(purpose.as_str())
            .with(wrapped)
            .with(tx.now());
        tx.run(KEEP, values).await?;
    }
    tx.commit().await?;
    Ok(())
}

fn report(config: &Config, tenant: &Tenant, realm: &Realm) -> anyhow::Result<()> {
    let people = realm.people.iter();
    let made = Made {
        tenant: &tenant.id,
        slug: &tenant.slug,
        issuer: &realm.issuer,
        authorization_server: format!("{}/t/{}", config.gateway.public_url, tenant.slug),
        people: people
            .map(|p| MadePerson {
                username: &p.username,
                subject: &p.subject,
            })
            .collect(),
    };
    say(&serde_json::to_string_pretty(&made)?);
    Ok(())
}

async fn list(config: &Config) -> anyhow::Result<()> {
    let gateway = parts::door(config, Program::Gateway).await?;
    for tenant in gateway.tenants().await? {
        say(&format!(
            "{}\t{}\t{}\t{}",
            tenant.slug, tenant.id, tenant.currency, tenant.name
        ));
    }
    Ok(())
}

async fn set(config: &Config, which: &Which, serving: Serving) -> anyhow::Result<()> {
    let admin = admin(config).await?;
    let gateway = parts::door(config, Program::Gateway).await?;
    let tenant = gateway.find_tenant(&which.slug).await?;
    let tenant = tenant.with_context(|| {
        format!(
            "there is no tenant {}: `branchline tenant list` shows them",
            which.slug
        )
    })?;
    provision::set_serving(&admin, &tenant.id, serving, &which.reason).await?;
    say(&format!(
        "{} is {}",
        which.slug,
        if serving == Serving::Open {
            "open"
        } else {
            "suspended"
        }
    ));
    Ok(())
}

/// What even the best of these databases does not withstand; `docs/operations.md` says more.
const LEVEL: &str = "level: pooled. One login per program serves all tenants: mistakes in code and injected values \
are refused; a whole injected statement (SET ROLE) is not.";

async fn examine(config: &Config) -> anyhow::Result<()> {
    let database = &config.database;
    let migrator = database.require(&database.migrator_url, "database.migrator_url")?;
    let logins = [
        Login::of(database.require(&database.core_url, "database.core_url")?)?.name,
        Login::of(database.require(&database.gateway_url, "database.gateway_url")?)?.name,
    ];
    let checks = doctor::examine(migrator, &logins).await?;
    for check in &checks {
        match check.holds {
            true => say(&format!("ok    {}", check.rule)),
            false => say(&format!("FAIL  {}\n      {}", check.rule, check.otherwise)),
        }
    }
    say(LEVEL);
    let failed = checks.iter().filter(|check| !check.holds).count();
    anyhow::ensure!(
        failed == 0,
        "{failed} of {} rules do not hold",
        checks.len()
    );
    Ok(())
}
