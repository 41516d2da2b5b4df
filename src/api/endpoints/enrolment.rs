//! `POST /mfa/register`, and the answer that shows a new secret.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{Authorized, of_user};
use crate::api::json::Json;
use crate::api::openapi::operation::{ENROLMENT, Operation};
use crate::domain::codes::numeric::Digits;
use crate::domain::codes::totp::{Algorithm, Parameters, Period};
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::ids::{ClientId, FactorId, UserId};
use crate::domain::scope::Scope;
use crate::domain::settings::Label;
use crate::domain::time::UnixTime;
use crate::error::{Error, ErrorCode};
use crate::flows::{self, Enrolled, Profile};

pub(super) fn endpoints() -> [Endpoint; 1] {
    [Endpoint::post("/mfa/register", Access::Client(Scope::Enrol), register, describe)]
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RegisterRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
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
    /// Whether MFA is on only once a first code was verified: true if it is missing.
    confirm: Option<bool>,
}

of_user!(RegisterRequest);

/// `pending` until a first code is verified; `active` at once with `"confirm": false`.
#[derive(Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum EnrolmentState {
    Pending,
    Active,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Enrolment)]
pub(super) struct EnrolmentResponse {
    factor_id: FactorId,
    /// The QR code as an image, for as long as the secret is pending.
    qr_code_url: String,
    /// The secret in base32, for those who type it.
    secret: String,
    /// What the QR code says: also a link that opens an app on the same phone.
    otpauth_url: String,
    #[schema(inline)]
    state: EnrolmentState,
    /// When the first code must have been verified; null if none is awaited.
    expires_at: Option<UnixTime>,
}

impl From<Enrolled> for EnrolmentResponse {
    fn from(enrolled: Enrolled) -> Self {
        Self {
            factor_id: enrolled.factor,
            qr_code_url: enrolled.qr_code_url,
            secret: enrolled.secret,
            otpauth_url: enrolled.otpauth_url,
            state: if enrolled.expires_at.is_some() {
                EnrolmentState::Pending
            } else {
                EnrolmentState::Active
            },
            expires_at: enrolled.expires_at,
        }
    }
}

async fn register(request: Authorized<RegisterRequest>) -> Result<Json<EnrolmentResponse>, Error> {
    let Authorized { asked, body } = request;
    let profile = Profile {
        phone: body.phone,
        email: body.email,
        account_name: body.account_name,
        parameters: parameters(body.algorithm, body.digits, body.period),
    };
    let confirm = body.confirm.unwrap_or(true);
    let enrolled = flows::register(&asked, &profile, confirm).await?;
    Ok(Json(enrolled.into()))
}

/// How codes are made, the usual way where a request does not say.
pub(super) fn parameters(
    algorithm: Option<Algorithm>,
    digits: Option<Digits>,
    period: Option<Period>,
) -> Parameters {
    let standard = Parameters::default();
    Parameters {
        algorithm: algorithm.unwrap_or(standard.algorithm),
        digits: digits.unwrap_or(standard.digits),
        period: period.unwrap_or(standard.period),
    }
}

fn describe(operation: Operation) -> Operation {
    operation
        .named("register", ENROLMENT, "Set up an authenticator app")
        .text(
            "Draws a secret for the user. Show `qr_code_url` as an image, or draw `otpauth_url` \
             yourself, with `secret` beside it for those who type it. MFA is on once a first code was \
             verified with /mfa/verify, within 10 minutes; with `\"confirm\": false` at once. \
             Registering again while that is pending replaces the secret.",
        )
        .client_body::<RegisterRequest>(&[
            ("Least", json!({"user_id": "user123"})),
            ("With contact data", json!({"user_id": "user123", "client_id": "app123", "email": "ann@example.com", "phone": "+34600111222", "account_name": "ann@example.com"})),
        ])
        .answers::<EnrolmentResponse>(
            "A secret, shown this once",
            &[
                ("Pending", example("pending", &json!(1_760_000_600))),
                ("Active at once", example("active", &Value::Null)),
            ],
        )
        .fails_with([
            ErrorCode::AlreadyRegistered,
            ErrorCode::AccountLimitReached,
            ErrorCode::RateLimited,
        ])
}

/// The answer as it may look.
pub(super) fn example(state: &str, expires_at: &Value) -> Value {
    json!({
        "factor_id": "0f8fad5bd9cb469fa16570867728950e",
        "qr_code_url": "https://mfa.example.com/qrcode/user123?t=eyJhbGciOiJIUzI1NiIs…",
        "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
        "otpauth_url": "otpauth://totp/Shop:user123?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Shop&algorithm=SHA1&digits=6&period=30",
        "state": state,
        "expires_at": expires_at,
    })
}
