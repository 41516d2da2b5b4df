//! Schemas of the domain's types: what their parsers accept, as JSON Schema can say it. The tests hold
//! each pattern against its parser.

mod settings;

use std::borrow::Cow;

use serde_json::{Value, json};
use utoipa::openapi::schema::{
    AdditionalProperties, AnyOf, Array, ArrayBuilder, Object, ObjectBuilder, SchemaFormat, Type,
};
use utoipa::openapi::{KnownFormat, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::api::evidence::{MadeCredential, UsedCredential};
use crate::domain::account::{FactorType, State};
use crate::domain::address::{ReturnUrl, SupportUrl};
use crate::domain::api_key::KeyId;
use crate::domain::brand::{Brand, Colour, Logo};
use crate::domain::codes::guess::GuessedCode;
use crate::domain::codes::import::{ImportedSecret, ImportedUrl};
use crate::domain::codes::numeric::Digits;
use crate::domain::codes::totp::{Algorithm, Period};
use crate::domain::contact::country::{Country, CountryList};
use crate::domain::contact::email::Email;
use crate::domain::contact::phone::Phone;
use crate::domain::crypto::result_token::Jwk;
use crate::domain::event::Kind;
use crate::domain::ids::{ChallengeId, ClientId, FactorId, TrustedDeviceId, UserId};
use crate::domain::method::Method;
use crate::domain::provider::Provider;
use crate::domain::relying_party::{PageOrigin, RpId};
use crate::domain::scope::{Scope, Scopes};
use crate::domain::session::{Nonce, SessionPurpose, SessionState};
use crate::domain::settings::{Domain, Label, Locale};
use crate::domain::time::UnixTime;
use crate::domain::webhook::{DeliveryId, Topics, WebhookUrl};
use crate::error::ErrorCode;

macro_rules! invisible {
    () => {
        r"\x00-\x1F\x7F-\x9F\u00AD\u0600-\u0605\u061C\u06DD\u070F\u0890\u0891\u08E2\u180E\u200B-\u200F\u2028-\u202E\u2060-\u2064\u2066-\u206F\uFEFF\uFFF9-\uFFFB"
    };
}

/// Without what cannot be seen, as far as patterns of all kinds can say it: beyond U+FFFF they differ.
const LABEL: &str = concat!(
    r"^[^\s",
    invisible!(),
    "]([^",
    invisible!(),
    r"]{0,62}[^\s",
    invisible!(),
    "])?$"
);
const DOMAIN: &str =
    "^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$";
/// Without control characters.
const VISIBLE: &str = r"^[^\x00-\x1F\x7F-\x9F]+$";
const RETURN_URL: &str = "^(https://[a-z0-9.-]+|http://(localhost|127\\.0\\.0\\.1|\\[::1\\]))(:[0-9]{1,5})?([/?][A-Za-z0-9._~:/?@!$&()*+,;=%\\[\\]-]*)?$";
const RP_ID: &str = r"^(localhost|([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]*[A-Za-z][A-Za-z0-9-]*)$";
const PAGE_ORIGIN: &str = r"^(https://[a-z0-9.-]+|http://localhost)(:[1-9][0-9]{0,4})?$";
const EMAIL: &str = "^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}(\\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,62})*@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$";
/// 26 symbols are 130 bits, 103 are 515.
const SECRET: &str = "^[ -]*([A-Za-z2-7][ -]*){26,103}[= -]*$";

macro_rules! schema_of {
    ($type:ty, $name:literal, $schema:expr) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                RefOr::T(Schema::from($schema))
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    };
}

