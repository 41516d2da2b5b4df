//! Binding authenticator apps.

use serde_json::{Value, json};
use utoipa::openapi::ContentBuilder;
use utoipa::openapi::path::HttpMethod::{Get, Post};

use super::{ENROLMENT, busy, plain, stepped_up};
use crate::api::enrolment;
use crate::api::openapi::route::{Route, success};
use crate::api::openapi::schemas::one_of;
use crate::domain::ids::UserId;
use crate::error::Error;

pub(super) fn all() -> Vec<Route> {
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
                 yourself, with `secret` beside it for those who type it. MFA is on once a first code was \
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
            .fails_with([Error::AlreadyRegistered, Error::AccountLimitReached { most: 1_000_000 }, busy()]),
        Route::new(Post, "/mfa/import", "importFactor", ENROLMENT, "Keep an existing authenticator app")
            .text(
                "Takes over a secret that another service made, so that the user keeps the app as it is. \
                 MFA is on at once. Send the secret in base32, with `algorithm`, `digits` and `period` if \
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
            .fails_with([Error::AlreadyRegistered, Error::AccountLimitReached { most: 1_000_000 }, busy()]),
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
                "Where `qr_code_url` leads: put it into an `<img>`. It needs no access token, since `t` is the \
                 right to see this one secret, until it is confirmed, replaced or expired.",
            )
            .open_to(Vec::new())
            .in_path::<UserId>("user_id", "user123")
            .in_query("t", true, plain(), "The signed part of the link.", json!("eyJhbGciOiJIUzI1NiIs…"))
            .in_query(
                "format",
                false,
                one_of("", [json!("png"), json!("svg")]),
                "`png` or `svg`. If it is missing: what `Accept` asks for, else PNG.",
                json!("svg"),
            )
            .respond("200", qr_images())
            .fails_with([Error::NotFound]),
    ]
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
