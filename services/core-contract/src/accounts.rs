//! Members' accounts, what is on them and what happened on them.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::AmountDto;

/// What an account is sold as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ProductDto {
    /// Money at hand, no interest.
    Current,
}

/// Whether an account takes and gives money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccountStatusDto {
    /// It does both.
    Open,
    /// Nothing goes out or comes in until it is unfrozen.
    Frozen,
    /// It has ended.
    Closed,
}

/// An account to open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccountDto {
    /// Who shall own it.
    pub member_id: Uuid,
    /// Its one currency (ISO 4217, capitals).
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    pub currency: String,
    /// What it is sold as.
    pub product: ProductDto,
}

/// A member's account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountDto {
    /// The account's id inside this institution.
    pub account_id: Uuid,
    /// What others write to pay to it.
    #[schema(example = "DE89370400440532013000")]
    pub iban: String,
    /// Its one currency.
    #[schema(example = "EUR")]
    pub currency: String,
    /// What it is sold as.
    pub product: ProductDto,
    /// Whether it takes and gives money.
    pub status: AccountStatusDto,
    /// The name of its owner.
    #[schema(example = "Amina Otieno")]
    pub owner_name: String,
}

/// The accounts of one member that the caller may see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccountListDto {
    /// The accounts, the oldest first.
    pub accounts: Vec<AccountDto>,
}

/// What is on an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BalancesDto {
    /// The account.
    pub account_id: Uuid,
    /// What has been booked.
    pub booked: AmountDto,
    /// What can be paid out: booked less what is held.
    pub available: AmountDto,
    /// When this was so.
    pub at: DateTime<Utc>,
}

/// Cash that a member brings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDepositDto {
    /// How much, in the account's currency.
    pub amount: AmountDto,
}

/// Why an account is frozen, or lets money move again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FreezeAccountDto {
    /// What an auditor shall read; no personal data.
    #[schema(example = "Court order 17/2026", min_length = 1, max_length = 140)]
    pub reason: String,
}

/// What was posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostedDto {
    /// The posting in the ledger.
    pub posting_id: Uuid,
}

/// Which way an entry moved the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EntrySideDto {
    /// Money went out.
    Debit,
    /// Money came in.
    Credit,
}

/// One line of an account's statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryDto {
    /// The number of the line on this account; it never changes.
    pub entry: i64,
    /// The posting that brought it.
    pub posting_id: Uuid,
    /// Which way it moved the account.
    pub side: EntrySideDto,
    /// How much moved.
    pub amount: AmountDto,
    /// What was booked after it.
    pub balance_after: AmountDto,
    /// The day it counts for in the books.
    pub booking_date: NaiveDate,
    /// The day it counts for interest.
    pub value_date: NaiveDate,
    /// What sort of movement it was, such as `cash-deposit`.
    pub kind: String,
    /// What the payer wrote, or the teller.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memo: Option<String>,
    /// The payment that caused it, if one did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub payment_id: Option<Uuid>,
    /// The payer's own reference of that payment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub end_to_end_id: Option<String>,
    /// Who is on the other side of that payment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub counterparty_name: Option<String>,
    /// The account on the other side of that payment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub counterparty_iban: Option<String>,
}

/// A page of an account's statement, the latest line first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct EntryPageDto {
    /// The lines.
    pub entries: Vec<EntryDto>,
    /// Where the next page starts; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
}
