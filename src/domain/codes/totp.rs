//! TOTP (RFC 6238): the crate computes one step's code, the window is walked here, because the
//! step that matched must be known to be used up.

use serde::{Deserialize, Serialize};
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use totp_rs::{Builder, Totp};

use crate::domain::codes::numeric::{Digits, NumericCode};
use crate::domain::time::UnixTime;

/// Steps accepted before and after the current one (RFC 6238 §5.2, decision 25).
const WINDOW: u64 = 1;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Algorithm {
    #[default]
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    /// As the otpauth URI spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    /// Secrets are as long as the hash's output (RFC 6238 §5.1, R6).
    pub const fn secret_bytes(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha512 => 64,
        }
    }
}

/// The length of a time step in seconds, 30 or 60.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u64", into = "u64")]
pub struct Period(u64);

impl Period {
    pub const fn seconds(self) -> u64 {
        self.0
    }
}

impl TryFrom<u64> for Period {
    type Error = &'static str;

    fn try_from(seconds: u64) -> Result<Self, &'static str> {
        matches!(seconds, 30 | 60)
            .then_some(Self(seconds))
            .ok_or("30 or 60")
    }
}

impl From<Period> for u64 {
    fn from(period: Period) -> Self {
        period.0
    }
}

/// A time step: T of RFC 6238 §4.2, with T0 = 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Step(u64);

/// What an authenticator app needs to know beside the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    pub algorithm: Algorithm,
    pub digits: Digits,
    pub period: Period,
}

impl Default for Parameters {
    fn default() -> Self {
        Self {
            algorithm: Algorithm::Sha1,
            digits: Digits::SIX,
            period: Period(30),
        }
    }
}

impl Parameters {
    pub fn step_at(&self, now: UnixTime) -> Step {
        Step(now.as_secs() / self.period.0)
    }

    /// When a code that `step` does not cover is first due: the answer to a used code names it.
    pub fn start_of_next(&self, step: Step) -> UnixTime {
        UnixTime::from_secs(step.0.saturating_add(1).saturating_mul(self.period.0))
    }

    /// The code of one step (RFC 4226 §5.3).
    pub fn code_at(&self, secret: &[u8], step: Step) -> NumericCode {
        let text = self
            .generator(secret)
            .generate(step.0.saturating_mul(self.period.0))
            .to_string();
        NumericCode::from_generated(text)
    }

    /// The greatest step of the window whose code is `guess`.
    ///
    /// The whole window is compared, in constant time (TOTP-13). The greatest step counts, since two
    /// neighbouring steps may share a code and would else let it pass twice (TOTP-07).
    pub fn matching_step(&self, secret: &[u8], guess: &NumericCode, now: UnixTime) -> Option<Step> {
        let generator = self.generator(secret);
        let current = self.step_at(now).0;
        let mut matched = Choice::from(0);
        let mut greatest = 0;
        for step in current.saturating_sub(WINDOW)..=current.saturating_add(WINDOW) {
            let code = generator
                .generate(step.saturating_mul(self.period.0))
                .to_string();
            let equal = code.as_bytes().ct_eq(guess.as_str().as_bytes());
            greatest.conditional_assign(&step, equal);
            matched |= equal;
        }
        bool::from(matched).then_some(Step(greatest))
    }

