//! An authenticator and the browser before it, in software. It does what it is told, wrong things too.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use p256::ecdsa::signature::Signer as _;
use ring::rand::SystemRandom;
use ring::signature::{
    Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::cbor::Cbor;

pub const UP: u8 = 1;
pub const UV: u8 = 1 << 2;
pub const BE: u8 = 1 << 3;
pub const BS: u8 = 1 << 4;
pub const AT: u8 = 1 << 6;
pub const ED: u8 = 1 << 7;

pub const RP_ID: &str = "example.org";
pub const ORIGIN: &str = "https://example.org";
pub const CHALLENGE: [u8; 32] = [0xc7; 32];
pub const USER_HANDLE: [u8; 16] = [0x5a; 16];

/// Signs the same in the same way each time, so that what is made can be kept in a file.
pub enum Key {
    Es256(p256::ecdsa::SigningKey),
    Ed25519(Ed25519KeyPair),
    Rs256(Box<RsaKeyPair>),
}

impl Key {
    pub fn es256(seed: u8) -> Self {
        Self::Es256(p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap())
    }

    pub fn ed25519(seed: u8) -> Self {
        Self::Ed25519(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    /// Of 2048 bits, made by `openssl genpkey` for this.
    pub fn rs256() -> Self {
        let pkcs8 = include_bytes!("../../../vectors/rsa-2048.pk8");
        Self::Rs256(Box::new(RsaKeyPair::from_pkcs8(pkcs8).unwrap()))
    }

    pub fn algorithm(&self) -> i64 {
        match self {
            Self::Es256(_) => -7,
            Self::Ed25519(_) => -8,
            Self::Rs256(_) => -257,
        }
    }

    pub fn cose(&self) -> Vec<u8> {
        let algorithm = self.algorithm().into();
        let entries: Vec<(i64, Cbor)> = match self {
            Self::Es256(key) => {
                let point = key.verifying_key().to_sec1_point(false);
                let (x, y) = (point.x().unwrap(), point.y().unwrap());
                vec![
                    (1, 2.into()),
                    (3, algorithm),
                    (-1, 1.into()),
                    (-2, x.as_slice().into()),
                    (-3, y.as_slice().into()),
                ]
            }
            Self::Ed25519(pair) => vec![
                (1, 1.into()),
                (3, algorithm),
                (-1, 6.into()),
                (-2, pair.public_key().as_ref().into()),
            ],
            Self::Rs256(pair) => {
                let public: RsaPublicKeyComponents<Vec<u8>> = pair.public().into();
                vec![
                    (1, 3.into()),
                    (3, algorithm),
                    (-1, public.n.as_slice().into()),
                    (-2, [1, 0, 1].as_slice().into()),
                ]
            }
        };
        Cbor::map(entries).encode()
    }

    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Es256(key) => {
                let signature: p256::ecdsa::DerSignature = key.sign(message);
                signature.as_bytes().to_vec()
            }
            Self::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    message,
                    &mut signature,
                )
                .unwrap();
                signature
            }
        }
    }
}

/// What both kinds of message are made of. A test changes what it is about and leaves the rest as it should be.
#[derive(Clone)]
pub struct Script {
    pub client_data: Map<String, Value>,
    /// Instead of `client_data`.
    pub client_bytes: Option<Vec<u8>>,
    pub rp_id: String,
    pub flags: u8,
    pub count: u32,
    pub id: Vec<u8>,
    /// Behind everything else in the authenticator data.
    pub extensions: Vec<u8>,
    // Of a registration.
    pub aaguid: [u8; 16],
    pub cose: Vec<u8>,
    pub attestation: Attestation,
    // Of an assertion.
    pub user_handle: Option<Vec<u8>>,
}

#[derive(Clone)]
pub enum Attestation {
    None,
    /// With the number of an algorithm beside the signature.
    Packed(i64),
    /// A format, a statement in CBOR.
    Other(&'static str, Vec<u8>),
    /// All of the object, around the authenticator data.
    Raw(fn(&[u8]) -> Vec<u8>),
}

impl Script {
    /// As the page of `origin` asked with `public_key`, which is what the service gave it.
    #[must_use]
    pub fn asked(mut self, public_key: &Value, origin: &str) -> Self {
        let rp_id = public_key["rp"]["id"].as_str();
        let rp_id = rp_id.or_else(|| public_key["rpId"].as_str());
        rp_id.unwrap().clone_into(&mut self.rp_id);
        self.client_data["challenge"] = public_key["challenge"].clone();
        self.client_data["origin"] = json!(origin);
        self
    }

