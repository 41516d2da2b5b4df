//! The HTTP contract: the table of routes, and what holds for all of them.

mod admin;
mod auth;
mod codes;
mod enrolment;
mod error;
mod extract;
mod health;
mod json;
#[cfg(not(target_arch = "wasm32"))]
pub mod openapi;
mod serve;
mod strict_json;
mod users;

use axum::Router;
use axum::routing::{delete, get, post};

pub use error::{code, status};
pub use serve::{BODY_LIMIT, IncomingBody, READ_HEADERS, refuse_to_serve, serve};

/// Every route. Built once; a clone of it answers each request.
pub fn router() -> Router {
    Router::new()
        .route("/auth", post(auth::issue))
        .route("/auth/revoke", post(auth::revoke))
        .route("/mfa/register", post(enrolment::register))
        .route("/mfa/import", post(enrolment::import))
        .route("/mfa/renew", post(enrolment::renew))
        .route("/qrcode/{user_id}", get(enrolment::qr_code))
        .route("/mfa/verify", post(codes::verify))
        .route("/mfa/generate", post(codes::generate))
        .route("/mfa/sms", post(codes::sms))
        .route("/mfa/email", post(codes::email))
        .route("/mfa/recovery", post(codes::recovery))
        .route("/mfa/recovery-codes", post(codes::recovery_codes))
        .route("/mfa/status", get(users::status))
        .route("/mfa/contact", post(users::contact))
        .route("/mfa/disable", post(users::disable))
        .route("/mfa/users/{user_id}", delete(users::delete))
        .route("/health", get(health::health))
        .route("/admin/clients", get(admin::list).post(admin::create))
        .route(
            "/admin/clients/{client_id}",
            get(admin::find).patch(admin::change).delete(admin::delete),
        )
        .route(
            "/admin/clients/{client_id}/rotate-secret",
            post(admin::rotate_secret),
        )
        .route("/admin/unlock", post(admin::unlock))
        .route("/admin/audit", get(admin::audit))
        .fallback(error::not_found)
        .method_not_allowed_fallback(error::method_not_allowed)
}
