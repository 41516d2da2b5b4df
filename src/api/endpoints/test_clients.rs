//! `/mfa/test/…`: for test clients, who find here what would have been sent and put their clock forward.

use http::Uri;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::api::answers::Succeeded;
use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{ApiJson, Token, from_query, refuse_other_client};
use crate::api::json::Json;
use crate::api::openapi::operation::{Operation, TESTS};
use crate::api::openapi::schemas::reference;
use crate::domain::ids::{ClientId, UserId};
use crate::domain::method::{Channel, MessagePurpose as Purpose};
use crate::domain::scope::Scope;
use crate::domain::time::UnixTime;
use crate::error::{Error, ErrorCode};
use crate::flows::test_clients::{self, Message};

pub(super) fn endpoints() -> [Endpoint; 2] {
    [
        Endpoint::get(
            "/mfa/test/messages",
            Access::Client(Scope::Read),
            messages,
            describe_messages,
        ),
        Endpoint::post(
            "/mfa/test/clock",
            Access::Client(Scope::Manage),
            advance,
            describe_clock,
        ),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MessagesRequest {
    user_id: Option<UserId>,
    client_id: Option<ClientId>,
}

/// A message that was not sent.
#[derive(Serialize, ToSchema)]
#[schema(as = TestMessage)]
struct MessageResponse {
    user_id: UserId,
    #[schema(inline)]
    channel: MessageChannel,
    #[schema(inline)]
    purpose: MessagePurpose,
    /// Where it would have gone: a phone number or an e-mail address.
    to: String,
    /// Null for an SMS.
    subject: Option<String>,
    text: String,
    /// Null where the message has a link in its place, and in a notice.
    code: Option<String>,
    /// By the client's clock.
    sent_at: UnixTime,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum MessageChannel {
    Sms,
    Email,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum MessagePurpose {
    Verify,
    Recovery,
    Notice,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TestMessages)]
struct MessagesResponse {
    /// Oldest first.
    messages: Vec<MessageResponse>,
}

impl MessageResponse {
    fn new((user_id, message): (UserId, Message)) -> Self {
        Self {
            user_id,
            channel: match message.channel {
                Channel::Email => MessageChannel::Email,
                Channel::Sms | Channel::Api => MessageChannel::Sms,
            },
            purpose: match message.purpose {
                Purpose::Verify => MessagePurpose::Verify,
                Purpose::Recovery => MessagePurpose::Recovery,
                Purpose::Notice => MessagePurpose::Notice,
            },
            to: message.to,
            subject: message.subject,
            text: message.text,
            code: message.code,
            sent_at: message.sent_at,
        }
    }
}

async fn messages(
    Token { call, caller }: Token,
    uri: Uri,
) -> Result<Json<MessagesResponse>, Error> {
    let asked: MessagesRequest = from_query(&uri)?;
    refuse_other_client(&caller, asked.client_id.as_ref())?;
    let found = test_clients::messages(&call, &caller, asked.user_id.as_ref()).await?;
    Ok(Json(MessagesResponse {
        messages: found.into_iter().map(MessageResponse::new).collect(),
    }))
}

fn describe_messages(operation: Operation) -> Operation {
    let message = json!({
        "user_id": "user123",
        "channel": "sms",
        "purpose": "verify",
        "to": "+34600111222",
        "subject": null,
        "text": "123456 is your Shop code. It expires in 5 minutes. Never share it.\n\n@shop.example #123456",
        "code": "123456",
        "sent_at": 1_760_000_000,
    });
    operation
        .named("listTestMessages", TESTS, "What would have been sent")
        .text("The last 100 messages of a test client, oldest first, for a day. For other clients there is nothing here.")
        .in_query("user_id", false, reference::<UserId>(), "Only those to this user.", json!("user123"))
        .in_query("client_id", false, reference::<ClientId>(), "", json!("test_shop"))
        .answers::<MessagesResponse>("The messages", &[("Messages", json!({"messages": [message]}))])
        .fails_with([ErrorCode::NotFound, ErrorCode::ClientMismatch])
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AdvanceTestClockRequest)]
struct AdvanceRequest {
    client_id: Option<ClientId>,
    /// 0 says what time it is.
    #[schema(maximum = 315_360_000)]
    advance_seconds: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TestClock)]
struct AdvanceResponse {
    #[schema(inline)]
    status: Succeeded,
    message: &'static str,
    /// The client's time: make the codes of an authenticator app for it.
    now: UnixTime,
    /// How far it is ahead of the server's.
    ahead_seconds: u64,
}

async fn advance(
    Token { call, caller }: Token,
    ApiJson(body): ApiJson<AdvanceRequest>,
) -> Result<Json<AdvanceResponse>, Error> {
    refuse_other_client(&caller, body.client_id.as_ref())?;
    let clock = test_clients::advance(&call, &caller, body.advance_seconds).await?;
    Ok(Json(AdvanceResponse {
        status: Succeeded::Success,
        message: "Clock put forward",
        now: clock.now,
        ahead_seconds: clock.ahead,
    }))
}

fn describe_clock(operation: Operation) -> Operation {
    operation
        .named("advanceTestClock", TESTS, "Put the clock forward")
        .text(
            "For all users of a test client, at once and for good: a clock never goes back. Codes expire, locks end \
             and limits have room again by it. Access tokens, result tokens and idempotency keys keep the server's \
             time. For other clients there is nothing here.",
        )
        .client_body::<AdvanceRequest>(&[
            ("An hour", json!({"advance_seconds": 3600})),
            ("What time is it?", json!({"advance_seconds": 0})),
        ])
        .answers::<AdvanceResponse>(
            "The client's time from now on",
            &[("An hour later", json!({"status": "success", "message": "Clock put forward", "now": 1_760_003_600, "ahead_seconds": 3600}))],
        )
        .fails_with([ErrorCode::NotFound, ErrorCode::RateLimited])
}
