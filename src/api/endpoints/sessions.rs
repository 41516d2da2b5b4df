//! `POST /mfa/sessions`, `POST /mfa/sessions/result`: the hosted page, for an application that builds no screen.

use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::api::answers::Succeeded;
use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{ApiJson, Authorized, Token, of_user};
use crate::api::json::Json;
use crate::api::openapi::operation::{Operation, PAGE};
use crate::domain::ids::{ClientId, UserId};
use crate::domain::scope::Scope;
use crate::domain::session::{Nonce, SessionPurpose, SessionState};
use crate::domain::settings::{Label, Locale};
use crate::domain::time::UnixTime;
use crate::error::{Error, ErrorCode};
use crate::flows::session::{self, NewSession};

pub(super) fn endpoints() -> [Endpoint; 2] {
    let access = Access::Client(Scope::Verify);
    [
        Endpoint::post("/mfa/sessions", access, create, describe_create),
        Endpoint::post("/mfa/sessions/result", access, result, describe_result),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateSessionRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    purpose: SessionPurpose,
    /// Exactly one of the client's setting `return_urls`.
    return_url: String,
    /// Comes back with the browser as it is: at most 1024 characters.
    state: Option<SessionState>,
    /// Stands in the result token: at most 128 characters.
    nonce: Option<Nonce>,
    /// The page's language; the browser's if it is missing.
    locale: Option<Locale>,
    /// Whether the page may offer to remember the browser.
    #[serde(default)]
    remember: bool,
    /// What the page calls the account.
    account_name: Option<Label>,
}

of_user!(CreateSessionRequest);

#[derive(Serialize, ToSchema)]
struct CreateSessionResponse {
    session_id: String,
    /// Where to send the browser. Its secret stands in the fragment, which reaches no server.
    url: String,
    /// Seconds the page stays open without a press; in all it is an hour.
    expires_in: u64,
}

async fn create(
    request: Authorized<CreateSessionRequest>,
) -> Result<(StatusCode, Json<CreateSessionResponse>), Error> {
    let Authorized { asked, body } = request;
    let asked = asked.needing(match body.purpose {
        SessionPurpose::Verify => Scope::Verify,
        SessionPurpose::Enrol | SessionPurpose::Recover => Scope::Enrol,
        SessionPurpose::Manage => Scope::Manage,
    });
    let wanted = NewSession {
        purpose: body.purpose,
        return_url: body.return_url,
        state: body.state,
        nonce: body.nonce,
        locale: body.locale,
        account_name: body.account_name,
        remember: body.remember,
    };
    let created = session::create(&asked, &wanted).await?;
    Ok((
        StatusCode::CREATED,
        Json(CreateSessionResponse {
            session_id: created.session_id,
            url: created.url,
            expires_in: created.expires_in,
        }),
    ))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SessionResultRequest {
    client_id: Option<ClientId>,
    /// What stood in `code` of the address the browser came back to.
    code: String,
}

#[derive(Serialize, ToSchema)]
struct SessionResultResponse {
    #[schema(inline)]
    status: Succeeded,
    /// The user it is about. Compare it with the one your session is of.
    user_id: UserId,
    purpose: SessionPurpose,
    /// How the person proved who they are; null where nothing had to be proved, such as for a first way.
    method: Option<&'static str>,
    /// The proof in the words of RFC 8176.
    amr: Vec<&'static str>,
    /// When it was proved.
    auth_time: Option<UnixTime>,
    /// As it was given for the session.
    nonce: Option<String>,
    /// The same for others who verify it themselves, as a JWS; null where nothing had to be proved.
    result_token: Option<String>,
    /// For a cookie of yours, if the user asked for the browser to be remembered.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    trusted_device: Option<String>,
}

async fn result(
    Token { call, caller }: Token,
    ApiJson(body): ApiJson<SessionResultRequest>,
) -> Result<Json<SessionResultResponse>, Error> {
    if body.client_id.is_some_and(|client| client != caller.client) {
        return Err(Error::ClientMismatch);
    }
    let result = session::result(call, caller, &body.code).await?;
    Ok(Json(SessionResultResponse {
        status: Succeeded::Success,
        user_id: result.user,
        purpose: result.purpose,
        method: result.method,
        amr: result.amr.to_vec(),
        auth_time: result.auth_time,
        nonce: result.nonce,
        result_token: result.result_token,
        trusted_device: result.trusted_device,
    }))
}

fn describe_create(operation: Operation) -> Operation {
    operation
        .named("createSession", PAGE, "Begin a session of the hosted page")
        .text(
            "Send the browser to `url`, and your user confirms it is them (`verify`), sets up ways to do so \
             (`enrol`), changes them (`manage`) or gets back in without any (`recover`), on a page of this \
             service. It comes back to `return_url` with `code` and `state`; or with `error`, `access_denied` or \
             `expired`. The first browser that opens `url` keeps the session. `enrol` and `manage` begin with a \
             confirmation where there is something to confirm with. A session lasts ten minutes without a press, \
             an hour in all; a user has at most five.\n\n\
             An API key needs the scope `verify` for the purpose `verify`, `enrol` for `enrol` and `recover`, `manage` for \
             `manage`.",
        )
        .client_body::<CreateSessionRequest>(&[
            (
                "Confirm a login",
                json!({"user_id": "user123", "purpose": "verify", "return_url": "https://shop.example/mfa/done", "state": "af0ifjsldkj"}),
            ),
            (
                "Set up a first way",
                json!({"user_id": "user123", "purpose": "enrol", "return_url": "https://shop.example/mfa/done", "account_name": "ann@example.com", "locale": "es"}),
            ),
        ])
        .answers_with::<CreateSessionResponse>(
            "201",
            "Begun",
            &[(
                "Begun",
                json!({"session_id": "pZ2vR0y7Qm4tXw1kLb8eNA", "url": "https://mfa.example.com/session#pZ2vR0y7Qm4tXw1kLb8eNA.8kx…", "expires_in": 600}),
            )],
        )
        .fails_with([
            ErrorCode::UserNotFound,
            ErrorCode::MfaNotEnabled,
            ErrorCode::AccountLimitReached,
            ErrorCode::RateLimited,
        ])
}

fn describe_result(operation: Operation) -> Operation {
    operation
        .named("getSessionResult", PAGE, "Fetch what came of a session")
        .text(
            "With the `code` your `return_url` was opened with: within 60 seconds, once, by the client that began \
             the session. Compare `user_id` with the user your own session is of before you let anybody in. A \
             second time the answer is `code_already_used`: then somebody else may have had the code, and the \
             result counts for nothing.",
        )
        .client_body::<SessionResultRequest>(&[("The code", json!({"code": "pZ2vR0y7Qm4tXw1kLb8eNA…"}))])
        .answers::<SessionResultResponse>(
            "The result",
            &[(
                "Confirmed by the app",
                json!({"status": "success", "user_id": "user123", "purpose": "verify", "method": "totp", "amr": ["otp"], "auth_time": 1_760_000_000, "nonce": null, "result_token": "eyJhbGciOiJFUzI1NiIs…"}),
            )],
        )
        .fails_with([ErrorCode::InvalidCode, ErrorCode::CodeAlreadyUsed, ErrorCode::RateLimited])
}
