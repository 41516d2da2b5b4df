//! Where an application wants to be told of what happens to its users, and what it is told: the messages of Standard
//! Webhooks (<https://www.standardwebhooks.com>), signed by a secret that it and this service have.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::address;
use super::contact::mail::moment::timestamp;
use super::crypto::digest;
use super::crypto::random::{self, RandomError};
use super::crypto::sealing::{ClientVault, Place, SealError, Sealed};
use super::event::{Event, Kind, Scene};
use super::ids::UserId;
use super::time::UnixTime;

/// Seconds for which the secret before goes on signing beside a new one: a day.
pub const OVERLAP: u64 = 86_400;
/// Seconds after which an event that nobody took is given up: a day.
pub const LIFETIME: u64 = 86_400;
/// Seconds between the tries. The last are within a day of the first.
const WAITS: [u64; 7] = [60, 300, 1800, 7200, 18_000, 28_800, 28_800];
/// What a test event is called. No event of the record is.
pub const TEST: &str = "test";

const SECRET: Place<'_> = Place {
    object: "webhook",
    field: "secret",
};

/// Where events go: an https address of a host that has a public name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct WebhookUrl(String);

impl WebhookUrl {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is on this machine, which a service in development alone lets through.
    pub fn is_local(&self) -> bool {
        self.0.starts_with("http://")
    }

    pub fn host(&self) -> &str {
        address::host_of(&self.0).unwrap_or_default()
    }
}

impl TryFrom<String> for WebhookUrl {
    type Error = &'static str;

    /// No address in numbers, whatever its spelling: which are private would be for each reader of it to say, and they
    /// differ. What a name leads to is looked at when it is called (ATK-105).
    fn try_from(text: String) -> Result<Self, &'static str> {
        const EXPECTED: &str = "an https address of at most 512 characters of a host with a public name (no IP address, and \
             http for localhost only), with no user and no fragment, such as https://shop.example/hooks/candado";
        let host = address::host_of(&text).ok_or(EXPECTED)?;
        let local = text.starts_with("http://") && is_this_machine(host);
        let public = text.starts_with("https://") && is_public_name(host);
        let fits = address::is_uri_text(&text) && !text.contains('#');
        (fits && (local || public))
            .then_some(Self(text))
            .ok_or(EXPECTED)
    }
}

fn is_this_machine(host: &str) -> bool {
    matches!(host, "localhost" | "127.0.0.1" | "[::1]")
}

/// Two labels at least, of which the last is neither a number, which would make it an address (WHATWG URL, "ends in a
/// number"), nor one that is used inside of networks (RFC 6761, RFC 6762, RFC 8375, ICANN's `internal`).
fn is_public_name(host: &str) -> bool {
    const INSIDE: [&str; 9] = [
        "localhost",
        "local",
        "internal",
        "intranet",
        "corp",
        "home",
        "lan",
        "private",
        "onion",
    ];
    let Some((before, last)) = host.rsplit_once('.') else {
        return false;
    };
    let number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    !(number || INSIDE.contains(&last) || last == "arpa" && before.ends_with("home"))
}

/// What signs: 256 bits, shown as `whsec_…` once.
pub struct WebhookSecret([u8; 32]);

impl WebhookSecret {
    pub fn draw() -> Result<Self, RandomError> {
        random::bytes().map(Self)
    }

    /// As the libraries of Standard Webhooks take it.
    pub fn reveal(&self) -> String {
        format!("whsec_{}", STANDARD.encode(self.0))
    }
}

/// A client's webhook, as it is stored.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Webhook {
    pub url: WebhookUrl,
    /// The names of the kinds it is told of; all of them if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    events: Option<Vec<String>>,
    secret: Sealed,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    previous: Option<Previous>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Previous {
    secret: Sealed,
    until: UnixTime,
}

/// The kinds of events a webhook is told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Topics(Vec<String>);

impl TryFrom<Vec<String>> for Topics {
    type Error = &'static str;

    fn try_from(names: Vec<String>) -> Result<Self, &'static str> {
        let known = |name: &String| Kind::TOLD.iter().any(|kind| kind.name() == name);
        let first = |(place, name): (usize, &String)| {
            names.iter().position(|one| one == name) == Some(place)
        };
        let good =
            !names.is_empty() && names.iter().all(known) && names.iter().enumerate().all(first);
        good.then_some(Self(names))
            .ok_or("one or more kinds of events that a webhook can be told of, each once; leave it out for all")
    }
}

