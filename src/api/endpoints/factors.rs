//! `/mfa/factors`: what a user can log in with.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::enrolment::{EnrolmentResponse, example, parameters};
use crate::api::answers::Success;
use crate::api::endpoint::{Access, Endpoint};
use crate::api::evidence::{UsedCredential, evidence};
use crate::api::extract::{Authorized, PathText, of_user};
use crate::api::json::Json;
use crate::api::openapi::operation::{FACTORS, Operation};
use crate::api::openapi::schemas::reference;
use crate::domain::account::{FactorType, FactorView, State};
use crate::domain::codes::guess::GuessedCode;
use crate::domain::codes::numeric::Digits;
use crate::domain::codes::totp::{Algorithm, Period};
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::ids::{ChallengeId, ClientId, FactorId, UserId};
use crate::domain::scope::Scope;
use crate::domain::settings::Label;
use crate::domain::time::UnixTime;
use crate::error::{Error, ErrorCode};
use crate::flows::{self, Profile};

pub(super) fn endpoints() -> [Endpoint; 4] {
    [
        Endpoint::get("/mfa/factors", Access::Client(Scope::Read), list, describe_list),
        Endpoint::post("/mfa/factors", Access::Client(Scope::Enrol), add, describe_add),
        Endpoint::patch("/mfa/factors/{factor_id}", Access::Client(Scope::Manage), rename, describe_rename),
        Endpoint::delete("/mfa/factors/{factor_id}", Access::Client(Scope::Manage), remove, describe_remove),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
}

of_user!(ListRequest);

#[derive(Serialize, ToSchema)]
#[schema(as = Factor)]
pub(super) struct FactorResponse {
    id: FactorId,
    r#type: FactorType,
    /// What its user calls it.
    name: Option<Label>,
    /// `pending` until a first code, `disabled` by 100 wrong codes in a row or by a renewal.
    state: State,
    created_at: UnixTime,
    /// When it began to count.
    confirmed_at: Option<UnixTime>,
    last_used_at: Option<UnixTime>,
    /// Of a passkey: whether there are copies of it, in a password manager or a synchronised account.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    backed_up: Option<bool>,
    /// Of a passkey: how its authenticator is reached, such as `internal`, `hybrid` or `usb`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    transports: Option<Vec<String>>,
    /// Of a passkey: its authenticator's model, as the authenticator says it. Nothing proves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    aaguid: Option<String>,
}

impl From<FactorView> for FactorResponse {
    fn from(factor: FactorView) -> Self {
        let passkey = factor.passkey.as_ref();
        Self {
            backed_up: passkey.map(|passkey| passkey.backed_up),
            transports: passkey.map(|passkey| passkey.transports.as_slice().to_vec()),
            aaguid: passkey.map(|passkey| passkey.aaguid.as_str().to_owned()),
            id: factor.id,
            r#type: factor.kind,
            name: factor.name.and_then(|name| Label::try_from(name).ok()),
            state: factor.state,
            created_at: factor.created_at,
            confirmed_at: factor.confirmed_at,
            last_used_at: factor.last_used_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Factors)]
struct ListResponse {
    factors: Vec<FactorResponse>,
    recovery_codes_remaining: usize,
    /// Masked.
    phone: Option<String>,
    /// Masked.
    email: Option<String>,
}

async fn list(request: Authorized<ListRequest>) -> Result<Json<ListResponse>, Error> {
    let factors = flows::factors(&request.asked).await?;
    Ok(Json(ListResponse {
        factors: factors.factors.into_iter().map(Into::into).collect(),
        recovery_codes_remaining: factors.recovery_codes_remaining,
        phone: factors.phone,
        email: factors.email,
    }))
}

/// What a factor looks like.
pub(super) fn example_of(kind: &str) -> Value {
    let passkey = json!({"backed_up": true, "transports": ["hybrid", "internal"], "aaguid": "fbfc3007-154e-4ecc-8c0b-6e020557d7bd"});
    let mut factor = json!({
        "id": "0f8fad5bd9cb469fa16570867728950e",
        "type": kind,
        "name": "Phone",
        "state": "active",
        "created_at": 1_760_000_000,
        "confirmed_at": 1_760_000_020,
        "last_used_at": 1_760_000_020,
    });
    if let (Value::Object(factor), Value::Object(passkey), "passkey") =
        (&mut factor, passkey, kind)
    {
        factor.extend(passkey);
    }
    factor
}

fn describe_list(operation: Operation) -> Operation {
    operation
        .named("listFactors", FACTORS, "What a user can log in with")
        .text("Authenticator apps and passkeys, with what the user calls them. Nothing secret is in it.")
        .in_query("user_id", true, reference::<UserId>(), "", json!("user123"))
        .in_query("client_id", false, reference::<ClientId>(), "", json!("app123"))
        .answers::<ListResponse>(
            "The factors",
            &[(
                "An app and a passkey",
                json!({
                    "factors": [example_of("totp"), example_of("passkey")],
                    "recovery_codes_remaining": 10,
                    "phone": "+34•••••••22",
                    "email": null,
                }),
            )],
        )
        .fails_with([
            ErrorCode::ClientMismatch,
            ErrorCode::UserNotFound,
            ErrorCode::PayloadTooLarge,
            ErrorCode::UnsupportedMediaType,
        ])
}

/// The kinds that are added here. Passkeys are made in a browser first.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum AddedType {
    Totp,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = AddFactorRequest)]
