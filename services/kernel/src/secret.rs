//! Values that must not be printed.

/// A value that neither prints nor serializes itself.
#[derive(Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(transparent)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Wraps a value.
    #[must_use]
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself; the name makes the place easy to find.
    #[must_use]
    pub const fn expose(&self) -> &T {
        &self.0
    }
}
