//! What webauthn-rs says of each message: the file on standard input, verdicts on standard output.

use std::error::Error;
use std::io::stdin;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};
use url::Url;
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::proto::{
    AuthenticationState, COSEAlgorithm, COSEKey, Credential, CredentialV3, RegistrationState, UserVerificationPolicy,
};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

fn main() -> Outcome {
    let file: Value = serde_json::from_reader(stdin())?;
    let party = Party::new(&file["setting"])?;
    let all = |entries: &Value, accepts: fn(&Party, &Value, &Value) -> Outcome| -> Value {
        let entries = entries.as_array().into_iter().flatten();
        entries.map(|entry| judge(entry, |message| accepts(&party, entry, message).is_ok())).collect()
    };
    let verdicts = json!({
        "registrations": all(&file["registrations"], Party::register),
        "assertions": all(&file["assertions"], Party::assert),
    });
    println!("{verdicts}");
    Ok(())
}

fn judge(entry: &Value, accepts: impl Fn(&Value) -> bool) -> Value {
    let message = &entry["message"];
    let changed = entry["changed"].as_object().into_iter().flatten().map(|(member, letters)| {
        let letters = letters.as_str().unwrap_or_default();
        let verdict = |at| if accepts(&flipped(message, member, at)) { '.' } else { 'x' };
        (member.clone(), json!((0..letters.len()).map(verdict).collect::<String>()))
    });
    json!({"accepted": accepts(message), "changed": changed.collect::<Map<_, _>>()})
}

/// The message with the lowest bit of one byte flipped.
fn flipped(message: &Value, member: &str, at: usize) -> Value {
    let mut message = message.clone();
    let mut bytes = decode(&message["response"][member]).expect("base64url");
    bytes[at] ^= 1;
    message["response"][member] = json!(URL_SAFE_NO_PAD.encode(bytes));
    message
}

fn decode(text: &Value) -> Outcome<Vec<u8>> {
    Ok(URL_SAFE_NO_PAD.decode(text.as_str().ok_or("no text")?)?)
}

fn policy(entry: &Value) -> Outcome<UserVerificationPolicy> {
    // Its "discouraged" is not one of the standard's names.
    Ok(match entry["user_verification"].as_str() {
        Some("required") => UserVerificationPolicy::Required,
        _ => UserVerificationPolicy::Preferred,
    })
}

struct Party {
    core: WebauthnCore,
    challenge: Value,
}

impl Party {
    fn new(setting: &Value) -> Outcome<Self> {
        let id = setting["rp_id"].as_str().ok_or("no RP ID")?;
        let origin = Url::parse(setting["origin"].as_str().ok_or("no origin")?)?;
        let timeout = Duration::from_secs(300);
        let core = WebauthnCore::new_unsafe_experts_only("Shop", id, vec![origin], timeout, Some(false), Some(false));
        Ok(Self { core, challenge: setting["challenge"].clone() })
    }

    fn register(&self, entry: &Value, message: &Value) -> Outcome {
        let request = self
            .core
            .new_challenge_register_builder(b"ann", "ann", "Ann")?
            .user_verification_policy(policy(entry)?)
            .credential_algorithms(vec![COSEAlgorithm::EDDSA, COSEAlgorithm::ES256, COSEAlgorithm::RS256]);
        let (_, state) = self.core.generate_challenge_register(request)?;
        let state: RegistrationState = serde_json::from_value(self.with_challenge(json!(state)))?;
        self.core.register_credential(&serde_json::from_value(message.clone())?, &state, None)?;
        Ok(())
    }

    fn assert(&self, entry: &Value, message: &Value) -> Outcome {
        let stored = &entry["stored"];
        let key: serde_cbor_2::Value = serde_cbor_2::from_slice(&decode(&stored["key"])?)?;
        let credential = Credential {
            backup_eligible: stored["backup_eligible"] == true,
            ..Credential::from(CredentialV3 {
                cred_id: decode(&stored["id"])?,
                cred: COSEKey::try_from(&key)?,
                counter: u32::try_from(stored["sign_count"].as_u64().ok_or("no counter")?)?,
                // It would then want the flag for good.
                verified: false,
                registration_policy: policy(entry)?,
            })
        };
        let request = self.core.new_challenge_authenticate_builder(vec![credential], Some(policy(entry)?))?;
        let (_, state) = self.core.generate_challenge_authenticate(request)?;
        let state: AuthenticationState = serde_json::from_value(self.with_challenge(json!(state)))?;
        self.core.authenticate_credential(&serde_json::from_value(message.clone())?, &state)?;
        Ok(())
    }

    /// It draws a challenge of its own, and the messages were made for another.
    fn with_challenge(&self, mut state: Value) -> Value {
        state["challenge"] = self.challenge.clone();
        state
    }
}
