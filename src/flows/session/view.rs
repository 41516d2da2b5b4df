//! A session as its page may see it: the shapes of web/src/session/protocol.ts.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::act::Seen;
use super::setup::{language, unnamed};
use super::ways;
use crate::domain::account::{Account, FactorType, Session, TrustedDeviceView};
use crate::domain::codes::otpauth;
use crate::domain::crypto::digest;
use crate::domain::method::{Channel, Class, Method, Purpose};
use crate::domain::relying_party::RpId;
use crate::domain::session::{SessionPurpose, Stage};
use crate::domain::settings::Locale;
use crate::domain::time::UnixTime;
use crate::domain::webauthn::Credential;
use crate::error::Error;
use crate::flows::destination::{destination, is_configured};

/// What the page needs to say where it belongs, also once its session has ended.
#[derive(Debug, Clone, Serialize)]
pub struct Surroundings {
    pub locale: Option<Locale>,
    pub brand: BrandView,
    pub support_url: Option<String>,
    /// Of the return address, so that the page follows no redirect to another one.
    pub return_host: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct BrandView {
    name: String,
    logo_url: Option<String>,
    colour: Option<String>,
}

/// The whole of what the page may know.
#[derive(Debug, Clone, Serialize)]
pub struct View {
    #[serde(flatten)]
    surroundings: Surroundings,
    session_id: String,
    /// Changes whenever anything lasting does.
    pub revision: String,
    purpose: SessionPurpose,
    stage: Stage,
    account_name: Option<String>,
    server_time: UnixTime,
    expires_at: UnixTime,
    expires_at_most: UnixTime,
    verified_at: Option<UnixTime>,
    verified_by: Option<&'static str>,
    methods: Vec<Value>,
    last_method: Option<String>,
    auto_send: bool,
    passkey_rp_id: String,
    remember: Value,
    enrolment: Option<Value>,
    pending_enrolment: Option<Value>,
    factors: Vec<Value>,
    added: Option<String>,
    recovery_codes_remaining: usize,
    recovery_codes: Option<Vec<String>>,
    trusted_devices: Vec<Value>,
    recovery: Option<Value>,
}

/// The page's word for a proof: a recovery message stands for the codes it takes the place of.
pub(super) const fn method_name(method: Method) -> &'static str {
    match method {
        Method::RecoveryMessage => Method::RecoveryCode.name(),
        method => method.name(),
    }
}

pub(super) fn surroundings(seen: &Seen<'_>, locale: Option<Locale>) -> Surroundings {
    let Seen { place, client, .. } = seen;
    let (request, settings) = (&place.request, &client.settings);
    let brand = &settings.brand;
    Surroundings {
        locale: locale.or(request.locale),
        brand: BrandView {
            name: client.brand_name().to_owned(),
            logo_url: brand.logo_url.as_ref().map(|logo| logo.as_str().to_owned()),
            colour: brand
                .colour
                .as_ref()
                .map(|colour| colour.as_str().to_owned()),
        },
        support_url: settings
            .support_url
            .as_ref()
            .map(|url| url.as_str().to_owned()),
        return_host: request.return_url.host().to_owned(),
    }
}

/// What the session's page may see of the account.
pub(super) fn of(seen: &Seen<'_>, account: &Account, added: Option<String>) -> Result<View, Error> {
    let place = seen.place;
    let asked = &place.asked;
    let session = account.session(&place.id).ok_or(Error::SessionNotFound)?;
    let proved = session.stage.is_proved();
    let last_method = ways::last(seen.visit.ways.as_deref(), asked);
    let days = seen.client.settings.remember_days.get();
    let mut view = View {
        surroundings: surroundings(seen, session.locale),
        session_id: place.id.as_str().to_owned(),
        revision: String::new(),
        purpose: session.purpose,
        stage: session.stage,
        account_name: place
            .request
            .account_name
            .as_ref()
            .map(|name| name.as_str().to_owned()),
        server_time: asked.now(),
        expires_at: session.expires_at(),
        expires_at_most: session.expires_at_most(),
        verified_at: session.proof().map(|proof| proof.at),
        verified_by: session.proof().map(|proof| method_name(proof.by)),
        methods: methods(seen, account, last_method)?,
        last_method: last_method.map(str::to_owned),
        auto_send: session.auto_send,
        passkey_rp_id: rp_id(seen),
        remember: json!({"offered": place.request.remember && days > 0, "days": days}),
        enrolment: enrolment(seen, account, session)?,
        pending_enrolment: pending(seen, account, session)?,
        factors: if proved {
            factors(seen, account, session)?
        } else {
            Vec::new()
        },
        added,
        recovery_codes_remaining: account.recovery_codes_remaining(),
        recovery_codes: session.shown(asked.vault())?,
        trusted_devices: if proved {
            trusted_devices(seen, account, session)
        } else {
            Vec::new()
        },
        recovery: recovery(seen, account),
    };
    view.revision = revision(&view)?;
    Ok(view)
}

