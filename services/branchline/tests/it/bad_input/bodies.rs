//! JSON bodies that are wrong, made from one that is right.

use serde_json::{Map, Value, json};

use super::Bad;
use crate::wire::Ask;

/// A call with a JSON body that is right, and what its members may not be.
pub(super) struct Case {
    pub(super) good: Ask,
    pub(super) body: Value,
    /// What the right body is answered.
    pub(super) status: u16,
    /// Members that must not be missing.
    pub(super) required: &'static [&'static str],
    /// Values that members must not have.
    pub(super) wrong: Vec<(&'static str, Vec<Value>)>,
    /// Whether a member that nobody knows is refused.
    pub(super) refuses_unknown: bool,
}

impl Case {
    /// Every body that must be refused.
    pub(super) fn bad(&self) -> Vec<Bad> {
        let mut bad = self.texts();
        let with = |what: String, body: &Value| (what, self.good.again().json(body));
        for pointer in self.required {
            bad.push(with(
                format!("without {pointer}"),
                &removed(&self.body, pointer),
            ));
        }
        let mut places = Vec::new();
        walk(&self.body, "", &mut places);
        for (pointer, value) in &places {
            for other in others(value) {
                let body = replaced(&self.body, pointer, &other);
                bad.push(with(format!("{pointer} is {other}"), &body));
            }
        }
        for (pointer, values) in &self.wrong {
            for value in values {
                let body = replaced(&self.body, pointer, value);
                let shown: String = value.to_string().chars().take(60).collect();
                bad.push(with(format!("{pointer} is {shown}"), &body));
            }
        }
        if self.refuses_unknown {
            let mut body = self.body.clone();
            if let Some(members) = body.as_object_mut() {
                members.insert("is_admin".to_owned(), Value::Bool(true));
            }
            bad.push(with("with a member that nobody knows".to_owned(), &body));
        }
        bad
    }

    /// Bodies that are no JSON, not this JSON, or too much of it.
    fn texts(&self) -> Vec<Bad> {
        let good = self.body.to_string();
        let rest = good.strip_prefix('{').unwrap_or_default();
        let first = self
            .body
            .as_object()
            .and_then(|members| members.keys().next());
        let twice = format!("{{\"{}\":1,{rest}", first.map_or("x", String::as_str));
        let mut invalid = good.clone().into_bytes();
        invalid.splice(2..2, [0xff, 0xfe]);
        let mut zero = good.clone().into_bytes();
        zero.splice(2..2, [0]);
        let deep = format!("{{\"x\":{}1{},{rest}", "[".repeat(5_000), "]".repeat(5_000));
        let long = format!("{{\"x\":\"{}\",{rest}", "a".repeat(1_000_000));
        let texts: Vec<(&str, Vec<u8>)> = vec![
            ("an empty body", Vec::new()),
            ("blanks", b"  ".to_vec()),
            (
                "half a body",
                good.as_bytes()
                    .iter()
                    .copied()
                    .take(good.len() / 2)
                    .collect(),
            ),
            ("two bodies", [good.as_bytes(), good.as_bytes()].concat()),
            ("null", b"null".to_vec()),
            ("a list", format!("[{good}]").into_bytes()),
            ("a number", b"1".to_vec()),
            ("a text", b"\"x\"".to_vec()),
            ("an empty object", b"{}".to_vec()),
            ("invalid UTF-8", invalid),
            ("a NUL byte", zero),
            ("a member that stands twice", twice.into_bytes()),
            ("deep nesting", deep.into_bytes()),
            ("a megabyte", long.into_bytes()),
            ("a form", b"a=b&c=d".to_vec()),
        ];
        let all = texts.into_iter().map(|(what, text)| {
            (
                what.to_owned(),
                self.good.again().bytes("application/json", text),
            )
        });
        let mut all: Vec<_> = all.collect();
        for kind in [
            "text/plain",
            "application/xml",
            "application/x-www-form-urlencoded",
        ] {
            all.push((
                format!("sent as {kind}"),
                self.good.again().bytes(kind, good.clone()),
            ));
        }
        all
    }
}

/// Texts that are no amount of money above zero with two decimals.
pub(super) fn amounts() -> Vec<Value> {
    let texts = [
        "0",
        "0.00",
        "-0",
        "-1.00",
        "-0.01",
        "1.001",
        "1.0001",
        "1e3",
        "1,00",
        "+1.00",
        " 1.00",
        "1.00 ",
        ".5",
        "1.",
        "",
        "abc",
        "NaN",
        "Infinity",
        "0x10",
        "1_000",
        "99999999999999999999.99",
        "١.٠٠",
        "1\u{0}",
    ];
    texts.map(Value::from).to_vec()
}

/// Texts that are no currency that an account is kept in.
pub(super) fn currencies() -> Vec<Value> {
    [
        "", "eur", "EU", "EURO", "XXX", "US$", "ZZZ", "E\u{0}R", "EUR ",
    ]
    .map(Value::from)
    .to_vec()
}

/// Texts that are no IBAN.
pub(super) fn ibans() -> Vec<Value> {
    let texts = [
        "",
        "DE",
        "DE00",
        "DE89370400440532013001",
        "XX89370400440532013000",
        "x\u{0}",
        "'; DROP TABLE account",
    ];
    let mut all = texts.map(Value::from).to_vec();
    all.push(Value::from("D".repeat(5_000)));
    all
}

/// Texts that are no name or reference.
pub(super) fn texts(longest: usize) -> Vec<Value> {
    vec![
        json!("x\u{0}y"),
        json!("a".repeat(longest.saturating_add(1))),
        json!("a".repeat(60_000)),
    ]
}

fn walk(value: &Value, at: &str, places: &mut Vec<(String, Value)>) {
    if !at.is_empty() {
        places.push((at.to_owned(), value.clone()));
    }
    for (name, member) in value.as_object().into_iter().flatten() {
        walk(member, &format!("{at}/{name}"), places);
    }
}

/// One value of each other type.
fn others(value: &Value) -> Vec<Value> {
    let all = [
        Value::Null,
        json!(true),
        json!(1),
        json!("x"),
        json!([]),
        json!({}),
    ];
    let same = |other: &Value| std::mem::discriminant(other) == std::mem::discriminant(value);
    all.into_iter().filter(|other| !same(other)).collect()
}

fn parent<'a>(body: &'a mut Value, pointer: &str) -> Option<(&'a mut Map<String, Value>, String)> {
    let (above, name) = pointer.rsplit_once('/')?;
    let members = body.pointer_mut(above)?.as_object_mut()?;
    Some((members, name.to_owned()))
}

fn removed(body: &Value, pointer: &str) -> Value {
    let mut body = body.clone();
    let gone = parent(&mut body, pointer).and_then(|(members, name)| members.remove(&name));
    assert!(gone.is_some(), "{pointer} is not in {body}");
    body
}

fn replaced(body: &Value, pointer: &str, value: &Value) -> Value {
    let mut body = body.clone();
    if let Some((members, name)) = parent(&mut body, pointer) {
        members.insert(name, value.clone());
    }
    body
}
