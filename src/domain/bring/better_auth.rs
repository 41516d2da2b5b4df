//! What better-auth encrypts: XChaCha20-Poly1305 under the SHA-256 of its secret, a nonce of 24 bytes first, in hex.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use sha2::{Digest as _, Sha256};

use super::Reason;

const NONCE: usize = 24;

/// The text that was encrypted, whose bytes are the key of the app.
pub(super) fn open(text: &str, secret: &[u8]) -> Result<Vec<u8>, Reason> {
    // `$ba$1$…` says which of several secrets it was; the one that is given is tried.
    let hex_text = text.rsplit('$').next().unwrap_or(text);
    let bytes = hex::decode(hex_text).map_err(|_| Reason::Secret("hexadecimal"))?;
    let (nonce, sealed) = bytes.split_at_checked(NONCE).ok_or(Reason::Locked)?;
    let (first, rest) = nonce.split_at_checked(16).ok_or(Reason::Locked)?;
    let first: &[u8; 16] = first.try_into().map_err(|_| Reason::Locked)?;
    let key: [u8; 32] = Sha256::digest(secret).into();
    let key = hchacha20(&key, first);
    // draft-irtf-cfrg-xchacha §2.3: what is left of the nonce, after four bytes of zeros.
    let mut nonce = [0; 12];
    for (to, from) in nonce.iter_mut().skip(4).zip(rest) {
        *to = *from;
    }
    let key = UnboundKey::new(&CHACHA20_POLY1305, &key).map_err(|_| Reason::Locked)?;
    let mut sealed = sealed.to_vec();
    let opened = LessSafeKey::new(key).open_in_place(
        Nonce::assume_unique_for_key(nonce),
        Aad::empty(),
        &mut sealed,
    );
    opened
        .map(|plain| plain.to_vec())
        .map_err(|_| Reason::Locked)
}

/// `HChaCha20` (draft-irtf-cfrg-xchacha §2.2): the rounds of `ChaCha20` without the sum at their end.
fn hchacha20(key: &[u8; 32], nonce: &[u8; 16]) -> [u8; 32] {
    let word = |bytes: &[u8]| {
        let bytes: [u8; 4] = bytes.try_into().unwrap_or_default();
        u32::from_le_bytes(bytes)
    };
    let mut words = b"expand 32-byte k"
        .chunks_exact(4)
        .chain(key.chunks_exact(4))
        .chain(nonce.chunks_exact(4))
        .map(word);
    let mut state: [u32; 16] = std::array::from_fn(|_| words.next().unwrap_or_default());
    for _ in 0..10 {
        for place in 0..4 {
            state = quarter(state, [place, place + 4, place + 8, place + 12]);
        }
        for place in 0..4 {
            let at = |row: usize| row * 4 + (place + row) % 4;
            state = quarter(state, [at(0), at(1), at(2), at(3)]);
        }
    }
    let (first, last) = (state.iter().take(4), state.iter().skip(12));
    let bytes: Vec<u8> = first
        .chain(last)
        .flat_map(|word| word.to_le_bytes())
        .collect();
    bytes.try_into().unwrap_or([0; 32])
}

/// One quarter round (RFC 8439 §2.1) of the words at these places.
fn quarter(mut state: [u32; 16], places: [usize; 4]) -> [u32; 16] {
    let mut words = places.map(|place| state.get(place).copied().unwrap_or_default());
    let [a, b, c, d] = &mut words;
    *a = a.wrapping_add(*b);
    *d = (*d ^ *a).rotate_left(16);
    *c = c.wrapping_add(*d);
    *b = (*b ^ *c).rotate_left(12);
    *a = a.wrapping_add(*b);
    *d = (*d ^ *a).rotate_left(8);
    *c = c.wrapping_add(*d);
    *b = (*b ^ *c).rotate_left(7);
    for (place, word) in places.into_iter().zip(words) {
        if let Some(slot) = state.get_mut(place) {
            *slot = word;
        }
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    /// draft-irtf-cfrg-xchacha-03 §2.2.1.
    #[test]
    fn the_drafts_hchacha20_comes_out() {
        let key: [u8; 32] = std::array::from_fn(|place| u8::try_from(place).unwrap());
        let nonce = hex::decode("000000090000004a0000000031415927").unwrap();
        let expected = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc";
        assert_eq!(
            hex::encode(hchacha20(&key, &nonce.try_into().unwrap())),
            expected
        );
    }
}
