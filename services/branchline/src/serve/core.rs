//! The core's listener.

use actix_web::middleware::from_fn;
use actix_web::{App as ActixApp, HttpServer, web};
use anyhow::Context;
use branchline_db::Program;
use branchline_ledger::{Engine, EngineLimits};
use branchline_web::{
    App, Callers, People, health, input_limits, outbound_client, serve_docs, watch,
};
use tokio::task::JoinSet;

use super::{Process, Roles, books, jobs, parts, timers, worker};
use crate::config::Config;
use crate::executor::Executor;

/// Longest wait for requests that are being answered when the process ends.
pub(super) const GRACE_SECS: u64 = 20;

/// Starts listener, jobs and timers, and gives the engine that all of them post through.
pub(super) async fn start(
    config: &Config,
    roles: Roles,
    process: &Process,
    running: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<Engine> {
    let db = parts::door(config, Program::Core).await?;
    // One per process: handlers and jobs share its batches.
    let engine = Engine::try_new(&db, EngineLimits::STANDARD)?;
    if roles.jobs {
        let executor = Executor::new(db.clone(), engine.clone());
        jobs::start(config, &executor, process, running).await?;
        timers::seal_audit(&db, process, running);
        books::start(&db, &engine, process, running);
    }
    if roles.core {
        let people = People::new(outbound_client(branchline_web::Patience::Request)?);
        let callers = Callers {
            people: Some(people),
            programs: Some(parts::programs(config)?),
        };
        let served = (App::new(db, callers), engine.clone());
        listen(config, served, process, running)?;
    } else {
        worker::listen(config, db, process, running)?;
    }
    Ok(engine)
}

fn listen(
    config: &Config,
    (app, engine): (App, Engine),
    process: &Process,
    running: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let app = web::Data::new(app);
    let engine = web::Data::new(engine);
    let telemetry = web::Data::new(process.telemetry.clone());
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(app.clone())
            .app_data(engine.clone())
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