/// The domain the client's passkeys are made for.
fn rp_id(seen: &Seen<'_>) -> String {
    let own = seen.place.asked.app().config.public_url.host();
    let id = seen.client.settings.passkey_rp_id.as_ref();
    id.map_or(own, RpId::as_str).to_owned()
}

/// Neither the time nor the deadline alone is news for who waits.
fn revision(view: &View) -> Result<String, Error> {
    let mut lasting: Map<String, Value> = match serde_json::to_value(view) {
        Ok(Value::Object(fields)) => fields,
        _ => return Err(Error::internal("a view that is no object")),
    };
    for name in ["server_time", "expires_at", "added", "revision"] {
        lasting.remove(name);
    }
    let text = Value::Object(lasting).to_string();
    let digest = digest::plain("candado/session-view/v1", &[text.as_bytes()]);
    Ok(digest.as_hex().get(..16).unwrap_or_default().to_owned())
}

/// What can prove the person now, in no particular order.
fn methods(
    seen: &Seen<'_>,
    account: &Account,
    last_method: Option<&str>,
) -> Result<Vec<Value>, Error> {
    let (asked, client) = (&seen.place.asked, seen.client);
    let (now, settings) = (asked.now(), &client.settings);
    let locks = account.locks(now);
    let mut methods = Vec::new();
    let passkeys = account.credentials(asked.vault())?;
    if settings.allows(Method::Passkey) && !passkeys.is_empty() {
        let of = |passkey: &Credential| json!({"transports": passkey.transports, "backed_up": passkey.backed_up});
        methods.push(json!({
            "type": "passkey",
            "passkeys": passkeys.iter().map(of).collect::<Vec<_>>(),
            "used_here": last_method == Some("passkey"),
        }));
    }
    let apps = account.app_digits();
    if settings.allows(Method::Totp) && (!apps.is_empty() || account.has_disabled_app()) {
        methods.push(json!({
            "type": "totp",
            "digits": apps,
            "locked_until": locks.of(Class::Totp),
            "disabled": apps.is_empty(),
        }));
    }
    for channel in [Channel::Sms, Channel::Email] {
        let method = channel.method(Purpose::Verify);
        let destination = destination(asked, client, account, channel);
        let Some(destination) = destination.ok().filter(|_| settings.allows(method)) else {
            continue;
        };
        if account.is_off() {
            continue;
        }
        methods.push(json!({
            "type": channel,
            "destination": destination.masked(),
            "sent": sent(seen, account, channel, Purpose::Verify),
            "closed_until": null,
            "locked_until": locks.of(Class::Delivered),
            "disabled": account.is_disabled(channel),
        }));
    }
    if settings.allows(Method::RecoveryCode) && account.recovery_codes_remaining() > 0 {
        methods.push(json!({
            "type": "recovery_code",
            "locked_until": locks.of(Class::Recovery),
            "disabled": false,
        }));
    }
    Ok(methods)
}

/// A code that is on its way, or arrived and is good.
fn sent(seen: &Seen<'_>, account: &Account, channel: Channel, purpose: Purpose) -> Option<Value> {
    let now = seen.place.asked.now();
    let cooldown = seen.client.settings.cooldown_seconds.get().into();
    let expires_at = account.delivered_until(channel, purpose, now)?;
    let sent_at = expires_at.minus(purpose.lifetime());
    let again = account.next_message_at(channel, cooldown, now);
    Some(json!({
        "digits": purpose.digits(),
        "sent_at": sent_at,
        "expires_at": expires_at,
        "send_again_at": again.unwrap_or(now),
    }))
}

