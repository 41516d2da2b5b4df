//! The settings of a client after any patches, against RFC 7396's rule for objects without depth.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use candado::app::App;
use candado::call::Call;
use candado::config::Config;
use candado::domain::ids::ClientId;
use candado::domain::settings::{Label, Settings, SettingsPatch};
use candado::flows::admin::{ClientPatch, Use, change_client, create_client, find_client};
use candado::native::kv::SqliteKeyValue;
use candado::native::signatures::Ring;
use candado::native::sqlite::Sqlite;
use candado::platform::{HttpClient, HttpError};
use http::{Request, Response};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const NOW: u64 = 1_760_000_000_000;

struct NoNetwork;

#[async_trait]
impl HttpClient for NoNetwork {
    async fn send(&self, _: Request<Vec<u8>>, _: Duration) -> Result<Response<Vec<u8>>, HttpError> {
        Err(HttpError::Timeout)
    }

    async fn wait(&self, _: Duration) {}
}

fn call() -> Call {
    let variable = |name: &str| match name {
        "MASTER_KEYS" => Some("k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned()),
        "PUBLIC_URL" => Some("https://mfa.example.com".to_owned()),
        _ => None,
    };
    let db = Sqlite::in_memory().unwrap();
    let app = App {
        config: Config::from_lookup(variable).unwrap(),
        kv: Arc::new(SqliteKeyValue::in_memory(Arc::new(|| NOW)).unwrap()),
        db: Arc::new(db),
        http: Arc::new(NoNetwork),
        mailer: None,
        outside: Arc::new(NoNetwork),
        signatures: Arc::new(Ring),
        clock: Box::new(|| NOW),
    };
    Call::new(Arc::new(app)).unwrap()
}

fn patch() -> impl Strategy<Value = Map<String, Value>> {
    let field = prop_oneof![
        (
            Just("cooldown_seconds"),
            prop_oneof![
                (60_u32..70).prop_map(Value::from),
                Just(json!(59)),
                Just(Value::Null)
            ]
        ),
        (
            Just("issuer"),
            prop_oneof![
                "[a-z]{1,5}".prop_map(Value::from),
                Just(json!("")),
                Just(Value::Null)
            ]
        ),
        (
            Just("methods"),
            prop_oneof![
                Just(json!(["totp"])),
                Just(json!(["sms", "email"])),
                Just(Value::Null)
            ]
        ),
        (
            Just("require_step_up"),
            prop_oneof![any::<bool>().prop_map(Value::from), Just(Value::Null)]
        ),
        (
            Just("unknown"),
            prop_oneof![1 => Just(json!(1)), 4 => Just(Value::Null)]
        ),
    ];
    proptest::collection::vec(field, 0..3).prop_map(|fields| {
        fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    })
}

fn patch_of(fields: Map<String, Value>) -> SettingsPatch {
    serde_json::from_value(Value::Object(fields)).unwrap()
}

fn is_valid(fields: &Map<String, Value>) -> bool {
    serde_json::from_value::<Settings>(Value::Object(fields.clone())).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_patch_sets_what_it_names_takes_away_what_it_nulls_and_is_all_or_nothing(
        first in patch(), patches in proptest::collection::vec(patch(), 0..6)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let call = call();
            let id = ClientId::try_from("shop".to_owned()).unwrap();
            let name = Label::try_from("Shop".to_owned()).unwrap();
            let set = |mut settings: Map<String, Value>, patch: &Map<String, Value>| {
                for (name, value) in patch {
                    settings.insert(name.clone(), value.clone());
                }
                settings.retain(|_, value| !value.is_null());
                settings
            };
            let mut expected = set(Map::new(), &first);
            let created = create_client(&call, Some(id.clone()), name, &patch_of(first), Use::Real).await;
            prop_assert_eq!(created.is_ok(), is_valid(&expected));
            if created.is_err() {
                return Ok(());
            }
            for settings in patches {
                let next = set(expected.clone(), &settings);
                let patch = ClientPatch { settings: patch_of(settings), ..ClientPatch::default() };
                let changed = change_client(&call, &id, patch).await;
                prop_assert_eq!(changed.is_ok(), is_valid(&next));
                if changed.is_ok() {
                    expected = next;
                }
                let stored = find_client(&call, &id).await.unwrap();
                prop_assert_eq!(stored.settings.fields(), &expected);
            }
            Ok(())
        })?;
    }
}
