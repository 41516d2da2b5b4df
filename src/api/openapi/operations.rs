//! Every operation: what it is for, what goes in, what comes out, how it fails.

use serde_json::{Value, json};
use utoipa::openapi::path::HttpMethod::{Delete, Get, Patch, Post};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{ContentBuilder, RefOr, Schema};

use super::route::{CLIENT_SECRET, FORM, JSON, Route, success};
use super::schemas::{grant_type, one_of, reference};
use crate::api::{admin, auth, codes, enrolment, health, users};
use crate::domain::guess::GuessedCode;
use crate::domain::ids::{ClientId, UserId};
use crate::domain::method::Channel;
use crate::error::Error;

pub(super) const CLIENTS: &str = "Client authentication";
pub(super) const ENROLMENT: &str = "Enrolment";
pub(super) const CODES: &str = "Codes";
pub(super) const USERS: &str = "Users";
pub(super) const OPERATOR: &str = "Operator";
pub(super) const SERVICE: &str = "Service";

pub(super) fn all() -> Vec<Route> {
    let mut routes = client_authentication();
    routes.extend(enrolments());
    routes.extend(verification());
    routes.extend(sending());
    routes.extend(of_users());
    routes.extend(of_clients());
    routes.extend(of_operation());
    routes
}

fn client_authentication() -> Vec<Route> {
    let token = json!({"access_token": "eyJhbGciOiJIUzI1NiIs…", "token_type": "Bearer", "expires_in": 3600});
    vec![
        Route::new(Post, "/auth", "issueToken", CLIENTS, "Get an access token")
            .text(
                "A token for an hour, for `client_id` and `client_secret`. Keep it and use it again; get \
                 a new one shortly before `expires_in` is over, or when a request answers `invalid_token`.\n\n\
                 As JSON, or as RFC 6749 (section 4.4) writes it: a form with \
                 `grant_type=client_credentials` and the credentials in the form or by HTTP Basic, not both.",
            )
            .open_to(vec![
                SecurityRequirement::default(),
                SecurityRequirement::new::<_, [&str; 0], _>(CLIENT_SECRET, []),
            ])
            .body::<auth::TokenRequest>(
                JSON,
                &[("Demo client", json!({"client_id": "app123", "client_secret": "secret123"}))],
            )
            .body_schema(
                FORM,
                token_form(),
                &[("Demo client", json!({"grant_type": "client_credentials", "client_id": "app123", "client_secret": "secret123"}))],
            )
            .answers::<auth::TokenResponse>("A token", &[("Token", token)])
            .fails_with([
                Error::UnsupportedGrantType,
                Error::InvalidScope,
                Error::InvalidClient { basic: false },
                Error::RateLimited { retry_after: 21 },
            ]),
        Route::new(Post, "/auth/revoke", "revokeToken", CLIENTS, "Revoke an access token")
            .text(
                "The token is dead for every later request. It proves itself, so no other \
                 authentication is needed; an unknown one is answered like any other (RFC 7009).",
            )
            .open_to(vec![SecurityRequirement::default()])
            .body::<auth::RevokeRequest>(
                JSON,
                &[("Token", json!({"access_token": "eyJhbGciOiJIUzI1NiIs…"}))],
            )
            .body_schema(FORM, revoke_form(), &[("Token", json!({"token": "eyJhbGciOiJIUzI1NiIs…"}))])
            .answers::<users::Success>("Revoked", &[("Revoked", done("Token revoked"))]),
    ]
}

