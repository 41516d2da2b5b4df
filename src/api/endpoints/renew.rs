//! `POST /mfa/renew`.

use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::enrolment::{EnrolmentResponse, example};
use crate::api::endpoint::{Access, Endpoint};
use crate::api::evidence::{UsedCredential, evidence};
use crate::api::extract::{Authorized, of_user};
use crate::api::json::Json;
use crate::api::openapi::operation::{ENROLMENT, Operation};
use crate::domain::codes::guess::GuessedCode;
use crate::domain::ids::{ChallengeId, ClientId, FactorId, UserId};
use crate::domain::scope::Scope;
use crate::error::{Error, ErrorCode};
use crate::flows;

pub(super) fn endpoints() -> [Endpoint; 1] {
    [Endpoint::post("/mfa/renew", Access::Client(Scope::Enrol), renew, describe)]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RenewRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    /// Whether the present secret is dead at once.
    #[serde(default)]
    revoke_current: bool,
    /// The app to renew. Needed where the user has several.
    factor_id: Option<FactorId>,
    code: Option<GuessedCode>,
    challenge_id: Option<ChallengeId>,
    credential: Option<UsedCredential>,
}

of_user!(RenewRequest);

async fn renew(request: Authorized<RenewRequest>) -> Result<Json<EnrolmentResponse>, Error> {
    let Authorized { asked, body } = request;
    let proof = evidence(body.code, body.challenge_id, body.credential)?;
    let (proof, app) = (proof.as_ref(), body.factor_id.as_ref());
    let enrolled = flows::renew(&asked, proof, app, body.revoke_current).await?;
    Ok(Json(enrolled.into()))
}

fn describe(operation: Operation) -> Operation {
    operation
        .named("renew", ENROLMENT, "Move to a new authenticator app")
        .text(
            "A new secret for a user who has MFA. The old one works until the first code of the \
             new one is verified, unless `revoke_current` is true; MFA stays on throughout. Where the user \
             has several apps, `factor_id` says which.",
        )
        .client_body::<RenewRequest>(&[
            ("New device", json!({"user_id": "user123"})),
            ("Lost device", json!({"user_id": "user123", "revoke_current": true})),
        ])
        .answers::<EnrolmentResponse>(
            "A secret, shown this once",
            &[("Pending", example("pending", &json!(1_760_000_600)))],
        )
        .steps_up()
        .fails_with([ErrorCode::NotFound])
}
