//! Randomness from the platform's generator (`crypto.getRandomValues` in a Worker), and from nowhere else.

/// The platform gave no randomness. Nothing is drawn from anything weaker instead (CRY-10).
#[derive(Debug, thiserror::Error)]
#[error("the platform's random generator failed: {0}")]
pub struct RandomError(getrandom::Error);

/// `N` random bytes.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the platform for randomness"
)]
pub fn bytes<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(RandomError)?;
    Ok(bytes)
}

/// `length` random bytes, for lengths known only at run time.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that asks the platform for randomness"
)]
pub fn vec(length: usize) -> Result<Vec<u8>, RandomError> {
    let mut bytes = vec![0; length];
    getrandom::fill(&mut bytes).map_err(RandomError)?;
    Ok(bytes)
}

/// 128 random bits in hex: an id nobody can guess.
pub fn id() -> Result<String, RandomError> {
    Ok(hex::encode(bytes::<16>()?))
}

/// A number below `limit`, every one as likely as any other.
pub fn below(limit: u32) -> Result<u32, RandomError> {
    below_from(limit, || Ok(u32::from_le_bytes(bytes()?)))
}

/// Rejection sampling: what lies above the last whole multiple of `limit` is drawn again, since
/// a plain remainder would favour small numbers (OOB-01).
fn below_from<E>(limit: u32, mut draw: impl FnMut() -> Result<u32, E>) -> Result<u32, E> {
    let limit = limit.max(1);
    let whole_multiples = u32::MAX - (u32::MAX % limit);
    loop {
        let number = draw()?;
        if number < whole_multiples {
            return Ok(number % limit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_from_the_incomplete_last_multiple_is_drawn_again() {
        let last_whole = u32::MAX - (u32::MAX % 1_000_000);
        let mut draws = [u32::MAX, last_whole, last_whole - 1].into_iter();
        let number = below_from::<()>(1_000_000, || Ok(draws.next().unwrap())).unwrap();
        assert_eq!(number, 999_999);
        assert_eq!(draws.next(), None);
    }

    #[test]
    fn a_failing_generator_is_an_error_and_not_a_zero() {
        assert_eq!(below_from(10, || Err("no entropy")), Err("no entropy"));
    }

    #[test]
    fn as_many_bytes_are_drawn_as_were_asked_for_and_no_two_draws_are_alike() {
        let (a, b) = (vec(32).unwrap(), vec(32).unwrap());
        assert_eq!((a.len(), b.len()), (32, 32));
        assert_ne!(a, b);
        assert!(vec(0).unwrap().is_empty());
    }

    #[test]
    fn ids_are_128_bits_and_differ() {
        let (a, b) = (id().unwrap(), id().unwrap());
        assert_eq!(a.len(), 32);
        assert_ne!(a, b);
    }
}
