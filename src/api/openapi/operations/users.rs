//! What is known of a user, and what ends it.

use serde_json::{Value, json};
use utoipa::openapi::path::HttpMethod::{Delete, Get, Post};

use super::{USERS, done, stepped_up};
use crate::api::openapi::route::{JSON, Route};
use crate::api::openapi::schemas::reference;
use crate::api::users;
use crate::domain::ids::{ClientId, UserId};
use crate::error::Error;

pub(super) fn all() -> Vec<Route> {
    let status = |state: &str, methods: &[&str], codes: u32, created_at: Value| {
        json!({
            "mfa_enabled": state == "active",
            "state": state,
            "methods": methods,
            "recovery_codes_remaining": codes,
            "locked_until": null,
            "created_at": created_at,
            "last_verified_at": created_at,
        })
    };
    vec![
        Route::new(Get, "/mfa/status", "getStatus", USERS, "What a user has set up")
            .text(
                "Ask before a login whether a second factor is needed, and which. An unknown user has \
                 `\"state\": \"none\"`. The two fields may also come as a JSON body.",
            )
            .for_client()
            .in_query("user_id", true, reference::<UserId>(), "", json!("user123"))
            .in_query("client_id", false, reference::<ClientId>(), "", json!("app123"))
            .answers::<users::StatusResponse>(
                "The state",
                &[
                    ("MFA is on", status("active", &["totp", "sms"], 10, json!(1_760_000_000))),
                    ("Unknown user", status("none", &[], 0, Value::Null)),
                ],
            )
            .fails_with([Error::ClientMismatch, Error::PayloadTooLarge, Error::UnsupportedMediaType]),
        stepped_up(
            Route::new(Post, "/mfa/contact", "updateContact", USERS, "Change phone or e-mail")
                .text(
                    "Sets what is given; `null` removes it. Codes on their way to a changed destination die. \
                     Verify an address before you send it here: whoever reads its messages can log in.",
                )
                .for_client()
                .client_body::<users::ContactRequest>(&[
                    ("New phone", json!({"user_id": "user123", "phone": "+34600111222"})),
                    ("Remove the e-mail address", json!({"user_id": "user123", "email": null})),
                ])
                .answers::<users::ContactResponse>(
                    "What is on file now, masked",
                    &[("Masked", json!({"status": "success", "email": null, "phone": "+34•••••••22"}))],
                ),
        ),
        stepped_up(
            Route::new(Post, "/mfa/disable", "disable", USERS, "Turn MFA off")
                .text("Authenticators, live codes and recovery codes are gone; the phone number and e-mail address stay. Turning it off twice is not an error.")
                .for_client()
                .client_body::<users::DisableRequest>(&[("User", json!({"user_id": "user123"}))])
                .answers::<users::Success>("MFA is off", &[("Off", done("MFA disabled for user"))]),
        ),
        stepped_up(
            Route::new(Delete, "/mfa/users/{user_id}", "deleteUser", USERS, "Delete a user")
                .text("Everything about the user is gone. A body is needed only where the client's policy asks for a fresh code.")
                .for_client()
                .in_path::<UserId>("user_id", "user123")
                .body::<users::DeleteRequest>(JSON, &[("With a code", json!({"code": "123456"}))])
                .optional_body()
                .answers_nothing("Gone"),
        ),
    ]
}
