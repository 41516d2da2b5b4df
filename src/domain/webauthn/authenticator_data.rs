//! What an authenticator says and signs (§6.1), and the key it says it made (§6.5.1).

use super::Malformed;
use super::cbor::Reader;
use super::cose;
use super::credential::{Aaguid, CredentialId};
use crate::domain::crypto::public_keys::PublicKey;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthenticatorData {
    /// SHA-256 of the RP ID the credential belongs to.
    pub rp_id_hash: [u8; 32],
    pub flags: Flags,
    /// Zero for ever, or growing with each signature.
    pub sign_count: u32,
    /// At a registration only.
    pub attested: Option<AttestedCredential>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttestedCredential {
    pub aaguid: Aaguid,
    pub id: CredentialId,
    pub key: PublicKey,
}

/// Bits 1 and 5 are reserved and mean nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    pub const fn user_present(self) -> bool {
        self.0 & 1 != 0
    }

    pub const fn user_verified(self) -> bool {
        self.0 & 1 << 2 != 0
    }

    /// The key may leave the device it was made on. This never changes.
    pub const fn backup_eligible(self) -> bool {
        self.0 & 1 << 3 != 0
    }

    /// The key is on more than one device, or in somebody's cloud.
    pub const fn backed_up(self) -> bool {
        self.0 & 1 << 4 != 0
    }

    const fn attested(self) -> bool {
        self.0 & 1 << 6 != 0
    }

    const fn extensions(self) -> bool {
        self.0 & 1 << 7 != 0
    }
}

impl AuthenticatorData {
    /// Reads all of `bytes`. Extensions have to be a map in canonical CBOR and are then passed over: none is asked
    /// for, and the standard lets those that come unasked be ignored.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let (rp_id_hash, rest) = bytes.split_first_chunk().ok_or(Malformed)?;
        let (flags, rest) = rest.split_first().ok_or(Malformed)?;
        let (sign_count, mut rest) = rest.split_first_chunk().ok_or(Malformed)?;
        let flags = Flags(*flags);
        let attested = if flags.attested() {
            let (attested, after) = AttestedCredential::read(rest)?;
            rest = after;
            Some(attested)
        } else {
            None
        };
        let mut reader = Reader::new(rest);
        if flags.extensions() {
            let extensions = reader.item()?;
            Reader::new(extensions).map()?;
        }
        reader.end()?;
        Ok(Self {
            rp_id_hash: *rp_id_hash,
            flags,
            sign_count: u32::from_be_bytes(*sign_count),
            attested,
        })
    }
}

