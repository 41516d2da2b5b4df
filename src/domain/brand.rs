//! How the hosted page and the e-mails look for one application: a name, a colour, a picture. All of it is
//! shown to people on this service's own origin, so nothing in it may run, load or hide anything (ATK-99).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::settings::Label;

/// Each may be missing: the client's name, no picture and the page's own colour then take its place.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Brand {
    pub name: Option<Label>,
    pub logo_url: Option<Logo>,
    pub colour: Option<Colour>,
}

/// `#rrggbb`, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Colour(String);

impl Colour {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Colour {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let digits = text.strip_prefix('#').unwrap_or_default();
        (digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .then(|| Self(text.to_ascii_lowercase()))
            .ok_or("a colour as #rrggbb, such as #0f766e")
    }
}

/// A picture as a `data:` URL, which the page shows by `<img>` alone.
///
/// Its beginning and its length are looked at whenever it is read; what is in it when it is set
/// (`Logo::check`), since the settings are read with each verification.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Logo(String);

const PNG: &str = "data:image/png;base64,";
const SVG: &str = "data:image/svg+xml;base64,";
/// Characters. A request that sets it has at most 16 KiB.
const LONGEST: usize = 16_000;
const EXPECTED: &str = "a data URL of at most 16000 characters, data:image/png;base64,… or \
     data:image/svg+xml;base64,…";

impl Logo {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the picture is what it says, and an SVG one without anything that runs, loads or links.
    pub fn check(&self) -> Result<(), &'static str> {
        let bytes = |text: &str| STANDARD.decode(text).map_err(|_| EXPECTED);
        if let Some(text) = self.0.strip_prefix(PNG) {
            let is_png = bytes(text)?.starts_with(b"\x89PNG\r\n\x1a\n");
            return is_png.then_some(()).ok_or("a picture that is a PNG");
        }
        let text = self.0.strip_prefix(SVG).ok_or(EXPECTED)?;
        let svg = String::from_utf8(bytes(text)?).map_err(|_| "an SVG picture in UTF-8")?;
        is_still(&svg).then_some(()).ok_or(
            "an SVG picture of shapes only: no script, style, animation, link, text from elsewhere, \
             entity, comment or on… attribute",
        )
    }
}

impl TryFrom<String> for Logo {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let begins = text.starts_with(PNG) || text.starts_with(SVG);
        (begins && text.len() <= LONGEST)
            .then_some(Self(text))
            .ok_or(EXPECTED)
    }
}

/// The elements an SVG picture may have: shapes, groups and gradients.
const ELEMENTS: [&str; 18] = [
    "svg",
    "g",
    "path",
    "rect",
    "circle",
    "ellipse",
    "line",
    "polyline",
    "polygon",
    "defs",
    "lineargradient",
    "radialgradient",
    "stop",
    "title",
    "desc",
    "clippath",
    "mask",
    "symbol",
];

/// Whether every tag is of an element that draws, with no attribute that runs or loads. Text that is not
/// plainly of that form, such as a comment, an entity or a declaration, is refused with the rest.
fn is_still(svg: &str) -> bool {
    let lower = svg.trim().to_ascii_lowercase();
    let mut tags = lower.split('<');
    // Before the first tag there is nothing.
    if tags.next() != Some("") || !lower.starts_with("<svg") || lower.contains('&') {
        return false;
    }
    tags.all(|tag| {
        let Some((inside, _text)) = tag.split_once('>') else {
            return false;
        };
        let inside = inside.trim_start_matches('/').trim_end_matches('/');
        let end = inside
            .find(|character: char| character.is_ascii_whitespace())
            .unwrap_or(inside.len());
        let (name, attributes) = inside.split_at_checked(end).unwrap_or_default();
        ELEMENTS.contains(&name) && attributes_are_still(attributes)
    })
}

/// Attributes one after the other, each with a quoted value.
fn attributes_are_still(text: &str) -> bool {
    let mut rest = text.trim();
    while !rest.is_empty() {
        let Some((name, after)) = rest.split_once('=') else {
            return false;
        };
        let (name, after) = (name.trim(), after.trim_start());
        let Some(quote) = after.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            return false;
        };
        let mut parts = after.splitn(3, quote);
        let (_, Some(value), Some(left)) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        if !attribute_is_still(name, value) {
            return false;
        }
        rest = left.trim_start();
    }
    true
}

