//! The hosted sessions of a user: who keeps each, how far it is, what it ended in. Only digests of their
//! secrets are here.

use serde::{Deserialize, Serialize};

use super::Account;
use super::challenge::{Delivered, Dispatch};
use super::page::{NewContact, TypedContact};
use crate::domain::browser::BrowserName;
use crate::domain::crypto::digest::Digest;
use crate::domain::crypto::sealing::{Place, SealError, Sealed, Vault};
use crate::domain::method::Method;
use crate::domain::session::{
    AT_MOST, Held, IDLE, RESULT_LIFETIME, SessionId, SessionPurpose, Stage,
};
use crate::domain::settings::Locale;
use crate::domain::time::UnixTime;

/// Sessions of one user at once. One more takes the place of the one that is worth least.
const MOST_SESSIONS: usize = 5;
/// Answers a session remembers, for a request that comes twice.
const ANSWERS: usize = 4;

/// One visit of the hosted page.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    id: SessionId,
    link: Digest,
    /// Of the browser that keeps it, once one opened it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    browser: Option<Digest>,
    began_at: UnixTime,
    touched_at: UnixTime,
    pub purpose: SessionPurpose,
    pub stage: Stage,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<Locale>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proof: Option<SessionProof>,
    /// Whether nothing was sent, nor refused, in it yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub auto_send: bool,
    /// Whether a recovery began it, or came in it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub recovered: bool,
    /// Cancelled, or its result was fetched.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    result: Option<ResultCode>,
    /// Ids of the ways that were set up in it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub added: Vec<String>,
    /// Recovery codes that are shown until their user says that they are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shown: Option<Sealed>,
    /// A number or an address that waits for its code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<NewContact>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    answers: Vec<Answered>,
}

/// The last proof of the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SessionProof {
    pub at: UnixTime,
    pub by: Method,
    /// Whether its user asked for the browser to be remembered, where that counts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remember: bool,
    /// What the browser is called that is to be remembered.
    #[serde(default, skip_serializing_if = "BrowserName::is_unknown")]
    pub browser: BrowserName,
    /// Whether a passkey's authenticator knew its user.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub user_verified: bool,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResultCode {
    code: Digest,
    made_at: UnixTime,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    fetched: bool,
}

/// A request that was answered, by the key its page gave it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    key: Digest,
    request: Digest,
    answer: Answer,
}

/// What a request that comes again is told. The rest of the answer is the state, which is told anew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Answer {
    Done {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        added: Option<String>,
    },
    WrongCode {
        attempts_remaining: Option<u32>,
        retry_after: Option<u64>,
    },
}

/// A request's name and content, as a page sends both: the same name stands for one content.
#[derive(Debug, Clone)]
pub struct Once {
    pub key: Digest,
    pub request: Digest,
}

/// What a session says to a request that may have been answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Repeat {
    New,
    Answered(Answer),
    /// The name was used for another request.
    Reused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Live,
    Ended,
    Expired,
}

/// What a result code came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fetched {
    Good,
    /// Right, and fetched before: whoever has it now is not the first.
    Again,
    Wrong,
}

impl Session {
    pub fn new(
        id: SessionId,
        link: Digest,
        purpose: SessionPurpose,
        stage: Stage,
        now: UnixTime,
    ) -> Self {
        Self {
            id,
            link,
            browser: None,
            began_at: now,
            touched_at: now,
            purpose,
            stage,
            locale: None,
            proof: None,
            auto_send: true,
            recovered: false,
            ended: false,
            result: None,
            added: Vec::new(),
            shown: None,
            contact: None,
            answers: Vec::new(),
        }
    }

    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// When it closes in any case.
    pub fn expires_at_most(&self) -> UnixTime {
        self.began_at.plus(AT_MOST)
    }

    /// When it closes unless something is pressed.
    pub fn expires_at(&self) -> UnixTime {
        self.touched_at.plus(IDLE).min(self.expires_at_most())
    }

    pub fn standing(&self, now: UnixTime) -> Standing {
        if self.ended {
            Standing::Ended
        } else if self.expires_at() <= now {
            Standing::Expired
        } else {
            Standing::Live
        }
    }

