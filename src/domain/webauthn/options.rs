//! What a browser is asked: `PublicKeyCredentialCreationOptionsJSON` and `PublicKeyCredentialRequestOptionsJSON`
//! (§5.1.8, §5.1.9), ready for `parseCreationOptionsFromJSON` and `parseRequestOptionsFromJSON`.

use serde::Serialize;

use super::base64url::Base64Url;
use super::credential::{Credential, CredentialId, Transports};
use super::{RelyingParty, UserVerification};
use crate::domain::crypto::public_keys::Algorithm;

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreationOptions<'a> {
    rp: RpEntity<'a>,
    user: User<'a>,
    challenge: Base64Url,
    pub_key_cred_params: [Parameters; 3],
    /// In milliseconds.
    timeout: u64,
    exclude_credentials: Vec<Descriptor<'a>>,
    authenticator_selection: AuthenticatorSelection,
    attestation: &'static str,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RequestOptions<'a> {
    challenge: Base64Url,
    /// In milliseconds.
    timeout: u64,
    rp_id: &'a str,
    allow_credentials: Vec<Descriptor<'a>>,
    user_verification: UserVerification,
}

#[derive(Debug, Clone, Serialize)]
struct RpEntity<'a> {
    id: &'a str,
    name: &'a str,
}

/// Whom a credential is made for.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct User<'a> {
    /// The user handle: 1 to 64 bytes that say nothing about anybody (§14.6.1).
    #[serde(rename = "id")]
    pub handle: Base64Url,
    /// What the user tells accounts apart by, and authenticators show.
    pub name: &'a str,
    pub display_name: &'a str,
}

#[derive(Debug, Clone, Copy, Serialize)]
struct Parameters {
    r#type: &'static str,
    alg: i64,
}

#[derive(Debug, Clone, Serialize)]
struct Descriptor<'a> {
    r#type: &'static str,
    id: &'a CredentialId,
    transports: &'a Transports,
}

#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct AuthenticatorSelection {
    resident_key: &'static str,
    user_verification: UserVerification,
}

const PUBLIC_KEY: &str = "public-key";

impl<'a> CreationOptions<'a> {
    /// `name` is shown as whom the credential is for; `existing` are the credentials the user has already.
    pub fn new(
        party: &RelyingParty<'a>,
        name: &'a str,
        user: User<'a>,
        challenge: &[u8],
        timeout_seconds: u32,
        existing: impl IntoIterator<Item = &'a Credential>,
    ) -> Self {
        Self {
            rp: RpEntity { id: party.id, name },
            user,
            challenge: Base64Url(challenge.to_vec()),
            pub_key_cred_params: Algorithm::ALL.map(|algorithm| Parameters {
                r#type: PUBLIC_KEY,
                alg: algorithm.cose(),
            }),
            timeout: milliseconds(timeout_seconds),
            exclude_credentials: descriptors(existing),
            authenticator_selection: AuthenticatorSelection {
                // Phones and password managers synchronise only those that can be discovered.
                resident_key: "preferred",
                user_verification: party.user_verification,
            },
            attestation: "none",
        }
    }
}

impl<'a> RequestOptions<'a> {
    pub fn new(
        party: &RelyingParty<'a>,
        challenge: &[u8],
        timeout_seconds: u32,
        allowed: impl IntoIterator<Item = &'a Credential>,
    ) -> Self {
        Self {
            challenge: Base64Url(challenge.to_vec()),
            timeout: milliseconds(timeout_seconds),
            rp_id: party.id,
            allow_credentials: descriptors(allowed),
            user_verification: party.user_verification,
        }
    }
}

fn milliseconds(seconds: u32) -> u64 {
    u64::from(seconds) * 1000
}

fn descriptors<'a>(credentials: impl IntoIterator<Item = &'a Credential>) -> Vec<Descriptor<'a>> {
    let descriptor = |credential: &'a Credential| Descriptor {
        r#type: PUBLIC_KEY,
        id: &credential.id,
        transports: &credential.transports,
    };
    credentials.into_iter().map(descriptor).collect()
}
