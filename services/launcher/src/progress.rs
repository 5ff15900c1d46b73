//! How a start tells the waiting person what it is doing.

use std::fmt;
use std::sync::Arc;

/// Receives one short sentence per slow step, for example `fetching PostgreSQL 18.4 (15 MB)`.
#[derive(Clone)]
pub struct Progress(Arc<dyn Fn(&str) + Send + Sync>);

impl Progress {
    /// Passes each sentence to `tell`.
    pub fn new(tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self(Arc::new(tell))
    }

    /// Tells nobody.
    #[must_use]
    pub fn silent() -> Self {
        Self::new(|_| {})
    }

    pub(crate) fn tell(&self, sentence: &str) {
        tracing::debug!("{sentence}");
        (self.0)(sentence);
    }
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Progress")
    }
}
