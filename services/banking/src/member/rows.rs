//! Rows of members and their logins.

use branchline_db::{DbError, TenantTx, Values};
use sqlx::Row;
use uuid::Uuid;

use super::{Login, Member};

const INSERT: &str = "INSERT INTO member (id, name, enrolled_at) VALUES ($1, $2, $3)";
const INSERT_LOGIN: &str = "INSERT INTO member_login (issuer, subject, member) VALUES ($1, $2, $3)";
const FIND_BY_LOGIN: &str = "SELECT m.id, m.name FROM member_login l \
JOIN member m ON m.id = l.member WHERE l.issuer = $1 AND l.subject = $2";

pub(super) async fn insert(tx: &TenantTx, member: &Member) -> Result<(), DbError> {
    let values = Values::new()
        .with(member.id.uuid())
        .with(member.name.as_str())
        .with(tx.now());
    tx.run(INSERT, values).await.map(drop)
}

pub(super) async fn insert_login(
    tx: &TenantTx,
    member: &Member,
    login: &Login,
) -> Result<(), DbError> {
    let values = Values::new()
        .with(login.issuer.as_str())
        .with(login.subject.as_str())
        .with(member.id.uuid());
    tx.run(INSERT_LOGIN, values).await.map(drop)
}

pub(super) async fn find_by_login(tx: &TenantTx, login: &Login) -> Result<Option<Member>, DbError> {
    let values = Values::new()
        .with(login.issuer.as_str())
        .with(login.subject.as_str());
    let rows = tx.named(FIND_BY_LOGIN, values).await?;
    let Some(row) = rows.first() else {
        return Ok(None);
    };
    let id: Uuid = row.try_get("id")?;
    Ok(Some(Member {
        id: id.into(),
        name: row.try_get("name")?,
    }))
}