impl AttestedCredential {
    /// Answers what follows it, too.
    fn read(bytes: &[u8]) -> Result<(Self, &[u8]), Malformed> {
        let (aaguid, rest) = bytes.split_first_chunk().ok_or(Malformed)?;
        let (length, rest) = rest.split_first_chunk().ok_or(Malformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (id, rest) = rest.split_at_checked(length).ok_or(Malformed)?;
        let mut reader = Reader::new(rest);
        let attested = Self {
            aaguid: Aaguid::new(*aaguid),
            id: CredentialId::new(id.to_vec()).ok_or(Malformed)?,
            key: cose::read(&mut reader)?,
        };
        Ok((attested, reader.rest()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UP: u8 = 1;
    const AT: u8 = 1 << 6;
    const ED: u8 = 1 << 7;
    /// An Ed25519 key (RFC 8032 §7.1, test 1).
    const KEY: &str =
        "a401010327200621 5820d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    fn bytes(hex: &str) -> Vec<u8> {
        hex::decode(hex.replace(' ', "")).unwrap()
    }

    fn data(flags: u8, rest: &[u8]) -> Vec<u8> {
        [&[7; 32], &[flags][..], &[1, 2, 3, 4], rest].concat()
    }

    fn attested(id_length: u16) -> Vec<u8> {
        let id = vec![9; id_length.into()];
        [&[0xab; 16], &id_length.to_be_bytes()[..], &id, &bytes(KEY)].concat()
    }

    #[test]
    fn its_parts_are_where_they_should_be() {
        let read = AuthenticatorData::read(&data(UP | AT, &attested(16))).unwrap();
        assert_eq!(read.rp_id_hash, [7; 32]);
        assert_eq!(read.sign_count, 0x0102_0304);
        let attested = read.attested.unwrap();
        assert_eq!(
            attested.aaguid.as_str(),
            "abababab-abab-abab-abab-abababababab"
        );
        assert_eq!(attested.id.as_bytes(), [9; 16]);
        assert_eq!(cose::write(&attested.key), bytes(KEY));
        assert_eq!(
            AuthenticatorData::read(&data(UP, &[])).unwrap().attested,
            None
        );
    }

    #[test]
    fn each_flag_is_one_bit() {
        let names = |flags: Flags| {
            let all = [
                (flags.user_present(), "UP"),
                (flags.user_verified(), "UV"),
                (flags.backup_eligible(), "BE"),
                (flags.backed_up(), "BS"),
            ];
            all.into_iter()
                .filter_map(|(set, name)| set.then_some(name))
                .collect::<Vec<_>>()
        };
        let read = |flags| AuthenticatorData::read(&data(flags, &[])).map(|data| names(data.flags));
        assert_eq!(read(0), Ok(vec![]));
        assert_eq!(read(1), Ok(vec!["UP"]));
        assert_eq!(read(1 << 1), Ok(vec![]), "reserved");
        assert_eq!(read(1 << 2), Ok(vec!["UV"]));
        assert_eq!(read(1 << 3), Ok(vec!["BE"]));
        assert_eq!(read(1 << 4), Ok(vec!["BS"]));
        assert_eq!(read(1 << 5), Ok(vec![]), "reserved");
        assert_eq!(read(AT), Err(Malformed));
        assert_eq!(read(ED), Err(Malformed));
        assert_eq!(read(0x3f), Ok(vec!["UP", "UV", "BE", "BS"]));
    }

    #[test]
    fn what_no_flag_announces_is_refused() {
        assert!(AuthenticatorData::read(&data(UP, &[0xa0])).is_err());
        assert!(AuthenticatorData::read(&data(UP, &attested(16))).is_err());
        let after = [attested(16), vec![0xa0]].concat();
        assert!(AuthenticatorData::read(&data(UP | AT, &after)).is_err());
        assert!(AuthenticatorData::read(&data(UP | AT | ED, &after)).is_ok());
    }

    #[test]
    fn extensions_are_one_map_in_canonical_form() {
        let read = |hex: &str| AuthenticatorData::read(&data(UP | ED, &bytes(hex)));
        // {"credProtect": 2}, {"hmac-secret": true}.
        for map in [
            "a0",
            "a1 6b 6372656450726f74656374 02",
            "a1 6b 686d61632d736563726574 f5",
        ] {
            assert!(read(map).is_ok(), "{map}");
        }
        for other in [
            "",
            "01",
            "80",
            "60",
            "a0 a0",
            "a0 00",
            "bf ff",
            "a2 61 61 00 61 61 00",
            "a1 61 61",
        ] {
            assert!(read(other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn a_credential_id_has_1_to_1023_bytes() {
        let read = |length| AuthenticatorData::read(&data(UP | AT, &attested(length)));
        assert!(read(0).is_err());
        assert!(read(1).is_ok());
        assert!(read(1023).is_ok());
        assert!(read(1024).is_err());
    }

    #[test]
    fn what_is_cut_off_is_refused_at_any_place() {
        let whole = data(UP | AT | ED, &[attested(3), vec![0xa0]].concat());
        assert!(AuthenticatorData::read(&whole).is_ok());
        for length in 0..whole.len() {
            assert!(
                AuthenticatorData::read(&whole[..length]).is_err(),
                "{length}"
            );
        }
    }
}
