//! `/mfa/trusted-devices`: remembered browsers.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::api::answers::{Succeeded, Success};
use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{Authorized, of_user};
use crate::api::json::Json;
use crate::api::openapi::operation::{BROWSERS, Operation};
use crate::api::openapi::schemas::reference;
use crate::domain::ids::{ClientId, TrustedDeviceId, UserId};
use crate::domain::scope::Scope;
use crate::domain::time::UnixTime;
use crate::error::{Error, ErrorCode};
use crate::flows;

pub(super) fn endpoints() -> [Endpoint; 3] {
    [
        Endpoint::post("/mfa/trusted-devices/check", Access::Client(Scope::Verify), check, describe_check),
        Endpoint::get("/mfa/trusted-devices", Access::Client(Scope::Read), list, describe_list),
        Endpoint::delete("/mfa/trusted-devices", Access::Client(Scope::Manage), forget, describe_forget),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CheckTrustedDeviceRequest)]
struct CheckRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    /// What the browser's cookie holds.
    trusted_device: String,
}

of_user!(CheckRequest);

#[derive(Serialize, ToSchema)]
#[schema(as = TrustedDeviceChecked)]
struct CheckResponse {
    #[schema(inline)]
    status: Succeeded,
    /// What the cookie holds from now on; the former value is used up.
    trusted_device: String,
    expires_at: UnixTime,
}

async fn check(request: Authorized<CheckRequest>) -> Result<Json<CheckResponse>, Error> {
    let Authorized { asked, body } = request;
    let next = flows::check_trusted_device(&asked, &body.trusted_device).await?;
    Ok(Json(CheckResponse {
        status: Succeeded::Success,
        trusted_device: next.value,
        expires_at: next.expires_at,
    }))
}

fn describe_check(operation: Operation) -> Operation {
    operation
        .named("checkTrustedDevice", BROWSERS, "Is this browser remembered?")
        .text(
            "Ask after the password, before you ask for a second factor. The value is good once: put the one in the \
             answer into the cookie. One that was used before ends its series, since two hold it. (Requests of one \
             browser at once are no theft: for a minute the former value goes on being good.)",
        )
        .client_body::<CheckRequest>(&[("Cookie", json!({"user_id": "user123", "trusted_device": "mZ3q…"}))])
        .answers::<CheckResponse>(
            "It is: ask for no second factor",
            &[("Remembered", json!({"status": "success", "trusted_device": "mZ3q…", "expires_at": 1_762_592_000}))],
        )
        .fails_with([
            ErrorCode::NotTrusted,
            ErrorCode::UserNotFound,
            ErrorCode::RateLimited,
        ])
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
}

of_user!(ListRequest);

#[derive(Serialize, ToSchema)]
struct TrustedDevice {
    id: TrustedDeviceId,
    created_at: UnixTime,
    last_used_at: Option<UnixTime>,
    expires_at: UnixTime,
}

#[derive(Serialize, ToSchema)]
#[schema(as = TrustedDevices)]
struct ListResponse {
    trusted_devices: Vec<TrustedDevice>,
}

async fn list(request: Authorized<ListRequest>) -> Result<Json<ListResponse>, Error> {
    let devices = flows::trusted_devices(&request.asked).await?;
    let devices = devices.into_iter().map(|device| TrustedDevice {
        id: device.id,
        created_at: device.created_at,
        last_used_at: device.last_used_at,
        expires_at: device.expires_at,
    });
    Ok(Json(ListResponse {
        trusted_devices: devices.collect(),
    }))
}

fn describe_list(operation: Operation) -> Operation {
    operation
        .named("listTrustedDevices", BROWSERS, "Which browsers are remembered")
        .text("Those that need no second factor now. The values themselves are kept nowhere.")
        .in_query("user_id", true, reference::<UserId>(), "", json!("user123"))
        .in_query("client_id", false, reference::<ClientId>(), "", json!("app123"))
        .answers::<ListResponse>(
            "The browsers",
            &[(
                "One",
                json!({"trusted_devices": [{
                    "id": "3f2504e04f8911d39a0c0305e82c3301",
                    "created_at": 1_760_000_000,
                    "last_used_at": null,
                    "expires_at": 1_762_592_000,
                }]}),
            )],
        )
        .fails_with([
            ErrorCode::ClientMismatch,
            ErrorCode::UserNotFound,
            ErrorCode::PayloadTooLarge,
            ErrorCode::UnsupportedMediaType,
        ])
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ForgetTrustedDevicesRequest)]
struct ForgetRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    /// The one to forget; all if it is missing.
    id: Option<TrustedDeviceId>,
}

of_user!(ForgetRequest);

async fn forget(request: Authorized<ForgetRequest>) -> Result<Json<Success>, Error> {
    let Authorized { asked, body } = request;
    flows::forget_trusted_devices(&asked, body.id.as_ref()).await?;
    Ok(Json(Success::new("Browsers forgotten")))
}

fn describe_forget(operation: Operation) -> Operation {
    operation
        .named("forgetTrustedDevices", BROWSERS, "Forget remembered browsers")
        .text("One, or all of a user. A change of factors, a recovery and turning MFA off forget all by themselves.")
        .client_body::<ForgetRequest>(&[
            ("All", json!({"user_id": "user123"})),
            ("One", json!({"user_id": "user123", "id": "3f2504e04f8911d39a0c0305e82c3301"})),
        ])
        .answers::<Success>("Forgotten", &[("Forgotten", json!(Success::new("Browsers forgotten")))])
        .fails_with([
            ErrorCode::UserNotFound,
            ErrorCode::NotFound,
            ErrorCode::RateLimited,
        ])
}
