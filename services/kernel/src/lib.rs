//! The words every other crate speaks: ids, money, currencies, IBANs, time, secrets, refusals.
//!
//! # Invariants
//! - Nothing here does I/O, is async, or takes the time or a random number by itself, except the
//!   two sources that others are handed: [`SystemClock`] and [`RandomIds`].
//! - Arithmetic on money is checked; amounts of different currencies never meet.

mod clock;
mod currency;
mod cursor;
mod iban;
mod ids;
mod money;
mod refusal;
mod secret;
mod tenant;

pub use clock::{Clock, FakeClock, SystemClock, Timestamp};
pub use currency::{Currency, UnknownCurrency};
pub use cursor::{Cursor, MalformedCursor};
pub use iban::{Iban, MalformedIban};
pub use ids::{
    AccountId, AuthorisationId, ConsentId, HoldId, IdSource, LedgerAccountId, MalformedId,
    MemberId, PaymentId, PostingId, RandomIds, RequestId, ResourceId, SeededIds, TppId,
};
pub use money::{Money, MoneyError};
pub use refusal::{Kind, Refusal};
pub use secret::Secret;
pub use tenant::{MalformedTenant, TenantId, TenantSlug};
