//! The attestation object (§6.5.4): the authenticator data in a wrapping that may prove where they come from.

use super::Malformed;
use super::cbor::Reader;

#[derive(Debug, PartialEq, Eq)]
pub struct AttestationObject<'a> {
    pub statement: Statement<'a>,
    pub authenticator_data: &'a [u8],
}

#[derive(Debug, PartialEq, Eq)]
pub enum Statement<'a> {
    /// Format `packed` without certificates (§8.2): signed by the credential's own key.
    SelfSigned {
        /// A COSE algorithm.
        algorithm: i64,
        signature: &'a [u8],
    },
    /// `none`, or one that is not verified here, which counts for as much.
    Unverified,
}

/// The text `x5c` as a key.
const X5C: &[u8] = b"\x63x5c";

impl<'a> AttestationObject<'a> {
    /// `{"fmt": text, "attStmt": map, "authData": bytes}`, in this order as CTAP2 sorts keys.
    pub fn read(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        reader.expect(b"\xa3\x63fmt")?;
        let format = reader.text()?;
        reader.expect(b"\x67attStmt")?;
        let statement = reader.item()?;
        reader.expect(b"\x68authData")?;
        let authenticator_data = reader.bytes()?;
        reader.end()?;
        Ok(Self {
            statement: Statement::read(format, statement)?,
            authenticator_data,
        })
    }
}

impl<'a> Statement<'a> {
    /// `bytes` is one item in canonical CBOR.
    fn read(format: &str, bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let entries = reader.map()?;
        match format {
            "none" if entries != 0 => Err(Malformed),
            "packed" => {
                reader.expect(b"\x63alg")?;
                let algorithm = reader.integer()?;
                reader.expect(b"\x63sig")?;
                let signature = reader.bytes()?;
                match entries {
                    2 => Ok(Self::SelfSigned {
                        algorithm,
                        signature,
                    }),
                    // Signed by a certificate's key.
                    3 => reader.expect(X5C).map(|()| Self::Unverified),
                    _ => Err(Malformed),
                }
            }
            _ => Ok(Self::Unverified),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(format: &[u8], statement: &[u8]) -> Vec<u8> {
        [
            b"\xa3\x63fmt",
            format,
            b"\x67attStmt",
            statement,
            b"\x68authData\x42\x01\x02",
        ]
        .concat()
    }

    const NONE: &[u8] = b"\x64none";
    const PACKED: &[u8] = b"\x66packed";

    /// The statement of an object whose authenticator data are found.
    fn statement(bytes: &[u8]) -> Option<Statement<'_>> {
        let object = AttestationObject::read(bytes).ok()?;
        assert_eq!(object.authenticator_data, [1, 2]);
        Some(object.statement)
    }

    #[test]
    fn none_has_an_empty_statement() {
        assert_eq!(
            statement(&object(NONE, b"\xa0")),
            Some(Statement::Unverified)
        );
        assert_eq!(statement(&object(NONE, b"\xa1\x61a\x00")), None);
        assert_eq!(statement(&object(NONE, b"\x80")), None);
    }

    #[test]
    fn packed_without_certificates_is_signed_by_the_key_itself() {
        let bytes = object(PACKED, b"\xa2\x63alg\x39\x01\x00\x63sig\x42\x03\x04");
        let expected = Statement::SelfSigned {
            algorithm: -257,
            signature: &[3, 4],
        };
        assert_eq!(statement(&bytes), Some(expected));
    }

    #[test]
    fn packed_with_certificates_is_not_verified() {
        let bytes = object(
            PACKED,
            b"\xa3\x63alg\x26\x63sig\x42\x03\x04\x63x5c\x81\x41\x30",
        );
        assert_eq!(statement(&bytes), Some(Statement::Unverified));
    }

    #[test]
    fn packed_has_no_other_members() {
        for other in [
            b"\xa0".as_slice(),
            b"\xa1\x63alg\x26",
            b"\xa1\x63sig\x42\x03\x04",
            b"\xa2\x63alg\x26\x63sih\x42\x03\x04",
            b"\xa2\x63alg\x26\x63x5c\x80",
            b"\xa2\x63alg\x61a\x63sig\x42\x03\x04",
            b"\xa2\x63alg\x26\x63sig\x62ab",
            b"\xa3\x63alg\x26\x63sig\x42\x03\x04\x63x6c\x80",
            b"\xa4\x63alg\x26\x63sig\x42\x03\x04\x63x5c\x80\x63x6c\x80",
        ] {
            assert_eq!(statement(&object(PACKED, other)), None, "{other:?}");
        }
    }

    #[test]
    fn other_formats_are_not_verified_but_have_to_be_canonical() {
        for format in [
            b"\x63tpm".as_slice(),
            b"\x68fido-u2f",
            b"\x65apple",
            b"\x64None",
            b"\x60",
        ] {
            let bytes = object(format, b"\xa1\x63x5c\x81\x41\x30");
            assert_eq!(statement(&bytes), Some(Statement::Unverified));
        }
        for other in [
            b"\xbf\xff".as_slice(),
            b"\xa2\x61b\x00\x61a\x00",
            b"\x80",
            b"\x00",
        ] {
            assert_eq!(statement(&object(b"\x63tpm", other)), None, "{other:?}");
        }
    }

    #[test]
    fn the_three_members_stand_in_their_order_and_nothing_else() {
        for (bytes, what) in [
            (
                [&object(NONE, b"\xa0")[..], b"\x00"].concat(),
                "more after it",
            ),
            (
                b"\xa3\x67attStmt\xa0\x63fmt\x64none\x68authData\x42\x01\x02".to_vec(),
                "another order",
            ),
            (
                b"\xa3\x63fmt\x64none\x68authData\x42\x01\x02\x67attStmt\xa0".to_vec(),
                "another order",
            ),
            (
                b"\xa2\x63fmt\x64none\x68authData\x42\x01\x02".to_vec(),
                "no statement",
            ),
            (
                b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x62ab".to_vec(),
                "data as a text",
            ),
            (
                b"\xa4\x63fmt\x64none\x65epAtt\xf5\x67attStmt\xa0\x68authData\x42\x01\x02".to_vec(),
                "a fourth",
            ),
        ] {
            assert_eq!(statement(&bytes), None, "{what}");
        }
        let whole = object(PACKED, b"\xa2\x63alg\x26\x63sig\x42\x03\x04");
        for length in 0..whole.len() {
            assert_eq!(statement(&whole[..length]), None, "{length}");
        }
    }
}
