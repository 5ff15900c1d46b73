//! Serves a program's OpenAPI document and a human page for it.

use actix_web::web;
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

/// Adds `/openapi.json` and the page `/docs/`; everything the page needs is in the binary.
pub fn serve_docs(config: &mut web::ServiceConfig, document: OpenApi) {
    config.service(SwaggerUi::new("/docs/{_:.*}").url("/openapi.json", document));
}
