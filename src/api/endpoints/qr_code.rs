//! `GET /qrcode/{user_id}`: where `qr_code_url` leads.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, VARY};
use http::{HeaderMap, HeaderValue};
use serde_json::json;
use utoipa::openapi::ContentBuilder;

use crate::api::endpoint::{Access, Endpoint};
use crate::api::extract::{PathText, Traced};
use crate::api::openapi::operation::{ENROLMENT, Operation, success};
use crate::api::openapi::schemas::{one_of, plain};
use crate::api::qr_image;
use crate::domain::ids::UserId;
use crate::error::{Error, ErrorCode};
use crate::flows;

pub(super) fn endpoints() -> [Endpoint; 1] {
    [Endpoint::get("/qrcode/{user_id}", Access::Anyone, qr_code, describe)]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Png,
    Svg,
}

/// No bearer token: the link itself is the right to see the picture.
async fn qr_code(
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
    let address = flows::qr_code(&call, &user, &link).await?;
    let image = match format {
        Format::Png => qr_image::png(&address),
        Format::Svg => qr_image::svg(&address).map(String::into_bytes),
    };
    let image = image.map_err(Error::internal)?;
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

/// SVG for whoever asks for it and not for PNG or any image: a browser's `image/*` gets the PNG.
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

fn describe(operation: Operation) -> Operation {
    let image = |media_type: &str| {
        let schema = plain().content_media_type(media_type).build();
        ContentBuilder::new().schema(Some(schema)).build()
    };
    let pictures = success("The picture")
        .content("image/png", image("image/png"))
        .content("image/svg+xml", image("image/svg+xml"))
        .build();
    operation
        .named("getQrCode", ENROLMENT, "The QR code as an image")
        .text(
            "Where `qr_code_url` leads: put it into an `<img>`. It needs no access token, since `t` is the \
             right to see this one secret, until it is confirmed, replaced or expired.",
        )
        .open_to(Vec::new())
        .in_path::<UserId>("user_id", "user123")
        .in_query(
            "t",
            true,
            plain(),
            "The signed part of the link.",
            json!("eyJhbGciOiJIUzI1NiIs…"),
        )
        .in_query(
            "format",
            false,
            one_of("", [json!("png"), json!("svg")]),
            "`png` or `svg`. If it is missing: what `Accept` asks for, else PNG.",
            json!("svg"),
        )
        .respond("200", pictures)
        .fails_with([ErrorCode::NotFound])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn svg_is_for_whoever_asks_for_it() {
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
