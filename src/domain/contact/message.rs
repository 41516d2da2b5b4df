//! The texts of messages. An SMS is one GSM-7 segment and ends in the line that binds the code to
//! a domain (OOB-13, OOB-14); an e-mail has a plain and an HTML part, made by `mail`.

use super::mail::{self, About, Look, Mail};
use crate::domain::codes::numeric::NumericCode;
use crate::domain::method::Purpose;
use crate::domain::settings::Locale;
use crate::domain::time::UnixTime;

/// GSM-7 characters of one segment.
pub const SMS_LENGTH: usize = 160;
/// Of the issuer's name, so that text, code and domain fit one segment.
const NAME_LENGTH: usize = 20;

/// What a message says, before it has a form.
pub struct Notice<'a> {
    pub issuer: &'a str,
    pub purpose: Purpose,
    pub locale: Locale,
    pub code: &'a NumericCode,
}

pub struct EmailText {
    pub subject: String,
    pub text: String,
    pub html: String,
}

/// What a call says. The digits are read one by one, and all of them twice.
pub struct Spoken<'a> {
    /// The language it is read in (BCP 47).
    pub language: &'static str,
    pub first: String,
    pub digits: &'a str,
    pub again: &'static str,
    pub end: &'static str,
}

impl<'a> Notice<'a> {
    /// What a call says. An application's name is said as an SMS spells it.
    pub fn spoken(&self) -> Spoken<'a> {
        let name = gsm7_name(self.issuer);
        let digits = self.code.as_str();
        match self.locale {
            Locale::En => Spoken {
                language: "en-US",
                first: match self.purpose {
                    Purpose::Verify => format!("Hello. Your {name} code is:"),
                    Purpose::Recovery => format!("Hello. Your {name} recovery code is:"),
                },
                digits,
                again: "Once more:",
                end: "Never share it. If you did not ask for it, hang up. Goodbye.",
            },
            Locale::Es => Spoken {
                language: "es-ES",
                first: match self.purpose {
                    Purpose::Verify => format!("Hola. Tu código de {name} es:"),
                    Purpose::Recovery => {
                        format!("Hola. Tu código para recuperar {name} es:")
                    }
                },
                digits,
                again: "Otra vez:",
                end: "No lo compartas. Si no lo has pedido, cuelga. Adiós.",
            },
        }
    }
}

impl Notice<'_> {
    /// The SMS. `domain` is the host the code belongs to; phones fill it in nowhere else.
    pub fn sms(&self, domain: &str) -> String {
        let name = gsm7_name(self.issuer);
        let code = self.code.as_str();
        let minutes = self.purpose.lifetime() / 60;
        let text = match (self.locale, self.purpose) {
            (Locale::En, Purpose::Verify) => {
                format!(
                    "{code} is your {name} code. It expires in {minutes} minutes. Never share it."
                )
            }
            (Locale::En, Purpose::Recovery) => {
                format!(
                    "{code} is your {name} recovery code. It expires in {minutes} minutes. Never share it."
                )
            }
            // "código" would leave GSM-7, and two segments cost twice.
            (Locale::Es, Purpose::Verify) => {
                format!(
                    "{code} es tu clave de {name}. Caduca en {minutes} minutos. No la compartas."
                )
            }
            (Locale::Es, Purpose::Recovery) => {
                format!(
                    "{code} es tu clave para recuperar {name}. Caduca en {minutes} minutos. No la compartas."
                )
            }
        };
        let bound = format!("{text}\n\n@{domain} #{code}");
        if bound.len() <= SMS_LENGTH {
            bound
        } else {
            text
        }
    }

    /// The e-mail, in the application's look.
    pub fn email(&self, look: Look<'_>, at: UnixTime, browser: Option<&str>) -> EmailText {
        let mail = match self.purpose {
            Purpose::Verify => Mail::Code,
            Purpose::Recovery => Mail::RecoveryCode,
        };
        let about = About {
            at,
            browser,
            minutes: Some(self.purpose.lifetime() / 60),
            code: Some(self.code.as_str()),
            ..About::default()
        };
        mail::render(mail, self.locale, look, &about)
    }
}

