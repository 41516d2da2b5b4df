//! `/mfa/passkeys`: making a passkey, and asking for a signature by one.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::factors::{FactorResponse, example_of};
use crate::api::endpoint::{Access, Endpoint};
use crate::api::evidence::{MadeCredential, UsedCredential, evidence};
use crate::api::extract::{Authorized, of_user};
use crate::api::json::Json;
use crate::api::openapi::operation::{Operation, PASSKEYS};
use crate::domain::codes::guess::GuessedCode;
use crate::domain::ids::{ChallengeId, ClientId, UserId};
use crate::domain::scope::Scope;
use crate::domain::settings::Label;
use crate::error::{Error, ErrorCode};
use crate::flows::{self, Opened};

pub(super) fn endpoints() -> [Endpoint; 3] {
    [
        Endpoint::post("/mfa/passkeys/options", Access::Client(Scope::Enrol), options, describe_options),
        Endpoint::post("/mfa/passkeys", Access::Client(Scope::Enrol), register, describe_register),
        Endpoint::post("/mfa/passkeys/challenge", Access::Client(Scope::Verify), challenge, describe_challenge),
    ]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyOptionsRequest)]
struct OptionsRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    /// The account name that the browser and the passkey show; the user id if it is missing.
    name: Option<Label>,
    code: Option<GuessedCode>,
    challenge_id: Option<ChallengeId>,
    credential: Option<UsedCredential>,
}

of_user!(OptionsRequest);

#[derive(Serialize, ToSchema)]
#[schema(as = PasskeyChallenge)]
struct OpenedResponse {
    challenge_id: ChallengeId,
    /// Seconds the browser has.
    expires_in: u32,
    /// For the browser as it is.
    #[serde(rename = "publicKey")]
    #[schema(value_type = Object)]
    public_key: Value,
}

impl From<Opened> for OpenedResponse {
    fn from(opened: Opened) -> Self {
        Self {
            challenge_id: opened.challenge,
            expires_in: opened.expires_in,
            public_key: opened.public_key,
        }
    }
}

async fn options(request: Authorized<OptionsRequest>) -> Result<Json<OpenedResponse>, Error> {
    let Authorized { asked, body } = request;
    let proof = evidence(body.code, body.challenge_id, body.credential)?;
    let opened = flows::passkey_options(&asked, body.name.as_ref(), proof.as_ref()).await?;
    Ok(Json(opened.into()))
}

fn describe_options(operation: Operation) -> Operation {
    operation
        .named("passkeyOptions", PASSKEYS, "Begin to make a passkey")
        .text(
            "What a browser needs to make a passkey for the user: give `publicKey` to \
             `PublicKeyCredential.parseCreationOptionsFromJSON`, and what `navigator.credentials.create` made to \
             POST /mfa/passkeys. Passkeys the user has are excluded. A new user is registered by it.",
        )
        .client_body::<OptionsRequest>(&[
            ("User", json!({"user_id": "user123", "name": "ann@example.com"})),
        ])
        .answers::<OpenedResponse>(
            "A challenge, good for one attempt",
            &[(
                "Options",
                json!({
                    "challenge_id": "7c9e6679742540de944be07fc1f90ae7",
                    "expires_in": 300,
                    "publicKey": {
                        "rp": {"id": "shop.example", "name": "Shop"},
                        "user": {"id": "9mV2Q3Jd5oYb0nS6c1kF8tUe4rWxZpLaGhTiMuNvBqo", "name": "ann@example.com", "displayName": "ann@example.com"},
                        "challenge": "Wk3xq0mDd0n5n4rGm2l7cQeR8yUo1aTzXvBpLsKjHgE",
                        "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
                        "timeout": 300_000,
                        "excludeCredentials": [],
                        "authenticatorSelection": {"residentKey": "preferred", "userVerification": "preferred"},
                        "attestation": "none",
                    },
                }),
            )],
        )
        .steps_up()
        .fails_with([
            ErrorCode::MethodNotUsed,
            ErrorCode::FactorLimitReached,
            ErrorCode::AccountLimitReached,
        ])
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RegisterPasskeyRequest)]
struct RegisterRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    challenge_id: ChallengeId,
    credential: MadeCredential,
    /// What the user calls the passkey.
    name: Option<Label>,
}

