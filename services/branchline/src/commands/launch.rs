//! `branchline launch`: private servers in the foreground, for tests and for trying things out.

use std::path::PathBuf;

use branchline_launcher::{
    Durability, Keycloak, KeycloakOptions, Places, Postgres, PostgresBinaries, PostgresOptions,
    Progress, Redis,
};
use clap::Args as ClapArgs;
use serde_json::json;
use tokio::io::AsyncReadExt;

use crate::terminal::{say, tell};

/// Which servers, and where they keep their files.
#[derive(ClapArgs)]
pub(crate) struct Args {
    /// A private PostgreSQL.
    #[arg(long)]
    postgres: bool,
    /// A private Redis.
    #[arg(long)]
    redis: bool,
    /// A private Keycloak.
    #[arg(long)]
    keycloak: bool,
    /// For tests: a power cut may destroy the database.
    #[arg(long)]
    no_fsync: bool,
    /// Use the embedded PostgreSQL even where the machine has its own.
    #[arg(long)]
    embedded: bool,
    /// Keep files here; without it they are removed at the end.
    #[arg(long)]
    directory: Option<PathBuf>,
    /// How to print the addresses.
    #[arg(long, default_value = "text", value_parser = ["text", "json"])]
    print: String,
}

/// Starts them, prints their addresses, and stops them at Ctrl-C, SIGTERM or the end of input.
pub(crate) async fn run(args: Args) -> anyhow::Result<()> {
    let places = Places::from_environment();
    let progress = Progress::new(tell);
    let kept = args.directory.clone();
    let directory = kept
        .clone()
        .unwrap_or_else(|| places.state.join(format!("launch-{}", std::process::id())));
    let mut postgres = match args.postgres {
        true => Some(postgres(&args, &directory, &places, &progress).await?),
        false => None,
    };
    let mut redis = match args.redis {
        true => Some(Redis::start(&directory.join("redis"), None, &places).await?),
        false => None,
    };
    let mut keycloak = match args.keycloak {
        true => {
            let options = KeycloakOptions {
                directory: directory.join("keycloak"),
                port: None,
            };
            Some(Keycloak::start(options, &places, &progress).await?)
        }
        false => None,
    };
    let addresses = json!({
        "postgres_url": postgres.as_ref().map(|server| server.url("postgres")),
        "redis_url": redis.as_ref().map(Redis::url),
        "keycloak_url": keycloak.as_ref().map(Keycloak::url),
        "keycloak_admin_user": keycloak.as_ref().map(Keycloak::admin_user),
        "keycloak_admin_password": keycloak.as_ref().map(|server| server.admin_password().to_owned()),
    });
    print(&args.print, &addresses);
    until_told().await?;
    if let Some(server) = &mut keycloak {
        server.stop().await?;
    }
    if let Some(server) = &mut redis {
        server.stop().await?;
    }
    if let Some(server) = &mut postgres {
        server.stop().await?;
    }
    drop((postgres, redis, keycloak));
    if kept.is_none() {
        // What cannot be removed is small and lies in the user's own state folder.
        let _ = std::fs::remove_dir_all(&directory);
    }
    Ok(())
}

async fn postgres(
    args: &Args,
    directory: &std::path::Path,
    places: &Places,
    progress: &Progress,
) -> anyhow::Result<Postgres> {
    let mut options = PostgresOptions::new(directory.join("postgres"));
    if args.no_fsync {
        options.durability = Durability::Careless;
    }
    if args.embedded {
        options.binaries = PostgresBinaries::Embedded;
    }
    Ok(Postgres::start(options, places, progress).await?)
}

fn print(form: &str, addresses: &serde_json::Value) {
    if form == "json" {
        return say(&addresses.to_string());
    }
    for (name, value) in addresses.as_object().into_iter().flatten() {
        if let Some(value) = value.as_str() {
            say(&format!("{name} = {value}"));
        }
    }
    say("Ctrl-C stops");
}

/// Waits for Ctrl-C, SIGTERM or, where input is a pipe, its end.
async fn until_told() -> anyhow::Result<()> {
    use std::io::IsTerminal;
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let input_ends = async {
        if std::io::stdin().is_terminal() {
            return std::future::pending().await;
        }
        let mut rest = Vec::new();
        tokio::io::stdin().read_to_end(&mut rest).await.map(drop)
    };
    tokio::select! {
        done = tokio::signal::ctrl_c() => done?,
        _ = terminate.recv() => {}
        done = input_ends => done?,
    }
    Ok(())
}
