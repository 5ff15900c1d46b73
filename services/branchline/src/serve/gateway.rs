//! The gateway's listener.

use std::sync::Arc;
use std::time::Duration;

use actix_web::middleware::from_fn;
use actix_web::{App as ActixApp, HttpServer, web};
use anyhow::Context;
use branchline_db::Program;
use branchline_gateway_api::{Gateway, Parts, sweep_expired, sweep_pending};
use branchline_iam::MasterKey;
use branchline_web::{
    App, Callers, Limits, Replays, health, input_limits, limit_by_address, outbound_client,
    serve_docs, watch,
};
use tokio::task::JoinSet;

use super::core::{GRACE_SECS, run_server};
use super::{Process, parts, timers};
use crate::config::{Config, Profile};

/// Starts listener and timers.
pub(super) async fn start(
    config: &Config,
    process: &Process,
    running: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<()> {
    let db = parts::door(config, Program::Gateway).await?;
    timers::seal_audit(&db, process, running);
    let shared = parts::redis(config).await?;
    let app = Arc::new(App::new(db, Callers::default()));
    let limits = web::Data::new(Limits::new(config.gateway.calls_per_second, shared.clone()));
    let gateway = web::Data::new(put_together(config, &app, Replays::new(shared))?);
    run_errands(&gateway, process, running);
    forget_expired(&gateway, process, running);
    let app = web::Data::from(app);
    let telemetry = web::Data::new(process.telemetry.clone());
    let dev = parts::dev_identity(config)?;
    let server = HttpServer::new(move || {
        ActixApp::new()
            .app_data(app.clone())
            .app_data(limits.clone())
            .app_data(gateway.clone())
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

fn put_together(config: &Config, app: &Arc<App>, replays: Replays) -> anyhow::Result<Gateway> {
    Ok(Gateway::new(Parts {
        app: Arc::clone(app),
        replays: Arc::new(replays),
        http: outbound_client(branchline_web::Patience::Request)?,
        signer: parts::signer(config)?,
        master: MasterKey::load(&config.keys.master_key_file)?,
        core_url: config.core.url.clone(),
        public_url: config.gateway.public_url.clone(),
        profile: match config.profile {
            Profile::Dev => branchline_gateway_api::Profile::Dev,
            Profile::Production => branchline_gateway_api::Profile::Production,
        },
    }))
}

/// What was committed and not yet told to the core is told by the sweep.
const ERRANDS: Duration = Duration::from_secs(5);

fn run_errands(
    gateway: &web::Data<Gateway>,
    process: &Process,
    running: &mut JoinSet<anyhow::Result<()>>,
) {
    let gateway = gateway.clone();
    timers::every(ERRANDS, process, running, move || {
        let gateway = gateway.clone();
        async move { Ok(sweep_pending(&gateway).await?) }
    });
}

/// Secrets that have run out pile up with every sign-in; a sweep keeps their tables small.
const EXPIRED: Duration = Duration::from_secs(5 * 60);

fn forget_expired(
    gateway: &web::Data<Gateway>,
    process: &Process,
    running: &mut JoinSet<anyhow::Result<()>>,
) {
    let gateway = gateway.clone();
    timers::every(EXPIRED, process, running, move || {
        let gateway = gateway.clone();
        async move { Ok(sweep_expired(&gateway).await?) }
    });
}
