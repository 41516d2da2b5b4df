//! Portable Symmetric Key Container (RFC 6030): secrets in the clear, or under a pre-shared AES-128 key. What is encrypted
//! has a MAC, without which a wrong key would now and then bring along what is no secret of anybody.

use aes_gcm::aes::Aes128;
use aes_gcm::aes::cipher::{Array, BlockCipherDecrypt, KeyInit};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use roxmltree::{Document, Node, ParsingOptions};

use super::{Brought, FileError, Reason, Record, algorithm, digits, number, period};

const AES_128_CBC: &str = "http://www.w3.org/2001/04/xmlenc#aes128-cbc";
const BLOCK: usize = 16;

pub(super) fn read(text: &str, key: Option<&[u8]>) -> Result<Vec<Record>, FileError> {
    // No DTD: nothing in it is of use, and its entities could grow without end.
    let options = ParsingOptions {
        allow_dtd: false,
        nodes_limit: 10_000_000,
        ..ParsingOptions::default()
    };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| FileError(error.to_string()))?;
    let root = document.root_element();
    if root.tag_name().name() != "KeyContainer" {
        return Err(FileError("its first element is no KeyContainer".to_owned()));
    }
    let locks = key.map(|key| Locks {
        key,
        mac: mac_key(root, key),
    });
    let packages = root
        .children()
        .filter(|node| node.tag_name().name() == "KeyPackage");
    let record = |package: Node<'_, '_>| Record {
        place: usize::try_from(document.text_pos_at(package.range().start).row).unwrap_or(0),
        read: package_of(package, locks.as_ref()),
    };
    Ok(packages.map(record).collect())
}

/// What the secrets of a container are encrypted with, and their MACs made.
struct Locks<'a> {
    key: &'a [u8],
    mac: Result<hmac::Key, Reason>,
}

/// The container's own key for MACs, which is encrypted as the secrets are (RFC 6030 §6.1.1).
fn mac_key(root: Node<'_, '_>, key: &[u8]) -> Result<hmac::Key, Reason> {
    let method = child(root, "MACMethod").ok_or(Reason::Missing("MACMethod"))?;
    let name = method.attribute("Algorithm").unwrap_or_default();
    let algorithm = match name.rsplit('#').next() {
        Some("hmac-sha1") => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Some("hmac-sha256") => hmac::HMAC_SHA256,
        _ => {
            return Err(Reason::Other(
                "its MACs are made by another method than hmac-sha1 or hmac-sha256",
            ));
        }
    };
    let sealed = inner(method, &["MACKey", "CipherData", "CipherValue"]);
    let sealed = decode(sealed.ok_or(Reason::Missing("MACKey"))?)?;
    Ok(hmac::Key::new(algorithm, &aes_128_cbc(&sealed, key)?))
}

fn child<'a, 'i>(node: Node<'a, 'i>, name: &str) -> Option<Node<'a, 'i>> {
    node.children()
        .find(|child| child.tag_name().name() == name)
}

