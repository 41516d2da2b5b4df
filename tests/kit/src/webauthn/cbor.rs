//! A writer of CBOR that is not the product's, in canonical form or out of it.

/// What CTAP2's canonical form has, and bytes that are written as they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cbor {
    /// With the value -1 - n.
    Negative(u64),
    Unsigned(u64),
    Bytes(Vec<u8>),
    Text(String),
    Array(Vec<Cbor>),
    /// In the order in which it is written.
    Map(Vec<(Cbor, Cbor)>),
    Bool(bool),
    Null,
}

impl From<i64> for Cbor {
    fn from(number: i64) -> Self {
        match u64::try_from(number) {
            Ok(number) => Self::Unsigned(number),
            Err(_) => Self::Negative(u64::try_from(-1 - number).unwrap()),
        }
    }
}

impl From<&str> for Cbor {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&[u8]> for Cbor {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl Cbor {
    pub fn map<K: Into<Self>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        let entries = entries.into_iter();
        Self::Map(entries.map(|(key, value)| (key.into(), value)).collect())
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes, shortest);
        bytes
    }

    /// With every number and length `extra` sizes larger than it need be.
    pub fn encode_long(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes, |major, argument| {
            [&[(major << 5) + 27], &argument.to_be_bytes()[..]].concat()
        });
        bytes
    }

    fn write(&self, to: &mut Vec<u8>, head: fn(u8, u64) -> Vec<u8>) {
        let length = |length: usize| u64::try_from(length).unwrap();
        match self {
            Self::Unsigned(number) => to.extend(head(0, *number)),
            Self::Negative(number) => to.extend(head(1, *number)),
            Self::Bytes(bytes) => {
                to.extend(head(2, length(bytes.len())));
                to.extend(bytes);
            }
            Self::Text(text) => {
                to.extend(head(3, length(text.len())));
                to.extend(text.as_bytes());
            }
            Self::Array(items) => {
                to.extend(head(4, length(items.len())));
                for item in items {
                    item.write(to, head);
                }
            }
            Self::Map(entries) => {
                to.extend(head(5, length(entries.len())));
                for (key, value) in entries {
                    key.write(to, head);
                    value.write(to, head);
                }
            }
            Self::Bool(truth) => to.push(0xf4 + u8::from(*truth)),
            Self::Null => to.push(0xf6),
        }
    }

    /// As CTAP2 sorts map keys: by type, then length, then bytes; and each once.
    #[must_use]
    pub fn sorted(self) -> Self {
        match self {
            Self::Array(items) => Self::Array(items.into_iter().map(Self::sorted).collect()),
            Self::Map(entries) => {
                let order = |key: &Self| {
                    let bytes = key.encode();
                    (bytes[0] >> 5, bytes.len(), bytes)
                };
                let mut entries: Vec<_> = entries
                    .into_iter()
                    .map(|(key, value)| (key, value.sorted()))
                    .collect();
                entries.sort_by_key(|(key, _)| order(key));
                entries.dedup_by(|(a, _), (b, _)| a == b);
                Self::Map(entries)
            }
            other => other,
        }
    }
}

fn shortest(major: u8, argument: u64) -> Vec<u8> {
    let head = |info: u8, bytes: &[u8]| [&[(major << 5) + info], bytes].concat();
    if let Ok(small) = u8::try_from(argument) {
        return match small {
            0..24 => head(small, &[]),
            _ => head(24, &[small]),
        };
    }
    match (u16::try_from(argument), u32::try_from(argument)) {
        (Ok(number), _) => head(25, &number.to_be_bytes()),
        (_, Ok(number)) => head(26, &number.to_be_bytes()),
        _ => head(27, &argument.to_be_bytes()),
    }
}
