//! Why positions were not netted.

use branchline_kernel::Money;
use branchline_payments::PaymentError;

/// Why positions were not netted.
#[derive(Debug, thiserror::Error)]
pub enum NettingError {
    /// The institutions' positions do not mirror each other.
    #[error(
        "the positions of all institutions sum to {0} and not to zero: payments are on their way, \
         or the books disagree. Nothing was netted; try again in a moment, and if it stays so, \
         run `branchline ledger verify`"
    )]
    Unmirrored(Money),
    /// The sum of the positions does not fit.
    #[error("the positions are too large to be added up")]
    TooLarge(#[from] branchline_kernel::MoneyError),
    /// An institution could not be read or booked; those before it are netted, and a second run
    /// nets the rest.
    #[error("an institution could not be netted: run the command again")]
    Payments(#[from] PaymentError),
}