    /// Something was pressed.
    pub fn touch(&mut self, now: UnixTime) {
        self.touched_at = self.touched_at.max(now);
    }

    /// Whether the cookie is that of the browser that keeps it.
    pub fn is_kept_by(&self, cookie: Option<&str>) -> bool {
        let presented = cookie.map(|text| Held::Browser.digest(&self.id, text));
        match (&self.browser, presented) {
            (Some(browser), Some(presented)) => browser.matches(&presented),
            _ => false,
        }
    }

    /// Whether no browser has opened it yet.
    pub fn is_unopened(&self) -> bool {
        self.browser.is_none()
    }

    pub fn opens_with(&self, secret: &str) -> bool {
        self.link.matches(&Held::Link.digest(&self.id, secret))
    }

    /// Gives it to the browser whose cookie has that digest. It stays with the first.
    pub fn keep(&mut self, browser: Digest) {
        self.browser.get_or_insert(browser);
    }

    pub fn proof(&self) -> Option<SessionProof> {
        self.proof
    }

    /// The person is known: on to what the session is for.
    pub fn prove(&mut self, proof: SessionProof) {
        self.proof = Some(proof);
        if matches!(self.stage, Stage::Verify | Stage::Recover) {
            self.stage = self.purpose.after_proof();
        }
    }

    /// The person proved the right to set up a new way, and nothing else.
    pub fn recover(&mut self, proof: SessionProof) {
        self.proof = Some(proof);
        self.recovered = true;
        self.stage = Stage::Enrol;
    }

    /// Waits for the code that was sent to a destination which is not on file.
    pub fn wait_for(
        &mut self,
        vault: Vault<'_>,
        typed: &TypedContact,
        code: Delivered,
        dispatch: &Dispatch,
    ) -> Result<(), SealError> {
        let digest = dispatch.stored_digest.clone();
        self.contact = Some(NewContact::new(vault, &self.id, typed, code, digest)?);
        Ok(())
    }

    /// A new result code; the one before is void.
    pub fn finish(&mut self, code: Digest, now: UnixTime) {
        self.stage = Stage::Done;
        self.shown = None;
        self.result = Some(ResultCode {
            code,
            made_at: now,
            fetched: false,
        });
    }

    /// Hands the result over, once and within its time.
    pub fn fetch(&mut self, secret: &str, now: UnixTime) -> Fetched {
        let presented = Held::Result.digest(&self.id, secret);
        let Some(result) = self
            .result
            .as_mut()
            .filter(|result| result.code.matches(&presented))
        else {
            return Fetched::Wrong;
        };
        if result.fetched {
            return Fetched::Again;
        }
        if result.made_at.plus(RESULT_LIFETIME) <= now {
            return Fetched::Wrong;
        }
        result.fetched = true;
        self.ended = true;
        Fetched::Good
    }

    pub fn repeat(&self, once: &Once) -> Repeat {
        match self
            .answers
            .iter()
            .find(|answered| answered.key.matches(&once.key))
        {
            None => Repeat::New,
            Some(answered) if answered.request.matches(&once.request) => {
                Repeat::Answered(answered.answer.clone())
            }
            Some(_) => Repeat::Reused,
        }
    }

    pub fn remember_answer(&mut self, once: &Once, answer: Answer) {
        self.answers.push(Answered {
            key: once.key.clone(),
            request: once.request.clone(),
            answer,
        });
        let surplus = self.answers.len().saturating_sub(ANSWERS);
        self.answers.drain(..surplus);
    }

    /// The answer was not given: what it told did not come about.
    pub fn forget_answer(&mut self, once: &Once) {
        self.answers
            .retain(|answered| !answered.key.matches(&once.key));
    }