impl Webhook {
    /// One in the place of `former`, whose secret goes on signing for a day.
    pub fn new(
        url: WebhookUrl,
        topics: Option<Topics>,
        secret: &WebhookSecret,
        former: Option<&Self>,
        (vault, now): (ClientVault<'_>, UnixTime),
    ) -> Result<Self, SealError> {
        let previous = former.map(|former| Previous {
            secret: former.secret.clone(),
            until: now.plus(OVERLAP),
        });
        Ok(Self {
            url,
            events: topics.map(|topics| topics.0),
            secret: vault.seal(SECRET, &secret.0)?,
            previous,
        })
    }

    pub fn from_stored(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(text.as_bytes())
    }

    pub fn wants(&self, kind: Kind) -> bool {
        self.events().contains(&kind)
    }

    /// What it is told of. A name that this version does not know is left out.
    pub fn events(&self) -> Vec<Kind> {
        let named = |kind: &Kind| {
            let events = self.events.as_ref();
            events.is_none_or(|events| events.iter().any(|name| name == kind.name()))
        };
        Kind::TOLD.into_iter().filter(named).collect()
    }

    /// Until when the secret before signs too.
    pub fn overlap_until(&self, now: UnixTime) -> Option<UnixTime> {
        let previous = self.previous.as_ref().filter(|it| now < it.until);
        previous.map(|it| it.until)
    }

    /// `webhook-signature`: one for each secret that holds.
    pub fn sign(
        &self,
        (vault, now): (ClientVault<'_>, UnixTime),
        id: &DeliveryId,
        body: &str,
    ) -> Result<String, SealError> {
        let message = format!("{}.{}.{body}", id.as_str(), now.as_secs());
        let previous = self.previous.as_ref().filter(|it| now < it.until);
        let secrets = [Some(&self.secret), previous.map(|it| &it.secret)];
        let sign = |sealed: &Sealed| {
            let secret = vault.open(SECRET, sealed)?;
            let secret = <[u8; 32]>::try_from(secret).map_err(|_| SealError::Malformed)?;
            let mac = digest::mac(&secret, message.as_bytes());
            Ok(format!("v1,{}", STANDARD.encode(mac)))
        };
        let signatures: Result<Vec<_>, SealError> =
            secrets.into_iter().flatten().map(sign).collect();
        Ok(signatures?.join(" "))
    }

    /// The same under the current key; `None` if it is already (CRY-05).
    pub fn resealed(
        &self,
        (vault, now): (ClientVault<'_>, UnixTime),
    ) -> Result<Option<Self>, SealError> {
        let mut next = self.clone();
        next.secret = vault.reseal(SECRET, next.secret)?;
        // One that is over need not open any more.
        next.previous = next.previous.filter(|it| now < it.until);
        if let Some(previous) = &mut next.previous {
            previous.secret = vault.reseal(SECRET, previous.secret.clone())?;
        }
        let same = |one: &Self| {
            [
                Some(one.secret.clone()),
                one.previous.as_ref().map(|it| it.secret.clone()),
            ]
        };
        Ok((same(&next) != same(self)).then_some(next))
    }
}

/// Names one event that is told, in every try (`webhook-id`). Begins with its time, so that their order is that of
/// time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct DeliveryId(String);

impl DeliveryId {
    const PREFIX: &'static str = "msg_";
    const DIGITS: usize = 30;

    /// `place` is its place among what happened at once.
    fn draw(at: UnixTime, place: usize) -> Result<Self, RandomError> {
        let random: [u8; 10] = random::bytes()?;
        let text = format!("{:08x}{place:02x}{}", at.as_secs(), hex::encode(random));
        Ok(Self(format!("{}{text}", Self::PREFIX)))
    }

    /// The first there can be at that time.
    pub fn first_at(at: UnixTime) -> String {
        format!("{}{:08x}", Self::PREFIX, at.as_secs())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for DeliveryId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let digits = text.strip_prefix(Self::PREFIX).unwrap_or_default();
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (digits.len() == Self::DIGITS && digits.bytes().all(hex))
            .then_some(Self(text))
            .ok_or("the id of a delivery")
    }
}

/// One event on its way.
#[derive(Debug, Clone)]
pub struct Delivery {
    pub id: DeliveryId,
    pub event: String,
    /// What is sent, byte for byte in every try: the signature is over it.
    pub body: String,
    pub created_at: UnixTime,
    pub give_up_at: UnixTime,
}

impl Delivery {
    /// Of something that happened. It says what the record says, which holds no code, secret or destination (LOG-02).
    pub fn of(scene: Scene<'_>, event: &Event, place: usize) -> Result<Self, RandomError> {
        let data = json!({
            "client_id": scene.client.as_str(),
            "user_id": scene.user.map(UserId::as_str),
            "outcome": event.kind.outcome(),
            "method": event.method.map(super::method::Method::name),
            "operator": scene.operator,
            "request_id": scene.request_id.as_str(),
            "detail": event.detail,
        });
        Self::new(event.kind.name(), &data, scene.recorded_at, place)
    }

    /// Of nothing that happened, for whoever wants to see that it arrives.
    pub fn of_a_test(scene: Scene<'_>) -> Result<Self, RandomError> {
        let data = json!({
            "client_id": scene.client.as_str(),
            "operator": scene.operator,
            "request_id": scene.request_id.as_str(),
        });
        Self::new(TEST, &data, scene.recorded_at, 0)
    }

    fn new(
        event: &str,
        data: &serde_json::Value,
        at: UnixTime,
        place: usize,
    ) -> Result<Self, RandomError> {
        // In the standard's own order, for whoever looks at it.
        let (kind, at_text) = (json!(event), json!(timestamp(at)));
        let body = format!(r#"{{"type":{kind},"timestamp":{at_text},"data":{data}}}"#);
        Ok(Self {
            id: DeliveryId::draw(at, place)?,
            event: event.to_owned(),
            body,
            created_at: at,
            give_up_at: at.plus(LIFETIME),
        })
    }
}

/// When to try again after so many tries, if before it is given up.
pub fn next_try(attempts: u32, now: UnixTime, give_up_at: UnixTime) -> Option<UnixTime> {
    let place = usize::try_from(attempts.saturating_sub(1)).unwrap_or(usize::MAX);
    let wait = WAITS.get(place).or(WAITS.last()).copied()?;
    Some(now.plus(wait)).filter(|next| *next <= give_up_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::crypto::keys::KeyRing;
    use crate::domain::ids::ClientId;

    fn url(text: &str) -> Result<WebhookUrl, &'static str> {
        WebhookUrl::try_from(text.to_owned())
    }

    #[test]
    fn atk_105_a_webhook_has_a_public_name_and_no_address_in_any_spelling() {
        for good in [
            "https://shop.example",
            "https://shop.example:8443/hooks?to=candado",
            "https://1and1.example/",
            "https://127.0.0.1.nip.example/",
            "http://localhost:3000/hook",
            "http://127.0.0.1:3000/hook",
        ] {
            assert_eq!(url(good).unwrap().as_str(), good);
        }
        for bad in [
            "http://shop.example/",
            "https://localhost/",
            "https://localhost./",
            "https://a.localhost/",
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://127.0.0.0x1/",
            "https://10.0.0.1/",
            "https://8.8.8.8/",
            "https://169.254.169.254/latest/meta-data",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[fd00:ec2::254]/",
            "https://metadata.google.internal/",
            "https://printer.local/",
            "https://router.home.arpa/",
            "https://intranet/",
            "https://user@shop.example/",
            "https://shop.example@10.0.0.1/",
            "https://shop.example#/",
            "https://%31%32%37.0.0.1/",
            "https://\u{ff11}27.0.0.1/",
            "https://127\u{3002}0.0.1/",
            "https://SHOP.example/",
            "https://shop.example\\@10.0.0.1/",
            "https:/shop.example/",
            "ftp://shop.example/",
            "file:///etc/passwd",
            "https://shop.example/\r\nHost: a",
            "",
        ] {
            assert!(url(bad).is_err(), "{bad}");
        }
    }

    const NOW: UnixTime = UnixTime::from_secs(1_760_000_000);

    fn sealed(events: Option<Vec<&str>>) -> (KeyRing, ClientId, Webhook, WebhookSecret) {
        let keys = KeyRing::parse("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=").unwrap();
        let client = ClientId::try_from("shop".to_owned()).unwrap();
        let secret = WebhookSecret::draw().unwrap();
        let vault = ClientVault {
            keys: &keys,
            client: &client,
        };
        let names = events.map(|events| events.into_iter().map(str::to_owned).collect::<Vec<_>>());
        let topics = names.map(|names| Topics::try_from(names).unwrap());
        let at = url("https://shop.example/").unwrap();
        let webhook = Webhook::new(at, topics, &secret, None, (vault, NOW)).unwrap();
        (keys, client, webhook, secret)
    }

    /// The file is what PyPI's `standardwebhooks` made of it.
    #[test]
    fn a_message_is_signed_as_another_implementation_signs_it() {
        let vector = include_str!("../../tests/vectors/webhook.json");
        let vector: serde_json::Value = serde_json::from_str(vector).unwrap();
        let text = |name: &str| vector[name].as_str().unwrap().to_owned();
        let (keys, client, mut webhook, _) = sealed(None);
        let vault = ClientVault {
            keys: &keys,
            client: &client,
        };
        let secret = WebhookSecret(std::array::from_fn(|n| u8::try_from(n).unwrap()));
        assert_eq!(secret.reveal(), text("secret"));
        webhook.secret = vault.seal(SECRET, &secret.0).unwrap();
        let id = DeliveryId::try_from(text("id")).unwrap();
        let at = UnixTime::from_secs(vector["timestamp"].as_u64().unwrap());
        let signed = webhook.sign((vault, at), &id, &text("body")).unwrap();
        assert_eq!(signed, text("signature"));
    }

    #[test]
    fn both_secrets_sign_for_a_day_and_then_the_new_one_alone() {
        let (keys, client, first, old) = sealed(None);
        let vault = ClientVault {
            keys: &keys,
            client: &client,
        };
        let new = WebhookSecret::draw().unwrap();
        let second =
            Webhook::new(first.url.clone(), None, &new, Some(&first), (vault, NOW)).unwrap();
        let id = DeliveryId::draw(NOW, 0).unwrap();
        let by = |secret: &WebhookSecret, at: UnixTime| {
            let message = format!("{}.{}.{{}}", id.as_str(), at.as_secs());
            format!(
                "v1,{}",
                STANDARD.encode(digest::mac(&secret.0, message.as_bytes()))
            )
        };
        let last = NOW.plus(OVERLAP - 1);
        let signed = second.sign((vault, last), &id, "{}").unwrap();
        assert_eq!(signed, format!("{} {}", by(&new, last), by(&old, last)));
        assert_eq!(second.overlap_until(last), Some(NOW.plus(OVERLAP)));
        let after = NOW.plus(OVERLAP);
        assert_eq!(
            second.sign((vault, after), &id, "{}").unwrap(),
            by(&new, after)
        );
        assert_eq!(second.overlap_until(after), None);
    }

    #[test]
    fn a_secret_does_not_open_for_another_client() {
        let (keys, _, webhook, _) = sealed(None);
        let other = ClientId::try_from("bank".to_owned()).unwrap();
        let vault = ClientVault {
            keys: &keys,
            client: &other,
        };
        let id = DeliveryId::draw(NOW, 0).unwrap();
        assert_eq!(
            webhook.sign((vault, NOW), &id, "{}"),
            Err(SealError::Forged)
        );
    }

    #[test]
    fn a_webhook_is_told_of_what_it_asked_for_and_of_no_login() {
        let (_, _, all, _) = sealed(None);
        let (_, _, one, _) = sealed(Some(vec!["locked"]));
        assert!(all.wants(Kind::Locked) && all.wants(Kind::Recovered));
        assert!(one.wants(Kind::Locked) && !one.wants(Kind::Recovered));
        for frequent in [
            Kind::Verified,
            Kind::Failed,
            Kind::CodeSent,
            Kind::BrowserTrusted,
        ] {
            assert!(!all.wants(frequent), "{}", frequent.name());
        }
        for bad in [
            vec![],
            vec!["verified"],
            vec!["test"],
            vec!["locked", "locked"],
        ] {
            let names: Vec<String> = bad.into_iter().map(str::to_owned).collect();
            assert!(Topics::try_from(names).is_err());
        }
    }

    #[test]
    fn tries_go_on_for_nearly_a_day_and_end() {
        let give_up = NOW.plus(LIFETIME);
        let (mut now, mut attempts) = (NOW, 0);
        loop {
            attempts += 1;
            match next_try(attempts, now, give_up) {
                Some(next) => now = next,
                None => break,
            }
        }
        assert_eq!(attempts, 8);
        assert!(now.seconds_from(NOW) > 23 * 3600);
    }

    #[test]
    fn ids_are_in_the_order_of_time_and_read_back() {
        let ids: Vec<DeliveryId> = [(0, 0), (0, 1), (1, 0), (1_000_000_000, 0)]
            .into_iter()
            .map(|(later, place)| DeliveryId::draw(NOW.plus(later), place).unwrap())
            .collect();
        assert!(ids.is_sorted_by(|one, other| one.as_str() < other.as_str()));
        for id in ids {
            assert_eq!(DeliveryId::try_from(id.as_str().to_owned()).unwrap(), id);
        }
        assert!(DeliveryId::try_from("msg_'; DROP".to_owned()).is_err());
    }
}