/// What can be set up now, where something can.
fn enrolment(
    seen: &Seen<'_>,
    account: &Account,
    session: &Session,
) -> Result<Option<Value>, Error> {
    if !matches!(session.stage, Stage::Enrol | Stage::Manage) {
        return Ok(None);
    }
    let (asked, client) = (&seen.place.asked, seen.client);
    let allows = |method| client.settings.allows(method);
    let mut types = Vec::new();
    let mut full = Map::new();
    for kind in [FactorType::Passkey, FactorType::Totp] {
        let method = match kind {
            FactorType::Passkey => Method::Passkey,
            FactorType::Totp => Method::Totp,
        };
        if allows(method) {
            types.push(kind.name());
        }
        if account.active_of(kind) >= kind.most() {
            full.insert(kind.name().to_owned(), kind.most().into());
        }
    }
    let safe = !types.is_empty();
    for (channel, set) in [
        (Channel::Sms, account.phone(asked.vault())?.is_some()),
        (Channel::Email, account.email(asked.vault())?.is_some()),
    ] {
        let method = channel.method(Purpose::Verify);
        // What proves little is no way back in, unless nothing else is allowed.
        let offered = !(session.recovered && safe);
        if allows(method) && is_configured(&asked.app().config, client, channel) && offered {
            types.push(method.name());
        }
        if set {
            full.insert(method.name().to_owned(), 1.into());
        }
    }
    Ok(Some(
        json!({"types": types, "full": full, "recovered": session.recovered}),
    ))
}

/// What is being set up: the same after a reload.
fn pending(seen: &Seen<'_>, account: &Account, session: &Session) -> Result<Option<Value>, Error> {
    let (asked, now) = (&seen.place.asked, seen.place.asked.now());
    if !matches!(session.stage, Stage::Enrol | Stage::Manage) {
        return Ok(None);
    }
    if let Some(waiting) = &session.contact {
        let typed = waiting.open(&seen.place.id, asked.vault())?;
        let cooldown = seen.client.settings.cooldown_seconds.get().into();
        let again = account.next_message_at(typed.channel(), cooldown, now);
        let expires_at = waiting.expires_at();
        return Ok(Some(json!({
            "type": typed.channel(),
            "destination": typed.masked(),
            "sent": {
                "digits": Purpose::Verify.digits(),
                "sent_at": expires_at.minus(Purpose::Verify.lifetime()),
                "expires_at": expires_at,
                "send_again_at": again.unwrap_or(now),
            },
            "locked_until": account.locks(now).of(Class::Delivered),
        })));
    }
    let Some((id, expires_at)) = account.pending_app(now) else {
        return Ok(None);
    };
    let Some(secret) = account.pending_secret(asked.vault(), &id, now)? else {
        return Ok(None);
    };
    let issuer = seen.client.issuer();
    let url = otpauth::uri(
        issuer,
        &secret.account_name,
        &secret.secret,
        &secret.parameters,
    );
    Ok(Some(json!({
        "type": "totp",
        "secret": otpauth::base32(&secret.secret),
        "otpauth_url": url,
        "digits": secret.parameters.digits,
        "expires_at": expires_at,
    })))
}

/// The ways on file: the factors, and the number and the address beside them.
fn factors(seen: &Seen<'_>, account: &Account, session: &Session) -> Result<Vec<Value>, Error> {
    let vault = seen.place.asked.vault();
    let locale = language(session.locale, seen.place, seen.client);
    let here = |id: &str| session.added.iter().any(|added| added == id);
    let mut listed = Vec::new();
    for factor in account.listed_factors(vault)? {
        let id = factor.id.as_str();
        let mut fields = json!({
            "id": id,
            "type": factor.kind.name(),
            "name": factor.name.unwrap_or_else(|| unnamed(factor.kind, locale).to_owned()),
            "state": factor.state,
            "created_at": factor.created_at,
            "last_used_at": factor.last_used_at,
            "added_here": here(id),
        });
        if let (Some(credential), Value::Object(fields)) = (factor.credential, &mut fields) {
            let passkey =
                json!({"credential_id": credential.id, "backed_up": credential.backed_up});
            fields.insert("passkey".to_owned(), passkey);
        }
        listed.push(fields);
    }
    let contact = [
        (
            "sms",
            Channel::Sms,
            account.phone(vault)?.map(|phone| phone.masked()),
        ),
        (
            "email",
            Channel::Email,
            account.email(vault)?.map(|email| email.masked()),
        ),
    ];
    for (id, channel, masked) in contact {
        if let Some(masked) = masked {
            listed.push(json!({
                "id": id,
                "type": id,
                "name": masked,
                "state": if account.is_disabled(channel) { "disabled" } else { "active" },
                "created_at": account.contact_set_at(channel),
                "last_used_at": null,
                "added_here": here(id),
            }));
        }
    }
    Ok(listed)
}

