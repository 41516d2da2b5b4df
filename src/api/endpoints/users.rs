//! `POST /mfa/disable` and `DELETE /mfa/users/{user_id}`: what ends a user's MFA.

use axum::extract::Request;
use http::StatusCode;
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::api::answers::Success;
use crate::api::endpoint::{Access, Endpoint};
use crate::api::evidence::{UsedCredential, evidence};
use crate::api::extract::{Authorized, PathText, Traced, authenticate, from_json, of_user};
use crate::api::json::Json;
use crate::api::openapi::operation::{JSON, Operation, USERS};
use crate::domain::codes::guess::GuessedCode;
use crate::domain::ids::{ChallengeId, ClientId, UserId};
use crate::domain::scope::Scope;
use crate::error::Error;
use crate::flows::{self, Asked};

pub(super) fn endpoints() -> [Endpoint; 2] {
    [
        Endpoint::post("/mfa/disable", Access::Client(Scope::Manage), disable, describe_disable),
        Endpoint::delete("/mfa/users/{user_id}", Access::Client(Scope::Manage), delete, describe_delete),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DisableRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    code: Option<GuessedCode>,
    challenge_id: Option<ChallengeId>,
    credential: Option<UsedCredential>,
}

of_user!(DisableRequest);

async fn disable(request: Authorized<DisableRequest>) -> Result<Json<Success>, Error> {
    let Authorized { asked, body } = request;
    let proof = evidence(body.code, body.challenge_id, body.credential)?;
    flows::disable(&asked, proof.as_ref()).await?;
    Ok(Json(Success::new("MFA disabled for user")))
}

fn describe_disable(operation: Operation) -> Operation {
    operation
        .named("disable", USERS, "Turn MFA off")
        .text(
            "Authenticators, live codes and recovery codes are gone; the phone number and e-mail address \
             stay. Turning it off twice is not an error.",
        )
        .client_body::<DisableRequest>(&[("User", json!({"user_id": "user123"}))])
        .answers::<Success>("MFA is off", &[("Off", json!(Success::new("MFA disabled for user")))])
        .steps_up()
}

/// Deletes need no body; one is read for the proof a client's policy may ask for.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = DeleteUserRequest)]
struct DeleteRequest {
    code: Option<GuessedCode>,
    challenge_id: Option<ChallengeId>,
    credential: Option<UsedCredential>,
}

async fn delete(
    Traced(call): Traced,
    PathText(user_id): PathText,
    request: Request,
) -> Result<StatusCode, Error> {
    let (parts, body) = request.into_parts();
    let caller = authenticate(&call, &parts)?;
    let user =
        UserId::try_from(user_id).map_err(|error| Error::invalid("user_id", error.to_string()))?;
    let bytes = body.collect().await.map_err(Error::internal)?.to_bytes();
    let body = if bytes.is_empty() {
        DeleteRequest::default()
    } else {
        from_json(&parts.headers, &bytes)?
    };
    let asked = Asked::by_client(call, caller, user);
    let proof = evidence(body.code, body.challenge_id, body.credential)?;
    flows::delete_user(&asked, proof.as_ref()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn describe_delete(operation: Operation) -> Operation {
    operation
        .named("deleteUser", USERS, "Delete a user")
        .text(
            "Everything about the user is gone. A body is needed only where the client's policy asks for a \
             fresh code.",
        )
        .in_path::<UserId>("user_id", "user123")
        .body::<DeleteRequest>(JSON, &[("With a code", json!({"code": "123456"}))])
        .optional_body()
        .answers_nothing("Gone")
        .steps_up()
}
