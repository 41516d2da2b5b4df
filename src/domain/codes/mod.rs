//! Codes: those of an app, those that are delivered, those a user keeps, and what somebody typed.

pub mod guess;
pub mod import;
pub mod numeric;
pub mod otpauth;
pub mod recovery_code;
pub mod totp;
