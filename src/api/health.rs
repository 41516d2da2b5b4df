//! Is the service fit to serve?

use serde::Serialize;

use super::extract::Traced;
use super::json::Json;
use crate::error::Error;
use crate::storage::accounts;

#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema), schema(as = Health))]
pub(super) struct Response {
    #[cfg_attr(not(target_arch = "wasm32"), schema(schema_with = super::openapi::ok))]
    status: &'static str,
    version: &'static str,
}

/// Only if the database answers with the schema of this version. That the keys load is shown by there
/// being an answer at all.
pub(super) async fn health(Traced(call): Traced) -> Result<Json<Response>, Error> {
    accounts::check_schema(&*call.app.db)
        .await
        .map_err(|error| Error::Unavailable(error.into()))?;
    Ok(Json(Response {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
    }))
}