of_user!(RegisterRequest);

async fn register(request: Authorized<RegisterRequest>) -> Result<Json<FactorResponse>, Error> {
    let Authorized { asked, body } = request;
    let made = body.credential.answering(body.challenge_id)?;
    let factor = flows::register_passkey(&asked, &made, body.name.as_ref()).await?;
    Ok(Json(factor.into()))
}

fn describe_register(operation: Operation) -> Operation {
    operation
        .named("registerPasskey", PASSKEYS, "Bind a passkey")
        .text(
            "Binds the passkey that a browser made; it counts at once. Attestation is not asked for. `packed` self \
             attestation is verified where it comes all the same, and other formats are taken for none.",
        )
        .client_body::<RegisterRequest>(&[(
            "Made",
            json!({"user_id": "user123", "challenge_id": "7c9e6679742540de944be07fc1f90ae7", "credential": credential("attestationObject"), "name": "Phone"}),
        )])
        .answers::<FactorResponse>("The factor", &[("Passkey", example_of("passkey"))])
        .fails_with([
            ErrorCode::InvalidCredential,
            ErrorCode::MethodNotUsed,
            ErrorCode::UserNotFound,
            ErrorCode::AlreadyRegistered,
            ErrorCode::FactorLimitReached,
            ErrorCode::RateLimited,
        ])
}

/// A credential as a browser gives it, in short.
pub(super) fn credential(member: &str) -> Value {
    let response = if member == "authenticatorData" {
        json!({"clientDataJSON": "eyJ0eXBlIjoi", member: "o2NmbXRk", "signature": "MEUCIQDx"})
    } else {
        json!({"clientDataJSON": "eyJ0eXBlIjoi", member: "o2NmbXRk"})
    };
    json!({"id": "y8vX", "rawId": "y8vX", "type": "public-key", "response": response})
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = PasskeyChallengeRequest)]
struct ChallengeRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
}

of_user!(ChallengeRequest);

async fn challenge(request: Authorized<ChallengeRequest>) -> Result<Json<OpenedResponse>, Error> {
    let opened = flows::passkey_challenge(&request.asked).await?;
    Ok(Json(opened.into()))
}

fn describe_challenge(operation: Operation) -> Operation {
    operation
        .named("passkeyChallenge", PASSKEYS, "Ask for a passkey")
        .text(
            "What a browser needs to use one of the user's passkeys: give `publicKey` to \
             `PublicKeyCredential.parseRequestOptionsFromJSON`, and what `navigator.credentials.get` gave to POST \
             /mfa/verify, or beside any request that asks for a fresh code. The next challenge takes the place of \
             this one.",
        )
        .client_body::<ChallengeRequest>(&[("User", json!({"user_id": "user123"}))])
        .answers::<OpenedResponse>(
            "A challenge, good for one attempt",
            &[(
                "Challenge",
                json!({
                    "challenge_id": "7c9e6679742540de944be07fc1f90ae7",
                    "expires_in": 300,
                    "publicKey": {
                        "challenge": "Wk3xq0mDd0n5n4rGm2l7cQeR8yUo1aTzXvBpLsKjHgE",
                        "timeout": 300_000,
                        "rpId": "shop.example",
                        "allowCredentials": [{"type": "public-key", "id": "y8vX", "transports": ["hybrid", "internal"]}],
                        "userVerification": "preferred",
                    },
                }),
            )],
        )
        .fails_with([
            ErrorCode::MethodNotUsed,
            ErrorCode::UserNotFound,
            ErrorCode::MfaNotEnabled,
            ErrorCode::RateLimited,
        ])
}
