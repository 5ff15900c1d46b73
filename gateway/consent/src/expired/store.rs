//! Removing what has run out.

use branchline_db::{DbError, TenantTx, Values};
use branchline_kernel::Timestamp;

const LOGINS: &str = "DELETE FROM login_attempt WHERE hash IN \
(SELECT hash FROM login_attempt WHERE expires_at < $1 \
ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED)";
const INTERACTIONS: &str = "DELETE FROM interaction WHERE id IN \
(SELECT i.id FROM interaction i WHERE i.expires_at < $1 \
AND NOT EXISTS (SELECT FROM login_attempt l WHERE l.interaction = i.id) \
ORDER BY i.expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED)";
const PUSHED: &str = "DELETE FROM pushed_request WHERE hash IN \
(SELECT p.hash FROM pushed_request p WHERE p.expires_at < $1 \
AND NOT EXISTS (SELECT FROM interaction i WHERE i.pushed = p.hash) \
ORDER BY p.expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED)";
const SESSIONS: &str = "DELETE FROM member_session WHERE hash IN \
(SELECT s.hash FROM member_session s WHERE s.expires_at < $1 \
AND NOT EXISTS (SELECT FROM interaction i WHERE i.session = s.hash) \
ORDER BY s.expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED)";
const TOKENS: &str = "DELETE FROM access_token WHERE hash IN \
(SELECT hash FROM access_token WHERE expires_at < $1 \
ORDER BY expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED)";
// A code that is shown again revokes the tokens of its grant, so it outlives them.
const CODES: &str = "DELETE FROM authorization_code WHERE hash IN \
(SELECT c.hash FROM authorization_code c WHERE c.expires_at < $1 \
AND NOT EXISTS (SELECT FROM access_token t WHERE t.oauth_grant = c.oauth_grant) \
ORDER BY c.expires_at LIMIT 1000 FOR UPDATE SKIP LOCKED)";

async fn remove(tx: &TenantTx, sql: &'static str, before: Timestamp) -> Result<u64, DbError> {
    tx.run(sql, Values::new().with(before)).await
}

pub(super) async fn remove_logins(tx: &TenantTx, before: Timestamp) -> Result<u64, DbError> {
    remove(tx, LOGINS, before).await
}

pub(super) async fn remove_interactions(tx: &TenantTx, before: Timestamp) -> Result<u64, DbError> {
    remove(tx, INTERACTIONS, before).await
}

pub(super) async fn remove_pushed(tx: &TenantTx, before: Timestamp) -> Result<u64, DbError> {
    remove(tx, PUSHED, before).await
}

pub(super) async fn remove_sessions(tx: &TenantTx, before: Timestamp) -> Result<u64, DbError> {
    remove(tx, SESSIONS, before).await
}

pub(super) async fn remove_tokens(tx: &TenantTx, before: Timestamp) -> Result<u64, DbError> {
    remove(tx, TOKENS, before).await
}

pub(super) async fn remove_codes(tx: &TenantTx, before: Timestamp) -> Result<u64, DbError> {
    remove(tx, CODES, before).await
}
