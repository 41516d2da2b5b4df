//! `POST /mfa/contact`.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::api::answers::Succeeded;
use crate::api::endpoint::{Access, Endpoint};
use crate::api::evidence::{UsedCredential, evidence};
use crate::api::extract::{Authorized, of_user};
use crate::api::json::Json;
use crate::api::openapi::operation::{Operation, USERS};
use crate::domain::codes::guess::GuessedCode;
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::ids::{ChallengeId, ClientId, UserId};
use crate::domain::scope::Scope;
use crate::error::Error;
use crate::flows::{self, Edit};

pub(super) fn endpoints() -> [Endpoint; 1] {
    [Endpoint::post("/mfa/contact", Access::Client(Scope::Manage), contact, describe)]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ContactRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    #[serde(default = "keep", deserialize_with = "edit")]
    #[schema(value_type = Option<Email>)]
    email: Edit<Email>,
    #[serde(default = "keep", deserialize_with = "edit")]
    #[schema(value_type = Option<Phone>)]
    phone: Edit<Phone>,
    code: Option<GuessedCode>,
    challenge_id: Option<ChallengeId>,
    credential: Option<UsedCredential>,
}

of_user!(ContactRequest);

fn keep<T>() -> Edit<T> {
    Edit::Keep
}

/// Present is a new value, or with `null` none.
fn edit<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Edit<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.map_or(Edit::Remove, Edit::Set))
}

#[derive(Serialize, ToSchema)]
struct ContactResponse {
    #[schema(inline)]
    status: Succeeded,
    email: Option<String>,
    phone: Option<String>,
}

async fn contact(request: Authorized<ContactRequest>) -> Result<Json<ContactResponse>, Error> {
    let Authorized { asked, body } = request;
    let proof = evidence(body.code, body.challenge_id, body.credential)?;
    let proof = proof.as_ref();
    let contact = flows::change_contact(&asked, &body.phone, &body.email, proof).await?;
    Ok(Json(ContactResponse {
        status: Succeeded::Success,
        email: contact.email,
        phone: contact.phone,
    }))
}

fn describe(operation: Operation) -> Operation {
    operation
        .named("updateContact", USERS, "Change phone or e-mail")
        .text(
            "Sets what is given; `null` removes it. Codes on their way to a changed destination die. \
             Verify an address before you send it here: whoever reads its messages can log in.",
        )
        .client_body::<ContactRequest>(&[
            ("New phone", json!({"user_id": "user123", "phone": "+34600111222"})),
            ("Remove the e-mail address", json!({"user_id": "user123", "email": null})),
        ])
        .answers::<ContactResponse>(
            "What is on file now, masked",
            &[("Masked", json!({"status": "success", "email": null, "phone": "+34•••••••22"}))],
        )
        .steps_up()
}
