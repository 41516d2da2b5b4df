//! Keys and what is made with them: sealed values, digests, tokens, randomness.

pub mod digest;
pub mod keys;
pub mod random;
pub mod sealing;
pub mod token;