fn inner<'a>(node: Node<'a, '_>, path: &[&str]) -> Option<&'a str> {
    let found = path.iter().try_fold(node, |node, name| child(node, name));
    found
        .and_then(|node| node.text())
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

fn package_of(package: Node<'_, '_>, locks: Option<&Locks<'_>>) -> Result<Brought, Reason> {
    let key = child(package, "Key").ok_or(Reason::Missing("Key"))?;
    let kind = key.attribute("Algorithm").unwrap_or_default();
    let kind = kind.rsplit([':', '#']).next().unwrap_or_default();
    if !kind.eq_ignore_ascii_case("totp") {
        return Err(Reason::Type(kind.to_ascii_lowercase()));
    }
    let secret = secret_of(key, locks)?;
    // Who it is for, or the token by its serial number, which a map then makes a user of.
    let user = inner(key, &["UserId"]).or_else(|| inner(package, &["DeviceInfo", "UserId"]));
    let user = user.map(common_name);
    let serial = inner(package, &["DeviceInfo", "SerialNo"]).or_else(|| key.attribute("Id"));
    let mut brought = Brought::new(user.or(serial).unwrap_or_default(), secret)?;
    let parameters = &mut brought.parameters;
    if let Some(format) =
        child(key, "AlgorithmParameters").and_then(|node| child(node, "ResponseFormat"))
        && let Some(length) = format.attribute("Length")
    {
        parameters.digits = digits(number(length, "number of digits")?)?;
    }
    if let Some(suite) = inner(key, &["AlgorithmParameters", "Suite"]) {
        parameters.algorithm = algorithm(suite)?;
    }
    if let Some(seconds) = inner(key, &["Data", "TimeInterval", "PlainValue"]) {
        parameters.period = period(number(seconds, "period")?)?;
    }
    Ok(brought)
}

/// RFC 6030 has a distinguished name there: `UID=jsmith,DC=example`, or one that says only who.
fn common_name(name: &str) -> &str {
    let first = name.split(',').next().unwrap_or(name);
    first
        .split_once('=')
        .map_or(name, |(_, value)| value.trim())
}

fn secret_of(key: Node<'_, '_>, locks: Option<&Locks<'_>>) -> Result<Vec<u8>, Reason> {
    let data = child(key, "Data").and_then(|data| child(data, "Secret"));
    let data = data.ok_or(Reason::Missing("Secret"))?;
    if let Some(text) = inner(data, &["PlainValue"]) {
        return decode(text);
    }
    let sealed = child(data, "EncryptedValue").ok_or(Reason::Missing("PlainValue"))?;
    let method = child(sealed, "EncryptionMethod").and_then(|node| node.attribute("Algorithm"));
    if method != Some(AES_128_CBC) {
        return Err(Reason::Other(
            "it is encrypted by another method than aes128-cbc with a pre-shared key",
        ));
    }
    let text =
        inner(sealed, &["CipherData", "CipherValue"]).ok_or(Reason::Missing("CipherValue"))?;
    let locks = locks.ok_or(Reason::KeyNeeded)?;
    let (sealed, mac) = (decode(text)?, locks.mac.as_ref().map_err(Clone::clone)?);
    let given = inner(data, &["ValueMAC"]).ok_or(Reason::Missing("ValueMAC"))?;
    hmac::verify(mac, &sealed, &decode(given)?).map_err(|_| Reason::Locked)?;
    aes_128_cbc(&sealed, locks.key)
}

fn decode(text: &str) -> Result<Vec<u8>, Reason> {
    let text: String = text.split_whitespace().collect();
    STANDARD.decode(text).map_err(|_| Reason::Secret("base64"))
}

/// The initialisation vector first, the last byte says how much was filled up (XML Encryption §5.2).
fn aes_128_cbc(sealed: &[u8], key: &[u8]) -> Result<Vec<u8>, Reason> {
    let key: [u8; BLOCK] = key
        .try_into()
        .map_err(|_| Reason::Other("the pre-shared key is not of 16 bytes"))?;
    let cipher = Aes128::new(&Array::from(key));
    let blocks: Vec<&[u8]> = sealed.chunks(BLOCK).collect();
    if blocks.len() < 2 || blocks.iter().any(|block| block.len() != BLOCK) {
        return Err(Reason::Locked);
    }
    let mut plain = Vec::with_capacity(sealed.len());
    for (before, block) in blocks.iter().zip(blocks.iter().skip(1)) {
        let block: [u8; BLOCK] = (*block).try_into().map_err(|_| Reason::Locked)?;
        let mut block = Array::from(block);
        cipher.decrypt_block(&mut block);
        plain.extend(
            block
                .iter()
                .zip(*before)
                .map(|(byte, before)| byte ^ before),
        );
    }
    let filled = plain.last().copied().map_or(0, usize::from);
    if !(1..=BLOCK).contains(&filled) {
        return Err(Reason::Locked);
    }
    plain.truncate(plain.len().saturating_sub(filled));
    Ok(plain)
}
