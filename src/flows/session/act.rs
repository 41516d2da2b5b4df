//! The one way something is done in a session: the browser is the one that keeps it, the session is alive, its
//! stage allows it, and the request is no repetition. All of that is decided with the change itself.

use super::view::{self, View};
use super::{Done, Ended, Place, Refused, Visit, find, told};
use crate::domain::account::{Account, Answer, Repeat, Session, Standing};
use crate::domain::client::ClientState;
use crate::domain::session::Stage;
use crate::error::Error;
use crate::flows::change::{Decision, Effects, Facts, Proof, Write, change, load};

/// What is done, and when it may be.
pub(super) struct Act<'a> {
    /// The stages that allow it; every one where none is named.
    pub stages: &'a [Stage],
    pub proof: Option<Proof<'a>>,
    /// What the press alone does to the session, whatever comes of it.
    pub press: fn(&mut Session),
}

impl Act<'_> {
    pub(super) const IN_EVERY_STAGE: Self = Self {
        stages: &[],
        proof: None,
        press: |_| {},
    };
}

/// A change of the account in a session: its outcome is told once it is stored. An inner error is one that
/// changed something, such as a wrong code that was counted.
pub(super) type Acted<T> = Result<Decision<Result<Told<T>, Error>>, Error>;

/// What is told of a change.
pub(super) struct Told<T> {
    pub value: T,
    /// The way that it set up.
    pub added: Option<String>,
}

impl<T> Told<T> {
    pub(super) fn plainly(value: T) -> Self {
        Self { value, added: None }
    }
}

/// What a change came to.
enum Outcome<T> {
    Done {
        /// Nothing where the request was answered before.
        told: Option<T>,
        view: Box<View>,
    },
    Refused(Refused),
}

/// Does something in a session. With the answer, what it told.
pub(super) async fn act<T: Send>(
    visit: &Visit,
    what: Act<'_>,
    decide: impl Fn(Account, &Place, &Facts<'_>) -> Acted<T> + Send + Sync,
) -> Result<(Option<T>, Done, Place), Refused> {
    let place = find(visit).await?;
    let outcome = change(&place.asked, what.proof, |account, facts| {
        let turn = Turn {
            visit,
            place: &place,
            what: &what,
            facts,
        };
        turn.take(account, &decide)
    })
    .await;
    match outcome {
        Ok(Outcome::Done { told, view }) => {
            let done = Done {
                view: *view,
                replayed: told.is_none(),
                ways: None,
            };
            Ok((told, done, place))
        }
        Ok(Outcome::Refused(refused)) => Err(refused),
        Err(error) => Err(refusal_with_state(visit, &place, told(error)).await),
    }
}

/// For an error after which the state has to be asked for anew.
pub(super) async fn refusal_with_state(visit: &Visit, place: &Place, error: Error) -> Refused {
    let mut refused = Refused::from(error);
    if !matches!(refused.error, Error::SessionNotFound | Error::Internal(_))
        && let Ok(view) = look(visit, place).await
    {
        refused.view = Some(Box::new(view));
    }
    refused
}

/// The state, for whoever keeps the session.
pub(super) async fn look(visit: &Visit, place: &Place) -> Result<View, Refused> {
    let loaded = load(&place.asked).await.map_err(told)?;
    let account = loaded.stored.map(|stored| stored.account);
    let account = account.ok_or(Error::SessionNotFound)?;
    let seen = Seen {
        visit,
        place,
        client: &loaded.client,
    };
    if let Some(refused) = seen.refusal(&account) {
        return Err(refused);
    }
    Ok(seen.view(&account, None)?)
}

/// What a session and its account are looked at with.
pub(super) struct Seen<'a> {
    pub visit: &'a Visit,
    pub place: &'a Place,
    pub client: &'a ClientState,
}

impl Seen<'_> {
    pub(super) fn view(&self, account: &Account, added: Option<String>) -> Result<View, Error> {
        view::of(self, account, added)
    }

    /// Why the session is not this browser's to use, if it is not. Whoever has no cookie is told nothing of
    /// the person, and not the way back either, which holds what the application sent.
    fn refusal(&self, account: &Account) -> Option<Refused> {
        let now = self.place.asked.now();
        let Some(session) = account.session(&self.place.id) else {
            return Some(Error::SessionNotFound.into());
        };
        let kept = session.is_kept_by(self.visit.cookie.as_deref());
        let error = match session.standing(now) {
            Standing::Ended => Error::SessionEnded,
            Standing::Expired => Error::SessionExpired,
            Standing::Live if !kept => Error::OtherBrowser,
            Standing::Live => return None,
        };
        Some(self.over(session, error, kept))
    }

    /// A refusal that says where the page belongs, and with `back` the way to the application.
    pub(super) fn over(&self, session: &Session, error: Error, back: bool) -> Refused {
        let expired = matches!(error, Error::SessionExpired) && back;
        let redirect = expired.then(|| self.place.request.way_back("error", "expired"));
        let ended = Ended {
            surroundings: view::surroundings(self, session.locale),
            redirect,
        };
        Refused {
            error,
            view: None,
            ended: Some(Box::new(ended)),
        }
    }
}

