//! OAuth 2 and FAPI 2.0 rules without I/O: what a client may register and ask for, how it proves
//! who it is, and what the authorization server answers.
//!
//! # Invariants
//! - Nothing here reads a clock, draws a random number or keeps state: the caller hands in time,
//!   random bytes and rows, and stores what comes back.
//! - Secrets (codes, tokens) leave this crate only through a method named `expose`.

mod access_token;
mod assertion;
mod authorization;
#[cfg(test)]
mod bad_input;
mod client_id;
mod code;
mod error;
mod issuer;
mod keys;
mod metadata;
mod one_time_code;
mod params;
mod pkce;
mod pushed;
mod redirect;
mod registration;
mod scope;
mod token;
mod token_request;

pub use access_token::{ACCESS_TOKEN_LIFE_SECS, TokenState, bearer_token};
pub use assertion::{ClientAssertion, ReplayKey, VerifiedClient};
pub use authorization::{AuthorizationRequest, denied_redirect, granted_redirect};
pub use client_id::ClientId;
pub use code::{AUTHORIZATION_CODE_LIFE_SECS, AuthorizationCode, CodeRefused, CodeState};
pub use error::{ErrorBody, ErrorCode, OAuthError};
pub use issuer::Issuer;
pub use keys::ClientKeys;
pub use metadata::ServerMetadata;
pub use one_time_code::OneTimeCode;
pub use params::Params;
pub use pkce::{CodeChallenge, CodeVerifier};
pub use pushed::{AuthorizationCall, PushedAnswer, PushedState, REQUEST_URI_LIFE_SECS, RequestUri};
pub use redirect::{LoopbackHttp, RedirectUri};
pub use registration::{
    ClientName, GrantType, Registration, RegistrationAnswer, RegistrationRequest,
};
pub use scope::{ResourceScope, Role, Roles, ServiceScope};
pub use token::{OpaqueToken, TokenHash, TokenKind};
pub use token_request::{CodeExchange, RevocationRequest, TokenAnswer, TokenRequest};
