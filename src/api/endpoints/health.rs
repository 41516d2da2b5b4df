//! `GET /health`, and whether the process answers at all.

use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::Traced;
use crate::api::json::Json;
use crate::api::openapi::operation::{Operation, SERVICE};
use crate::error::Error;
use crate::flows;

pub(super) fn endpoints() -> [Endpoint; 2] {
    [
        Endpoint::get("/health", Access::Anyone, health, describe),
        Endpoint::get("/health/live", Access::Anyone, live, describe_live),
    ]
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
    Ok(Json(UP))
}

const UP: Health = Health {
    status: Up::Ok,
    version: env!("CARGO_PKG_VERSION"),
};

/// Asks nothing of anybody: to start a process again does not help against a database that is down.
async fn live(_: Traced) -> Json<Health> {
    Json(UP)
}

fn describe(operation: Operation) -> Operation {
    operation
        .named("getHealth", SERVICE, "Is the service up?")
        .text(
            "200 only if the database answers, its schema is current, and `MASTER_KEYS` opens what is stored \
             in it. A program that was told to end says 503 first, so that nothing new is sent to it. Liveness is \
             another question: see `/health/live`.",
        )
        .open_to(Vec::new())
        .answers::<Health>(
            "It is",
            &[("Up", json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))],
        )
}

fn describe_live(operation: Operation) -> Operation {
    operation
        .named("getLiveness", SERVICE, "Does the process answer?")
        .text(
            "200 as long as it does, whatever is wrong with the database: for whoever starts a process again that \
             does not answer. Whether to send requests to it is what `/health` says.",
        )
        .open_to(Vec::new())
        .answers::<Health>(
            "It does",
            &[("Up", json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))],
        )
}
