//! Berlin Group XS2A (NextGenPSD2 1.3) rules without I/O: what a TPP may send, what may happen to
//! a consent, a payment's approval and a read, and what the answers look like.
//!
//! # Invariants
//! - A refusal carries a message code that the standard lists for its status.
//! - Nothing here reads a clock or keeps state: time comes in, the next state goes out.

mod access;
mod authorisation;
#[cfg(test)]
mod bad_input;
mod body;
mod codes;
mod consent;
mod consent_request;
mod error;
mod headers;
mod payment;
mod query;
mod quota;
mod status;
mod text;
mod wire;

pub use access::{Access, AccountReference, DedicatedAccess, Permissions};
pub use authorisation::{
    Authorisation, CodeCheck, ContentHash, MAX_CODE_ATTEMPTS, MalformedHash, NotAFailure,
    SCA_LIFE_SECS, ScaError, ScaFailure, ScaOutcome,
};
pub use body::{has_member_twice, parse_json};
pub use codes::{
    BadRequest, Bare, Conflict, Forbidden, MessageCode, MethodNotAllowed, NotAcceptable, NotFound,
    Service, TooManyRequests, Unauthorized,
};
pub use consent::{
    CONFIRMATION_LIFE_SECS, Consent, ConsentError, ConsentState, DataKind, GrantedAccount, Moment,
    Psu,
};
pub use consent_request::{ConsentRequest, MAX_FREQUENCY_PER_DAY, MAX_VALIDITY_DAYS};
pub use error::{TppMessage, TppMessages, Xs2aError};
pub use headers::{
    ReadPresence, accept_json, consent_id, id_in_path, json_content, optional_flag, presence,
    psu_ip_address, request_id, tpp_redirect_uri,
};
pub use payment::{Bic, PaymentProduct, SepaCreditTransfer};
pub use query::{BookingStatus, TransactionsQuery, with_balance};
pub use quota::{CountWindow, Counting, Endpoint, QuotaRule};
pub use status::{ConsentStatus, NotAStatus, ScaStatus, TransactionStatus};
pub use wire::{
    AccessBody, AccountBody, AccountLinks, AccountReferenceBody, AccountStatus, AccountsBody,
    Amount, AuthorisationsBody, BalanceBody, BalanceType, BalancesBody, ConsentBody,
    ConsentCreated, ConsentStatusBody, Href, InitiationLinks, OneAccountBody, PaymentBody,
    PaymentCreated, PaymentStatusBody, ReportBody, ReportLinks, ScaStatusBody, TransactionBody,
    TransactionsBody,
};