schema_of!(
    UserId,
    "UserId",
    text(
        "Your own id for the user: 1 to 128 printable ASCII characters without spaces, compared byte \
         for byte, and not `.` or `..`. Use an id that never changes, not a name or an e-mail address.",
        r"^(\.{0,2}[!-\-/-~]|\.{3})[!-~]*$",
        (1, 128),
        "user123"
    )
);
schema_of!(
    ClientId,
    "ClientId",
    text(
        "The id of your application. In a request it may be left out; if it is there, it must be \
         the one the access token was issued to.",
        r"^(\.{0,2}[A-Za-z0-9_-]|\.{3})[A-Za-z0-9._-]*$",
        (1, 64),
        "app123"
    )
);
schema_of!(
    FactorId,
    "FactorId",
    plain()
        .description(Some("The id of a factor, as GET /mfa/factors lists it."))
        .examples([json!("0f8fad5bd9cb469fa16570867728950e")])
);
schema_of!(
    ChallengeId,
    "ChallengeId",
    plain()
        .description(Some(
            "The id of a challenge, as the request that opened it was answered."
        ))
        .examples([json!("7c9e6679742540de944be07fc1f90ae7")])
);
schema_of!(
    TrustedDeviceId,
    "TrustedDeviceId",
    plain()
        .description(Some(
            "The id of a remembered browser. It is no part of what its cookie holds."
        ))
        .examples([json!("3f2504e04f8911d39a0c0305e82c3301")])
);
schema_of!(
    UsedCredential,
    "UsedCredential",
    credential("What a browser gave of a passkey that was used: an `AuthenticationResponseJSON`.")
);
schema_of!(
    MadeCredential,
    "MadeCredential",
    credential("What a browser gave of a passkey that was made: a `RegistrationResponseJSON`.")
);
schema_of!(
    FactorType,
    "FactorType",
    one_of(
        "What kind of factor it is.",
        [FactorType::Totp, FactorType::Passkey].map(|it| json!(it))
    )
);
schema_of!(
    Phone,
    "Phone",
    text(
        "A phone number in E.164: a plus sign, the country code and the number, without spaces.",
        r"^\+[1-9][0-9]{6,14}$",
        (8, 16),
        "+34600111222"
    )
);
schema_of!(
    Email,
    "Email",
    text(
        "An e-mail address, at most 64 characters before the @ and 254 in all.",
        EMAIL,
        (5, 254),
        "ann@example.com"
    )
);
schema_of!(
    GuessedCode,
    "Code",
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(
            "What the user typed, as it is and always as a string: 6 or 8 digits, or a recovery code of \
             24 characters. Spaces, dashes and the case of letters do not matter. Text that cannot be a \
             code is a wrong code; it is not counted.",
        ))
        .examples([json!("123456")])
);
schema_of!(
    ImportedSecret,
    "ImportedSecret",
    text(
        "A secret of 128 to 512 bits in base32; case, spaces, dashes and padding do not matter.",
        SECRET,
        (26, 256),
        "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    )
);
schema_of!(
    ImportedUrl,
    "ImportedUrl",
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(r"^otpauth://totp/[^?]*\?(.*&)?secret="))
        .description(Some(
            "What a QR code of an authenticator app says: secret, algorithm, digits and period.",
        ))
        .examples([json!(
            "otpauth://totp/Shop:ann?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Shop"
        )])
);
schema_of!(
    Label,
    "Label",
    text(
        "A name shown to people: 1 to 64 visible characters, with no space at either end.",
        LABEL,
        (1, 64),
        "Shop"
    )
);
schema_of!(
    SessionPurpose,
    "SessionPurpose",
    one_of(
        "What a session of the hosted page is for.",
        [
            json!("verify"),
            json!("enrol"),
            json!("manage"),
            json!("recover")
        ],
    )
);
schema_of!(
    SessionState,
    "SessionState",
    text(
        "Text that comes back as it is.",
        VISIBLE,
        (1, 1024),
        "af0ifjsldkj"
    )
);
schema_of!(
    Nonce,
    "Nonce",
    text(
        "Text that comes back in the result.",
        VISIBLE,
        (1, 128),
        "n-0S6_WzA2Mj"
    )
);
schema_of!(
    ReturnUrl,
    "ReturnUrl",
    text(
        "An address the hosted page may send a browser to: https, http for localhost only, without a \
         fragment and without a parameter `code`, `state` or `error` of its own.",
        RETURN_URL,
        (8, 512),
        "https://shop.example/mfa/done"
    )
);
schema_of!(
    WebhookUrl,
    "WebhookUrl",
    text(
        "Where events go: an https address of a host with a public name. No IP address, no user, no fragment; http for \
         localhost only, of a service in development.",
        RETURN_URL,
        (8, 512),
        "https://shop.example/hooks/candado"
    )
);
schema_of!(
    Topics,
    "WebhookEvents",
    ArrayBuilder::new()
        .items(one_of("", Kind::TOLD.map(|kind| json!(kind.name()))))
        .min_items(Some(1))
        .unique_items(true)
        .description(Some("The kinds of events a webhook is told of."))
        .examples([json!(["locked", "disabled", "recovered"])])
);
schema_of!(
    DeliveryId,
    "WebhookDeliveryId",
    text(
        "Names one event that is sent.",
        "^msg_[0-9a-f]{30}$",
        (34, 34),
        "msg_68e778800000112233445566778899"
    )
);
schema_of!(
    SupportUrl,
    "SupportUrl",
    text(
        "A page or a mailbox.",
        "^(https://|mailto:)[A-Za-z0-9._~:/?#@!$&()*+,;=%\\[\\]-]+$",
        (9, 512),
        "https://shop.example/help"
    )
);
schema_of!(
    Logo,
    "Logo",
    text(
        "A picture as a data URL: a PNG, or an SVG of shapes only, with no script, style, link, animation or \
         text from elsewhere.",
        "^data:image/(png|svg\\+xml);base64,[A-Za-z0-9+/]*={0,2}$",
        (22, 16_000),
        "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4="
    )
);
schema_of!(
    Colour,
    "Colour",
    text("A colour.", "^#[0-9A-Fa-f]{6}$", (7, 7), "#0f766e")
);

