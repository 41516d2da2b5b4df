//! The applications, which are the tenants: who may ask at all, and what was set for them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::address::SupportUrl;
use super::brand::Colour;
use super::contact::mail::Look;
use super::crypto::digest::{self, Digest};
use super::crypto::random::{self, RandomError};
use super::ids::{ClientId, TokenEpoch};
use super::settings::{ClientSettings, Settings};
use super::time::UnixTime;
use super::webhook::Webhook;

/// What a request needs to know of its client.
#[derive(Debug, Clone)]
pub struct ClientState {
    pub name: String,
    /// Every setting as it applies.
    pub settings: Settings,
    pub disabled: bool,
    /// Tokens that carry another one are dead.
    pub token_epoch: TokenEpoch,
    /// How many users it has.
    pub accounts: u32,
    /// Whether it is a test client: nothing is sent for it.
    pub is_for_tests: bool,
    /// Where it is told of events.
    pub webhook: Option<Webhook>,
}

impl ClientState {
    /// The name people see: in their authenticator app and in messages.
    pub fn issuer(&self) -> &str {
        let issuer = self.settings.issuer.as_ref();
        issuer.map_or(&self.name, |issuer| issuer.as_str())
    }

    /// The name on the hosted page and in e-mails: the brand's, if there is one.
    pub fn brand_name(&self) -> &str {
        let name = self.settings.brand.name.as_ref();
        name.map_or_else(|| self.issuer(), |name| name.as_str())
    }

    /// How its e-mails look.
    pub fn look(&self) -> Look<'_> {
        let settings = &self.settings;
        Look {
            app: self.brand_name(),
            colour: settings.brand.colour.as_ref().map(Colour::as_str),
            support: settings.support_url.as_ref().map(SupportUrl::as_str),
        }
    }

    /// The host SMS codes are bound to; `own` is this service's.
    pub fn sms_domain<'a>(&'a self, own: &'a str) -> &'a str {
        let domain = self.settings.sms_domain.as_ref();
        domain.map_or(own, |domain| domain.as_str())
    }
}

/// A client as the operator sees and changes it.
#[derive(Debug, Clone)]
pub struct Client {
    pub id: ClientId,
    pub name: String,
    pub settings: ClientSettings,
    pub created_at: UnixTime,
    pub disabled_at: Option<UnixTime>,
    pub secret: Digest,
    /// The secret before, and when it ends.
    pub previous_secret: Option<(Digest, UnixTime)>,
    pub token_epoch: TokenEpoch,
    /// Of a test client: how many seconds its clock is ahead. Whether it is one never changes.
    pub test_clock_ahead: Option<u64>,
    /// Where it is told of events.
    pub webhook: Option<Webhook>,
}

/// A client secret, in the one moment it is known: 256 bits, with a prefix secret scanners find.
pub struct ClientSecret(String);

