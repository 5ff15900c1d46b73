//! The books as a whole.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::AmountDto;

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
