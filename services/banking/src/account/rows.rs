//! Rows of members' accounts.

use branchline_db::{DbError, TenantTx, Values};
use branchline_kernel::{AccountId, Currency, Iban, LedgerAccountId, MemberId};
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use uuid::Uuid;

use super::model::{Account, NewAccount, Product, Status};

/// An account without what the ledger knows of it.
pub(super) struct Row {
    id: AccountId,
    member: MemberId,
    owner_name: String,
    iban: Iban,
    currency: Currency,
    product: Product,
    pub(super) ledger_account: LedgerAccountId,
}

impl Row {
    pub(super) fn into_account(self, status: Status) -> Account {
        Account {
            id: self.id,
            member: self.member,
            owner_name: self.owner_name,
            iban: self.iban,
            currency: self.currency,
            product: self.product,
            status,
            ledger_account: self.ledger_account,
        }
    }
}

pub(super) struct NewRow<'a> {
    pub(super) id: AccountId,
    pub(super) new: &'a NewAccount,
    pub(super) iban: &'a Iban,
    pub(super) ledger_account: LedgerAccountId,
}

const INSERT: &str = "INSERT INTO deposit_account \
(id, member, iban, currency, product, ledger_account, opened_at) \
VALUES ($1, $2, $3, $4, $5, $6, $7)";
const FIND: &str = "SELECT d.id, d.member, m.name, d.iban, d.currency, d.product, d.ledger_account \
FROM deposit_account d JOIN member m ON m.id = d.member WHERE d.id = $1";
const FIND_BY_IBAN: &str = "SELECT d.id, d.member, m.name, d.iban, d.currency, d.product, \
d.ledger_account FROM deposit_account d JOIN member m ON m.id = d.member WHERE d.iban = $1";
const LIST: &str = "SELECT d.id, d.member, m.name, d.iban, d.currency, d.product, d.ledger_account \
FROM deposit_account d JOIN member m ON m.id = d.member WHERE d.member = $1 ORDER BY d.id LIMIT 100";

pub(super) async fn insert(tx: &TenantTx, row: &NewRow<'_>) -> Result<(), DbError> {
    let values = Values::new()
        .with(row.id.uuid())
        .with(row.new.member.uuid())
        .with(row.iban.as_str())
        .with(row.new.currency.code())
        .with(row.new.product.word())
        .with(row.ledger_account.number())
        .with(tx.now());
    tx.run(INSERT, values).await.map(drop)
}

pub(super) async fn find(tx: &TenantTx, id: AccountId) -> Result<Option<Row>, DbError> {
    let rows = tx.named(FIND, Values::new().with(id.uuid())).await?;
    rows.first().map(read).transpose()
}

pub(super) async fn find_by_iban(tx: &TenantTx, iban: &Iban) -> Result<Option<Row>, DbError> {
    let rows = tx
        .named(FIND_BY_IBAN, Values::new().with(iban.as_str()))
        .await?;
    rows.first().map(read).transpose()
}

pub(super) async fn list(tx: &TenantTx, owner: MemberId) -> Result<Vec<Row>, DbError> {
    let rows = tx.named(LIST, Values::new().with(owner.uuid())).await?;
    rows.iter().map(read).collect()
}

fn read(row: &PgRow) -> Result<Row, DbError> {
    let inconsistent = |column| DbError::Inconsistent {
        table: "deposit_account",
        column,
    };
    let (id, member): (Uuid, Uuid) = (row.try_get("id")?, row.try_get("member")?);
    let iban: String = row.try_get("iban")?;
    let currency: String = row.try_get("currency")?;
    let product: String = row.try_get("product")?;
    let ledger_account: i64 = row.try_get("ledger_account")?;
    Ok(Row {
        id: id.into(),
        member: member.into(),
        owner_name: row.try_get("name")?,
        iban: iban.parse().map_err(|_malformed| inconsistent("iban"))?,
        currency: currency
            .parse()
            .map_err(|_unknown| inconsistent("currency"))?,
        product: Product::of(&product).ok_or(inconsistent("product"))?,
        ledger_account: ledger_account.into(),
    })
}