/// Remembered browsers. What one is called that was remembered by the application nobody noted.
fn trusted_devices(seen: &Seen<'_>, account: &Account, session: &Session) -> Vec<Value> {
    let days = seen.client.settings.remember_days.get();
    let unknown = match language(session.locale, seen.place, seen.client) {
        Locale::En => "Browser",
        Locale::Es => "Navegador",
    };
    let shown = |device: TrustedDeviceView| {
        json!({
            "id": device.id,
            "browser": device.name.text().unwrap_or_else(|| unknown.to_owned()),
            "created_at": device.created_at,
            "last_used_at": device.last_used_at,
        })
    };
    let devices = account.trusted_devices(days, seen.place.asked.now());
    devices.into_iter().map(shown).collect()
}

/// How a person gets back in who has lost every way; nothing where nothing can.
fn recovery(seen: &Seen<'_>, account: &Account) -> Option<Value> {
    let (asked, client) = (&seen.place.asked, seen.client);
    let settings = &client.settings;
    let locked_until = account.locks(asked.now()).of(Class::Recovery);
    let mut methods = Vec::new();
    if settings.allows(Method::RecoveryCode) && account.recovery_codes_remaining() > 0 {
        let code =
            json!({"type": "recovery_code", "destination": null, "locked_until": locked_until});
        methods.push(code);
    }
    if settings.allows(Method::RecoveryMessage) && account.mfa_enabled() {
        for channel in [Channel::Sms, Channel::Email] {
            if let Ok(destination) = destination(asked, client, account, channel) {
                let masked = destination.masked();
                if channel == Channel::Email && settings.has_return_url() {
                    methods.push(
                        json!({"type": "link", "destination": masked, "locked_until": locked_until}),
                    );
                }
                methods.push(
                    json!({"type": channel, "destination": masked, "locked_until": locked_until}),
                );
            }
        }
    }
    (!methods.is_empty()).then(|| {
        json!({
            "methods": methods,
            "delay_hours": settings.recovery_delay_hours.get(),
            "sent": recovery_sent(seen, account),
        })
    })
}

/// A link that is under way.
fn link_sent(seen: &Seen<'_>, account: &Account) -> Option<Value> {
    let (asked, now) = (&seen.place.asked, seen.place.asked.now());
    let link = account.live_link(now)?;
    let cooldown = seen.client.settings.cooldown_seconds.get().into();
    let again = account.next_message_at(Channel::Email, cooldown, now);
    let destination = destination(asked, seen.client, account, Channel::Email).ok()?;
    Some(json!({
        "type": "link",
        "destination": destination.masked(),
        "digits": 8,
        "sent_at": account.last_message_at(Channel::Email).unwrap_or(now),
        "expires_at": link.expires_at(),
        "send_again_at": again.unwrap_or(now),
        "opens_at": link.opens_at(),
    }))
}

fn recovery_sent(seen: &Seen<'_>, account: &Account) -> Option<Value> {
    let (asked, client) = (&seen.place.asked, seen.client);
    let mut found = link_sent(seen, account);
    for channel in [Channel::Sms, Channel::Email] {
        let Some(Value::Object(mut fields)) = sent(seen, account, channel, Purpose::Recovery)
        else {
            continue;
        };
        let destination = destination(asked, client, account, channel).ok()?;
        fields.insert("type".to_owned(), json!(channel));
        fields.insert("destination".to_owned(), destination.masked().into());
        fields.insert("opens_at".to_owned(), Value::Null);
        found = Some(Value::Object(fields));
    }
    found
}
