//! Keys and what is made with them: sealed values, digests, tokens, signatures, randomness.

pub mod digest;
pub mod keys;
pub mod public_keys;
pub mod random;
pub mod result_token;
pub mod sealing;
pub mod signing_key;
pub mod token;
