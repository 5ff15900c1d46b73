//! Reading a JSON body with the path of each member, so that a refusal can name its place.

use serde_json::{Map, Value};

use crate::Xs2aError;

/// The longest body that is read at all; XS2A has no 413.
const MAX_BODY_BYTES: usize = 65_536;

/// Reads a body.
///
/// # Errors
/// FORMAT_ERROR when it is too long, not UTF-8, no JSON, nested too deep, or when a member stands
/// twice.
pub fn parse_json(body: &[u8]) -> Result<Value, Xs2aError> {
    if body.len() > MAX_BODY_BYTES {
        return Err(Xs2aError::format(
            "body",
            "the body is too long: send at most 65536 bytes",
        ));
    }
    let value = serde_json::from_slice(body).map_err(|_not_json| {
        Xs2aError::format("body", "the body is not JSON in UTF-8: send a JSON object")
    })?;
    if has_member_twice(body, &value) {
        return Err(Xs2aError::format(
            "body",
            "a member stands twice in one object: send each member once",
        ));
    }
    Ok(value)
}

/// Whether an object in `body`, which was read as `value`, has two members of one name. RFC 8259 §4
/// leaves open what that means; two programs that read it differently act on two different orders.
#[must_use]
pub fn has_member_twice(body: &[u8], value: &Value) -> bool {
    // Of two members of one name `value` kept one, so the text has more colons than it members.
    colons(body) != members(value)
}

/// Colons outside of texts, in JSON that is well formed: one for each member.
fn colons(body: &[u8]) -> usize {
    let (mut in_text, mut is_escaped) = (false, false);
    let outside = body.iter().filter(|byte| {
        let was_in_text = in_text;
        match **byte {
            b'"' if !is_escaped => in_text = !in_text,
            _ => {}
        }
        is_escaped = **byte == b'\\' && was_in_text && !is_escaped;
        **byte == b':' && !was_in_text
    });
    outside.count()
}

fn members(value: &Value) -> usize {
    match value {
        Value::Object(map) => map
            .values()
            .fold(map.len(), |sum, inner| sum.saturating_add(members(inner))),
        Value::Array(list) => list
            .iter()
            .fold(0, |sum, inner| sum.saturating_add(members(inner))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// A JSON object and where it stands. Members that nobody asks for are ignored.
pub(crate) struct Members<'a> {
    map: &'a Map<String, Value>,
    path: String,
}

impl<'a> Members<'a> {
    /// The body itself.
    pub(crate) fn of_body(body: &'a Value) -> Result<Self, Xs2aError> {
        let map = body
            .as_object()
            .ok_or_else(|| Xs2aError::format("body", "the body is not a JSON object: send one"))?;
        Ok(Self {
            map,
            path: String::new(),
        })
    }

    /// An object at `path`.
    pub(crate) fn of(value: &'a Value, path: String) -> Result<Self, Xs2aError> {
        match value.as_object() {
            Some(map) => Ok(Self { map, path }),
            None => Err(Xs2aError::format(
                &path,
                &format!("{path} is not an object: send a JSON object"),
            )),
        }
    }

    /// The path of a member.
    pub(crate) fn path_of(&self, name: &str) -> String {
        if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{}.{name}", self.path)
        }
    }

    /// The member, `None` when it is absent. An explicit null is a wrong type, not an absence.
    pub(crate) fn find(&self, name: &str) -> Option<&'a Value> {
        self.map.get(name)
    }

    /// The member.
    pub(crate) fn get(&self, name: &str) -> Result<&'a Value, Xs2aError> {
        self.find(name)
            .ok_or_else(|| Xs2aError::missing(&self.path_of(name)))
    }

    /// A member that is an object.
    pub(crate) fn object(&self, name: &str) -> Result<Self, Xs2aError> {
        Self::of(self.get(name)?, self.path_of(name))
    }

    /// A member that is text.
    pub(crate) fn text(&self, name: &str) -> Result<&'a str, Xs2aError> {
        self.get(name)?
            .as_str()
            .ok_or_else(|| self.wrong(name, "a text in quotes"))
    }

    /// A member that is text, if it is there.
    pub(crate) fn find_text(&self, name: &str) -> Result<Option<&'a str>, Xs2aError> {
        match self.find(name) {
            None => Ok(None),
            Some(_) => self.text(name).map(Some),
        }
    }

    /// A member that is true or false.
    pub(crate) fn flag(&self, name: &str) -> Result<bool, Xs2aError> {
        self.get(name)?
            .as_bool()
            .ok_or_else(|| self.wrong(name, "true or false"))
    }

    /// A member that is an array, if it is there.
    pub(crate) fn find_list(&self, name: &str) -> Result<Option<&'a [Value]>, Xs2aError> {
        match self.find(name).map(Value::as_array) {
            None => Ok(None),
            Some(Some(list)) => Ok(Some(list)),
            Some(None) => Err(self.wrong(name, "an array")),
        }
    }

    /// Refuses the first of `names` that is there: known to the standard, not offered here.
    pub(crate) fn refuse(&self, names: &[&str]) -> Result<(), Xs2aError> {
        match names.iter().find(|name| self.find(name).is_some()) {
            Some(name) => Err(Xs2aError::not_supported(&self.path_of(name))),
            None => Ok(()),
        }
    }

    /// The refusal of a member that is not what it should be.
    pub(crate) fn wrong(&self, name: &str, expected: &str) -> Xs2aError {
        let path = self.path_of(name);
        Xs2aError::format(&path, &format!("{path} is not acceptable: send {expected}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_no_json_is_refused() {
        let deep = "[".repeat(1000);
        for body in [
            &b""[..],
            b"{",
            b"\xff",
            b"{\"a\":\"\xff\"}",
            b"{\"a\":1,\"a\":2}",
            b"{\"a\":[{\"b\":1,\"b\":1}]}",
            b"{\"a\":1,\"\\u0061\":2}",
            deep.as_bytes(),
            &[b' '; 70_000],
        ] {
            assert_eq!(parse_json(body).unwrap_err().status(), 400);
        }
        for body in [
            &b"{}"[..],
            br#"{"a":":\":","b":{"a":[{"a":1},{"a":"\\"}]},":":":"}"#,
        ] {
            assert!(parse_json(body).is_ok());
        }
        assert!(Members::of_body(&json!([])).is_err());
    }

    #[test]
    fn a_refusal_names_the_path() {
        let body = json!({"a": {"b": null}});
        let inner = Members::of_body(&body).unwrap().object("a").unwrap();
        for refusal in [
            inner.text("b").unwrap_err(),
            inner.find_list("b").unwrap_err(),
        ] {
            assert!(
                matches!(refusal, Xs2aError::Message { path: Some(path), .. } if path == "a.b")
            );
        }
        assert_eq!(inner.find_text("c"), Ok(None));
    }
}
