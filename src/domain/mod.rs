//! The rules: ordinary values and functions. Nothing here waits, reads a clock, or knows HTTP, SQL or
//! Cloudflare.

pub mod account;
mod calling_codes;
pub mod code;
pub mod country;
pub mod digest;
pub mod email;
pub mod fields;
pub mod guess;
pub mod ids;
pub mod import;
pub mod keys;
pub mod message;
pub mod method;
pub mod otpauth;
pub mod phone;
pub mod qr;
pub mod random;
pub mod recovery;
pub mod sealing;
pub mod settings;
pub mod time;
pub mod token;
pub mod totp;
