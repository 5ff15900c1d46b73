//! The official API file of the Berlin Group, version 1.3.8: every answer of the XS2A interface that
//! a test gets is held against it (`wire::Ask::send` does so).
//!
//! # Deviations
//! What the file gets wrong is read otherwise here, and nowhere else; see [`DEVIATIONS`].

mod answers;
mod schema;
mod statuses;

use std::path::PathBuf;
use std::sync::OnceLock;

use anyhow::Context;
use serde_json::Value;

use crate::wire::Reply;

const NAME: &str = "psd2-api_1.3.8_2020-12-14v2.yaml";

/// Where the check differs from the letter of the file, and why.
#[expect(dead_code, reason = "a list for readers")]
const DEVIATIONS: [(&str, &str); 1] = [(
    "oneOf is read as anyOf",
    "branches overlap: a periodic payment also satisfies the branch of a single one, and {} stands \
     beside other bodies, so that valid bodies match two branches",
)];

/// The file, when the folder with it is known.
pub(crate) fn file() -> Option<&'static Value> {
    static FILE: OnceLock<Option<Value>> = OnceLock::new();
    FILE.get_or_init(|| {
        let folder = std::env::var_os("BRANCHLINE_SPECS")?;
        let path = PathBuf::from(folder).join(NAME);
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Some(serde_yaml_ng::from_str(&text).unwrap())
    })
    .as_ref()
}

/// Holds an answer against the file. An operation that is not in it has nothing to be held against.
///
/// # Errors
/// When the answer is not as the file says; the error lists what it breaks.
pub(crate) fn check(operation: &str, reply: &Reply) -> anyhow::Result<()> {
    let Some(file) = file() else { return Ok(()) };
    let Some(known) = find_operation(file, operation) else {
        return Ok(());
    };
    let broken = breaks(file, known, reply);
    anyhow::ensure!(
        broken.is_empty(),
        "{operation} {}: {} breaks the official file: {broken:?}",
        reply.status,
        reply.text
    );
    Ok(())
}

fn find_operation<'a>(file: &'a Value, id: &str) -> Option<&'a Value> {
    let paths = file.get("paths")?.as_object()?;
    let mut operations = paths
        .values()
        .filter_map(Value::as_object)
        .flat_map(|item| item.values());
    operations.find(|operation| operation.get("operationId").and_then(Value::as_str) == Some(id))
}

fn breaks(file: &Value, operation: &Value, reply: &Reply) -> Vec<String> {
    let status = reply.status.to_string();
    let Some(response) = operation.get("responses").and_then(|all| all.get(&status)) else {
        return vec![format!("the status {status} is not foreseen")];
    };
    let response = follow(file, response);
    let mut broken = Vec::new();
    let headers = response.get("headers").and_then(Value::as_object);
    for (name, header) in headers.into_iter().flatten() {
        let is_required = follow(file, header).get("required") == Some(&Value::Bool(true));
        if is_required && reply.header(name).is_none() {
            broken.push(format!("the header {name} is missing"));
        }
    }
    let Some(content) = response.get("content") else {
        if !reply.text.is_empty() {
            broken.push("there is a body".to_owned());
        }
        return broken;
    };
    let kind = reply.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match content.get(kind).and_then(|content| content.get("schema")) {
        None => broken.push(format!("the content type {kind:?} is not foreseen")),
        Some(wanted) => broken.extend(schema::violations(file, wanted, &reply.body())),
    }
    broken
}

fn follow<'a>(file: &'a Value, part: &'a Value) -> &'a Value {
    match part.get("$ref").and_then(Value::as_str) {
        Some(reference) => schema::resolve(file, reference),
        None => part,
    }
}

/// The file, or a line that says what was skipped; under `BRANCHLINE_REQUIRE_ALL=1` a failure.
fn file_or_skip() -> Option<&'static Value> {
    let found = file();
    if found.is_none() {
        let why = "the official XS2A file needs BRANCHLINE_SPECS (the folder with the Berlin Group's files)";
        assert!(
            std::env::var_os("BRANCHLINE_REQUIRE_ALL").is_none_or(|value| value != "1"),
            "{why}"
        );
        println!("skipped: {why}");
    }
    found
}

/// What a status and a body break, for tests of the check itself.
fn found(operation: &str, status: u16, body: &Value) -> anyhow::Result<Vec<String>> {
    let file = file().context("no file")?;
    let known = find_operation(file, operation).context("no such operation")?;
    Ok(breaks(file, known, &Reply::made(status, body)))
}
