//! Money on the wire.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An amount: a plain decimal as text, and its currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AmountDto {
    /// A plain decimal with at most the decimals of the currency.
    #[schema(example = "12.50", min_length = 1, max_length = 24)]
    pub amount: String,
    /// ISO 4217, capitals.
    #[schema(example = "EUR", pattern = "^[A-Z]{3}$")]
    pub currency: String,
}
