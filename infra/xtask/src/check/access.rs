//! The access matrix: every operation of every API has its row in `openapi/access.json`.
//!
//! A row is `"operation_id": {"kind": "staff|member|tpp|public", "right": "…", "reason": "…"}`.
//! A public operation has a reason and no right; every other has a right.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::repo::SourceFile;
use crate::report::Finding;

/// The committed table.
pub const TABLE: &str = "openapi/access.json";
const KINDS: [&str; 4] = ["staff", "member", "tpp", "public"];
const METHODS: [&str; 8] = [
    "get", "put", "post", "delete", "patch", "options", "head", "trace",
];
const WHY: &str = "an operation that nobody placed is one that anybody may call";

/// Compares the operations of `openapi/*.json` with the rows of the table.
pub fn check(files: &[SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut operations: BTreeMap<String, String> = BTreeMap::new();
    let documents = files.iter().filter(|file| {
        let name = file.path.strip_prefix("openapi/").unwrap_or("");
        name.ends_with(".json") && !name.contains('/') && file.path != TABLE
    });
    for file in documents {
        read_operations(file, &mut operations, &mut findings);
    }
    let table = files.iter().find(|file| file.path == TABLE);
    let text = table.map_or("{}", |file| file.text.as_str());
    let rows: BTreeMap<String, Value> = match serde_json::from_str(text) {
        Ok(rows) => rows,
        Err(error) => {
            let what = format!("cannot be read: {error}");
            findings.push(finding(TABLE, error.line(), what, "mend the JSON"));
            return findings;
        }
    };
    for (id, file) in operations.iter().filter(|(id, _)| !rows.contains_key(*id)) {
        let what = format!("the operation `{id}` has no row in {TABLE}");
        let remedy = "add its row, and its calls to the access matrix test: no token, wrong right, \
                      other tenant, revoked, good";
        findings.push(finding(file, line_of(files, file, id), what, remedy));
    }
    for (id, row) in &rows {
        let line = line_of(files, TABLE, id);
        if !operations.contains_key(id) {
            let what = format!("the row `{id}` belongs to no operation");
            findings.push(finding(TABLE, line, what, "remove it, or correct its name"));
        } else if let Some(what) = wrong_row(id, row) {
            findings.push(finding(
                TABLE,
                line,
                what,
                "see the head of infra/xtask/src/check/access.rs",
            ));
        }
    }
    findings
}

fn finding(file: &str, line: usize, what: String, remedy: &str) -> Finding {
    Finding {
        file: file.to_owned(),
        line,
        what,
        why: WHY,
        remedy: remedy.to_owned(),
    }
}

fn read_operations(
    file: &SourceFile,
    operations: &mut BTreeMap<String, String>,
    findings: &mut Vec<Finding>,
) {
    let document: Value = match serde_json::from_str(&file.text) {
        Ok(document) => document,
        Err(error) => {
            let what = format!("cannot be read: {error}");
            findings.push(finding(
                &file.path,
                error.line(),
                what,
                "run `cargo xtask openapi`",
            ));
            return;
        }
    };
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if !METHODS.contains(&method.as_str()) {
                continue;
            }
            let problem = match operation["operationId"].as_str() {
                None => format!("{method} {path} has no operation id"),
                Some(id) => match operations.insert(id.to_owned(), file.path.clone()) {
                    None => continue,
                    Some(other) => format!("the operation id `{id}` is also in {other}"),
                },
            };
            findings.push(finding(
                &file.path,
                0,
                problem,
                "give the handler an id of its own",
            ));
        }
    }
}

fn wrong_row(id: &str, row: &Value) -> Option<String> {
    let text = |name: &str| row[name].as_str().unwrap_or("").trim();
    let unknown = row
        .as_object()
        .into_iter()
        .flatten()
        .find(|(name, _)| !["kind", "right", "reason"].contains(&name.as_str()));
    let kind = text("kind");
    if let Some((name, _)) = unknown {
        Some(format!("the row `{id}` has an unknown member `{name}`"))
    } else if !KINDS.contains(&kind) {
        Some(format!("the row `{id}` needs a kind: {}", KINDS.join(", ")))
    } else if kind == "public" && text("reason").is_empty() {
        Some(format!("the public operation `{id}` needs a reason"))
    } else if kind == "public" && !text("right").is_empty() {
        Some(format!("the public operation `{id}` cannot need a right"))
    } else if kind != "public" && text("right").is_empty() {
        Some(format!("the row `{id}` needs a right"))
    } else {
        None
    }
}

/// The line on which the id stands in quotes; 0 when it does not.
fn line_of(files: &[SourceFile], path: &str, id: &str) -> usize {
    let quoted = format!("\"{id}\"");
    let text = files.iter().find(|file| file.path == path);
    text.and_then(|file| file.text.lines().position(|line| line.contains(&quoted)))
        .map_or(0, |line| line + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::file;

    const CORE: &str = "{\"paths\": {\"/v1/accounts\": {\"parameters\": [],\n\"get\": {\"operationId\": \"list_accounts\"},\n\"post\": {\"operationId\": \"open_account\"}}}}";
    const ROW: &str = "{\"kind\": \"staff\", \"right\": \"OpenAccount\"}";

    fn found(rows: &str) -> Vec<Finding> {
        check(&[file("openapi/core.json", CORE), file(TABLE, rows)])
    }

    fn complete(second: &str) -> Vec<Finding> {
        found(&format!(
            "{{\n\"list_accounts\": {ROW},\n\"open_account\": {second}}}"
        ))
    }

    #[test]
    fn a_complete_table_passes() {
        assert!(complete(ROW).is_empty());
        assert!(complete("{\"kind\": \"public\", \"reason\": \"metadata\"}").is_empty());
    }

    #[test]
    fn an_operation_without_a_row_and_a_row_without_an_operation_are_found() {
        let found = found(&format!("{{\n\"list_accounts\": {ROW},\n\"old\": {ROW}}}"));
        assert_eq!(found.len(), 2);
        assert_eq!(
            (found[0].file.as_str(), found[0].line),
            ("openapi/core.json", 3)
        );
        assert!(found[0].what.contains("`open_account`"));
        assert_eq!((found[1].file.as_str(), found[1].line), (TABLE, 3));
    }

    #[test]
    fn a_row_that_does_not_say_who_may_is_found() {
        for row in [
            "{}",
            "{\"kind\": \"anyone\", \"right\": \"x\"}",
            "{\"kind\": \"tpp\"}",
            "{\"kind\": \"public\"}",
            "{\"kind\": \"public\", \"right\": \"x\", \"reason\": \"y\"}",
            "{\"kind\": \"tpp\", \"right\": \"x\", \"note\": \"y\"}",
        ] {
            assert_eq!(complete(row).len(), 1, "{row}");
        }
    }

    #[test]
    fn an_operation_without_an_id_or_with_a_taken_one_is_found() {
        let nameless = "{\"paths\": {\"/a\": {\"get\": {}}}}";
        assert_eq!(check(&[file("openapi/x.json", nameless)]).len(), 1);
        let twice = check(&[file("openapi/a.json", CORE), file("openapi/b.json", CORE)]);
        assert!(
            twice
                .iter()
                .any(|finding| finding.what.contains("is also in"))
        );
    }
}
