//! The core's listener.

use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App as ActixApp, HttpServer, web};
use anyhow::Context;
use branchline_db::{Db, Program};
use branchline_iam::IssuerDirectory;
use branchline_web::{App, Callers, health, input_limits, serve_docs, watch};
use tokio::task::JoinSet;

use super::{Process, Roles, jobs, parts, timers};
use crate::config::Config;

/// Longest wait for requests that are being answered when the process ends.
pub(super) const GRACE_SECS: u64 = 20;
/// How often the register is asked for new tenants and issuers.
const REFRESH: Duration = Duration::from_secs(2);

/// Starts listener, jobs and timers.
pub(super) async fn start(
    config: &Config,
    roles: Roles,
    process: &Process,
    running: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let db = parts::door(config, Program::Core).await?;
    if roles.jobs {
        jobs::start(config, &db, process, running).await?;
        timers::seal_audit(&db, process, running);
    }
    if roles.core {
        let (people, issuers) = parts::people(&db).await?;
        keep_issuers(&db, issuers, process, running);
        let callers = Callers {
            people: Some(people),
            programs: Some(parts::programs(config)?),
        };
        listen(config, App::new(db, callers), process, running)?;
    }
    Ok(())
}

fn keep_issuers(
    db: &Db,
    issuers: IssuerDirectory,
    process: &Process,
    running: &mut JoinSet<anyhow::Result<()>>,
) {
    let db = db.clone();
    timers::every(REFRESH, process, running, move || {
        let (db, issuers) = (db.clone(), issuers.clone());
        async move { parts::refresh_issuers(&db, &issuers).await }
    });
}

fn listen(
    config: &Config,
    app: App,
    process: &Process,
    running: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let app = web::Data::new(app);
    let telemetry = web::Data::new(process.telemetry.clone());
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(app.clone())
            .app_data(telemetry.clone())
            .wrap(from_fn(watch))
            .configure(input_limits)
            .configure(health)
            .configure(branchline_core_api::configure)
            .configure(|config| serve_docs(config, branchline_core_api::openapi()))
    })
    .disable_signals()
    .shutdown_timeout(GRACE_SECS)
    .bind(config.core.listen)
    .with_context(|| {
        format!(
            "the core cannot listen on {}: is another process there?",
            config.core.listen
        )
    })?
    .run();
    run_server(server, process, running);
    Ok(())
}

/// Runs a server until the process ends, then lets it finish its requests.
pub(super) fn run_server(
    server: actix_web::dev::Server,
    process: &Process,
    running: &mut JoinSet<anyhow::Result<()>>,
) {
    let handle = server.handle();
    let ends = process.clone();
    running.spawn(async move {
        ends.ends().await;
        handle.stop(true).await;
        Ok(())
    });
    running.spawn(async move { Ok(server.await?) });
}