fn enrolments() -> Vec<Route> {
    let enrolled = |state: &str, expires_at: Value| {
        json!({
            "qr_code_url": "https://mfa.example.com/qrcode/user123?t=eyJhbGciOiJIUzI1NiIs…",
            "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
            "otpauth_url": "otpauth://totp/Shop:user123?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Shop&algorithm=SHA1&digits=6&period=30",
            "state": state,
            "expires_at": expires_at,
        })
    };
    vec![
        Route::new(Post, "/mfa/register", "register", ENROLMENT, "Set up an authenticator app")
            .text(
                "Draws a secret for the user. Show `qr_code_url` as an image, or draw `otpauth_url` \
                 yourself, with `secret` beside it for who types. MFA is on once a first code was \
                 verified with /mfa/verify, within 10 minutes; with `\"confirm\": false` at once. \
                 Registering again while that is pending replaces the secret.",
            )
            .for_client()
            .client_body::<enrolment::RegisterRequest>(&[
                ("Least", json!({"user_id": "user123"})),
                ("With contact data", json!({"user_id": "user123", "client_id": "app123", "email": "ann@example.com", "phone": "+34600111222", "account_name": "ann@example.com"})),
            ])
            .answers::<enrolment::EnrolmentResponse>(
                "A secret, shown this once",
                &[
                    ("Pending", enrolled("pending", json!(1_760_000_600))),
                    ("Active at once", enrolled("active", Value::Null)),
                ],
            )
            .fails_with([Error::AlreadyRegistered, busy()]),
        Route::new(Post, "/mfa/import", "importFactor", ENROLMENT, "Bring an existing authenticator app along")
            .text(
                "Takes over a secret another service made, so that its user goes on with the app as it is. \
                 MFA is on at once. Give the secret in base32, with `algorithm`, `digits` and `period` where \
                 they are not the usual ones, or the whole `otpauth_url`.",
            )
            .for_client()
            .client_body::<enrolment::ImportRequest>(&[
                ("Secret", json!({"user_id": "user123", "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"})),
                ("URL", json!({"user_id": "user123", "otpauth_url": "otpauth://totp/Shop:user123?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Shop"})),
            ])
            .answers::<enrolment::ImportResponse>(
                "Taken over",
                &[("Imported", json!({"status": "success", "message": "Factor imported", "state": "active"}))],
            )
            .fails_with([Error::AlreadyRegistered, busy()]),
        stepped_up(
            Route::new(Post, "/mfa/renew", "renew", ENROLMENT, "Move to a new authenticator app")
                .text(
                    "A new secret for a user who has MFA. The old one works until the first code of the \
                     new one is verified, unless `revoke_current` is true; MFA stays on throughout.",
                )
                .for_client()
                .client_body::<enrolment::RenewRequest>(&[
                    ("New device", json!({"user_id": "user123"})),
                    ("Lost device", json!({"user_id": "user123", "revoke_current": true})),
                ])
                .answers::<enrolment::EnrolmentResponse>(
                    "A secret, shown this once",
                    &[("Pending", enrolled("pending", json!(1_760_000_600)))],
                ),
        ),
        Route::new(Get, "/qrcode/{user_id}", "getQrCode", ENROLMENT, "The QR code as an image")
            .text(
                "Where `qr_code_url` leads: an address to put into an `<img>`. It needs no access token, \
                 since `t` is a right to see just this secret, until it is confirmed, replaced or expired.",
            )
            .open_to(Vec::new())
            .in_path::<UserId>("user_id", "user123")
            .in_query("t", true, plain(), "The signed part of the link.", json!("eyJhbGciOiJIUzI1NiIs…"))
            .in_query(
                "format",
                false,
                one_of("", [json!("png"), json!("svg")]),
                "`png` or `svg`; if it is missing, what `Accept` asks for, else PNG.",
                json!("svg"),
            )
            .respond("200", qr_images())
            .fails_with([Error::NotFound]),
    ]
}

