//! Requests and answers of the core's API: what the core's handlers and the gateway's client share.
//!
//! # Invariants
//! - Types only, and the one fingerprint of a payment; no rule lives here.
//! - Requests refuse unknown fields. Answers may grow, so readers of answers ignore them.

mod accounts;
mod amount;
mod fingerprint;
mod ledger;
mod members;
mod payments;

pub use accounts::{
    AccountDto, AccountListDto, AccountStatusDto, BalancesDto, EntryDto, EntryPageDto,
    EntrySideDto, FreezeAccountDto, NewAccountDto, NewDepositDto, PostedDto, ProductDto,
};
pub use amount::AmountDto;
pub use fingerprint::{PaymentFacts, payment_fingerprint};
pub use ledger::{
    ClosePeriodDto, ClosedPeriodDto, HoldDirectionDto, HoldDto, HoldIdDto, HoldStateDto,
    LedgerAccountDto, LedgerEntryDto, LedgerEntryPageDto, LedgerFreezeDto, LegDto, NewHoldDto,
    NewLedgerAccountDto, NewPostingDto, PeriodDto, PostedLegDto, PostingDto, ReferenceDto,
    ReversePostingDto, TrialBalanceDto, TrialBalanceRowDto,
};
pub use members::{LoginDto, MemberDto, NewMemberDto};
pub use payments::{
    AuthorisePaymentDto, NewPaymentDto, PaymentDto, PaymentStateDto, PaymentStatusDto,
};
