//! Where a page of a list goes on: opaque to the caller, a key to us.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The key behind which the next page starts, as text that fits a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(String);

/// A text that was never given out as a cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the cursor is not one that this list gave out: start again without it")]
pub struct MalformedCursor;

impl Cursor {
    /// Wraps the key of the last row shown.
    #[must_use]
    pub fn after(key: &str) -> Self {
        Self(URL_SAFE_NO_PAD.encode(key))
    }

    /// The key inside a text that a caller sent back.
    ///
    /// # Errors
    /// [`MalformedCursor`] when the text is not base64url of UTF-8.
    pub fn key(text: &str) -> Result<String, MalformedCursor> {
        let bytes = URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|_not_base64| MalformedCursor)?;
        String::from_utf8(bytes).map_err(|_not_utf8| MalformedCursor)
    }

    /// The text to give out.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_gives_back_its_key() {
        assert_eq!(
            Cursor::key(Cursor::after("ä 17").as_str()),
            Ok("ä 17".to_owned())
        );
        assert_eq!(Cursor::key("%"), Err(MalformedCursor));
    }
}