    fn place(id: &SessionId) -> Place<'_> {
        Place {
            object: id.as_str(),
            field: "shown codes",
        }
    }

    /// Keeps recovery codes to be shown again, as text.
    pub fn show(&mut self, vault: Vault<'_>, codes: &[String]) -> Result<(), SealError> {
        let text = codes.join(" ");
        self.shown = Some(vault.seal(Self::place(&self.id), text.as_bytes())?);
        Ok(())
    }

    pub fn shown(&self, vault: Vault<'_>) -> Result<Option<Vec<String>>, SealError> {
        let Some(sealed) = &self.shown else {
            return Ok(None);
        };
        let text = vault.open(Self::place(&self.id), sealed)?;
        let text = String::from_utf8(text).map_err(|_| SealError::Malformed)?;
        Ok(Some(text.split(' ').map(str::to_owned).collect()))
    }

    pub fn has_shown(&self) -> bool {
        self.shown.is_some()
    }

    pub fn hide(&mut self) {
        self.shown = None;
    }

    pub(super) fn reseal(&mut self, vault: Vault<'_>) -> Result<(), SealError> {
        if let Some(sealed) = self.shown.take() {
            self.shown = Some(vault.reseal(Self::place(&self.id), sealed)?);
        }
        if let Some(contact) = &mut self.contact {
            contact.reseal(&self.id, vault)?;
        }
        Ok(())
    }

    pub(super) fn began_since(&self, time: UnixTime) -> bool {
        self.began_at >= time
    }
}

impl Account {
    /// Begins a session. Of more than `MOST_SESSIONS` those are forgotten that are worth least: first what is
    /// over, then what no browser opened, then what nobody proved anything in, then the oldest.
    pub fn open_session(&mut self, session: Session, now: UnixTime) {
        while self.sessions.len() >= MOST_SESSIONS {
            let worth = |one: &Session| {
                (
                    one.standing(now) == Standing::Live,
                    !one.is_unopened(),
                    one.stage.is_proved(),
                    one.began_at,
                )
            };
            let places = self.sessions.iter().enumerate();
            let Some((place, _)) = places.min_by_key(|(_, one)| worth(one)) else {
                break;
            };
            self.sessions.remove(place);
        }
        self.sessions.push(session);
    }

    pub fn session(&self, id: &SessionId) -> Option<&Session> {
        self.sessions.iter().find(|session| session.id == *id)
    }

