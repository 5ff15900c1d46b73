//! The ledger: its accounts, postings and holds, and the books as a whole.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{AmountDto, EntrySideDto};

/// An account of the ledger to open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewLedgerAccountDto {
    /// Its unique name. Names that begin with `house/` or `deposit/` are made by Branchline itself.
    #[schema(example = "fees/card", min_length = 1, max_length = 80)]
    pub code: String,
    /// The currency it is kept in.
    #[schema(example = "EUR")]
    pub currency: String,
    /// The side it grows on.
    pub normal_side: EntrySideDto,
    /// The account of the chart that sums it up.
    #[schema(example = "opening-equity")]
    pub gl_account: String,
    /// The least that must stay available; without it nothing bounds the account.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "0.00")]
    pub floor: Option<String>,
    /// The most that may be booked on it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "10000.00")]
    pub cap: Option<String>,
}

/// Which sides of an account are frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LedgerFreezeDto {
    /// None.
    Nothing,
    /// Nothing more is debited.
    Debits,
    /// Nothing more is credited.
    Credits,
    /// Both.
    Everything,
}

/// An account of the ledger and what is on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerAccountDto {
    /// Its id.
    pub ledger_account_id: i64,
    /// Its unique name.
    pub code: String,
    /// The side it grows on; balances are above zero there.
    pub normal_side: EntrySideDto,
    /// The account of the chart that sums it up.
    pub gl_account: String,
    /// Its branch.
    pub branch: String,
    /// What is frozen.
    pub frozen: LedgerFreezeDto,
    /// The day it was closed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub closed_on: Option<NaiveDate>,
    /// What is booked.
    pub booked: AmountDto,
    /// Booked less what is set aside.
    pub available: AmountDto,
    /// What is set aside to leave.
    pub held: AmountDto,
    /// What is announced to come.
    pub incoming: AmountDto,
}

/// The business object behind a posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReferenceDto {
    /// What it is.
    #[schema(example = "loan", min_length = 1, max_length = 40)]
    pub kind: String,
    /// Which one.
    pub id: Uuid,
}

/// One line of a posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LegDto {
    /// The account it changes.
    pub ledger_account_id: i64,
    /// The side it goes to.
    pub side: EntrySideDto,
    /// How much: above zero, in the account's currency.
    pub amount: AmountDto,
}

/// A balanced posting of 2 to 100 legs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPostingDto {
    /// What sort of movement it is.
    #[schema(example = "correction", min_length = 1, max_length = 40)]
    pub kind: String,
    /// The day it is booked under; today without it. An open period covers it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub booking_date: Option<NaiveDate>,
    /// The day from which it bears interest; the booking day without it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value_date: Option<NaiveDate>,
    /// The lines; debits and credits are equal in each currency.
    pub legs: Vec<LegDto>,
    /// A hold to take the money of, in full or in part; what is left over is free again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hold_id: Option<Uuid>,
    /// A line for people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(example = "Fee of March taken twice", max_length = 280)]
    pub memo: Option<String>,
    /// The business object behind it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reference: Option<ReferenceDto>,
}

/// One line of a stored posting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostedLegDto {
    /// The account.
    pub ledger_account_id: i64,
    /// The number of the line on that account.
    pub entry: i64,
    /// The side.
    pub side: EntrySideDto,
    /// How much.
    pub amount: AmountDto,
    /// What was booked on the account after it.
    pub balance_after: AmountDto,
}

/// A stored posting; it never changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PostingDto {
    /// Its id.
    pub posting_id: Uuid,
    /// What sort of movement it was.
    pub kind: String,
    /// The day it is booked under.
    pub booking_date: NaiveDate,
    /// The day from which it bears interest.
    pub value_date: NaiveDate,
    /// When it was booked.
    pub booked_at: DateTime<Utc>,
    /// Who booked it.
    pub actor: String,
    /// Its branch.
    pub branch: String,
    /// The posting that it reverses.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reversal_of: Option<Uuid>,
    /// The line for people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memo: Option<String>,
    /// The business object behind it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reference: Option<ReferenceDto>,
    /// Its lines, in their order.
    pub legs: Vec<PostedLegDto>,
}