fn attribute_is_still(name: &str, value: &str) -> bool {
    if name == "xmlns" {
        return value == "http://www.w3.org/2000/svg";
    }
    let plain = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b == b'-' || b.is_ascii_digit());
    // Only a part of the picture itself is referred to.
    let refers = value
        .split("url(")
        .skip(1)
        .any(|rest| !rest.starts_with('#'));
    let elsewhere = value.contains(':') || value.contains('\\') || value.contains('@');
    plain
        && !name.starts_with("on")
        && !matches!(name, "style" | "href" | "src" | "class")
        && !refers
        && !elsewhere
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logo(prefix: &str, bytes: &[u8]) -> Result<(), &'static str> {
        Logo::try_from(format!("{prefix}{}", STANDARD.encode(bytes)))?.check()
    }

    fn svg(text: &str) -> Result<(), &'static str> {
        logo(SVG, text.as_bytes())
    }

    #[test]
    fn atk_99_a_picture_is_a_png_or_an_svg_that_only_draws() {
        assert!(logo(PNG, b"\x89PNG\r\n\x1a\n...").is_ok());
        assert!(logo(PNG, b"<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>").is_err());
        assert!(svg(r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox='0 0 32 32'>
            <defs><linearGradient id="a"><stop offset="0" stop-color="#fff"/></linearGradient></defs>
            <path fill="url(#a)" d="M27 4C14 4 5 10 5 20"/><title>Shop</title></svg>"##)
        .is_ok());
        for bad in [
            "",
            "shop",
            "<svg><script>alert(1)</script></svg>",
            "<svg><SCRIPT href='x'/></svg>",
            "<svg onload='alert(1)'></svg>",
            "<svg\nonload='alert(1)'></svg>",
            "<svg/onload='alert(1)'></svg>",
            "<svg a='b'onload='alert(1)'></svg>",
            "<svg a='>' onload='alert(1)'></svg>",
            "<svg onload=alert(1)></svg>",
            "<svg><foreignObject><p/></foreignObject></svg>",
            "<svg><image href='https://evil.example/x.png'/></svg>",
            "<svg><use href='#a'/></svg>",
            "<svg><a href='javascript:alert(1)'><path d='M0 0'/></a></svg>",
            "<svg><style>*{fill:red}</style></svg>",
            "<svg style='background:url(https://evil.example)'></svg>",
            "<svg><path fill='url(https://evil.example/#a)'/></svg>",
            "<svg><path fill=' url(//evil.example/#a)'/></svg>",
            "<svg><path fill='url(#a) url(x)' /></svg>",
            "<svg><set attributeName='href' to='x'/></svg>",
            "<svg><animate attributeName='d'/></svg>",
            "<svg xmlns:xlink='http://www.w3.org/1999/xlink'></svg>",
            "<svg xmlns='http://www.w3.org/1999/xhtml'></svg>",
            "<?xml version='1.0'?><svg></svg>",
            "<!DOCTYPE svg [<!ENTITY x 'y'>]><svg>&x;</svg>",
            "<svg><!-- --><path/></svg>",
            "<svg><title>&#60;script></title></svg>",
            "<html><svg></svg></html>",
            "<svg",
        ] {
            assert!(svg(bad).is_err(), "{bad}");
        }
        assert!(logo(SVG, b"<svg>\xff</svg>").is_err());
    }

    #[test]
    fn atk_99_a_picture_is_inside_its_address_and_short() {
        let at = |text: &str| Logo::try_from(text.to_owned());
        assert!(at("https://evil.example/logo.png").is_err());
        assert!(at("data:text/html;base64,PHA+").is_err());
        assert!(at("data:image/svg+xml,<svg/>").is_err());
        assert!(at("data:image/gif;base64,R0lG").is_err());
        assert!(at(&format!("{PNG}{}", "A".repeat(LONGEST))).is_err());
        let broken = at(&format!("{PNG}not base64\"")).unwrap();
        assert!(broken.check().is_err());
    }

    #[test]
    fn atk_99_a_colour_is_six_digits_and_nothing_else() {
        let parse = |text: &str| Colour::try_from(text.to_owned());
        assert_eq!(parse("#0F766e").unwrap().as_str(), "#0f766e");
        for bad in [
            "",
            "#",
            "red",
            "#fff",
            "#0f766e;",
            "0f766e",
            "#0f766g",
            "#0f766e ",
            "#0f766é",
            "#0f766e;background:url(//evil.example)",
            "rgb(0,0,0)",
            "var(--x)",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
