//! The settings of a client: as they apply, and as a request changes them.

use serde_json::json;
use utoipa::openapi::schema::{
    AdditionalProperties, Array, Object, ObjectBuilder, SchemaType, Type,
};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::{nullable, one_of, push, reference};
use crate::domain::address::{ReturnUrl, SupportUrl};
use crate::domain::brand::Brand;
use crate::domain::contact::country::CountryList;
use crate::domain::method::Method;
use crate::domain::provider::{Chain, Provider};
use crate::domain::relying_party::{PageOrigin, RpId};
use crate::domain::settings::{
    Bounded, Domain, Label, Locale, ReturnUrls, Settings, SettingsPatch,
};

/// What a client is set to: every setting, as it applies.
impl PartialSchema for Settings {
    fn schema() -> RefOr<Schema> {
        settings("Every setting as it applies, defaults included.", true)
    }
}

impl ToSchema for Settings {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        push::<Label>(schemas);
        push::<Domain>(schemas);
        push::<RpId>(schemas);
        push::<PageOrigin>(schemas);
        push::<Method>(schemas);
        push::<Locale>(schemas);
        push::<CountryList>(schemas);
        push::<Provider>(schemas);
        push::<ReturnUrl>(schemas);
        push::<SupportUrl>(schemas);
        push::<Brand>(schemas);
    }
}

/// Any may be missing, and `null` is the default again.
impl PartialSchema for SettingsPatch {
    fn schema() -> RefOr<Schema> {
        settings(
            "The settings to change; what is left out stays. `null` returns one to its default.",
            false,
        )
    }
}

impl ToSchema for SettingsPatch {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Settings::schemas(schemas);
    }
}

fn settings(description: &str, complete: bool) -> RefOr<Schema> {
    let mut object = ObjectBuilder::new()
        .description(Some(description))
        .additional_properties(Some(AdditionalProperties::<Schema>::FreeForm(false)))
        .build();
    let named = names(complete).into_iter().chain(of_the_page(complete));
    let counted = limits().map(|(name, limit)| (name, setting(limit, complete)));
    for (name, schema) in named.chain(counted) {
        object.properties.insert(name.to_owned(), schema);
        if complete {
            object.required.push(name.to_owned());
        }
    }
    RefOr::T(Schema::Object(object))
}

/// Providers in the order in which they are tried.
fn chain(description: &str) -> RefOr<Schema> {
    let mut providers = Array::new(reference::<Provider>());
    providers.min_items = Some(1);
    providers.max_items = Some(Chain::MOST);
    providers.unique_items = true;
    nullable(providers.into(), description)
}

