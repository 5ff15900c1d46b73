//! Members, their deposit accounts, and the institution that keeps them.
//!
//! # Invariants
//! - Balances, freezes and ends of accounts are the ledger's; nothing here repeats them.
//! - An account has one owner and one currency for good.
//!
//! # Locking
//! The institution's row first, then the ledger's accounts. Nothing locks the other way round.

mod account;
mod institution;
mod member;

pub use account::{
    Account, AccountError, NewAccount, Product, Status, balances, cash_deposit, find_by_iban,
    freeze, get_account, list_accounts, open_account, statement, unfreeze,
};
pub use institution::{
    House, Institution, InstitutionError, Rail, establish, find_house_account, get_house_account,
    house_account,
};
pub use member::{Login, Member, MemberError, NewMember, enroll, find_member_by_login};
