//! `GET /health`.

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::Traced;
use crate::api::json::Json;
use crate::api::openapi::operation::{Operation, SERVICE};
use crate::error::Error;
use crate::flows;

pub(super) fn endpoints() -> [Endpoint; 1] {
    [Endpoint::get("/health", Access::Anyone, health, describe)]
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Up {
    Ok,
}

#[derive(Serialize, ToSchema)]
struct Health {
    #[schema(inline)]
    status: Up,
    version: &'static str,
}

async fn health(Traced(call): Traced) -> Result<Json<Health>, Error> {
    flows::check_health(&call.app).await?;
    Ok(Json(Health {
        status: Up::Ok,
        version: env!("CARGO_PKG_VERSION"),
    }))
}

fn describe(operation: Operation) -> Operation {
    operation
        .named("getHealth", SERVICE, "Is the service up?")
        .text(
            "200 only if the database answers, its schema is current, and `MASTER_KEYS` opens what is stored \
             in it.",
        )
        .open_to(Vec::new())
        .answers::<Health>(
            "It is",
            &[("Up", json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))],
        )
}
