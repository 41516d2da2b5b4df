//! `passkeys`: whose passkey a credential is, by a digest of its id, so that a client's users never have the same one
//! (ATK-95). What a passkey is stands in its account; a row here goes with it.

use crate::domain::crypto::digest::{self, Digest};
use crate::domain::ids::{ClientId, Owner};
use crate::domain::webauthn::CredentialId;
use crate::platform::{Database, DatabaseError, Statement};

/// A credential's id as it is stored: bound to the client, so that one tenant's rows say nothing of another's.
pub fn digest_of(client: &ClientId, id: &CredentialId) -> Digest {
    let parts = [client.as_str().as_bytes(), id.as_bytes()];
    digest::plain("candado/passkey-id/v1", &parts)
}

/// The scope in which whoever registers the same credential takes turns.
pub(super) fn scope(digest: &Digest) -> String {
    format!("passkey:{}", digest.as_hex())
}

/// Adds the condition that nobody has it to a statement whose ?1 is the client.
pub(super) fn guard(digest: &Digest, statement: &mut Statement) {
    let sql = " AND NOT EXISTS (SELECT 1 FROM passkeys p WHERE p.client_id = ?1 AND p.digest = ";
    statement.bind(sql, digest.as_hex());
    statement.add(")");
}

/// Notes whose it is, if the statement before it changed one row.
pub(super) fn insert_if_changed(owner: &Owner, digest: &Digest) -> Statement {
    let sql = "INSERT INTO passkeys (client_id, digest, user_id)
         SELECT ?1, ?2, ?3 WHERE changes() = 1";
    let params = [
        owner.client.as_str().into(),
        digest.as_hex().into(),
        owner.user.as_str().into(),
    ];
    Statement::new(sql, params)
}

/// Forgets that one of the user's, or all of them, if the statement before it changed one row. It may change any number
/// itself, so it is the last of its batch.
pub(super) fn delete_if_changed(owner: &Owner, digest: Option<&Digest>) -> Statement {
    let sql = "DELETE FROM passkeys WHERE client_id = ?1 AND user_id = ?2 AND changes() = 1";
    let params = [owner.client.as_str().into(), owner.user.as_str().into()];
    let mut statement = Statement::new(sql, params);
    if let Some(digest) = digest {
        statement.bind(" AND digest = ", digest.as_hex());
    }
    statement
}

/// Forgets at most so many of a client that is being deleted.
pub(super) fn forget(client: &ClientId, most: u32) -> Statement {
    let sql = "DELETE FROM passkeys WHERE client_id = ?1
         AND digest IN (SELECT digest FROM passkeys WHERE client_id = ?1 LIMIT ?2)
         AND EXISTS (SELECT 1 FROM clients WHERE client_id = ?1 AND deleted_at IS NOT NULL)";
    Statement::new(sql, [client.as_str().into(), most.into()])
}

/// Whether a user of the client has it.
pub async fn is_taken(
    db: &dyn Database,
    client: &ClientId,
    digest: &Digest,
) -> Result<bool, DatabaseError> {
    let sql = "SELECT user_id FROM passkeys WHERE client_id = ?1 AND digest = ?2";
    let params = [client.as_str().into(), digest.as_hex().into()];
    Ok(!db.run(Statement::new(sql, params)).await?.rows.is_empty())
}
