//! The listener of a process that runs jobs only: whether it lives, whether it can work, figures.

use actix_web::middleware::from_fn;
use actix_web::{App as ActixApp, HttpServer, web};
use anyhow::Context;
use branchline_db::Db;
use branchline_web::{App, Callers, health, watch};
use tokio::task::JoinSet;

use super::Process;
use super::core::{GRACE_SECS, run_server};
use crate::config::Config;

/// Starts the listener.
pub(super) fn listen(
    config: &Config,
    db: Db,
    process: &Process,
    running: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let app = web::Data::new(App::new(db, Callers::default()));
    let telemetry = web::Data::new(process.telemetry.clone());
    let address = config.worker.listen;
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(app.clone())
            .app_data(telemetry.clone())
            .wrap(from_fn(watch))
            .configure(health)
    })
    .workers(1)
    .disable_signals()
    .shutdown_timeout(GRACE_SECS)
    .bind(address)
    .with_context(|| format!("the worker cannot listen on {address}: is another process there?"))?
    .run();
    run_server(server, process, running);
    Ok(())
}
