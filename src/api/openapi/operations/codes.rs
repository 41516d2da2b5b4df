//! Verifying codes, and sending them.

use serde_json::json;
use utoipa::openapi::path::HttpMethod::Post;

use super::{CODES, busy, judged, stepped_up};
use crate::api::codes;
use crate::api::openapi::route::Route;
use crate::domain::method::Channel;
use crate::error::Error;

pub(super) fn verification() -> Vec<Route> {
    let codes = [
        "7QDP-9T2M-K4XW-3HVN-8RCE-5ZJA",
        "B6YG-1FQS-0NTD-M8K3-XW7P-4CVH",
    ];
    vec![
        Route::new(Post, "/mfa/verify", "verify", CODES, "Verify a code")
            .text(
                "Is this code good? Takes whatever the user typed: a code of the authenticator, one that \
                 was sent, or a recovery code. Every good code works once. `method` in the answer says \
                 what was proved; ask for one with `method` to accept nothing else. A first code \
                 also completes an enrolment.\n\n\
                 The fifth wrong code in a row locks for a minute, and each further one for twice as long.",
            )
            .for_client()
            .client_body::<codes::VerifyRequest>(&[
                ("Any method", json!({"user_id": "user123", "code": "123456"})),
                ("Only the authenticator", json!({"user_id": "user123", "client_id": "app123", "code": "123456", "method": "totp"})),
                ("Recovery code", json!({"user_id": "user123", "code": codes[0]})),
            ])
            .answers::<codes::VerifyResponse>(
                "The code is good",
                &[
                    ("By the authenticator", json!({"status": "success", "message": "Code verified successfully", "method": "totp"})),
                    ("By a recovery message", json!({"status": "success", "message": "Code verified successfully", "method": "recovery"})),
                ],
            )
            .fails_with(judged())
            .fails_with([Error::UserNotFound, Error::MfaNotEnabled, busy()]),
        stepped_up(
            Route::new(Post, "/mfa/recovery-codes", "createRecoveryCodes", CODES, "New recovery codes")
                .text("Ten codes for the user to keep, each good once. Shown this once; the former set is dead.")
                .for_client()
                .client_body::<codes::RecoveryCodesRequest>(&[("User", json!({"user_id": "user123"}))])
                .answers::<codes::RecoveryCodesResponse>(
                    "The codes",
                    &[("Codes", json!({"recovery_codes": codes, "remaining": 10}))],
                ),
        ),
        Route::new(Post, "/mfa/generate", "generateCode", CODES, "A code to hand over yourself")
            .text(
                "A one-time code for your own channel: print it, speak it, push it. Verifying it answers \
                 `\"method\": \"generated\"`.",
            )
            .for_client()
            .client_body::<codes::GenerateRequest>(&[("User", json!({"user_id": "user123"}))])
            .answers::<codes::GenerateResponse>(
                "The code",
                &[("Code", json!({"code": "042917", "expires_in": 300}))],
            )
            .fails_with([Error::UserNotFound, Error::MfaNotEnabled, busy()]),
    ]
}

pub(super) fn sending() -> Vec<Route> {
    let to_user = |locale: &str| json!({"user_id": "user123", "locale": locale});
    let sent = |message: &str, destination: &str| json!({"status": "success", "message": message, "expires_in": 300, "destination": destination});
    vec![
        sends(Route::new(Post, "/mfa/sms", "sendSms", CODES, "Send a code by SMS"))
            .text(
                "Six digits, good for 5 minutes, to the phone number on file. A new code replaces the one \
                 before. Ends with the line browsers fill in by themselves (WebOTP).",
            )
            .client_body::<codes::SendRequest>(&[
                ("In the client's language", json!({"user_id": "user123"})),
                ("In Spanish", to_user("es")),
            ])
            .answers::<codes::SendResponse>(
                "Sent",
                &[("Sent", sent("Code sent by SMS", "+34•••••••22"))],
            )
            .fails_with([Error::DestinationNotAllowed("SMS to this number is not allowed")]),
        sends(Route::new(Post, "/mfa/email", "sendEmail", CODES, "Send a code by e-mail"))
            .text("Six digits, good for 5 minutes, to the address on file. A new code replaces the one before.")
            .client_body::<codes::SendRequest>(&[
                ("In the client's language", json!({"user_id": "user123"})),
                ("In Spanish", to_user("es")),
            ])
            .answers::<codes::SendResponse>(
                "Sent",
                &[("Sent", sent("Code sent by email", "a•••@example.com"))],
            ),
        sends(Route::new(Post, "/mfa/recovery", "sendRecovery", CODES, "Send a recovery message"))
            .text(
                "For who lost the authenticator: eight digits, good for 10 minutes. /mfa/verify takes them \
                 and answers `\"method\": \"recovery\"`; then let the user set up a new app with \
                 /mfa/renew, and nothing else.",
            )
            .client_body::<codes::RecoveryRequest>(&[
                ("By e-mail", json!({"user_id": "user123", "recovery_method": "email"})),
                ("By SMS", json!({"user_id": "user123", "recovery_method": "sms"})),
            ])
            .answers::<codes::RecoveryResponse>(
                "Sent",
                &[("Sent", json!({"status": "success", "message": "Recovery code sent to user", "expires_in": 600}))],
            )
            .fails_with([Error::DestinationNotAllowed("SMS to this number is not allowed")]),
    ]
}

fn sends(route: Route) -> Route {
    route.for_client().fails_with([
        Error::UserNotFound,
        Error::MfaNotEnabled,
        Error::DestinationMissing(Channel::Sms),
        Error::SendLimited { retry_after: 57 },
        busy(),
        Error::DeliveryFailed,
        Error::DeliveryUnavailable("The provider is out of reach; try again"),
    ])
}
