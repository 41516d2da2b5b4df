//! The brand's colour, and what can be read on it.

const OWN: &str = "#0f766e";
/// The card in a light and in a dark mail program.
const CARDS: [&str; 2] = ["#ffffff", "#171d25"];
const EDGE: &str = "#76828f";

pub(super) struct Colours<'a> {
    pub accent: &'a str,
    pub on_accent: &'static str,
    /// Where the fill would be lost on a card, a border that is not.
    pub accent_edge: &'a str,
}

impl<'a> Colours<'a> {
    pub(super) fn of(colour: Option<&'a str>) -> Self {
        let accent = colour.unwrap_or(OWN);
        let black = contrast(accent, "#000000") > contrast(accent, "#ffffff");
        let lost = CARDS.iter().any(|card| contrast(accent, card) < 3.0);
        Self {
            accent,
            on_accent: if black { "#000000" } else { "#ffffff" },
            accent_edge: if lost { EDGE } else { accent },
        }
    }
}

/// WCAG 2.2, "contrast ratio".
fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// WCAG 2.2, "relative luminance".
fn luminance(colour: &str) -> f64 {
    let part = |from: usize| {
        let digits = colour.get(from..from + 2).unwrap_or_default();
        let value = f64::from(u8::from_str_radix(digits, 16).unwrap_or_default()) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            ((value + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
}
