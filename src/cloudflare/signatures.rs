//! `Signatures` by WebCrypto. A malformed input makes it throw where others say no, so every exception of a
//! verification is no.

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use web_sys::{CryptoKey, WorkerGlobalScope};
use worker::js_sys::{Array, JSON, Object, Reflect, Uint8Array, global};
use worker::send::SendFuture;
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;

use crate::domain::crypto::public_keys::{P256Point, PublicKey};
use crate::domain::crypto::signing_key::SigningKey;
use crate::platform::{SignError, Signatures};

pub struct WebCrypto;

#[async_trait]
impl Signatures for WebCrypto {
    async fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
        let operation = Operation::Verify {
            key,
            message,
            signature,
        };
        SendFuture::new(async { matches!(run(operation).await, Ok(answer) if answer.is_truthy()) })
            .await
    }

    async fn sign(&self, key: &SigningKey, message: &[u8]) -> Result<[u8; 64], SignError> {
        SendFuture::new(async {
            let signature = run(Operation::Sign { key, message })
                .await
                .map_err(|error| thrown(&error))?;
            let bytes = Uint8Array::new(&signature).to_vec();
            bytes
                .try_into()
                .map_err(|_| SignError("a signature of another length".to_owned()))
        })
        .await
    }

    async fn public_point(&self, key: &SigningKey) -> Result<P256Point, SignError> {
        SendFuture::new(async {
            let jwk = run(Operation::Point { key })
                .await
                .map_err(|error| thrown(&error))?;
            // The private key stands in it as well: nothing else of it is read, and it is never made a text.
            let coordinate = |name: &str| {
                let text = Reflect::get(&jwk, &name.into()).ok()?.as_string()?;
                URL_SAFE_NO_PAD.decode(text).ok()
            };
            coordinate("x")
                .zip(coordinate("y"))
                .and_then(|(x, y)| P256Point::new(&x, &y))
                .ok_or_else(|| SignError("a key without its point".to_owned()))
        })
        .await
    }
}

enum Operation<'a> {
    Verify {
        key: &'a PublicKey,
        message: &'a [u8],
        signature: &'a [u8],
    },
    Sign {
        key: &'a SigningKey,
        message: &'a [u8],
    },
    Point {
        key: &'a SigningKey,
    },
}

const ECDSA: &str = r#"{"name":"ECDSA","namedCurve":"P-256","hash":"SHA-256"}"#;
const ED25519: &str = r#"{"name":"Ed25519"}"#;
const RSA: &str = r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-256"}"#;

/// A private key for P-256 up to its 32 bytes: PKCS#8 (RFC 5958) around RFC 5915, without the public key.
const PKCS8_HEAD: [u8; 35] = [
    0x30, 0x41, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x27, 0x30, 0x25, 0x02, 0x01,
    0x01, 0x04, 0x20,
];

/// Imports the key and does what is asked. One function for all: each that waits is a kilobyte of the Worker.
async fn run(operation: Operation<'_>) -> Result<JsValue, JsValue> {
    let subtle = global()
        .unchecked_into::<WorkerGlobalScope>()
        .crypto()?
        .subtle();
    let raw = |bytes: &[u8]| ("raw", Uint8Array::from(bytes).unchecked_into::<Object>());
    let (algorithm, usage, (format, data)) = match &operation {
        Operation::Verify { key, .. } => match key {
            PublicKey::Es256(point) => (ECDSA, "verify", raw(point.as_bytes())),
            PublicKey::Ed25519(key) => (ED25519, "verify", raw(key.as_bytes())),
            PublicKey::Rs256(modulus) => {
                let n = URL_SAFE_NO_PAD.encode(modulus.as_bytes());
                let jwk = format!(r#"{{"kty":"RSA","e":"AQAB","n":"{n}"}}"#);
                (RSA, "verify", ("jwk", JSON::parse(&jwk)?.unchecked_into()))
            }
        },
        Operation::Sign { key, .. } | Operation::Point { key } => {
            let pkcs8 = [&PKCS8_HEAD[..], key.as_bytes()].concat();
            (ECDSA, "sign", ("pkcs8", raw(&pkcs8).1))
        }
    };
    let algorithm = JSON::parse(algorithm)?.unchecked_into::<Object>();
    // Only what is exported may be.
    let extractable = matches!(operation, Operation::Point { .. });
    let usages = Array::of1(&usage.into());
    let importing =
        subtle.import_key_with_object(format, &data, &algorithm, extractable, &usages)?;
    let key: CryptoKey = JsFuture::from(importing).await?.unchecked_into();
    let answering = match operation {
        Operation::Verify {
            message, signature, ..
        } => subtle
            .verify_with_object_and_u8_array_and_u8_array(&algorithm, &key, signature, message)?,
        Operation::Sign { message, .. } => {
            subtle.sign_with_object_and_u8_array(&algorithm, &key, message)?
        }
        Operation::Point { .. } => subtle.export_key("jwk", &key)?,
    };
    JsFuture::from(answering).await
}

fn thrown(error: &JsValue) -> SignError {
    SignError(format!("{error:?}"))
}