impl PartialSchema for Brand {
    fn schema() -> RefOr<Schema> {
        let mut object = ObjectBuilder::new()
            .description(Some(
                "How the hosted page and the e-mails look. What is missing is the client's name, no picture, \
                 the page's own colour.",
            ))
            .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
            .build();
        for (name, schema) in [
            (
                "name",
                nullable(reference::<Label>(), "The name people see."),
            ),
            (
                "logo_url",
                nullable(reference::<Logo>(), "The picture beside it."),
            ),
            (
                "colour",
                nullable(reference::<Colour>(), "The colour of buttons and links."),
            ),
        ] {
            object.properties.insert(name.to_owned(), schema);
        }
        RefOr::T(Schema::Object(object))
    }
}

impl ToSchema for Brand {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        push::<Logo>(schemas);
        push::<Colour>(schemas);
    }
}

schema_of!(
    Domain,
    "Domain",
    text(
        "A host name, without scheme, port or path.",
        DOMAIN,
        (1, 50),
        "shop.example"
    )
);
schema_of!(
    RpId,
    "RpId",
    text(
        "A host name without scheme, port or path.",
        RP_ID,
        (3, 253),
        "shop.example"
    )
);
schema_of!(
    PageOrigin,
    "PageOrigin",
    text(
        "The origin of a page as browsers write it: https (or http for localhost), the host in lower case, a port \
         if it is not the scheme's own.",
        PAGE_ORIGIN,
        (12, 267),
        "https://shop.example"
    )
);
schema_of!(
    UnixTime,
    "UnixTime",
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(0))
        .description(Some("Seconds since 1970-01-01T00:00:00Z."))
        .examples([json!(1_760_000_000)])
);
schema_of!(
    Algorithm,
    "Algorithm",
    one_of(
        "The hash of the authenticator's codes. Every app knows SHA1; some ignore the others.",
        [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha512].map(|it| json!(it))
    )
);
schema_of!(
    Digits,
    "Digits",
    numbers(
        "The length of the authenticator's codes.",
        [Digits::SIX, Digits::EIGHT].map(|it| json!(it))
    )
);
schema_of!(
    Period,
    "Period",
    numbers(
        "How long one code of the authenticator is shown, in seconds.",
        [30_u64, 60].map(Value::from)
    )
);
schema_of!(
    Locale,
    "Locale",
    one_of(
        "The language of a message.",
        [Locale::En, Locale::Es].map(|it| json!(it))
    )
);
schema_of!(
    KeyId,
    "KeyId",
    text(
        "Which of the client's API keys it is. Not a secret.",
        "^[a-z2-7]{8}$",
        (8, 8),
        "k7qmzt3a"
    )
);
schema_of!(
    Scopes,
    "Scopes",
    ArrayBuilder::new()
        .items(one_of("", Scope::ALL.map(|scope| json!(scope))))
        .min_items(Some(1))
        .unique_items(true)
        .description(Some(
            "What a key may ask for. `verify`: have codes judged. `send`: have messages sent to users. `enrol`: bind \
             authenticators, make recovery codes. `manage`: change, disable and delete users, be given codes for them. \
             `read`: see what a user has set up."
        ))
        .examples([json!(["verify", "send"])])
);
schema_of!(
    Method,
    "Method",
    one_of(
        "What kind of code it was. `recovery` is a recovery message: it proves the right to set up MFA \
         again, so let the user do nothing else.",
        Method::ALL.map(|it| json!(it))
    )
);
schema_of!(
    Provider,
    "Provider",
    one_of(
        "Who carries messages: for SMS `twilio`, `whatsapp`, `voice` (a call) and `sms_hook`, for e-mail the others.",
        Provider::ALL.map(|it| json!(it))
    )
);
schema_of!(
    Jwk,
    "ResultKey",
    ObjectBuilder::new()
        .property("kty", one_of("", [json!("EC")]))
        .property("crv", one_of("", [json!("P-256")]))
        .property("x", plain())
        .property("y", plain())
        .property("kid", plain())
        .property("use", one_of("", [json!("sig")]))
        .property("alg", one_of("", [json!("ES256")]))
        .required("kty")
        .required("crv")
        .required("x")
        .required("y")
        .required("kid")
        .required("use")
        .required("alg")
        .description(Some("A public key (RFC 7517)."))
);
schema_of!(
    State,
    "State",
    one_of(
        "`active`: MFA is on. `pending`: set up, but no first code was verified yet. `disabled`: turned off \
         by request, or by 100 wrong codes in a row. `none`: nothing was ever set up.",
        [State::Active, State::Pending, State::Disabled, State::None].map(|it| json!(it))
    )
);
schema_of!(
    Country,
    "Country",
    one_of(
        "A country with phone numbers of its own (ISO 3166-1 alpha-2).",
        countries()
    )
);

