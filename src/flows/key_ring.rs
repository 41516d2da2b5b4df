//! Which keys sealed what is stored: how far a rotation is.

use crate::call::Call;
use crate::error::Error;
use crate::storage::accounts;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Seals.
    Current,
    /// Opens.
    Former,
    /// Not in the ring.
    Missing,
}

pub struct Key {
    pub id: String,
    pub role: Role,
    pub accounts: u64,
}

/// The keys of the ring in its order, then those that sealed something and are not in it.
pub async fn accounts_by_key(call: &Call) -> Result<Vec<Key>, Error> {
    let mut counted = accounts::count_by_key(&*call.app.db).await?;
    let ring = call.app.keys();
    let mut keys = Vec::new();
    for set in ring.iter() {
        let id = set.id.as_str();
        let place = counted.iter().position(|(key, _)| key == id);
        let accounts = place.map_or(0, |place| counted.swap_remove(place).1);
        let role = if id == ring.current().id.as_str() {
            Role::Current
        } else {
            Role::Former
        };
        keys.push(Key {
            id: id.to_owned(),
            role,
            accounts,
        });
    }
    let missing = counted.into_iter().map(|(id, accounts)| Key {
        id,
        role: Role::Missing,
        accounts,
    });
    keys.extend(missing);
    Ok(keys)
}