fn names(complete: bool) -> [(&'static str, RefOr<Schema>); 10] {
    let language = "The language of messages, unless a request names another.";
    let locale = reference::<Locale>();
    let verification =
        "Whether an authenticator is to check who uses it, by a finger, a face or a PIN.";
    let user_verification = one_of(
        verification,
        ["required", "preferred", "discouraged"].map(|it| json!(it)),
    );
    [
        (
            "issuer",
            nullable(
                reference::<Label>(),
                "The name in authenticator apps and messages. If it is not set: the client's name.",
            ),
        ),
        (
            "sms_domain",
            nullable(
                reference::<Domain>(),
                "The domain SMS codes are bound to (WebOTP). If it is not set: this service's own.",
            ),
        ),
        (
            "methods",
            nullable(
                Array::new(reference::<Method>()).into(),
                "The methods the client may use. If it is not set: all of them.",
            ),
        ),
        (
            "passkey_rp_id",
            nullable(
                reference::<RpId>(),
                "The domain passkeys are bound to, with all hosts under it. If it is not set: this service's \
                 host. Passkeys made for another one work no more.",
            ),
        ),
        (
            "passkey_origins",
            nullable(
                Array::new(reference::<PageOrigin>()).into(),
                "The origins of your pages that use passkeys, each of passkey_rp_id or a host under it. If it is \
                 not set: `https://` and passkey_rp_id.",
            ),
        ),
        (
            "passkey_user_verification",
            setting(user_verification, complete),
        ),
        (
            "sms_countries",
            nullable(
                reference::<CountryList>(),
                "The countries SMS may go to. If it is not set: those of SMS_COUNTRIES.",
            ),
        ),
        (
            "sms_providers",
            chain(
                "Who is tried for codes to a phone, in this order: of `twilio`, `whatsapp`, `voice` and `sms_hook` \
                 those that this service has set up. If it is not set: what SMS_PROVIDERS says.",
            ),
        ),
        (
            "email_providers",
            chain(
                "Who is tried for e-mails, in this order: of `sendgrid`, `smtp` and `email_hook` those that this service has \
                 set up. If it is not set: what EMAIL_PROVIDERS says.",
            ),
        ),
        (
            "locale",
            if complete {
                locale
            } else {
                nullable(locale, language)
            },
        ),
    ]
}

fn of_the_page(complete: bool) -> [(&'static str, RefOr<Schema>); 4] {
    let mut urls = Array::new(reference::<ReturnUrl>());
    urls.max_items = Some(ReturnUrls::MOST);
    urls.unique_items = true;
    let brand = "The hosted page's and the e-mails' name, picture and colour.";
    [
        (
            "return_urls",
            nullable(
                urls.into(),
                "Where the hosted page may send a browser back to, compared byte for byte. If it is not set: nowhere.",
            ),
        ),
        (
            "brand",
            if complete {
                reference::<Brand>()
            } else {
                nullable(reference::<Brand>(), brand)
            },
        ),
        (
            "support_url",
            nullable(
                reference::<SupportUrl>(),
                "Where the page and the e-mails say that help is.",
            ),
        ),
        (
            "recovery_return_url",
            nullable(
                reference::<ReturnUrl>(),
                "Where a recovery that began with a link sends its browser. If it is not set: it stays on the page.",
            ),
        ),
    ]
}

fn limits() -> [(&'static str, Object); 13] {
    // Taken apart, so that a setting that is added is described too.
    let Settings {
        issuer: _,
        sms_domain: _,
        methods: _,
        passkey_rp_id: _,
        passkey_origins: _,
        passkey_user_verification: _,
        sms_countries: _,
        sms_providers: _,
        email_providers: _,
        locale: _,
        cooldown_seconds,
        sends_per_ten_minutes,
        sends_per_day,
        sms_per_prefix_and_hour,
        daily_sms_budget,
        daily_email_budget,
        max_accounts,
        registrations_per_minute,
        generated_codes_per_minute,
        remember_days,
        require_step_up,
        notify_users,
        return_urls: _,
        brand: _,
        support_url: _,
        recovery_return_url: _,
        recovery_delay_hours,
    } = Settings::default();
    let cooldown =
        "Seconds between two messages to one user on one channel; doubles with each further one.";
    let ten_minutes = "Messages to one destination in 10 minutes, for all users who share it.";
    let day = "Messages to one destination in 24 hours.";
    let prefix = "SMS an hour to numbers that differ only in their last four digits.";
    let sms = "SMS a day (UTC) for the whole client.";
    let email = "E-mails a day (UTC) for the whole client.";
    let accounts = "Users the client may have.";
    let registrations = "Registrations and imports a minute.";
    let generated = "Codes a minute that the application hands over itself.";
    let delay = "Hours a recovery link waits before it works, while its user can stop it.";
    let remember = "Days for which a browser may be remembered after a login; 0 remembers none.";
    let step_up = ObjectBuilder::new()
        .schema_type(Type::Boolean)
        .default(Some(json!(require_step_up)))
        .description(Some(
            "Whether a fresh `code`, or a passkey, is needed to add, renew or remove a factor, to disable or \
             delete, to make new recovery codes and to change the phone number or address.",
        ))
        .build();
    let notices = ObjectBuilder::new()
        .schema_type(Type::Boolean)
        .default(Some(json!(notify_users)))
        .description(Some(
            "Whether users are told by e-mail, in the client's brand, that a way to sign in was added, replaced or \
             removed, or that MFA was turned off.",
        ))
        .build();
    [
        ("cooldown_seconds", bounded(cooldown_seconds, cooldown)),
        (
            "sends_per_ten_minutes",
            bounded(sends_per_ten_minutes, ten_minutes),
        ),
        ("sends_per_day", bounded(sends_per_day, day)),
        (
            "sms_per_prefix_and_hour",
            bounded(sms_per_prefix_and_hour, prefix),
        ),
        ("daily_sms_budget", bounded(daily_sms_budget, sms)),
        ("daily_email_budget", bounded(daily_email_budget, email)),
        ("max_accounts", bounded(max_accounts, accounts)),
        (
            "registrations_per_minute",
            bounded(registrations_per_minute, registrations),
        ),
        (
            "generated_codes_per_minute",
            bounded(generated_codes_per_minute, generated),
        ),
        ("recovery_delay_hours", bounded(recovery_delay_hours, delay)),
        ("remember_days", bounded(remember_days, remember)),
        ("require_step_up", step_up),
        ("notify_users", notices),
    ]
}

/// In a request `null` stands for the default.
fn setting(mut schema: Object, complete: bool) -> RefOr<Schema> {
    if let (false, SchemaType::Type(one)) = (complete, schema.schema_type.clone()) {
        schema.schema_type = [one, Type::Null].into_iter().collect();
    }
    schema.into()
}

fn bounded<const LEAST: u32, const DEFAULT: u32, const MOST: u32>(
    _: Bounded<LEAST, DEFAULT, MOST>,
    description: &str,
) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .minimum(Some(LEAST))
        .maximum(Some(MOST))
        .default(Some(json!(DEFAULT)))
        .description(Some(description))
        .build()
}
