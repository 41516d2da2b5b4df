//! `POST /mfa/import`.

use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use super::enrolment::parameters;
use crate::api::answers::Succeeded;
use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{Authorized, of_user};
use crate::api::json::Json;
use crate::api::openapi::operation::{ENROLMENT, Operation};
use crate::domain::codes::import::{ImportedSecret, ImportedUrl};
use crate::domain::codes::numeric::Digits;
use crate::domain::codes::totp::{Algorithm, Period};
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::ids::{ClientId, UserId};
use crate::domain::scope::Scope;
use crate::domain::settings::Label;
use crate::error::{Error, ErrorCode};
use crate::flows::{self, Profile};

pub(super) fn endpoints() -> [Endpoint; 1] {
    [Endpoint::post("/mfa/import", Access::Client(Scope::Enrol), import, describe)]
}

/// `secret` or `otpauth_url`, not both: the URL says itself how its codes are made.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ImportRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    /// The secret in base32, at least 128 bits.
    secret: Option<ImportedSecret>,
    /// The whole `otpauth://totp/` address, instead of secret, algorithm, digits and period.
    otpauth_url: Option<ImportedUrl>,
    email: Option<Email>,
    phone: Option<Phone>,
    account_name: Option<Label>,
    algorithm: Option<Algorithm>,
    digits: Option<Digits>,
    period: Option<Period>,
}

of_user!(ImportRequest);

impl ImportRequest {
    fn into_profile(self) -> Result<(Profile, ImportedSecret), Error> {
        let asked = parameters(self.algorithm, self.digits, self.period);
        let chosen = self.algorithm.is_some() || self.digits.is_some() || self.period.is_some();
        let (secret, parameters) = match (self.secret, self.otpauth_url) {
            (Some(secret), None) => (secret, asked),
            (None, Some(url)) if !chosen => (url.secret, url.parameters),
            (None, None) => return Err(Error::invalid("secret", "This field is missing")),
            _ => {
                return Err(Error::invalid(
                    "otpauth_url",
                    "Not together with secret, algorithm, digits or period",
                ));
            }
        };
        let profile = Profile {
            phone: self.phone,
            email: self.email,
            account_name: self.account_name,
            parameters,
        };
        Ok((profile, secret))
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum ImportedState {
    Active,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Imported)]
struct ImportResponse {
    #[schema(inline)]
    status: Succeeded,
    message: &'static str,
    #[schema(inline)]
    state: ImportedState,
}

async fn import(request: Authorized<ImportRequest>) -> Result<Json<ImportResponse>, Error> {
    let Authorized { asked, body } = request;
    let (profile, secret) = body.into_profile()?;
    flows::import(&asked, &profile, &secret).await?;
    Ok(Json(ImportResponse {
        status: Succeeded::Success,
        message: "Factor imported",
        state: ImportedState::Active,
    }))
}

fn describe(operation: Operation) -> Operation {
    operation
        .named("importFactor", ENROLMENT, "Keep an authenticator app from another service")
        .text(
            "Takes over a secret that another service made, so that the user keeps the app as it is. \
             MFA is on at once. Send the secret in base32, with `algorithm`, `digits` and `period` if \
             they are not the usual ones, or the whole `otpauth_url`.",
        )
        .client_body::<ImportRequest>(&[
            ("Secret", json!({"user_id": "user123", "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"})),
            ("URL", json!({"user_id": "user123", "otpauth_url": "otpauth://totp/Shop:user123?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Shop"})),
        ])
        .answers::<ImportResponse>(
            "Taken over",
            &[("Imported", json!({"status": "success", "message": "Factor imported", "state": "active"}))],
        )
        .fails_with([
            ErrorCode::AlreadyRegistered,
            ErrorCode::AccountLimitReached,
            ErrorCode::RateLimited,
        ])
}
