//! The HTTP contract, and what holds for all of it.

mod answers;
mod endpoint;
mod endpoints;
mod error;
mod evidence;
mod extract;
mod idempotency;
mod json;
#[cfg_attr(
    target_arch = "wasm32",
    expect(dead_code, reason = "the Worker makes no document")
)]
mod openapi;
mod qr_image;
mod serve;
mod session;
mod strict_json;

use axum::Router;

pub use serve::{BODY_LIMIT, IncomingBody, READ_HEADERS, Served, refuse_to_serve, serve};

/// Every route. Built once; a clone of it answers each request.
pub fn router() -> Router {
    let endpoints = endpoints::all().into_iter();
    endpoints
        .fold(session::routes(), |router, endpoint| {
            endpoint.add_to(router)
        })
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
}

/// The `OpenAPI` document of every route.
#[cfg(not(target_arch = "wasm32"))]
pub fn document() -> utoipa::openapi::OpenApi {
    openapi::document(
        endpoints::all()
            .into_iter()
            .map(endpoint::Endpoint::operation),
    )
}

/// Every error as a table for docs/guides/errors.md, by status.
pub fn error_table() -> String {
    openapi::error_table()
}
