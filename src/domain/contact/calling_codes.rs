//! Which country a telephone number belongs to, by the digits it begins with: the calling codes of ITU-T
//! E.164, and what divides a code that several countries share. Line types and the lengths of national
//! numbers are not here: a number that has a country may still not exist.

/// ISO 3166-1 alpha-2 codes (and the AC, TA and XK in common use), each followed by the prefixes that are
/// its own. The longest prefix decides. One text is the smallest form in the wasm: a slice of pairs costs
/// sixteen bytes of pointers for each prefix.
///
/// What is missing belongs to nobody's ordinary network and is refused by every list: satellite and global
/// services (+800, +808, +870, +878, +88x, +979), unassigned codes, and the North American codes without a
/// place (toll free, premium, personal, and Canada's 600, which is satellite). +1 is listed by area code
/// because a default of US would let a new Caribbean code in, at Caribbean prices. `npm run calling-codes`
/// makes it from libphonenumber.
const COUNTRIES: &str = include_str!("calling_codes/countries.txt");

/// Ranges that bill the caller or follow a person (premium, shared cost, personal numbers), as far as two
/// or three national digits show it, and +52 1, the old second form of each Mexican mobile number. Not
/// exhaustive, and no mobile, fixed or Internet telephony range is inside; only the provider's own lookup
/// knows the line type of the rest. `npm run calling-codes` makes it as well.
const REFUSED: &str = include_str!("calling_codes/refused.txt");

/// Where a national number may begin with 0.
const ZERO_KEPT: &str = "39 225 226 229 241 242 250 378 992";

/// The calling codes of two digits; 1 and 7 have one, the others three.
const TWO_DIGITS: &str = "20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 \
     62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98";

/// The country of an E.164 number, given without its +. `None` is a number that no country's ordinary
/// network answers.
pub(super) fn country_of(digits: &str) -> Option<[u8; 2]> {
    if is_second_spelling(digits) || is_refused(digits) {
        return None;
    }
    prefixes()
        .filter(|(_, prefix)| digits.starts_with(prefix))
        .max_by_key(|(_, prefix)| prefix.len())
        .map(|(country, _)| country)
}

pub(super) fn is_country(code: [u8; 2]) -> bool {
    prefixes().any(|(country, _)| country == code)
}

/// The country code at the beginning of `digits`, in the sense of E.164: 1 for Jamaica too.
pub(super) fn calling_code(digits: &str) -> &str {
    let length = match digits.get(..2) {
        Some(start) if start.starts_with(['1', '7']) => 1,
        Some(start)
            if TWO_DIGITS
                .split_ascii_whitespace()
                .any(|code| code == start) =>
        {
            2
        }
        _ => 3,
    };
    digits.get(..length).unwrap_or(digits)
}

fn prefixes() -> impl Iterator<Item = ([u8; 2], &'static str)> {
    let mut country = [0; 2];
    COUNTRIES
        .split_ascii_whitespace()
        .filter_map(move |word| match *word.as_bytes() {
            [first @ b'A'..=b'Z', second] => {
                country = [first, second];
                None
            }
            _ => Some((country, word)),
        })
}

fn is_refused(digits: &str) -> bool {
    REFUSED
        .split_ascii_whitespace()
        .any(|prefix| digits.starts_with(prefix))
}

/// Networks forgive +44 07700 and surplus digits after +1 415 555 2671, so these would reach the phone of
/// the plain form while each counts its sends from zero.
fn is_second_spelling(digits: &str) -> bool {
    let code = calling_code(digits);
    match code {
        "1" | "7" => digits.len() != 11,
        _ => {
            digits
                .strip_prefix(code)
                .is_some_and(|national| national.starts_with('0'))
                && !ZERO_KEPT.split_ascii_whitespace().any(|kept| kept == code)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_prefix_is_digits_of_one_country_and_appears_once() {
        let mut seen = HashSet::new();
        for (country, prefix) in prefixes() {
            assert_ne!(country, [0; 2], "{prefix} follows no country");
            assert!(is_e164_start(prefix), "{prefix}");
            assert!(seen.insert(prefix), "{prefix} appears twice");
        }
    }

    #[test]
    fn every_country_appears_once_and_in_order() {
        let codes: Vec<&str> = COUNTRIES
            .split_ascii_whitespace()
            .filter(|word| word.starts_with(|first: char| first.is_ascii_alphabetic()))
            .collect();
        assert!(codes.is_sorted_by(|one, next| one < next));
        assert!(
            codes
                .iter()
                .all(|code| code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase()))
        );
        assert_eq!(codes.len(), 245);
    }

    #[test]
    fn every_refused_prefix_is_digits_and_lies_inside_one_listed_code() {
        let mut seen = HashSet::new();
        for refused in REFUSED.split_ascii_whitespace() {
            assert!(is_e164_start(refused), "{refused}");
            assert!(seen.insert(refused), "{refused} appears twice");
            assert!(
                refused.len() > calling_code(refused).len(),
                "{refused} is a whole calling code"
            );
            assert!(
                prefixes().any(|(_, prefix)| refused.starts_with(prefix)),
                "{refused} refuses nothing"
            );
            assert!(
                !prefixes().any(|(_, prefix)| prefix.starts_with(refused)),
                "{refused} hides a listed prefix"
            );
        }
    }

    #[test]
    fn a_country_prefix_begins_with_a_calling_code_of_the_right_length() {
        for (_, prefix) in prefixes() {
            let code = calling_code(prefix);
            assert!(prefix.starts_with(code));
            assert!(
                !prefixes().any(|(_, other)| other.len() < code.len() && prefix.starts_with(other)),
                "{prefix} is taken for +{code}"
            );
        }
    }

    #[test]
    fn the_tables_stay_small() {
        assert!(COUNTRIES.len() + REFUSED.len() < 6_000);
    }

    fn is_e164_start(prefix: &str) -> bool {
        prefix.bytes().all(|b| b.is_ascii_digit()) && !prefix.starts_with('0')
    }
}
