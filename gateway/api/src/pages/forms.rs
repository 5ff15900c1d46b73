//! Forms: their token, and what a browser sends.

use actix_web::web::Bytes;
use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use branchline_consent::session::SecretHash;

use super::refused::Refused;

/// What a form is about: its name, and everything that must not have changed since it was shown.
pub(super) struct Subject<'a> {
    /// Which form.
    pub(super) form: &'static str,
    /// Ids and contents that the page showed.
    pub(super) about: &'a [&'a str],
}

impl Subject<'_> {
    /// The token for the form of one session.
    pub(super) fn token(&self, key: &[u8], session: &SecretHash) -> String {
        URL_SAFE_NO_PAD.encode(self.tag(key, session))
    }

    fn tag(&self, key: &[u8], session: &SecretHash) -> hmac::Tag {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        let mut context = hmac::Context::with_key(&key);
        let mut part = |bytes: &[u8]| {
            context.update(&bytes.len().to_be_bytes());
            context.update(bytes);
        };
        part(b"branchline form 1");
        part(session.bytes());
        part(self.form.as_bytes());
        for about in self.about {
            part(about.as_bytes());
        }
        context.sign()
    }

    /// Whether the form that came back is the one that was shown.
    pub(super) fn check(
        &self,
        key: &[u8],
        session: &SecretHash,
        sent: &Form,
    ) -> Result<(), Refused> {
        let expected = self.token(key, session);
        let shown = sent.one("csrf").unwrap_or_default();
        constant_time::verify_slices_are_equal(expected.as_bytes(), shown.as_bytes())
            .map_err(|_different| Refused::Form)
    }
}

/// The fields of a form, in their order.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads what a browser sent.
    pub(super) fn read(sent: Result<Bytes, actix_web::Error>) -> Result<Self, Refused> {
        let sent = sent.map_err(|_unread| Refused::Form)?;
        let text = std::str::from_utf8(&sent).map_err(|_not_utf8| Refused::Form)?;
        let fields = actix_web::web::Query::<Vec<(String, String)>>::from_query(text);
        let fields = fields.map_err(|_malformed| Refused::Form)?;
        Ok(Self(fields.into_inner()))
    }

    /// The value of a field that stands once.
    pub(super) fn one<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        let mut values = self.all(name);
        let first = values.next();
        first.filter(|_| values.next().is_none())
    }

    /// All values of a field.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(key, _)| key == name);
        named.map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"a key of the tenant";

    fn sent(text: &str) -> Form {
        Form::read(Ok(Bytes::from(text.to_owned()))).unwrap()
    }

    fn subject<'a>(about: &'a [&'a str]) -> Subject<'a> {
        Subject {
            form: "approve",
            about,
        }
    }

    #[test]
    fn a_form_comes_back_to_its_own_session_only() {
        let (hers, another) = (SecretHash::of("one"), SecretHash::of("two"));
        let token = subject(&["x"]).token(KEY, &hers);
        let form = sent(&format!("csrf={token}"));
        assert!(subject(&["x"]).check(KEY, &hers, &form).is_ok());
        assert!(subject(&["x"]).check(KEY, &another, &form).is_err());
    }

    #[test]
    fn a_form_about_something_else_is_refused() {
        let session = SecretHash::of("one");
        let form = sent(&format!(
            "csrf={}",
            subject(&["ab", "c"]).token(KEY, &session)
        ));
        for about in [&["a", "bc"][..], &["ab"], &["ab", "c", ""], &["ab", "d"]] {
            assert!(
                subject(about).check(KEY, &session, &form).is_err(),
                "{about:?}"
            );
        }
        let other_form = Subject {
            form: "code",
            about: &["ab", "c"],
        };
        assert!(other_form.check(KEY, &session, &form).is_err());
    }

    #[test]
    fn a_form_without_or_with_two_tokens_is_refused() {
        let session = SecretHash::of("one");
        let token = subject(&[]).token(KEY, &session);
        for text in [
            String::new(),
            "csrf=".to_owned(),
            format!("csrf={token}&csrf={token}"),
        ] {
            assert!(
                subject(&[]).check(KEY, &session, &sent(&text)).is_err(),
                "{text}"
            );
        }
    }
}
