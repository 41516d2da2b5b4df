//! `otpauth-migration://`: what Google Authenticator shows to move to another phone. Its data is a protocol buffer of two
//! levels; the few fields of it are read by hand, which is less than what a library for all of them would be.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

use super::{Brought, Reason};
use crate::domain::codes::numeric::Digits;
use crate::domain::codes::totp::Algorithm;

pub(super) const SCHEME: &str = "otpauth-migration://offline?";

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The accounts of one such address.
pub(super) fn read(address: &str) -> Result<Vec<Result<Brought, Reason>>, Reason> {
    let query = address
        .strip_prefix(SCHEME)
        .ok_or(Reason::Other("it is no otpauth-migration:// address"))?;
    let data = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "data");
    let (_, data) = data.ok_or(Reason::Missing("data"))?;
    // A plus sign that was not escaped has become a space.
    let bytes = BASE64.decode(data.replace(' ', "+"));
    let bytes = bytes.map_err(|_| Reason::Other("its data is not base64"))?;
    let fields = fields(&bytes).ok_or(Reason::Other("its data is cut off"))?;
    let accounts = fields.into_iter().filter_map(|field| match field {
        (1, Value::Bytes(account)) => Some(read_account(account)),
        _ => None,
    });
    Ok(accounts.collect())
}

fn read_account(bytes: &[u8]) -> Result<Brought, Reason> {
    let (mut secret, mut name, mut issuer) = (Vec::new(), String::new(), String::new());
    let (mut algorithm, mut digits, mut kind) = (0, 0, 0);
    for field in fields(bytes).ok_or(Reason::Other("its data is cut off"))? {
        match field {
            (1, Value::Bytes(bytes)) => secret = bytes.to_vec(),
            (2, Value::Bytes(bytes)) => name = String::from_utf8_lossy(bytes).into_owned(),
            (3, Value::Bytes(bytes)) => issuer = String::from_utf8_lossy(bytes).into_owned(),
            (4, Value::Number(number)) => algorithm = number,
            (5, Value::Number(number)) => digits = number,
            (6, Value::Number(number)) => kind = number,
            _ => {}
        }
    }
    if kind == 1 {
        return Err(Reason::Type("hotp".to_owned()));
    }
    // The name may begin with the issuer once more.
    let name = name.strip_prefix(&format!("{issuer}:")).unwrap_or(&name);
    let mut brought = Brought::new(name.trim(), secret)?;
    brought.parameters.algorithm = match algorithm {
        0 | 1 => Algorithm::Sha1,
        2 => Algorithm::Sha256,
        3 => Algorithm::Sha512,
        _ => return Err(Reason::Parameter("algorithm")),
    };
    brought.parameters.digits = match digits {
        0 | 1 => Digits::SIX,
        2 => Digits::EIGHT,
        _ => return Err(Reason::Parameter("number of digits")),
    };
    Ok(brought)
}

enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Of a kind that no field here has.
    Other,
}

/// Numbered fields of a message; `None` if it ends within one.
fn fields(mut bytes: &[u8]) -> Option<Vec<(u64, Value<'_>)>> {
    let mut fields = Vec::new();
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let value = match tag & 7 {
            0 => Value::Number(varint(&mut bytes)?),
            1 => take(&mut bytes, 8).map(|_| Value::Other)?,
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).ok()?;
                Value::Bytes(take(&mut bytes, length)?)
            }
            5 => take(&mut bytes, 4).map(|_| Value::Other)?,
            _ => return None,
        };
        fields.push((tag >> 3, value));
    }
    Some(fields)
}

fn take<'a>(bytes: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(taken)
}

/// Seven bits a byte, the least first; ten bytes at most.
fn varint(bytes: &mut &[u8]) -> Option<u64> {
    let mut number: u64 = 0;
    for place in 0..10 {
        let byte = *take(bytes, 1)?.first()?;
        number |= u64::from(byte & 0x7f).checked_shl(place * 7)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}