/// A name in letters every phone's GSM-7 has, one septet each. Accents go, what has no such letter
/// is left out, and so are `@` and `#`, which the last line alone may hold.
pub(super) fn gsm7_name(name: &str) -> String {
    let plain: String = name
        .chars()
        .filter_map(|character| match character {
            'a'..='z'
            | 'A'..='Z'
            | '0'..='9'
            | ' '
            | '.'
            | ','
            | '&'
            | '-'
            | '\''
            | '!'
            | '('
            | ')'
            | '/'
            | '+' => Some(character),
            'á' | 'à' | 'â' | 'ã' | 'ä' | 'å' => Some('a'),
            'Á' | 'À' | 'Â' | 'Ã' | 'Ä' | 'Å' => Some('A'),
            'é' | 'è' | 'ê' | 'ë' => Some('e'),
            'É' | 'È' | 'Ê' | 'Ë' => Some('E'),
            'í' | 'ì' | 'î' | 'ï' => Some('i'),
            'Í' | 'Ì' | 'Î' | 'Ï' => Some('I'),
            'ó' | 'ò' | 'ô' | 'õ' | 'ö' | 'ø' => Some('o'),
            'Ó' | 'Ò' | 'Ô' | 'Õ' | 'Ö' | 'Ø' => Some('O'),
            'ú' | 'ù' | 'û' | 'ü' => Some('u'),
            'Ú' | 'Ù' | 'Û' | 'Ü' => Some('U'),
            'ñ' => Some('n'),
            'Ñ' => Some('N'),
            'ç' => Some('c'),
            'Ç' => Some('C'),
            _ => None,
        })
        .take(NAME_LENGTH)
        .collect();
    let plain = plain.trim();
    if plain.is_empty() {
        "login".to_owned()
    } else {
        plain.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice<'a>(
        issuer: &'a str,
        purpose: Purpose,
        locale: Locale,
        code: &'a NumericCode,
    ) -> Notice<'a> {
        Notice {
            issuer,
            purpose,
            locale,
            code,
        }
    }

    fn email(notice: &Notice<'_>) -> EmailText {
        let look = Look {
            app: notice.issuer,
            colour: None,
            support: None,
        };
        notice.email(look, UnixTime::from_secs(1_760_000_000), None)
    }

    /// The parser of domain-bound codes (WICG sms-one-time-codes).
    fn bound_to(message: &str) -> Option<(String, String)> {
        let last = message.lines().last()?;
        let rest = last.strip_prefix('@')?;
        let (host, code) = rest.split_once(" #")?;
        (!host.contains(char::is_whitespace))
            .then(|| (host.to_owned(), code.split(' ').next().unwrap().to_owned()))
    }

    #[test]
    fn oob_13_the_last_line_binds_the_code_to_the_domain() {
        let code = NumericCode::parse("747723").unwrap();
        let sms = notice("ExampleCo", Purpose::Verify, Locale::En, &code).sms("example.com");
        assert_eq!(
            sms,
            "747723 is your ExampleCo code. It expires in 5 minutes. Never share it.\n\n@example.com #747723"
        );
        assert_eq!(
            bound_to(&sms),
            Some(("example.com".into(), "747723".into()))
        );
    }

    #[test]
    fn oob_14_the_longest_sms_is_one_gsm_7_segment() {
        let code = NumericCode::parse("12345678").unwrap();
        let domain = format!("{}.example.com", "a".repeat(38));
        assert_eq!(domain.len(), 50);
        for locale in [Locale::En, Locale::Es] {
            for purpose in [Purpose::Verify, Purpose::Recovery] {
                let sms = notice(&"W".repeat(64), purpose, locale, &code).sms(&domain);
                assert!(
                    sms.len() <= SMS_LENGTH && sms.is_ascii(),
                    "{} {sms}",
                    sms.len()
                );
                assert!(bound_to(&sms).is_some(), "{sms}");
            }
        }
    }

    #[test]
    fn atk_71_a_name_cannot_add_a_line_a_domain_or_markup() {
        let code = NumericCode::parse("123456").unwrap();
        let notice = notice(
            "Shop\n\n@evil.example #1 <b>\"",
            Purpose::Verify,
            Locale::En,
            &code,
        );
        let sms = notice.sms("shop.example");
        assert_eq!(sms.matches('@').count(), 1);
        assert_eq!(sms.lines().count(), 3);
        assert_eq!(
            bound_to(&sms),
            Some(("shop.example".into(), "123456".into()))
        );
        assert!(!email(&notice).html.contains("<b>"));
    }

    #[test]
    fn a_call_says_whose_code_it_is_and_the_digits_apart() {
        let code = NumericCode::parse("012345").unwrap();
        for (locale, purpose, first) in [
            (Locale::En, Purpose::Verify, "Hello. Your Shop code is:"),
            (
                Locale::En,
                Purpose::Recovery,
                "Hello. Your Shop recovery code is:",
            ),
            (Locale::Es, Purpose::Verify, "Hola. Tu código de Shop es:"),
            (
                Locale::Es,
                Purpose::Recovery,
                "Hola. Tu código para recuperar Shop es:",
            ),
        ] {
            let spoken = notice("Sh\u{2764}op", purpose, locale, &code).spoken();
            assert_eq!((spoken.first.as_str(), spoken.digits), (first, "012345"));
            let language = if locale == Locale::En {
                "en-US"
            } else {
                "es-ES"
            };
            assert_eq!(spoken.language, language);
        }
    }

    #[test]
    fn names_are_spelled_with_what_gsm_7_has() {
        assert_eq!(gsm7_name("Año Niño & Cía"), "Ano Nino & Cia");
        assert_eq!(gsm7_name("東京"), "login");
        let (accents, letters) = (
            "áàâãäå ÁÀÂÃÄÅ éèêë ÉÈÊË íìîï ÍÌÎÏ óòôõöø ÓÒÔÕÖØ úùûü ÚÙÛÜ ñÑ çÇ",
            "aaaaaa AAAAAA eeee EEEE iiii IIII oooooo OOOOOO uuuu UUUU nN cC",
        );
        for (accents, letters) in accents.split(' ').zip(letters.split(' ')) {
            assert_eq!(gsm7_name(accents), letters);
        }
    }

    #[test]
    fn an_email_says_the_same_in_both_parts() {
        let code = NumericCode::parse("123456").unwrap();
        for locale in [Locale::En, Locale::Es] {
            for purpose in [Purpose::Verify, Purpose::Recovery] {
                let email = email(&notice("Zoë & Co", purpose, locale, &code));
                let minutes = format!(" {} minut", purpose.lifetime() / 60);
                assert!(email.text.contains(&minutes) && email.html.contains(&minutes));
                assert!(email.text.contains("123456") && email.html.contains("123456"));
                assert!(email.subject.contains("Zoë & Co") && email.html.contains("Zoë &#38; Co"));
                assert!(
                    !email.subject.contains("123456"),
                    "a lock screen shows subjects"
                );
            }
        }
    }
}
