//! How an error tells the outside what happened without telling it too much.

use std::error::Error;

/// What sort of refusal an error is; only `branchline-web` turns it into an HTTP status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The input is wrong: 400.
    Invalid,
    /// Nobody is signed in, or the token is no good: 401.
    Unauthenticated,
    /// Signed in, but without the right: 403.
    Forbidden,
    /// Absent, or not to be known: 404.
    NotFound,
    /// The state of things forbids it: 409.
    Conflict,
    /// Too large: 413.
    TooLarge,
    /// Well formed, yet it cannot be done: 422.
    Unprocessable,
    /// Too many calls: 429.
    TooMany,
    /// For the moment it cannot be done; nothing was changed: 503 with `Retry-After`.
    Unavailable,
    /// Something of ours is broken: 500, without detail.
    Broken,
}

/// An error that a caller may meet.
pub trait Refusal: Error + Send + Sync + 'static {
    /// What sort of refusal it is.
    fn kind(&self) -> Kind;

    /// A stable code in kebab case that programs may match on.
    fn code(&self) -> &'static str;

    /// What the caller may read: what happened, why, and what to do next.
    fn public(&self) -> String;
}
