//! The one client for calls to others.

use std::time::Duration;

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the client for outgoing calls could not be made")]
pub struct HttpError(#[from] reqwest::Error);

/// How long an answer may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Patience {
    /// Somebody waits for our own answer: 8 s.
    Request,
    /// An operator set off something large, such as the making of a realm: 2 minutes.
    Operation,
}

/// Makes the client: time-outs on everything, no redirects, no proxy from the environment.
///
/// # Errors
/// [`HttpError`] when the TLS library cannot be set up.
pub fn outbound_client(patience: Patience) -> Result<reqwest::Client, HttpError> {
    let longest = match patience {
        Patience::Request => Duration::from_secs(8),
        Patience::Operation => Duration::from_secs(120),
    };
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(3))
        .timeout(longest)
        .pool_idle_timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    Ok(client)
}