struct AddRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    #[schema(inline)]
    #[expect(dead_code, reason = "there is one kind")]
    r#type: AddedType,
    /// What the user calls it.
    name: Option<Label>,
    email: Option<Email>,
    phone: Option<Phone>,
    /// What the app shows beside your name; the user id if it is missing.
    account_name: Option<Label>,
    /// SHA1 if it is missing.
    algorithm: Option<Algorithm>,
    /// 6 if it is missing.
    digits: Option<Digits>,
    /// 30 if it is missing.
    period: Option<Period>,
    /// Whether it counts only once a first code was verified: true if it is missing.
    confirm: Option<bool>,
    code: Option<GuessedCode>,
    challenge_id: Option<ChallengeId>,
    credential: Option<UsedCredential>,
}

of_user!(AddRequest);

async fn add(request: Authorized<AddRequest>) -> Result<Json<EnrolmentResponse>, Error> {
    let Authorized { asked, body } = request;
    let proof = evidence(body.code, body.challenge_id, body.credential)?;
    let profile = Profile {
        phone: body.phone,
        email: body.email,
        account_name: body.account_name,
        parameters: parameters(body.algorithm, body.digits, body.period),
    };
    let (name, confirm) = (body.name.as_ref(), body.confirm.unwrap_or(true));
    let enrolled = flows::add_app(&asked, &profile, name, confirm, proof.as_ref()).await?;
    Ok(Json(enrolled.into()))
}

fn describe_add(operation: Operation) -> Operation {
    operation
        .named("addFactor", FACTORS, "Add an authenticator app")
        .text(
            "As /mfa/register, for a user who may have factors already; /mfa/register is this for the first one. At \
             most five apps count, and one more waits for its first code: the next one takes its place.",
        )
        .client_body::<AddRequest>(&[
            ("Another app", json!({"user_id": "user123", "type": "totp", "name": "Tablet"})),
        ])
        .answers::<EnrolmentResponse>(
            "A secret, shown this once",
            &[("Pending", example("pending", &json!(1_760_000_600)))],
        )
        .steps_up()
        .fails_with([
            ErrorCode::FactorLimitReached,
            ErrorCode::AccountLimitReached,
        ])
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RenameFactorRequest)]
struct RenameRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    name: Label,
}

of_user!(RenameRequest);

async fn rename(
    PathText(id): PathText,
    request: Authorized<RenameRequest>,
) -> Result<Json<FactorResponse>, Error> {
    let Authorized { asked, body } = request;
    let renamed = flows::rename_factor(&asked, &FactorId::named(id), &body.name).await?;
    Ok(Json(renamed.into()))
}

fn describe_rename(operation: Operation) -> Operation {
    operation
        .named("renameFactor", FACTORS, "Give a factor a name")
        .text("The name that the user knows it by. It is stored sealed.")
        .in_path::<FactorId>("factor_id", "0f8fad5bd9cb469fa16570867728950e")
        .client_body::<RenameRequest>(&[("Name", json!({"user_id": "user123", "name": "Phone"}))])
        .answers::<FactorResponse>("The factor", &[("Named", example_of("totp"))])
        .fails_with([
            ErrorCode::UserNotFound,
            ErrorCode::NotFound,
            ErrorCode::FactorLimitReached,
            ErrorCode::RateLimited,
        ])
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RemoveFactorRequest)]
struct RemoveRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    code: Option<GuessedCode>,
    challenge_id: Option<ChallengeId>,
    credential: Option<UsedCredential>,
}

of_user!(RemoveRequest);

async fn remove(
    PathText(id): PathText,
    request: Authorized<RemoveRequest>,
) -> Result<Json<Success>, Error> {
    let Authorized { asked, body } = request;
    let proof = evidence(body.code, body.challenge_id, body.credential)?;
    flows::remove_factor(&asked, &FactorId::named(id), proof.as_ref()).await?;
    Ok(Json(Success::new("Factor removed")))
}

fn describe_remove(operation: Operation) -> Operation {
    operation
        .named("removeFactor", FACTORS, "Remove a factor")
        .text(
            "It verifies nothing from now on, and codes under way are dead. The last one that works stays: \
             /mfa/disable turns MFA off.",
        )
        .in_path::<FactorId>("factor_id", "0f8fad5bd9cb469fa16570867728950e")
        .client_body::<RemoveRequest>(&[("User", json!({"user_id": "user123"}))])
        .answers::<Success>("It is gone", &[("Removed", json!(Success::new("Factor removed")))])
        .steps_up()
        .fails_with([ErrorCode::NotFound, ErrorCode::LastFactor])
}