/// One decision about a session's request.
struct Turn<'a> {
    visit: &'a Visit,
    place: &'a Place,
    what: &'a Act<'a>,
    facts: &'a Facts<'a>,
}

impl Turn<'_> {
    fn seen(&self) -> Seen<'_> {
        Seen {
            visit: self.visit,
            place: self.place,
            client: self.facts.client,
        }
    }

    fn take<T>(
        &self,
        account: Option<Account>,
        decide: &dyn Fn(Account, &Place, &Facts<'_>) -> Acted<T>,
    ) -> Result<Decision<Outcome<T>>, Error> {
        let Some(mut account) = account else {
            return Ok(refused(Error::SessionNotFound.into()));
        };
        if let Some(repeated) = self.repeated(&account)? {
            return Ok(unchanged(repeated));
        }
        if let Some(refusal) = self.seen().refusal(&account) {
            return Ok(refused(refusal));
        }
        let Some(session) = account.session_mut(&self.place.id) else {
            return Ok(refused(Error::SessionNotFound.into()));
        };
        session.touch(self.place.asked.now());
        (self.what.press)(session);
        let allowed = self.what.stages.is_empty() || self.what.stages.contains(&session.stage);
        let acted = if allowed {
            decide(account.clone(), self.place, self.facts)
        } else {
            Err(Error::NotNow)
        };
        match acted {
            Ok(decision) => self.settle(account, decision),
            Err(error) if is_fault(&error) => Err(error),
            Err(error) => self.settle(
                account,
                Decision {
                    effects: Effects::default(),
                    outcome: Err(error),
                },
            ),
        }
    }

    /// What a request was told that came before, if this is that request: also where it ended the session.
    fn repeated<T>(&self, account: &Account) -> Result<Option<Outcome<T>>, Error> {
        let Some((session, once)) = account
            .session(&self.place.id)
            .zip(self.visit.once.as_ref())
        else {
            return Ok(None);
        };
        if !session.is_kept_by(self.visit.cookie.as_deref()) {
            return Ok(None);
        }
        let answer = match session.repeat(once) {
            Repeat::New => return Ok(None),
            Repeat::Reused => Err(Error::IdempotencyKeyReused),
            Repeat::Answered(Answer::Done { added }) => Ok(added),
            Repeat::Answered(Answer::WrongCode {
                attempts_remaining,
                retry_after,
            }) => Err(Error::InvalidCode {
                attempts_remaining,
                retry_after,
            }),
        };
        Ok(Some(match answer {
            Ok(added) => Outcome::Done {
                told: None,
                view: Box::new(self.seen().view(account, added)?),
            },
            Err(error) => Outcome::Refused(Refused {
                error,
                view: Some(Box::new(self.seen().view(account, None)?)),
                ended: None,
            }),
        }))
    }

    /// Stores what was decided, with the answer for a request that comes again.
    fn settle<T>(
        &self,
        touched: Account,
        decision: Decision<Result<Told<T>, Error>>,
    ) -> Result<Decision<Outcome<T>>, Error> {
        let Decision {
            mut effects,
            outcome,
        } = decision;
        let mut account = match effects.write {
            Write::Store(account) => *account,
            Write::Nothing | Write::Delete => touched,
        };
        if let (Some(answer), Some(once), Some(session)) = (
            answer(&outcome),
            self.visit.once.as_ref(),
            account.session_mut(&self.place.id),
        ) {
            session.remember_answer(once, answer);
        }
        let added = outcome.as_ref().ok().and_then(|told| told.added.clone());
        let view = Box::new(self.seen().view(&account, added)?);
        effects.write = Write::Store(Box::new(account));
        let outcome = match outcome {
            Ok(told) => Outcome::Done {
                told: Some(told.value),
                view,
            },
            Err(error) => Outcome::Refused(Refused {
                error,
                view: Some(view),
                ended: None,
            }),
        };
        Ok(Decision { effects, outcome })
    }
}

/// What is kept of an answer. What changed nothing is decided anew when it comes again.
fn answer<T>(outcome: &Result<Told<T>, Error>) -> Option<Answer> {
    match outcome {
        Ok(told) => Some(Answer::Done {
            added: told.added.clone(),
        }),
        Err(Error::InvalidCode {
            attempts_remaining,
            retry_after,
        }) => Some(Answer::WrongCode {
            attempts_remaining: *attempts_remaining,
            retry_after: *retry_after,
        }),
        Err(_) => None,
    }
}

/// An error of the service itself, after which nothing is certain and nothing is stored.
fn is_fault(error: &Error) -> bool {
    matches!(error, Error::Internal(_) | Error::Unavailable(_))
}

fn refused<T>(refused: Refused) -> Decision<Outcome<T>> {
    unchanged(Outcome::Refused(refused))
}

fn unchanged<T>(outcome: Outcome<T>) -> Decision<Outcome<T>> {
    Decision {
        effects: Effects::default(),
        outcome,
    }
}
