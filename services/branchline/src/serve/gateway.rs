//! The gateway's listener.

use actix_web::middleware::from_fn;
use actix_web::{App as ActixApp, HttpServer, web};
use anyhow::Context;
use branchline_db::Program;
use branchline_web::{
    App, Callers, Limits, Replays, health, input_limits, limit_by_address, serve_docs, watch,
};
use tokio::task::JoinSet;

use super::core::{GRACE_SECS, run_server};
use super::{Process, parts, timers};
use crate::config::Config;

/// Starts listener and timers.
pub(super) async fn start(
    config: &Config,
    process: &Process,
    running: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let db = parts::door(config, Program::Gateway).await?;
    timers::seal_audit(&db, process, running);
    let shared = parts::redis(config).await?;
    let app = web::Data::new(App::new(db, Callers::default()));
    let limits = web::Data::new(Limits::new(config.gateway.calls_per_second, shared.clone()));
    let replays = web::Data::new(Replays::new(shared));
    let telemetry = web::Data::new(process.telemetry.clone());
    let dev = parts::dev_identity(config)?;
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(app.clone())
            .app_data(limits.clone())
            .app_data(replays.clone())
            .app_data(telemetry.clone())
            .wrap(from_fn(limit_by_address))
            .wrap(from_fn(watch))
            .configure(input_limits)
            .configure(health)
            .configure(|config| dev.iter().for_each(|dev| dev.configure(config)))
            .configure(branchline_gateway_api::configure)
            .configure(|config| serve_docs(config, branchline_gateway_api::openapi()))
    })
    .disable_signals()
    .shutdown_timeout(GRACE_SECS)
    .bind(config.gateway.listen)
    .with_context(|| {
        format!(
            "the gateway cannot listen on {}: is another process there?",
            config.gateway.listen
        )
    })?
    .run();
    run_server(server, process, running);
    Ok(())
}
