//! Verifying codes, and sending them.

use serde_json::json;
use utoipa::openapi::path::HttpMethod::Post;

use super::{CODES, busy, judged, stepped_up};
use crate::api::codes;
use crate::api::openapi::route::Route;
use crate::domain::method::{Channel, Method};
use crate::error::{Error, NotAllowed};

pub(super) fn verification() -> Vec<Route> {
    let codes = [
        "7QDP-9T2M-K4XW-3HVN-8RCE-5ZJA",
        "B6YG-1FQS-0NTD-M8K3-XW7P-4CVH",
    ];
    vec![
        Route::new(Post, "/mfa/verify", "verify", CODES, "Verify a code")
            .text(
                "Is this code good? Send whatever the user typed: a code of the authenticator, one that \
                 was sent, or a recovery code. Every good code works once. `method` in the answer says \
                 what kind it was; send `method` yourself to accept only that kind. The first code \
                 also completes an enrolment.\n\n\
                 The fifth wrong code in a row locks for a minute, and each further one for twice as long. \
                 Codes of the app, codes that were sent and recovery codes are counted and locked apart; 50 \
                 wrong ones of a kind within 24 hours lock that kind until fewer lie within 24 hours.",
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
            .fails_with([Error::MethodNotUsed(Method::Sms), Error::UserNotFound, Error::MfaNotEnabled, busy()]),
        stepped_up(
            Route::new(Post, "/mfa/recovery-codes", "createRecoveryCodes", CODES, "New recovery codes")
                .text("Ten codes for the user to keep, each good once. Only this answer shows them, and the former set is dead. The first set needs no fresh code within 10 minutes of the enrolment.")
                .for_client()
                .client_body::<codes::RecoveryCodesRequest>(&[("User", json!({"user_id": "user123"}))])
                .answers::<codes::RecoveryCodesResponse>(
                    "The codes",
                    &[("Codes", json!({"recovery_codes": codes, "remaining": 10}))],
                ),
        )
        .fails_with([Error::MethodNotUsed(Method::RecoveryCode)]),
        Route::new(Post, "/mfa/generate", "generateCode", CODES, "A code to hand over yourself")
            .text(
                "A one-time code for a channel of your own: print it, speak it, push it. Verifying it answers \
                 `\"method\": \"generated\"`. It proves nothing about the user, so it resets no counter.",
            )
            .for_client()
            .client_body::<codes::GenerateRequest>(&[("User", json!({"user_id": "user123"}))])
            .answers::<codes::GenerateResponse>(
                "The code",
                &[("Code", json!({"code": "042917", "expires_in": 300}))],
            )
            .fails_with([
                Error::MethodNotUsed(Method::Generated),
                Error::UserNotFound,
                Error::MfaNotEnabled,
                Error::Locked { retry_after: 60 },
                busy(),
            ]),
    ]
}

pub(super) fn sending() -> Vec<Route> {
    let to_user = |locale: &str| json!({"user_id": "user123", "locale": locale});
    let sent = |message: &str, destination: &str| json!({"status": "success", "message": message, "expires_in": 300, "destination": destination});
    vec![
        sends(Route::new(Post, "/mfa/sms", "sendSms", CODES, "Send a code by SMS"))
            .text(
                "Six digits, good for 5 minutes, to the phone number on file. A new code replaces the \
                 last one. The message ends with the line from which browsers fill the code in (WebOTP).",
            )
            .client_body::<codes::SendRequest>(&[
                ("In the client's language", json!({"user_id": "user123"})),
                ("In Spanish", to_user("es")),
            ])
            .answers::<codes::SendResponse>(
                "Sent",
                &[("Sent", sent("Code sent by SMS", "+34•••••••22"))],
            )
            .fails_with([Error::DestinationNotAllowed(NotAllowed::Country)]),
        sends(Route::new(Post, "/mfa/email", "sendEmail", CODES, "Send a code by e-mail"))
            .text("Six digits, good for 5 minutes, to the address on file. A new code replaces the last one.")
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
                "For a user who lost the authenticator: eight digits, good for 10 minutes. Hand them to \
                 /mfa/renew as `code`, which sets up a new app. Or let /mfa/verify take them, which answers \
                 `\"method\": \"recovery\"`, and then let the user set up a new app and nothing else.",
            )
            .client_body::<codes::RecoveryRequest>(&[
                ("By e-mail", json!({"user_id": "user123", "recovery_method": "email"})),
                ("By SMS", json!({"user_id": "user123", "recovery_method": "sms"})),
            ])
            .answers::<codes::RecoveryResponse>(
                "Sent",
                &[("Sent", json!({"status": "success", "message": "Recovery code sent to user", "expires_in": 600}))],
            )
            .fails_with([Error::DestinationNotAllowed(NotAllowed::Country)]),
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
        Error::FactorDisabled,
        Error::MethodNotUsed(Method::Sms),
        Error::Locked { retry_after: 60 },
        Error::ChannelNotConfigured(Channel::Sms),
        Error::DeliveryUnavailable { retry_after: 30 },
    ])
}