    fn new(kind: &str, flags: u8) -> Self {
        let client_data = json!({
            "type": kind,
            "challenge": URL_SAFE_NO_PAD.encode(CHALLENGE),
            "origin": ORIGIN,
            "crossOrigin": false,
        });
        let Value::Object(client_data) = client_data else {
            unreachable!()
        };
        Self {
            client_data,
            client_bytes: None,
            rp_id: RP_ID.to_owned(),
            flags,
            count: 0,
            id: (1..=32).collect(),
            extensions: vec![],
            aaguid: [0; 16],
            cose: vec![],
            attestation: Attestation::None,
            user_handle: None,
        }
    }

    pub fn registration(key: &Key) -> Self {
        Self {
            cose: key.cose(),
            ..Self::new("webauthn.create", UP | UV | AT)
        }
    }

    pub fn assertion() -> Self {
        Self::new("webauthn.get", UP | UV)
    }

    pub fn client_bytes(&self) -> Vec<u8> {
        let text = || serde_json::to_vec(&self.client_data).unwrap();
        self.client_bytes.clone().unwrap_or_else(text)
    }

    /// With the attested credential, if the flags say that there is one.
    pub fn authenticator_data(&self) -> Vec<u8> {
        let mut data = Sha256::digest(&self.rp_id).to_vec();
        data.push(self.flags);
        data.extend(self.count.to_be_bytes());
        if self.flags & AT != 0 {
            data.extend(self.aaguid);
            data.extend(u16::try_from(self.id.len()).unwrap().to_be_bytes());
            data.extend(&self.id);
            data.extend(&self.cose);
        }
        data.extend(&self.extensions);
        data
    }

    fn signature(&self, key: &Key) -> Vec<u8> {
        let hash = Sha256::digest(self.client_bytes());
        key.sign(&[&self.authenticator_data(), &hash[..]].concat())
    }

    fn attestation_object(&self, key: &Key) -> Vec<u8> {
        let data = self.authenticator_data();
        let (format, statement) = match &self.attestation {
            Attestation::None => ("none", Cbor::Map(vec![]).encode()),
            Attestation::Packed(algorithm) => {
                let signature = self.signature(key);
                let statement = [
                    ("alg", Cbor::from(*algorithm)),
                    ("sig", signature.as_slice().into()),
                ];
                ("packed", Cbor::map(statement).encode())
            }
            Attestation::Other(format, statement) => (*format, statement.clone()),
            Attestation::Raw(object) => return object(&data),
        };
        [
            b"\xa3\x63fmt",
            &Cbor::from(format).encode()[..],
            b"\x67attStmt",
            &statement,
            b"\x68authData",
            &Cbor::from(data.as_slice()).encode(),
        ]
        .concat()
    }

    /// `RegistrationResponseJSON`, as `toJSON()` makes it.
    pub fn register(&self, key: &Key) -> Value {
        let response = json!({
            "clientDataJSON": URL_SAFE_NO_PAD.encode(self.client_bytes()),
            "authenticatorData": URL_SAFE_NO_PAD.encode(self.authenticator_data()),
            "transports": ["usb", "nfc"],
            "publicKeyAlgorithm": key.algorithm(),
            "attestationObject": URL_SAFE_NO_PAD.encode(self.attestation_object(key)),
        });
        self.credential(&response)
    }

    /// `AuthenticationResponseJSON`.
    pub fn assert(&self, key: &Key) -> Value {
        let mut response = json!({
            "clientDataJSON": URL_SAFE_NO_PAD.encode(self.client_bytes()),
            "authenticatorData": URL_SAFE_NO_PAD.encode(self.authenticator_data()),
            "signature": URL_SAFE_NO_PAD.encode(self.signature(key)),
        });
        if let Some(handle) = &self.user_handle {
            response["userHandle"] = json!(URL_SAFE_NO_PAD.encode(handle));
        }
        self.credential(&response)
    }

    fn credential(&self, response: &Value) -> Value {
        let id = URL_SAFE_NO_PAD.encode(&self.id);
        json!({
            "id": id,
            "rawId": id,
            "response": response,
            "authenticatorAttachment": "cross-platform",
            "clientExtensionResults": {},
            "type": "public-key",
        })
    }
}