fn verification() -> Vec<Route> {
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

fn sending() -> Vec<Route> {
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

fn of_users() -> Vec<Route> {
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
                    "Sets what is given; `null` removes. Codes on their way to a changed destination die. \
                     Verify an address before you put it here: who reads it can log in.",
                )
                .for_client()
                .client_body::<users::ContactRequest>(&[
                    ("New phone", json!({"user_id": "user123", "phone": "+34600111222"})),
                    ("No e-mail any more", json!({"user_id": "user123", "email": null})),
                ])
                .answers::<users::ContactResponse>(
                    "What is on file now, masked",
                    &[("Masked", json!({"status": "success", "email": null, "phone": "+34•••••••22"}))],
                ),
        ),
        stepped_up(
            Route::new(Post, "/mfa/disable", "disable", USERS, "Turn MFA off")
                .text("Authenticators, live codes and recovery codes are gone; phone and e-mail stay. Doing it twice is no error.")
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

fn of_clients() -> Vec<Route> {
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
            .text("With all its users.")
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

fn of_operation() -> Vec<Route> {
    let event = json!({
        "id": 42, "at": 1_760_000_000, "client_id": "shop", "user_id": "user123", "event": "verified",
        "outcome": "success", "method": "totp", "request_id": "01JZ6T9Q3X4Y5Z6A7B8C9D0E1F", "detail": {},
    });
    vec![
        Route::new(Post, "/admin/unlock", "unlockUser", OPERATOR, "Unlock a user")
            .text("Clears failure counters and locks. An authenticator disabled by failures stays disabled: renew it.")
            .for_operator()
            .body::<admin::UnlockRequest>(JSON, &[("User", json!({"client_id": "shop", "user_id": "user123"}))])
            .answers::<users::Success>("Unlocked", &[("Unlocked", done("User unlocked"))])
            .fails_with([Error::UserNotFound, busy()]),
        Route::new(Get, "/admin/audit", "listAuditEvents", OPERATOR, "Read the record of events")
            .text("Oldest first. Ask again with `after` set to `next` until that is null. Events are kept for a year.")
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
                "At most so many.",
                json!(100),
            )
            .answers::<admin::AuditResponse>("Events", &[("Last page", json!({"events": [event], "next": null}))]),
        Route::new(Get, "/health", "getHealth", SERVICE, "Is the service up?")
            .text("200 only if the database answers, its schema is current and the keys load.")
            .open_to(Vec::new())
            .answers::<health::Response>("It is", &[("Up", json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))]),
    ]
}

/// How judging a code fails.
fn judged() -> [Error; 4] {
    [
        Error::InvalidCode {
            attempts_remaining: Some(3),
            retry_after: None,
        },
        Error::CodeAlreadyUsed { retry_after: 12 },
        Error::FactorDisabled,
        Error::Locked { retry_after: 60 },
    ]
}

/// What takes something from a user may ask for a fresh code, and judges one that was sent.
fn stepped_up(route: Route) -> Route {
    let mut route = route;
    route.note::<GuessedCode>();
    route.fails_with(judged()).fails_with([
        Error::StepUpRequired,
        Error::UserNotFound,
        Error::MfaNotEnabled,
        busy(),
    ])
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

/// Lost too often against other requests of the same user.
fn busy() -> Error {
    Error::RateLimited { retry_after: 1 }
}

fn done(message: &str) -> Value {
    json!({"status": "success", "message": message})
}

fn client(secret: Option<&str>) -> Value {
    let mut client = json!({
        "client_id": "shop",
        "name": "Shop",
        "disabled": false,
        "settings": crate::domain::settings::Settings::default(),
        "created_at": 1_760_000_000,
    });
    if let (Some(secret), Some(client)) = (secret, client.as_object_mut()) {
        client.insert("client_secret".to_owned(), secret.into());
    }
    client
}

fn plain() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

fn token_form() -> RefOr<Schema> {
    ObjectBuilder::new()
        .description(Some(
            "RFC 6749, section 4.4. Leave the credentials out to send them by HTTP Basic.",
        ))
        .property("grant_type", grant_type())
        .required("grant_type")
        .property("client_id", plain().examples([json!("app123")]))
        .property("client_secret", plain().examples([json!("secret123")]))
        .additional_properties(Some(plain()))
        .into()
}

fn revoke_form() -> RefOr<Schema> {
    ObjectBuilder::new()
        .description(Some("RFC 7009."))
        .property("token", plain().min_length(Some(1)))
        .required("token")
        .property("token_type_hint", plain())
        .additional_properties(Some(plain()))
        .into()
}

fn qr_images() -> utoipa::openapi::Response {
    let image = |media_type: &str| {
        let schema = plain().content_media_type(media_type).build();
        ContentBuilder::new().schema(Some(schema)).build()
    };
    success("The picture")
        .content("image/png", image("image/png"))
        .content("image/svg+xml", image("image/svg+xml"))
        .build()
}