impl PartialSchema for CountryList {
    fn schema() -> RefOr<Schema> {
        let any = ArrayBuilder::new()
            .items(one_of("Every country.", [json!("*")]))
            .min_items(Some(1))
            .max_items(Some(1));
        let mut list = AnyOf::new();
        list.items = vec![any.into(), Array::new(reference::<Country>()).into()];
        list.description = Some("The countries SMS may go to, or `[\"*\"]` for all.".to_owned());
        RefOr::T(Schema::AnyOf(list))
    }
}

impl ToSchema for CountryList {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        push::<Country>(schemas);
    }
}

/// What `PublicKeyCredential.toJSON()` gives.
fn credential(description: &str) -> ObjectBuilder {
    ObjectBuilder::new()
        .property("id", plain())
        .property("rawId", plain())
        .property("type", one_of("", [json!("public-key")]))
        .property(
            "response",
            ObjectBuilder::new()
                .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(true))),
        )
        .required("id")
        .required("rawId")
        .required("type")
        .required("response")
        .description(Some(description))
}

/// Any text.
pub(in crate::api) fn plain() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

pub(in crate::api) fn text(
    description: &str,
    pattern: &str,
    (shortest, longest): (usize, usize),
    example: &str,
) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(pattern))
        .min_length(Some(shortest))
        .max_length(Some(longest))
        .description(Some(description))
        .examples([json!(example)])
        .build()
}

pub(in crate::api) fn one_of(description: &str, values: impl IntoIterator<Item = Value>) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(values.into_iter().collect::<Vec<_>>()))
        .description((!description.is_empty()).then_some(description))
        .build()
}

fn numbers(description: &str, values: impl IntoIterator<Item = Value>) -> Object {
    let mut object = one_of(description, values);
    object.schema_type = Type::Integer.into();
    object
}

fn countries() -> Vec<Value> {
    let letters = || (b'A'..=b'Z').map(char::from);
    let pairs = letters().flat_map(|first| letters().map(move |second| format!("{first}{second}")));
    pairs
        .filter_map(|code| Country::parse(&code).ok())
        .map(|country| json!(country))
        .collect()
}

/// `T` and all it refers to.
pub(super) fn push<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    T::schemas(schemas);
    schemas.push((T::name().into_owned(), T::schema()));
}

pub(in crate::api) fn reference<T: ToSchema>() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(T::name()))
}

fn nullable(schema: RefOr<Schema>, description: &str) -> RefOr<Schema> {
    let mut either = AnyOf::new();
    let null = ObjectBuilder::new().schema_type(Type::Null).build();
    either.items = vec![schema, null.into()];
    either.description = Some(description.to_owned());
    RefOr::T(Schema::AnyOf(either))
}

impl PartialSchema for ErrorCode {
    fn schema() -> RefOr<Schema> {
        let mut names: Vec<&str> = Vec::new();
        for code in ErrorCode::ALL {
            // Two codes may share a name.
            if !names.contains(&code.name()) {
                names.push(code.name());
            }
        }
        one_of(
            "What went wrong, for programs. These names are stable.",
            names.into_iter().map(Value::from),
        )
        .into()
    }
}

impl ToSchema for ErrorCode {}

/// `grant_type` in JSON, where it need not be there.
pub(in crate::api) fn json_grant_type() -> Object {
    let mut schema = one_of(
        "May be left out.",
        [json!("client_credentials"), Value::Null],
    );
    schema.schema_type = [Type::String, Type::Null].into_iter().collect();
    schema
}