    pub fn session_mut(&mut self, id: &SessionId) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.id == *id)
    }

    /// A recovery ends what somebody else may have open.
    pub fn end_other_sessions(&mut self, id: &SessionId) {
        self.sessions.retain(|session| session.id == *id);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Fixture, NOW};
    use super::*;
    use crate::domain::session::SessionSecret;

    fn session(now: UnixTime) -> (Session, SessionSecret) {
        let (id, secret) = (SessionId::draw().unwrap(), SessionSecret::draw().unwrap());
        let digest = secret.digest(Held::Link, &id);
        let session = Session::new(id, digest, SessionPurpose::Verify, Stage::Verify, now);
        (session, secret)
    }

    fn once(key: &str, request: &str) -> Once {
        let digest = |text: &str| crate::domain::crypto::digest::plain("test", &[text.as_bytes()]);
        Once {
            key: digest(key),
            request: digest(request),
        }
    }

    #[test]
    fn a_session_is_ten_minutes_without_a_press_and_an_hour_in_all() {
        let (mut session, _) = session(NOW);
        assert_eq!(session.standing(NOW.plus(599)), Standing::Live);
        assert_eq!(session.standing(NOW.plus(600)), Standing::Expired);
        for minute in (9..=54).step_by(9) {
            session.touch(NOW.plus(minute * 60));
        }
        assert_eq!(session.standing(NOW.plus(3599)), Standing::Live);
        session.touch(NOW.plus(3599));
        assert_eq!(session.standing(NOW.plus(3600)), Standing::Expired);
    }

    #[test]
    fn atk_97_the_first_browser_keeps_a_session() {
        let (mut session, secret) = session(NOW);
        assert!(!session.is_kept_by(None) && !session.is_kept_by(Some("")));
        assert!(session.opens_with(secret.reveal()) && !session.opens_with(""));
        let (first, second) = (
            SessionSecret::draw().unwrap(),
            SessionSecret::draw().unwrap(),
        );
        session.keep(first.digest(Held::Browser, session.id()));
        session.keep(second.digest(Held::Browser, session.id()));
        assert!(session.is_kept_by(Some(first.reveal())));
        assert!(!session.is_kept_by(Some(second.reveal())));
        assert!(!session.is_kept_by(Some(secret.reveal())) && !session.is_kept_by(None));
    }

    #[test]
    fn atk_100_a_result_is_fetched_once_within_a_minute_and_a_new_code_voids_the_one_before() {
        let (mut session, _) = session(NOW);
        let codes = [0, 1].map(|_| SessionSecret::draw().unwrap());
        assert_eq!(session.fetch(codes[0].reveal(), NOW), Fetched::Wrong);
        session.finish(codes[0].digest(Held::Result, session.id()), NOW);
        session.finish(codes[1].digest(Held::Result, session.id()), NOW);
        assert_eq!(session.fetch(codes[0].reveal(), NOW), Fetched::Wrong);
        let late = NOW.plus(RESULT_LIFETIME);
        assert_eq!(
            session.clone().fetch(codes[1].reveal(), late),
            Fetched::Wrong
        );
        assert_eq!(
            session.fetch(codes[1].reveal(), late.minus(1)),
            Fetched::Good
        );
        assert_eq!(session.standing(late), Standing::Ended);
        assert_eq!(session.fetch(codes[1].reveal(), late), Fetched::Again);
    }

    #[test]
    fn five_sessions_live_and_what_is_worth_least_goes_first() {
        let mut fixture = Fixture::active();
        let mut ids = Vec::new();
        for age in 0..MOST_SESSIONS {
            let (mut one, _) = session(NOW.plus(age as u64));
            ids.push(one.id().clone());
            // All but the third were opened; the second is over.
            if age != 2 {
                one.keep(
                    SessionSecret::draw()
                        .unwrap()
                        .digest(Held::Browser, one.id()),
                );
            }
            one.ended = age == 1;
            fixture.account.open_session(one, NOW);
        }
        for gone in [1, 2, 0] {
            let (one, _) = session(NOW.plus(60));
            let mut one = one;
            one.keep(
                SessionSecret::draw()
                    .unwrap()
                    .digest(Held::Browser, one.id()),
            );
            assert!(fixture.account.session(&ids[gone]).is_some());
            fixture.account.open_session(one, NOW.plus(60));
            assert!(fixture.account.session(&ids[gone]).is_none(), "{gone}");
            assert_eq!(fixture.account.sessions.len(), MOST_SESSIONS);
        }
    }

    #[test]
    fn a_request_that_comes_again_is_answered_as_before_and_another_under_its_name_is_not() {
        let (mut session, _) = session(NOW);
        let wrong = Answer::WrongCode {
            attempts_remaining: Some(4),
            retry_after: None,
        };
        assert_eq!(session.repeat(&once("a", "x")), Repeat::New);
        session.remember_answer(&once("a", "x"), wrong.clone());
        assert_eq!(session.repeat(&once("a", "x")), Repeat::Answered(wrong));
        assert_eq!(session.repeat(&once("a", "y")), Repeat::Reused);
        assert_eq!(session.repeat(&once("b", "x")), Repeat::New);
        for key in ["b", "c", "d", "e"] {
            session.remember_answer(&once(key, "x"), Answer::Done { added: None });
        }
        assert_eq!(session.repeat(&once("a", "x")), Repeat::New);
        assert_eq!(session.answers.len(), ANSWERS);
    }

    #[test]
    fn shown_codes_are_sealed_and_gone_once_they_are_kept() {
        let fixture = Fixture::active();
        let (mut session, _) = session(NOW);
        let codes = vec!["AAAA-BBBB".to_owned(), "CCCC-DDDD".to_owned()];
        session.show(fixture.vault(), &codes).unwrap();
        assert!(!serde_json::to_string(&session).unwrap().contains("AAAA"));
        assert_eq!(session.shown(fixture.vault()).unwrap(), Some(codes));
        session.hide();
        assert_eq!(session.shown(fixture.vault()).unwrap(), None);
    }
}
