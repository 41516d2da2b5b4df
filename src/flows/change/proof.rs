//! What came with a request to be judged, and what it may prove there.

use crate::domain::account::Accept;
use crate::domain::codes::guess::GuessedCode;
use crate::domain::method::Method;
use crate::domain::settings::Settings;
use crate::flows::evidence::{Evidence, NewPasskey, PasskeyAnswer};

#[derive(Clone, Copy)]
pub(in crate::flows) enum Proof<'a> {
    Code(Typed<'a>),
    Passkey(&'a PasskeyAnswer),
    /// Of a passkey that is being made, for itself.
    NewPasskey(&'a NewPasskey),
}

/// A code that was typed.
#[derive(Clone, Copy)]
pub(in crate::flows) struct Typed<'a> {
    pub code: &'a GuessedCode,
    serves: Serves,
}

#[derive(Clone, Copy)]
enum Serves {
    /// Any method the client uses, or the one it named.
    Login(Option<Method>),
    Change,
    /// The method a person chose on the hosted page.
    Page(Method),
}

impl<'a> Proof<'a> {
    /// Of a login, by any method or by `only` that one.
    pub(in crate::flows) fn of_a_login(code: &'a GuessedCode, only: Option<Method>) -> Self {
        let serves = Serves::Login(only);
        Self::Code(Typed { code, serves })
    }

    /// Of the right to change something. Codes the application asked for itself prove nothing about the
    /// user, so they do not serve.
    pub(in crate::flows) fn of_a_change(evidence: &'a Evidence) -> Self {
        let serves = Serves::Change;
        match evidence {
            Evidence::Code(code) => Self::Code(Typed { code, serves }),
            Evidence::Passkey(answer) => Self::Passkey(answer),
        }
    }

    /// Of a person on the hosted page, by the method they chose. KV's mark of a lock is not asked: it would
    /// refuse before it is known whether the browser may be told of the account at all.
    pub(in crate::flows) fn on_the_page(code: &'a GuessedCode, method: Method) -> Self {
        let serves = Serves::Page(method);
        Self::Code(Typed { code, serves })
    }

    pub(in crate::flows) fn typed(self) -> Option<Typed<'a>> {
        match self {
            Self::Code(typed) => Some(typed),
            Self::Passkey(_) | Self::NewPasskey(_) => None,
        }
    }

    /// The method the caller says it is of.
    pub(in crate::flows) fn named(self) -> Option<Method> {
        match self {
            Self::Code(typed) => typed.named(),
            Self::Passkey(_) => Some(Method::Passkey),
            Self::NewPasskey(_) => None,
        }
    }
}

impl Typed<'_> {
    /// Whether KV's mark of a lock may refuse it early.
    pub(in crate::flows) fn heeds_marks(self) -> bool {
        !matches!(self.serves, Serves::Page(_))
    }

    fn named(self) -> Option<Method> {
        match self.serves {
            Serves::Login(named) => named,
            Serves::Page(method) => Some(method),
            Serves::Change => None,
        }
    }

    pub(in crate::flows) fn accept(self, settings: &Settings) -> Accept {
        let allowed = Method::ALL
            .into_iter()
            .filter(|method| settings.allows(*method));
        match self.serves {
            Serves::Login(Some(method)) | Serves::Page(method) => Accept::named(method),
            Serves::Login(None) => Accept::any_of(allowed),
            Serves::Change => Accept::any_of(allowed.filter(|method| *method != Method::Generated)),
        }
    }
}
