//! Where messages go, and what they say.

mod calling_codes;
pub mod country;
pub mod email;
pub mod mail;
pub mod message;
pub mod phone;
