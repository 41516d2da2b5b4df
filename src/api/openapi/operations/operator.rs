//! What the operator does, and whether the service is up.

use serde_json::{Value, json};
use utoipa::openapi::path::HttpMethod::{Delete, Get, Patch, Post};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::{OPERATOR, SERVICE, busy, done, plain};
use crate::api::openapi::route::{JSON, Route};
use crate::api::{admin, health, users};
use crate::domain::ids::ClientId;
use crate::domain::settings::Settings;
use crate::error::Error;

pub(super) fn of_clients() -> Vec<Route> {
    let at = "/admin/clients/{client_id}";
    let one = |route: Route| {
        route
            .for_operator()
            .in_path::<ClientId>("client_id", "shop")
    };
    let shown = [("Client", client(None))];
    let with_secret = [("Client", client(Some("cnd_3f9a…")))];
    vec![
        Route::new(Post, "/admin/clients", "createClient", OPERATOR, "Add a client")
            .text("The answer shows the client's secret, this once.")
            .for_operator()
            .body::<admin::CreateRequest>(
                JSON,
                &[
                    ("Least", json!({"name": "Shop"})),
                    ("With settings", json!({"name": "Shop", "client_id": "shop", "settings": {"issuer": "The Shop", "sms_domain": "shop.example", "sms_countries": ["ES", "PT"]}})),
                ],
            )
            .answers_with::<admin::ClientResponse>("201", "The client and its secret", &with_secret)
            .fails_with([Error::ClientExists("shop".to_owned())]),
        Route::new(Get, "/admin/clients", "listClients", OPERATOR, "List clients")
            .text("All of them, by id, up to 1000. No secrets.")
            .for_operator()
            .answers::<admin::ListResponse>("The clients", &[("Clients", json!({"clients": [client(None)]}))]),
        one(Route::new(Get, at, "getClient", OPERATOR, "Show a client"))
            .answers::<admin::ClientResponse>("The client", &shown),
        one(Route::new(Patch, at, "updateClient", OPERATOR, "Change a client"))
            .text("Changes what is given. A disabled client's tokens are dead at once, and stay so when it is enabled again. Settings are merged: `null` returns one to its default.")
            .body::<admin::ChangeRequest>(
                JSON,
                &[
                    ("Disable", json!({"disabled": true})),
                    ("Require a fresh code", json!({"settings": {"require_step_up": true}})),
                ],
            )
            .answers::<admin::ClientResponse>("The client as it is now", &shown),
        one(Route::new(Delete, at, "deleteClient", OPERATOR, "Delete a client"))
            .text("With all its users. From here on there is no such client. Where it has very many users, the last of them are deleted within minutes; until then its id is not free.")
            .answers_nothing("Gone"),
        one(Route::new(
            Post,
            "/admin/clients/{client_id}/rotate-secret",
            "rotateClientSecret",
            OPERATOR,
            "Give a client a new secret",
        ))
        .text("Both secrets work for `overlap_seconds`, at most 30 days; with 0 the old one is dead at once, and all tokens with it.")
        .body::<admin::RotateRequest>(JSON, &[("A day to change over", json!({"overlap_seconds": 86_400}))])
        .answers::<admin::ClientResponse>("The client and its new secret, shown this once", &with_secret),
    ]
}

pub(super) fn of_the_service() -> Vec<Route> {
    let event = json!({
        "id": 42, "at": 1_760_000_000, "client_id": "shop", "user_id": "user123", "event": "verified",
        "outcome": "success", "method": "totp", "request_id": "01JZ6T9Q3X4Y5Z6A7B8C9D0E1F", "detail": {},
    });
    vec![
        Route::new(Post, "/admin/unlock", "unlockUser", OPERATOR, "Unlock a user")
            .text("Clears the user's counters and locks. What failures disabled stays disabled: the user renews it.")
            .for_operator()
            .body::<admin::UnlockRequest>(JSON, &[("User", json!({"client_id": "shop", "user_id": "user123"}))])
            .answers::<users::Success>("Unlocked", &[("Unlocked", done("User unlocked"))])
            .fails_with([Error::UserNotFound, busy()]),
        Route::new(Get, "/admin/audit", "listAuditEvents", OPERATOR, "Read the record of events")
            .text("Oldest first. Ask again with `after` set to `next` until that is null. Events are kept for `AUDIT_RETENTION_DAYS`, a year if that is not set.")
            .for_operator()
            .in_query("client_id", false, plain(), "Only of this client.", json!("shop"))
            .in_query("user_id", false, plain(), "Only of this user.", json!("user123"))
            .in_query("event", false, plain(), "Only of this kind, e.g. `failed`.", json!("failed"))
            .in_query(
                "after",
                false,
                ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0)).maximum(Some(admin::LAST_ID)).default(Some(json!(0))),
                "Only events with a greater id.",
                json!(41),
            )
            .in_query(
                "limit",
                false,
                ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(1000)).default(Some(json!(100))),
                "At most this many.",
                json!(100),
            )
            .answers::<admin::AuditResponse>("Events", &[("Last page", json!({"events": [event], "next": null}))]),
        Route::new(Get, "/health", "getHealth", SERVICE, "Is the service up?")
            .text("200 only if the database answers, its schema is current, and `MASTER_KEYS` opens what is stored in it.")
            .open_to(Vec::new())
            .answers::<health::Response>("It is", &[("Up", json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))]),
    ]
}

fn client(secret: Option<&str>) -> Value {
    let mut client = json!({
        "client_id": "shop",
        "name": "Shop",
        "disabled": false,
        "settings": Settings::default(),
        "created_at": 1_760_000_000,
    });
    if let (Some(secret), Some(client)) = (secret, client.as_object_mut()) {
        client.insert("client_secret".to_owned(), secret.into());
    }
    client
}
