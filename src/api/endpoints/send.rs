//! `POST /mfa/sms`, `/mfa/email` and `/mfa/recovery`: codes that are sent.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::api::answers::Succeeded;
use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{Authorized, of_user};
use crate::api::json::Json;
use crate::api::openapi::operation::{CODES, Operation};
use crate::domain::ids::{ClientId, UserId};
use crate::domain::method::{Channel, Purpose};
use crate::domain::scope::Scope;
use crate::domain::settings::Locale;
use crate::error::{Error, ErrorCode};
use crate::flows::{self, Wanted};

pub(super) fn endpoints() -> [Endpoint; 3] {
    [
        Endpoint::post("/mfa/sms", Access::Client(Scope::Send), sms, describe_sms),
        Endpoint::post("/mfa/email", Access::Client(Scope::Send), email, describe_email),
        Endpoint::post("/mfa/recovery", Access::Client(Scope::Send), recovery, describe_recovery),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SendRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    /// The client's language if it is missing.
    locale: Option<Locale>,
}

#[derive(Serialize, ToSchema)]
struct SendResponse {
    #[schema(inline)]
    status: Succeeded,
    message: &'static str,
    /// Seconds the code is good for.
    expires_in: u64,
    /// Where it went, masked: safe to show.
    destination: String,
}

async fn sms(request: Authorized<SendRequest>) -> Result<Json<SendResponse>, Error> {
    deliver(request, Channel::Sms, "Code sent by SMS").await
}

async fn email(request: Authorized<SendRequest>) -> Result<Json<SendResponse>, Error> {
    deliver(request, Channel::Email, "Code sent by email").await
}

async fn deliver(
    request: Authorized<SendRequest>,
    channel: Channel,
    message: &'static str,
) -> Result<Json<SendResponse>, Error> {
    let Authorized { asked, body } = request;
    let wanted = Wanted {
        channel,
        purpose: Purpose::Verify,
        locale: body.locale,
        on_the_page: false,
    };
    let sent = flows::send(&asked, wanted).await?;
    Ok(Json(SendResponse {
        status: Succeeded::Success,
        message,
        expires_in: sent.expires_in,
        destination: sent.destination,
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RecoveryRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    recovery_method: RecoveryChannel,
    /// The client's language if it is missing.
    locale: Option<Locale>,
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum RecoveryChannel {
    Sms,
    Email,
    /// A link to the hosted page, by e-mail.
    Link,
}

#[derive(Serialize, ToSchema)]
struct RecoveryResponse {
    #[schema(inline)]
    status: Succeeded,
    message: &'static str,
    /// Seconds the code or the link is good for.
    expires_in: u64,
}

async fn recovery(request: Authorized<RecoveryRequest>) -> Result<Json<RecoveryResponse>, Error> {
    let Authorized { asked, body } = request;
    let channel = match body.recovery_method {
        RecoveryChannel::Sms => Channel::Sms,
        RecoveryChannel::Email => Channel::Email,
        RecoveryChannel::Link => {
            let expires_in = flows::session::send_link(&asked, body.locale).await?;
            return Ok(Json(RecoveryResponse {
                status: Succeeded::Success,
                message: "Recovery link sent to user",
                expires_in,
            }));
        }
    };
    let wanted = Wanted {
        channel,
        purpose: Purpose::Recovery,
        locale: body.locale,
        on_the_page: false,
    };
    let sent = flows::send(&asked, wanted).await?;
    Ok(Json(RecoveryResponse {
        status: Succeeded::Success,
        message: "Recovery code sent to user",
        expires_in: sent.expires_in,
    }))
}

of_user!(SendRequest, RecoveryRequest);

fn describe_sms(operation: Operation) -> Operation {
    sends(operation)
        .named("sendSms", CODES, "Send a code by SMS")
        .text(
            "Six digits, good for 5 minutes, to the phone number on file. A new code replaces the \
             last one. The message ends with the line from which browsers fill the code in (WebOTP).",
        )
        .client_body::<SendRequest>(&[
            ("In the client's language", json!({"user_id": "user123"})),
            ("In Spanish", json!({"user_id": "user123", "locale": "es"})),
        ])
        .answers::<SendResponse>(
            "Sent",
            &[("Sent", json!({"status": "success", "message": "Code sent by SMS", "expires_in": 300, "destination": "+34•••••••22"}))],
        )
        .fails_with([ErrorCode::DestinationNotAllowed])
}

fn describe_email(operation: Operation) -> Operation {
    sends(operation)
        .named("sendEmail", CODES, "Send a code by e-mail")
        .text("Six digits, good for 5 minutes, to the address on file. A new code replaces the last one.")
        .client_body::<SendRequest>(&[
            ("In the client's language", json!({"user_id": "user123"})),
            ("In Spanish", json!({"user_id": "user123", "locale": "es"})),
        ])
        .answers::<SendResponse>(
            "Sent",
            &[("Sent", json!({"status": "success", "message": "Code sent by email", "expires_in": 300, "destination": "a•••@example.com"}))],
        )
}

fn describe_recovery(operation: Operation) -> Operation {
    sends(operation)
        .named("sendRecovery", CODES, "Send a recovery message")
        .text(
            "For a user who lost the authenticator: eight digits, good for 10 minutes. Hand them to \
             /mfa/renew as `code`, which sets up a new app. Or let /mfa/verify take them, which answers \
             `\"method\": \"recovery\"`, and then let the user set up a new app and nothing else. Or a link by \
             e-mail to the hosted page, which does all of it: one use, 15 minutes; with the setting \
             `recovery_delay_hours` it opens later, and every channel on file is told how to stop it.",
        )
        .client_body::<RecoveryRequest>(&[
            ("By e-mail", json!({"user_id": "user123", "recovery_method": "email"})),
            ("By SMS", json!({"user_id": "user123", "recovery_method": "sms"})),
            ("A link to the hosted page", json!({"user_id": "user123", "recovery_method": "link"})),
        ])
        .answers::<RecoveryResponse>(
            "Sent",
            &[("Sent", json!({"status": "success", "message": "Recovery code sent to user", "expires_in": 600}))],
        )
        .fails_with([ErrorCode::DestinationNotAllowed])
}

fn sends(operation: Operation) -> Operation {
    operation.fails_with([
        ErrorCode::UserNotFound,
        ErrorCode::MfaNotEnabled,
        ErrorCode::DestinationMissing,
        ErrorCode::SendLimited,
        ErrorCode::RateLimited,
        ErrorCode::DeliveryFailed,
        ErrorCode::FactorDisabled,
        ErrorCode::MethodNotUsed,
        ErrorCode::Locked,
        ErrorCode::ChannelNotConfigured,
        ErrorCode::DeliveryUnavailable,
    ])
}
