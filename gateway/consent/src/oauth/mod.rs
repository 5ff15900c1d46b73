//! What the authorization server keeps: pushed requests, grants, codes and tokens.
//!
//! # Invariants
//! - Codes, tokens and names of pushed requests are stored as hashes.
//! - A code is redeemed once; a second time revokes the grant, in a transaction of its own.
//!
//! # Locking
//! Redeeming locks the code's row, completing locks the pushed request's.

mod codes;
mod pushed;
mod rows;
mod store;
mod tokens;

pub use codes::{GrantId, RedeemError, Redeemed, grant, redeem};
pub use pushed::{Pushed, PushedKey, complete, find_pushed, get_pushed, push};
pub use store::{revoke_grant, revoke_token};
pub use tokens::{AccessToken, TokenScope, find_token, issue_token};
