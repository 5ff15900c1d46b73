//! Logs and figures: structured lines with request id and tenant, never a body, a token or a name.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpRequest, web};
use branchline_kernel::{RequestId, TenantId};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing::{Instrument, info, info_span};
use tracing_subscriber::EnvFilter;

use crate::app::App;

/// The figures of this process.
#[derive(Clone)]
pub struct Telemetry(PrometheusHandle);

/// What log lines and audit rows know of a request.
#[derive(Debug, Clone)]
pub struct RequestContext {
    request_id: RequestId,
    tenant: Arc<OnceLock<TenantId>>,
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

impl Telemetry {
    /// Starts logging to standard error as JSON lines and collecting figures; once per process.
    ///
    /// # Errors
    /// A sentence when logging or figures were started before.
    pub fn start(filter: &str) -> Result<Self, String> {
        let filter = EnvFilter::try_new(filter).map_err(|error| error.to_string())?;
        tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .try_init()
            .map_err(|error| error.to_string())?;
        let handle = PrometheusBuilder::new()
            .install_recorder()
            .map_err(|error| error.to_string())?;
        Ok(Self(handle))
    }

    /// The figures as Prometheus reads them.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Tidies histograms; a timer calls it every few seconds.
    pub fn upkeep(&self) {
        self.0.run_upkeep();
    }
}

impl RequestContext {
    /// The id of the request: the caller's, or one of ours.
    #[must_use]
    pub const fn request_id(&self) -> RequestId {
        self.request_id
    }

    /// Says whose request it turned out to be.
    pub fn set_tenant(&self, tenant: &TenantId) {
        // The first answer stands: a request never changes its tenant.
        let _ = self.tenant.set(tenant.clone());
    }
}

/// The context of a request; one is made when none is there yet.
#[must_use]
pub fn request_context(request: &HttpRequest) -> RequestContext {
    if let Some(known) = request.extensions().get::<RequestContext>() {
        return known.clone();
    }
    let named = request
        .headers()
        .get(REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let ids = request
        .app_data::<web::Data<App>>()
        .map(|app| Arc::clone(app.db().ids()));
    let request_id = named
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| RequestId::from(ids.map_or_else(uuid::Uuid::nil, |ids| ids.next())));
    RequestContext {
        request_id,
        tenant: Arc::default(),
    }
}

/// Middleware: names each request, logs one line for it, counts it, and sends its id back.
///
/// # Errors
/// What the service inside fails with.
pub async fn watch(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let context = request_context(request.request());
    request.extensions_mut().insert(context.clone());
    let echo = echo_of(request.request(), &context);
    let started = Instant::now();
    let span = info_span!("request", request.id = %context.request_id);
    let mut response = next.call(request).instrument(span).await?;
    response.headers_mut().insert(REQUEST_ID, echo);
    note(&response, &context, started);
    Ok(response)
}

/// The id as the caller wrote it, capitals and all, or the one that was made for the request.
fn echo_of(request: &HttpRequest, context: &RequestContext) -> HeaderValue {
    let written = request.headers().get(REQUEST_ID).filter(|written| {
        let text = written.to_str().unwrap_or_default();
        text.parse() == Ok(context.request_id)
    });
    let made = || HeaderValue::from_str(&context.request_id.to_string());
    written
        .cloned()
        .map_or_else(made, Ok)
        .unwrap_or_else(|_malformed| HeaderValue::from_static(""))
}

fn note<B>(response: &ServiceResponse<B>, context: &RequestContext, started: Instant) {
    let operation = crate::key::operation(response.request());
    let status = response.status().as_u16();
    let elapsed = started.elapsed();
    let tenant = context.tenant.get().map_or("", TenantId::as_str);
    info!(
        request.id = %context.request_id,
        tenant,
        operation,
        status,
        duration.micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
        "Answered {operation} with {status}"
    );
    let labels = [("operation", operation), ("status", status.to_string())];
    metrics::counter!("http_requests_total", &labels).increment(1);
    metrics::histogram!("http_request_seconds", &labels).record(elapsed.as_secs_f64());
}
