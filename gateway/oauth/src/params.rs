//! Parameters of a form body or a query, as OAuth reads them.
//!
//! # Invariants
//! - A parameter without a value counts as absent (RFC 6749 §3.1).
//! - A parameter that is asked for may stand only once; parameters nobody asks for are ignored.

use crate::OAuthError;

/// The longest form that is read at all.
const MAX_FORM_BYTES: usize = 65_536;

/// The decoded pairs, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Decodes `application/x-www-form-urlencoded` text: a body, or the query of an address.
    ///
    /// # Errors
    /// [`OAuthError::MalformedForm`] when it is too long, not UTF-8 or badly escaped.
    pub fn decode(form: &[u8]) -> Result<Self, OAuthError> {
        if form.len() > MAX_FORM_BYTES {
            return Err(OAuthError::MalformedForm);
        }
        form.split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let mut halves = pair.splitn(2, |byte| *byte == b'=');
                let name = unescape(halves.next().unwrap_or_default())?;
                let value = unescape(halves.next().unwrap_or_default())?;
                Ok((name, value))
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// The value of `name`, `None` when it is absent or empty.
    ///
    /// # Errors
    /// [`OAuthError::RepeatedParameter`] when it stands more than once.
    pub fn find(&self, name: &'static str) -> Result<Option<&str>, OAuthError> {
        let mut values = self
            .0
            .iter()
            .filter(|(key, value)| key == name && !value.is_empty());
        let first = values.next();
        if values.next().is_some() {
            return Err(OAuthError::RepeatedParameter(name));
        }
        Ok(first.map(|(_, value)| value.as_str()))
    }

    /// The value of `name`.
    ///
    /// # Errors
    /// [`OAuthError::MissingParameter`], [`OAuthError::RepeatedParameter`].
    pub fn get(&self, name: &'static str) -> Result<&str, OAuthError> {
        self.find(name)?.ok_or(OAuthError::MissingParameter(name))
    }

    /// The value of `name` when it is there and no longer than `max` bytes.
    pub(crate) fn find_bounded(
        &self,
        name: &'static str,
        max: usize,
    ) -> Result<Option<&str>, OAuthError> {
        match self.find(name)? {
            Some(value) if value.len() > max => Err(OAuthError::OversizedParameter(name, max)),
            found => Ok(found),
        }
    }
}

fn unescape(text: &[u8]) -> Result<String, OAuthError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = hex_digit(rest.next())?;
                let low = hex_digit(rest.next())?;
                (high << 4) | low
            }
            other => *other,
        });
    }
    String::from_utf8(bytes).map_err(|_not_utf8| OAuthError::MalformedForm)
}

fn hex_digit(byte: Option<&u8>) -> Result<u8, OAuthError> {
    byte.and_then(|byte| char::from(*byte).to_digit(16))
        .and_then(|digit| u8::try_from(digit).ok())
        .ok_or(OAuthError::MalformedForm)
}

/// Escapes a value for a query (RFC 3986 §2.3: everything but unreserved characters).
pub(crate) fn escape(value: &str) -> String {
    use std::fmt::Write as _;
    value.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _written = write!(text, "%{byte:02X}");
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_decoded() {
        let params = Params::decode(b"a=1+2&b=%C3%A4%26&&c").unwrap();
        assert_eq!(params.get("a"), Ok("1 2"));
        assert_eq!(params.get("b"), Ok("ä&"));
        assert_eq!(params.find("c"), Ok(None));
        assert_eq!(params.get("d"), Err(OAuthError::MissingParameter("d")));
    }

    #[test]
    fn a_parameter_that_stands_twice_is_refused_only_when_it_is_asked_for() {
        let params = Params::decode(b"a=1&a=1&b=2").unwrap();
        assert_eq!(params.get("b"), Ok("2"));
        assert_eq!(params.find("a"), Err(OAuthError::RepeatedParameter("a")));
    }

    #[test]
    fn what_is_no_form_is_refused() {
        for form in [
            &b"a=%"[..],
            b"a=%1",
            b"a=%zz",
            b"a=%+1",
            b"\xff=1",
            b"a=%ff",
            &vec![b'a'; 1_000_000],
        ] {
            assert_eq!(Params::decode(form), Err(OAuthError::MalformedForm));
        }
        assert!(Params::decode(b"").is_ok());
    }

    #[test]
    fn a_value_survives_its_escape() {
        let value = "a b&c=d/ä+%~";
        let form = format!("x={}", escape(value));
        assert_eq!(Params::decode(form.as_bytes()).unwrap().get("x"), Ok(value));
    }
}