/// The days of the posting that undoes another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReversePostingDto {
    /// The day it is booked under; today without it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub booking_date: Option<NaiveDate>,
    /// The day from which it bears interest; the booking day without it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub value_date: Option<NaiveDate>,
}

/// Which way the money of a hold will go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HoldDirectionDto {
    /// It leaves the account: the available balance falls now.
    Outgoing,
    /// It is announced: only the expected balance rises.
    Incoming,
}

/// Money to set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHoldDto {
    /// The account.
    pub ledger_account_id: i64,
    /// How much.
    pub amount: AmountDto,
    /// Which way it will go.
    pub direction: HoldDirectionDto,
    /// From when on it can no longer be posted; without it only a posting or a voiding ends it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<DateTime<Utc>>,
    /// A line for people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    #[schema(max_length = 280)]
    pub memo: Option<String>,
    /// The business object behind it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reference: Option<ReferenceDto>,
}

/// The hold that was placed or ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HoldIdDto {
    /// The hold.
    pub hold_id: Uuid,
}

/// How far a hold has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum HoldStateDto {
    /// The money is set aside.
    Open,
    /// A posting took it.
    Posted,
    /// It was released.
    Voided,
    /// Its time came.
    Expired,
}

/// A hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HoldDto {
    /// Its id.
    pub hold_id: Uuid,
    /// The account.
    pub ledger_account_id: i64,
    /// How much was set aside.
    pub amount: AmountDto,
    /// How far it has come.
    pub state: HoldStateDto,
    /// How much a posting took of it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub taken: Option<AmountDto>,
    /// From when on it can no longer be posted.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// One line of a ledger account's statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerEntryDto {
    /// The number of the line on this account; it never changes.
    pub entry: i64,
    /// The posting that brought it.
    pub posting_id: Uuid,
    /// The side it went to.
    pub side: EntrySideDto,
    /// How much.
    pub amount: AmountDto,
    /// What was booked after it.
    pub balance_after: AmountDto,
    /// The day it is booked under.
    pub booking_date: NaiveDate,
    /// The day from which it bears interest.
    pub value_date: NaiveDate,
    /// When it was booked.
    pub booked_at: DateTime<Utc>,
    /// What sort of movement it was.
    pub kind: String,
    /// The line for people.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub memo: Option<String>,
    /// The business object behind it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reference: Option<ReferenceDto>,
}

/// A page of a ledger account's statement, the latest line first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerEntryPageDto {
    /// The lines.
    pub entries: Vec<LedgerEntryDto>,
    /// Where the next page starts; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_cursor: Option<String>,
}

/// Days that are accounted for together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeriodDto {
    /// The first day.
    pub first_day: NaiveDate,
    /// The last day.
    pub last_day: NaiveDate,
}

/// The period to close, for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClosePeriodDto {
    /// Its first day.
    pub first_day: NaiveDate,
}

/// A closed period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClosedPeriodDto {
    /// Its first day.
    pub first_day: NaiveDate,
    /// The instant of closing: what is booked under its days was booked before it.
    pub closed_at: DateTime<Utc>,
}

/// One account of the general ledger in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrialBalanceRowDto {
    /// The account of the chart.
    #[schema(example = "deposits")]
    pub gl_account: String,
    /// All debits.
    pub debit: AmountDto,
    /// All credits.
    pub credit: AmountDto,
    /// Debits less credits.
    pub balance: AmountDto,
}

/// All accounts of the general ledger; per currency the balances sum to zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TrialBalanceDto {
    /// The accounts, by code and currency.
    pub rows: Vec<TrialBalanceRowDto>,
}
