//! Whether a process lives, whether it can serve, and its figures.

use std::time::Duration;

use actix_web::{HttpResponse, get, web};
use branchline_db::Access;
use serde_json::json;

use crate::app::App;
use crate::telemetry::Telemetry;

/// Longest look at the database before the process counts as not ready.
const PATIENCE: Duration = Duration::from_secs(2);

/// Adds `/health/live`, `/health/ready` and `/metrics`.
pub fn health(config: &mut web::ServiceConfig) {
    config.service(live).service(ready).service(figures);
}

#[get("/health/live")]
async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "live" }))
}

#[get("/health/ready")]
async fn ready(app: web::Data<App>) -> HttpResponse {
    let look = async {
        let tx = app.db().platform(Access::Read).await?;
        tx.rollback().await
    };
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(Ok(())) => HttpResponse::Ok().json(json!({ "status": "ready" })),
        Ok(Err(_)) | Err(_) => HttpResponse::ServiceUnavailable()
            .json(json!({ "status": "not ready", "reason": "the database does not answer" })),
    }
}

#[get("/metrics")]
async fn figures(telemetry: web::Data<Telemetry>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4")
        .body(telemetry.render())
}
