//! The `OpenAPI` document, made of the code: schemas of the request and response types, the errors' own
//! statuses, codes and bodies, the limits the parsers enforce. Nothing in the Worker calls it, so the Worker
//! carries none of it.

pub(super) mod operation;
pub(super) mod schemas;

use serde_json::json;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, InfoBuilder, License, OpenApi, OpenApiBuilder, Paths, RefOr, ServerBuilder,
};

use self::operation::Operation;
use crate::error::ErrorCode;

const ABOUT: &str = "\
Multi-factor authentication for your application: authenticator apps, codes by SMS and e-mail, recovery codes.

1. [`POST /auth`](#tag/client-authentication) gives your application a token for an hour.
2. [`POST /mfa/register`](#tag/enrolment) gives a user a QR code to scan.
3. [`POST /mfa/verify`](#tag/codes) says whether a code is good: for the first one, and at every login.

The [guides](/docs/quick-start) tell it step by step: [enrol](/docs/enrol), [log in](/docs/log-in), \
[recover](/docs/recover), [errors](/docs/errors), [limits](/docs/limits), [going live](/docs/going-live).

JSON in, JSON out, UTF-8. Unknown fields are refused; integers are written without a decimal point. A body has at most 16 KiB. Every answer has an \
`X-Request-Id` to quote when something is wrong. Call from your server only: there are no CORS headers, \
and client secret and tokens do not belong in a browser or an app.";

/// The whole document.
pub(super) fn document(operations: impl IntoIterator<Item = Operation>) -> OpenApi {
    let mut components = Components::new();
    let mut paths = Paths::new();
    for operation in operations {
        operation.add_to(&mut paths, &mut components);
    }
    add_headers(&mut components);
    add_security(&mut components);
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Candado")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(ABOUT))
                .license(Some(license()))
                .build(),
        )
        .servers(Some([ServerBuilder::new()
            .url("/")
            .description(Some("The service this document comes from"))
            .build()]))
        .tags(Some(tags()))
        .paths(paths)
        .components(Some(components))
        .build()
}

/// Every error as a table for docs/guides/errors.md, by status.
pub(super) fn error_table() -> String {
    let mut codes = ErrorCode::ALL.to_vec();
    codes.sort_by_key(|code| code.status());
    let rows = codes.into_iter().map(|code| {
        let (status, name, meaning) = (code.status(), code.name(), code.meaning());
        format!("| {status} | `{name}` | {meaning} |\n")
    });
    format!(
        "| Status | `error` | What it means, what to do |\n|---|---|---|\n{}",
        rows.collect::<String>()
    )
}

fn license() -> License {
    let mut license = License::new("Apache-2.0");
    license.identifier = Some("Apache-2.0".to_owned());
    license
}

fn tags() -> Vec<utoipa::openapi::Tag> {
    [
        (operation::CLIENTS, "Your application proves who it is and gets a token for the rest. The demo client of `npm start` is `app123` with the secret `secret123`."),
        (operation::ENROLMENT, "Binding an authenticator app to a user."),
        (operation::FACTORS, "What a user can log in with: several apps, several passkeys."),
        (operation::PASSKEYS, "Passkeys and security keys (Web Authentication): made once in a browser, used at a login."),
        (operation::CODES, "Sending codes and verifying them."),
        (operation::BROWSERS, "A browser in which a user confirmed a login may be spared the next ones."),
        (operation::PAGE, "A page of this service on which your users confirm, set up and recover: no screen to build."),
        (operation::USERS, "What is known about a user, and turning MFA off."),
        (operation::TESTS, "For test clients, which try an integration out: nothing is sent for them, and their clock goes on when they say so."),
        (operation::OPERATOR, "For the operator: clients, unlocking, the record of events. None of these exist unless `ADMIN_TOKEN` is set."),
        (operation::SERVICE, "Is it up?"),
    ]
    .map(|(name, text)| TagBuilder::new().name(name).description(Some(text)).build())
    .into()
}

fn add_headers(components: &mut Components) {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let seconds = ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(0));
    for (name, schema, description, example) in [
        (
            "X-Request-Id",
            text(),
            "Names this request in the service's log and audit events.",
            json!("01JZ6T9Q3X4Y5Z6A7B8C9D0E1F"),
        ),
        (
            "Idempotent-Replayed",
            text().enum_values(Some(["true"])),
            "This is the answer of an earlier request with the same `Idempotency-Key`.",
            json!("true"),
        ),
        (
            "Cache-Control",
            text().enum_values(Some(["no-store"])),
            "No answer may be kept.",
            json!("no-store"),
        ),
        (
            "Retry-After",
            seconds,
            "Seconds to wait, as `retry_after` in the body.",
            json!(60),
        ),
        (
            "WWW-Authenticate",
            text(),
            "How to authenticate (RFC 6750, RFC 7617).",
            json!("Bearer realm=\"candado\", error=\"invalid_token\""),
        ),
        (
            "Allow",
            text(),
            "The methods of this path.",
            json!("POST, OPTIONS"),
        ),
        (
            "Link",
            text(),
            "Where the next page is, with `rel=\"next\"`; missing on the last one (RFC 8288).",
            json!("</admin/audit?format=csv&after=42>; rel=\"next\""),
        ),
    ] {
        let header = HeaderBuilder::new()
            .schema(Some(schema))
            .description(Some(description))
            .example(Some(example))
            .build();
        components.headers.insert(name.to_owned(), RefOr::T(header));
    }
}

fn add_security(components: &mut Components) {
    let http = |scheme, description: &str| {
        HttpBuilder::new()
            .scheme(scheme)
            .description(Some(description.to_owned()))
    };
    let schemes = [
        (
            operation::ACCESS_TOKEN,
            http(
                HttpAuthScheme::Bearer,
                "The `access_token` of POST /auth. It works for an hour.",
            )
            .bearer_format("JWT"),
        ),
        (
            operation::API_KEY,
            http(
                HttpAuthScheme::Bearer,
                "An API key in the place of a token, `cdo_…`, made with POST /admin/clients/{client_id}/keys. \
                 It works until it expires or is revoked, for operations of its scopes.",
            )
            .bearer_format("API key"),
        ),
        (
            operation::ADMIN_TOKEN,
            http(
                HttpAuthScheme::Bearer,
                "The operator's `ADMIN_TOKEN`; after `npm start` it is in .dev.vars.",
            ),
        ),
        (
            operation::CLIENT_SECRET,
            http(
                HttpAuthScheme::Basic,
                "Client id and secret, at POST /auth with a form body (RFC 6749, section 2.3.1).",
            ),
        ),
    ];
    for (name, scheme) in schemes {
        components.security_schemes.insert(
            name.to_owned(),
            RefOr::T(SecurityScheme::Http(scheme.build())),
        );
    }
}

#[cfg(test)]
mod tests;
