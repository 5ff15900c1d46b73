//! The part of JSON Schema, as OpenAPI 3.0 has it, that the official file uses.

use regex_lite::Regex;
use serde_json::Value;

/// What a value breaks, each line with the place in the body.
pub(super) fn violations(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    Check { document }.value(schema, value, "", &mut found);
    found
}

struct Check<'a> {
    document: &'a Value,
}

impl<'a> Check<'a> {
    fn value(&self, schema: &'a Value, value: &Value, at: &str, found: &mut Vec<String>) {
        let schema = match schema.get("$ref").and_then(Value::as_str) {
            Some(reference) => resolve(self.document, reference),
            None => schema,
        };
        if let Some(kind) = schema.get("type").and_then(Value::as_str)
            && !is_of(kind, value)
        {
            found.push(format!("{at}: {value} is no {kind}"));
            return;
        }
        if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
            && !allowed.contains(value)
        {
            found.push(format!(
                "{at}: {value} is none of {}",
                Value::from(allowed.clone())
            ));
        }
        for part in list(schema, "allOf") {
            self.value(part, value, at, found);
        }
        for several in ["oneOf", "anyOf"] {
            self.one_branch(list(schema, several), value, at, found);
        }
        match value {
            Value::String(text) => check_text(schema, text, at, found),
            Value::Array(items) => self.items(schema, items, at, found),
            Value::Object(_) => self.members(schema, value, at, found),
            Value::Number(number) => {
                let least = schema.get("minimum").and_then(Value::as_f64);
                if least.is_some_and(|least| number.as_f64().is_some_and(|it| it < least)) {
                    found.push(format!("{at}: {number} is too small"));
                }
            }
            Value::Null | Value::Bool(_) => {}
        }
    }

    /// `oneOf` is read as `anyOf`: branches of the file overlap (see `DEVIATIONS`).
    fn one_branch(&self, branches: &'a [Value], value: &Value, at: &str, found: &mut Vec<String>) {
        let mut tries = branches.iter().map(|branch| {
            let mut broken = Vec::new();
            self.value(branch, value, at, &mut broken);
            broken
        });
        if !branches.is_empty() && !tries.any(|broken| broken.is_empty()) {
            found.push(format!("{at}: fits none of the branches"));
        }
    }

    fn items(&self, schema: &'a Value, items: &[Value], at: &str, found: &mut Vec<String>) {
        let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
        let count = u64::try_from(items.len()).unwrap();
        if bound("minItems").is_some_and(|least| count < least)
            || bound("maxItems").is_some_and(|most| count > most)
        {
            found.push(format!("{at}: {count} items"));
        }
        if let Some(schema) = schema.get("items") {
            for (index, item) in items.iter().enumerate() {
                self.value(schema, item, &format!("{at}/{index}"), found);
            }
        }
    }

    fn members(&self, schema: &'a Value, value: &Value, at: &str, found: &mut Vec<String>) {
        for required in list(schema, "required").iter().filter_map(Value::as_str) {
            if value.get(required).is_none() {
                found.push(format!("{at}: {required} is missing"));
            }
        }
        let declared = schema.get("properties");
        for (name, member) in value.as_object().into_iter().flatten() {
            let at = format!("{at}/{name}");
            match (
                declared.and_then(|all| all.get(name)),
                schema.get("additionalProperties"),
            ) {
                (Some(schema), _) => self.value(schema, member, &at, found),
                (None, Some(Value::Bool(false))) => found.push(format!("{at}: is not declared")),
                (None, Some(schema @ Value::Object(_))) => self.value(schema, member, &at, found),
                (None, _) => {}
            }
        }
    }
}

/// What stands behind a reference.
pub(super) fn resolve<'a>(document: &'a Value, reference: &str) -> &'a Value {
    let pointer = reference.strip_prefix('#').unwrap();
    document
        .pointer(pointer)
        .unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

fn list<'a>(schema: &'a Value, name: &str) -> &'a [Value] {
    schema
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn is_of(kind: &str, value: &Value) -> bool {
    match kind {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        unknown => panic!("the file has a type {unknown}"),
    }
}

fn check_text(schema: &Value, text: &str, at: &str, found: &mut Vec<String>) {
    let bound = |name: &str| schema.get(name).and_then(Value::as_u64);
    let length = u64::try_from(text.chars().count()).unwrap();
    if bound("minLength").is_some_and(|least| length < least)
        || bound("maxLength").is_some_and(|most| length > most)
    {
        found.push(format!("{at}: {length} characters"));
    }
    if let Some(pattern) = schema.get("pattern").and_then(Value::as_str) {
        // The file's patterns describe the whole text and are not anchored.
        let whole = Regex::new(&format!("^(?:{pattern})$")).unwrap();
        if !whole.is_match(text) {
            found.push(format!("{at}: {text:?} does not fit {pattern}"));
        }
    }
    if let Some(format) = schema.get("format").and_then(Value::as_str)
        && !has_format(format, text)
    {
        found.push(format!("{at}: {text:?} is no {format}"));
    }
}

fn has_format(format: &str, text: &str) -> bool {
    match format {
        "date" => text.len() == 10 && text.parse::<chrono::NaiveDate>().is_ok(),
        "date-time" => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
        "uuid" => Regex::new("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
            .unwrap()
            .is_match(text),
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        // References are addresses too, so a relative one is one.
        "uri" | "url" => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()),
        "byte" => text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)),
        unknown => panic!("the file has a format {unknown}"),
    }
}
