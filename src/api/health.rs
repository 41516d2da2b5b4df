//! Is the service fit to serve?

use serde::Serialize;

use super::extract::Traced;
use super::json::Json;
use crate::error::Error;
use crate::flows;

#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema), schema(as = Health))]
pub(super) struct Response {
    #[cfg_attr(not(target_arch = "wasm32"), schema(schema_with = super::openapi::ok))]
    status: &'static str,
    version: &'static str,
}

pub(super) async fn health(Traced(call): Traced) -> Result<Json<Response>, Error> {
    flows::health::check(&call.app).await?;
    Ok(Json(Response {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    }))
}