    fn generator(&self, secret: &[u8]) -> Totp {
        let algorithm = match self.algorithm {
            Algorithm::Sha1 => totp_rs::Algorithm::SHA1,
            Algorithm::Sha256 => totp_rs::Algorithm::SHA256,
            Algorithm::Sha512 => totp_rs::Algorithm::SHA512,
        };
        // Digits and period are checked types, so the builder's own checks have nothing to add.
        Builder::new()
            .with_algorithm(algorithm)
            .with_digits(self.digits.get())
            .with_step_duration(self.period.0)
            .with_secret(secret)
            .build_noncompliant()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHA1_KEY: &[u8] = b"12345678901234567890";
    const SHA256_KEY: &[u8] = b"12345678901234567890123456789012";
    const SHA512_KEY: &[u8] = b"1234567890123456789012345678901234567890123456789012345678901234";

    fn parameters(algorithm: Algorithm, digits: Digits) -> Parameters {
        Parameters {
            algorithm,
            digits,
            ..Parameters::default()
        }
    }

    fn code(text: &str) -> NumericCode {
        NumericCode::parse(text).unwrap()
    }

    fn codes_at(time: u64, digits: Digits) -> [String; 3] {
        [
            (Algorithm::Sha1, SHA1_KEY),
            (Algorithm::Sha256, SHA256_KEY),
            (Algorithm::Sha512, SHA512_KEY),
        ]
        .map(|(algorithm, key)| {
            let parameters = parameters(algorithm, digits);
            parameters
                .code_at(key, parameters.step_at(UnixTime::from_secs(time)))
                .as_str()
                .to_owned()
        })
    }

    #[test]
    fn totp_01_rfc_4226_appendix_d() {
        let expected = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (counter, expected) in (0..).zip(expected) {
            assert_eq!(
                Parameters::default()
                    .code_at(SHA1_KEY, Step(counter))
                    .as_str(),
                expected
            );
        }
    }

    #[test]
    fn totp_01_rfc_6238_appendix_b_with_eight_and_with_six_digits() {
        let table = [
            (59, ["94287082", "46119246", "90693936"]),
            (1_111_111_109, ["07081804", "68084774", "25091201"]),
            (1_111_111_111, ["14050471", "67062674", "99943326"]),
            (1_234_567_890, ["89005924", "91819424", "93441116"]),
            (2_000_000_000, ["69279037", "90698825", "38618901"]),
            (20_000_000_000, ["65353130", "77737706", "47863826"]),
        ];
        for (time, expected) in table {
            assert_eq!(codes_at(time, Digits::EIGHT), expected.map(str::to_owned));
            assert_eq!(
                codes_at(time, Digits::SIX),
                expected.map(|code| code[2..].to_owned())
            );
        }
    }

    #[test]
    fn totp_02_time_and_steps_are_64_bits() {
        let table = [
            (0, ["84755224", "18920136", "53550594"]),
            (29, ["84755224", "18920136", "53550594"]),
            (2_147_483_647, ["24703886", "68493486", "44067341"]),
            (2_147_483_648, ["24703886", "68493486", "44067341"]),
            (4_294_967_295, ["59791428", "77645532", "92399846"]),
            (4_294_967_296, ["59791428", "77645532", "92399846"]),
            (128_849_018_850, ["57117190", "40114512", "69006271"]),
            (128_849_018_880, ["55999456", "66351443", "82894678"]),
        ];
        for (time, expected) in table {
            assert_eq!(
                codes_at(time, Digits::EIGHT),
                expected.map(str::to_owned),
                "{time}"
            );
        }
    }

    #[test]
    fn totp_03_secrets_are_as_long_as_the_hashs_output() {
        for (algorithm, bytes) in [
            (Algorithm::Sha1, 20),
            (Algorithm::Sha256, 32),
            (Algorithm::Sha512, 64),
        ] {
            assert_eq!(algorithm.secret_bytes(), bytes);
        }
    }

    #[test]
    fn leading_zeros_are_kept() {
        for (step, expected) in [
            (44, "000152"),
            (59_703_239, "000017"),
            (59_714_792, "000003"),
        ] {
            assert_eq!(
                Parameters::default().code_at(SHA1_KEY, Step(step)).as_str(),
                expected
            );
        }
    }

    #[test]
    fn totp_08_codes_one_step_before_and_after_pass_and_none_further() {
        let parameters = Parameters::default();
        for second in [0, 1, 15, 29] {
            let now = UnixTime::from_secs(1_000_000 * 30 + second);
            for offset in 0..=6 {
                let step = Step(1_000_000 - 3 + offset);
                let guess = parameters.code_at(SHA1_KEY, step);
                let expected = (2..=4).contains(&offset).then_some(step);
                assert_eq!(
                    parameters.matching_step(SHA1_KEY, &guess, now),
                    expected,
                    "{offset} at {second}"
                );
            }
        }
    }

    #[test]
    fn atk_09_a_code_shared_by_neighbouring_steps_counts_for_the_greater() {
        let parameters = Parameters::default();
        for time in [27_322_110, 27_322_140] {
            let matched =
                parameters.matching_step(SHA1_KEY, &code("911617"), UnixTime::from_secs(time));
            assert_eq!(matched, Some(Step(910_738)));
        }
        // Two steps apart: both lie in one window when the step between them is the current one.
        let matched = parameters.matching_step(
            SHA1_KEY,
            &code("768734"),
            UnixTime::from_secs(1_839_954_300),
        );
        assert_eq!(matched, Some(Step(61_331_811)));
    }

    #[test]
    fn a_code_of_another_length_never_matches() {
        let now = UnixTime::from_secs(59);
        assert_eq!(
            parameters(Algorithm::Sha1, Digits::EIGHT).matching_step(
                SHA1_KEY,
                &code("287082"),
                now
            ),
            None
        );
        assert_eq!(
            Parameters::default().matching_step(SHA1_KEY, &code("94287082"), now),
            None
        );
    }

    #[test]
    fn totp_19_other_digits_and_periods_do_not_exist() {
        for digits in [0, 1, 5, 7, 9, 255] {
            assert!(Digits::try_from(digits).is_err());
        }
        for period in [0, 1, 29, 31, 90, u64::MAX] {
            assert!(Period::try_from(period).is_err());
        }
    }

    proptest! {
        #[test]
        fn the_window_holds_exactly_the_codes_of_three_steps(
            secret in proptest::collection::vec(any::<u8>(), 20), time in 90_u64..1 << 40, offset in 0_u64..7,
        ) {
            let parameters = Parameters::default();
            let step = Step(time / 30 + offset - 3);
            let guess = parameters.code_at(&secret, step);
            let matched = parameters.matching_step(&secret, &guess, UnixTime::from_secs(time));
            if (2..=4).contains(&offset) {
                prop_assert!(matched >= Some(step));
            } else if let Some(matched) = matched {
                prop_assert_eq!(parameters.code_at(&secret, matched), guess, "only by coincidence");
            }
        }
    }
}
