//! A JSON answer.

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, StatusCode};
use serde::Serialize;

/// As axum's own, but with all that does not depend on the type in one place: each copy of it would
/// be two kilobytes of wasm for every kind of answer.
pub(super) struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        respond(serde_json::to_vec(&self.0))
    }
}

fn respond(body: serde_json::Result<Vec<u8>>) -> Response {
    const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/json");
    match body {
        Ok(body) => ([(CONTENT_TYPE, MEDIA_TYPE)], body).into_response(),
        // Answers are plain structs of text and numbers, which always serialise.
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