impl ClientSecret {
    pub fn draw() -> Result<Self, RandomError> {
        let bytes: [u8; 32] = random::bytes()?;
        Ok(Self(format!("cnd_{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// One that everybody knows, for a service on one machine to try.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn known(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn reveal(self) -> String {
        self.0
    }
}

/// What is kept of a secret: plain SHA-256, bound to the client (decision 15).
pub fn secret_digest(id: &ClientId, secret: &str) -> Digest {
    digest::plain(
        "candado/client-secret/v1",
        &[id.as_str().as_bytes(), secret.as_bytes()],
    )
}

impl Client {
    pub fn new(
        id: ClientId,
        name: String,
        settings: ClientSettings,
        secret: &ClientSecret,
        now: UnixTime,
    ) -> Result<Self, RandomError> {
        let secret = secret_digest(&id, &secret.0);
        Ok(Self {
            id,
            name,
            settings,
            created_at: now,
            disabled_at: None,
            secret,
            previous_secret: None,
            token_epoch: TokenEpoch::draw()?,
            test_clock_ahead: None,
            webhook: None,
        })
    }

    /// As a test client.
    #[must_use]
    pub fn for_tests(mut self) -> Self {
        self.test_clock_ahead = Some(0);
        self
    }

    /// Disabled or not. Disabling ends every token for good, not only while it lasts (TOK-15).
    pub fn set_disabled(&mut self, disabled: bool, now: UnixTime) -> Result<(), RandomError> {
        if !disabled {
            self.disabled_at = None;
        } else if self.disabled_at.is_none() {
            self.disabled_at = Some(now);
            self.token_epoch = TokenEpoch::draw()?;
        }
        Ok(())
    }

    /// Gives the client a new secret; the present one works for `overlap` seconds more (TOK-08).
    /// Without overlap it dies now, and the tokens it was good for with it.
    pub fn rotate_secret(
        &mut self,
        secret: &ClientSecret,
        overlap: u64,
        now: UnixTime,
    ) -> Result<(), RandomError> {
        let next = secret_digest(&self.id, &secret.0);
        let present = std::mem::replace(&mut self.secret, next);
        if overlap == 0 {
            self.previous_secret = None;
            self.token_epoch = TokenEpoch::draw()?;
        } else {
            self.previous_secret = Some((present, now.plus(overlap)));
        }
        Ok(())
    }

    /// What the tokens of whoever presented a secret of that digest carry; `None` if the secret is not
    /// the client's, or the client is disabled. Both secrets are compared, whichever matches (TOK-04).
    pub fn authenticate(&self, presented: &Digest, now: UnixTime) -> Option<&TokenEpoch> {
        let current = self.secret.matches(presented);
        let previous = self.previous_secret.as_ref();
        let overlapping =
            previous.is_some_and(|(digest, until)| digest.matches(presented) && now < *until);
        let good = (current | overlapping) & self.disabled_at.is_none();
        good.then_some(&self.token_epoch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_760_000_000);

    struct Fixture {
        client: Client,
        first: String,
    }

    fn client() -> Fixture {
        let id = ClientId::try_from("shop".to_owned()).unwrap();
        let secret = ClientSecret::draw().unwrap();
        let settings = ClientSettings::default();
        let client = Client::new(id, "Shop".to_owned(), settings, &secret, NOW).unwrap();
        let first = secret.reveal();
        Fixture { client, first }
    }

    fn accepts(client: &Client, secret: &str, now: UnixTime) -> bool {
        let digest = secret_digest(&client.id, secret);
        client.authenticate(&digest, now).is_some()
    }

    #[test]
    fn tok_08_a_replaced_secret_works_until_its_overlap_ends_and_not_a_second_longer() {
        let Fixture { mut client, first } = client();
        let epoch = client.token_epoch.clone();
        let second = ClientSecret::draw().unwrap();
        client.rotate_secret(&second, 60, NOW).unwrap();
        let second = second.reveal();
        assert_eq!(
            client.token_epoch, epoch,
            "tokens of the old secret live on"
        );
        for (later, good) in [(0, true), (59, true), (60, false)] {
            assert_eq!(accepts(&client, &first, NOW.plus(later)), good, "{later}");
            assert!(accepts(&client, &second, NOW.plus(later)));
        }
    }

    #[test]
    fn tok_08_without_overlap_the_old_secret_and_its_tokens_die_now() {
        let Fixture { mut client, first } = client();
        let epoch = client.token_epoch.clone();
        let second = ClientSecret::draw().unwrap();
        client.rotate_secret(&second, 0, NOW).unwrap();
        assert!(!accepts(&client, &first, NOW));
        assert!(accepts(&client, &second.reveal(), NOW));
        assert_ne!(client.token_epoch, epoch);
    }

    #[test]
    fn tok_08_a_third_secret_ends_the_first() {
        let Fixture { mut client, first } = client();
        for _ in 0..2 {
            let next = ClientSecret::draw().unwrap();
            client.rotate_secret(&next, 60, NOW).unwrap();
        }
        assert!(!accepts(&client, &first, NOW));
    }

    #[test]
    fn tok_15_a_disabled_client_is_given_no_token_and_its_tokens_stay_dead() {
        let Fixture { mut client, first } = client();
        let epoch = client.token_epoch.clone();
        client.set_disabled(true, NOW).unwrap();
        assert!(!accepts(&client, &first, NOW));
        let ended = client.token_epoch.clone();
        assert_ne!(ended, epoch);
        client.set_disabled(true, NOW.plus(9)).unwrap();
        assert_eq!(
            client.disabled_at,
            Some(NOW),
            "disabling twice is disabling once"
        );
        assert_eq!(client.token_epoch, ended);
        client.set_disabled(false, NOW).unwrap();
        assert!(accepts(&client, &first, NOW));
        assert_eq!(client.token_epoch, ended);
    }

    #[test]
    fn a_secret_is_its_own_clients_and_no_others() {
        let Fixture { mut client, first } = client();
        client.id = ClientId::try_from("bank".to_owned()).unwrap();
        assert!(!accepts(&client, &first, NOW));
    }
}
