//! One function per thing a caller can ask: it loads, lets a rule decide, stores, and only then tells.
//! Nothing here knows HTTP.

pub mod admin;
pub mod api_keys;
mod asked;
mod change;
mod contact;
mod destination;
mod disable;
mod enrol;
mod evidence;
mod factors;
mod health;
pub mod housekeeping;
mod judge;
pub mod key_ring;
pub mod once;
mod passkeys;
mod qr_code;
mod recovery_codes;
mod results;
mod send;
pub mod session;
mod status;
mod step_up;
pub mod test_clients;
pub mod tokens;
mod trusted_devices;
pub mod users;
mod verify;

pub use self::asked::{Asked, By, Caller, Credential};
pub use self::contact::{Edit, MaskedContact, change_contact};
pub use self::disable::{delete_user, disable};
pub use self::enrol::{Enrolled, Profile, import, register, renew};
pub use self::evidence::{Evidence, NewPasskey, PasskeyAnswer};
pub use self::factors::{Factors, add_app, factors, remove_factor, rename_factor};
pub use self::health::check_health;
pub use self::judge::Verified;
pub use self::passkeys::{Opened, passkey_challenge, passkey_options, register_passkey};
pub use self::qr_code::qr_code;
pub use self::recovery_codes::replace_recovery_codes;
pub use self::results::{result_keys, result_token};
pub use self::send::{Generated, Sent, Wanted, generate, send};
pub use self::status::{Status, status};
pub use self::trusted_devices::{check_trusted_device, forget_trusted_devices, trusted_devices};
pub use self::verify::{LoggedIn, verify};
