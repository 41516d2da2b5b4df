//! Binding an authenticator app: register, renew, and the QR code.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY};
use http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

use super::extract::{Authorized, PathText, Traced, for_client};
use super::json::Json;
use crate::domain::codes::guess::GuessedCode;
use crate::domain::codes::import::{ImportedSecret, ImportedUrl};
use crate::domain::codes::numeric::Digits;
use crate::domain::codes::totp::{Algorithm, Parameters, Period};
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::ids::{ClientId, UserId};
use crate::domain::settings::Label;
use crate::domain::time::UnixTime;
use crate::error::Error;
use crate::flows::enrol::{self, Enrolled, Import, Registration};
use crate::flows::qr_code::{self, Format};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct RegisterRequest {
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct RenewRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    /// Whether the present secret is dead at once.
    #[serde(default)]
    revoke_current: bool,
    code: Option<GuessedCode>,
}

/// `secret` or `otpauth_url`, not both: the URL says itself how its codes are made.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema))]
pub(super) struct ImportRequest {
    user_id: UserId,
    client_id: Option<ClientId>,
    /// The secret in base32, at least 128 bits.
    secret: Option<ImportedSecret>,
    /// The whole `otpauth://totp/` URI in place of secret, algorithm, digits and period.
    otpauth_url: Option<ImportedUrl>,
    email: Option<Email>,
    phone: Option<Phone>,
    account_name: Option<Label>,
    algorithm: Option<Algorithm>,
    digits: Option<Digits>,
    period: Option<Period>,
}

impl ImportRequest {
    fn into_import(self) -> Result<(UserId, Import), Error> {
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
        let (phone, email, account_name) = (self.phone, self.email, self.account_name);
        Ok((
            self.user_id,
            Import {
                secret,
                parameters,
                phone,
                email,
                account_name,
            },
        ))
    }
}

#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema), schema(as = Imported))]
pub(super) struct ImportResponse {
    #[cfg_attr(not(target_arch = "wasm32"), schema(schema_with = super::openapi::success))]
    status: &'static str,
    message: &'static str,
    #[cfg_attr(not(target_arch = "wasm32"), schema(schema_with = super::openapi::active))]
    state: &'static str,
}

#[derive(Serialize)]
#[cfg_attr(not(target_arch = "wasm32"), derive(utoipa::ToSchema), schema(as = Enrolment))]
pub(super) struct EnrolmentResponse {
    /// The QR code as an image, for as long as the secret is pending.
    qr_code_url: String,
    /// The secret in base32, for those who type it.
    secret: String,
    /// What the QR code says: also a link that opens an app on the same phone.
    otpauth_url: String,
    #[cfg_attr(not(target_arch = "wasm32"), schema(schema_with = super::openapi::enrolment_state))]
    state: &'static str,
    /// When the first code must have been verified; null if none is awaited.
    expires_at: Option<UnixTime>,
}

impl From<Enrolled> for EnrolmentResponse {
    fn from(enrolled: Enrolled) -> Self {
        Self {
            qr_code_url: enrolled.qr_code_url,
            secret: enrolled.secret,
            otpauth_url: enrolled.otpauth_url,
            state: if enrolled.expires_at.is_some() {
                "pending"
            } else {
                "active"
            },
            expires_at: enrolled.expires_at,
        }
    }
}

pub(super) async fn register(
    request: Authorized<RegisterRequest>,
) -> Result<Json<EnrolmentResponse>, Error> {
    let Authorized { call, caller, body } = request;
    let registration = Registration {
        phone: body.phone,
        email: body.email,
        account_name: body.account_name,
        parameters: parameters(body.algorithm, body.digits, body.period),
        confirm: body.confirm.unwrap_or(true),
    };
    Ok(Json(
        enrol::register(&call, &caller, &body.user_id, &registration)
            .await?
            .into(),
    ))
}

fn parameters(
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

pub(super) async fn import(
    request: Authorized<ImportRequest>,
) -> Result<Json<ImportResponse>, Error> {
    let Authorized { call, caller, body } = request;
    let (user, import) = body.into_import()?;
    enrol::import(&call, &caller, &user, &import).await?;
    Ok(Json(ImportResponse {
        status: "success",
        message: "Factor imported",
        state: "active",
    }))
}

pub(super) async fn renew(
    request: Authorized<RenewRequest>,
) -> Result<Json<EnrolmentResponse>, Error> {
    let Authorized { call, caller, body } = request;
    let enrolled = enrol::renew(
        &call,
        &caller,
        &body.user_id,
        body.code.as_ref(),
        body.revoke_current,
    )
    .await?;
    Ok(Json(enrolled.into()))
}

/// No bearer token: the link itself is the right to see the picture.
pub(super) async fn qr_code(
    Traced(call): Traced,
    PathText(user_id): PathText,
    request: Request,
) -> Result<Response, Error> {
    let user = UserId::try_from(user_id).map_err(|_| Error::NotFound)?;
    let (mut link, mut format) = (None, None);
    for (name, value) in
        form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes())
    {
        match &*name {
            "t" => link = Some(value.into_owned()),
            "format" => format = Some(named_format(&value)?),
            _ => return Err(Error::invalid(name, "Unknown field")),
        }
    }
    let link = link.ok_or(Error::NotFound)?;
    let format = format.unwrap_or_else(|| accepted_format(request.headers()));
    let image = qr_code::draw(&call, &user, &link, format).await?;
    let media_type = match format {
        Format::Png => "image/png",
        Format::Svg => "image/svg+xml; charset=utf-8",
    };
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(media_type)),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (
            CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'"),
        ),
        (VARY, HeaderValue::from_static("Accept")),
    ];
    Ok((headers, image).into_response())
}

fn named_format(name: &str) -> Result<Format, Error> {
    match name {
        "png" => Ok(Format::Png),
        "svg" => Ok(Format::Svg),
        _ => Err(Error::invalid("format", "Expected png or svg")),
    }
}

/// SVG for who asks for it and not for PNG or any image: a browser's `image/*` gets the PNG.
fn accepted_format(headers: &HeaderMap) -> Format {
    let accept = headers
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let types: Vec<&str> = accept
        .split(',')
        .filter_map(|part| part.split(';').next())
        .map(str::trim)
        .collect();
    let png = types
        .iter()
        .any(|media| matches!(*media, "image/png" | "image/*" | "*/*"));
    if types.contains(&"image/svg+xml") && !png {
        Format::Svg
    } else {
        Format::Png
    }
}

for_client!(ImportRequest, RegisterRequest, RenewRequest);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn svg_is_for_who_asks_for_it() {
        for (accept, format) in [
            ("", Format::Png),
            ("*/*", Format::Png),
            ("image/svg+xml", Format::Svg),
            ("image/svg+xml;q=0.9", Format::Svg),
            (
                "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
                Format::Png,
            ),
        ] {
            let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]);
            assert_eq!(accepted_format(&headers), format, "{accept}");
        }
    }
}
