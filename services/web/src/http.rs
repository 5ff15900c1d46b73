//! The one client for calls to others.

use std::time::Duration;

/// The client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("the client for outgoing calls could not be made")]
pub struct HttpError(#[from] reqwest::Error);

/// Makes the client: time-outs on everything, no redirects, no proxy from the environment.
///
/// # Errors
/// [`HttpError`] when the TLS library cannot be set up.
pub fn outbound_client() -> Result<reqwest::Client, HttpError> {
    let client = reqwest::Client::builder()
        .connect_timeout(Duration::from_secs(3))
        .timeout(Duration::from_secs(8))
        .pool_idle_timeout(Duration::from_secs(30))
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()?;
    Ok(client)
}
