//! The generated API documents: `branchline openapi NAME` against `openapi/NAME.json`.

use std::path::Path;
use std::process::Command;

use crate::cargo::build_binary;
use crate::repo::Repo;
use crate::report::Finding;

const NAMES: [&str; 2] = ["core", "xs2a"];

/// Documents that differ from what the code says.
pub fn check(repo: &Repo) -> Result<Vec<Finding>, String> {
    let binary = build_binary(repo)?;
    let mut findings = Vec::new();
    for name in NAMES {
        let committed = std::fs::read_to_string(repo.path(&file_of(name))).ok();
        findings.extend(compare(
            name,
            committed.as_deref(),
            &generate(&binary, name)?,
        ));
    }
    Ok(findings)
}

/// Writes the documents.
pub fn write(repo: &Repo) -> Result<(), String> {
    let binary = build_binary(repo)?;
    let folder = repo.path("openapi");
    std::fs::create_dir_all(&folder).map_err(|error| format!("cannot make openapi/: {error}"))?;
    for name in NAMES {
        let file = file_of(name);
        let text = generate(&binary, name)?;
        std::fs::write(repo.path(&file), text)
            .map_err(|error| format!("cannot write {file}: {error}"))?;
        println!("wrote {file}");
    }
    Ok(())
}

fn file_of(name: &str) -> String {
    format!("openapi/{name}.json")
}

fn generate(binary: &Path, name: &str) -> Result<String, String> {
    let output = Command::new(binary)
        .args(["openapi", name])
        .output()
        .map_err(|error| format!("cannot start {}: {error}", binary.display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!(
            "`branchline openapi {name}` failed: {}",
            said.trim()
        ));
    }
    let text = String::from_utf8(output.stdout)
        .map_err(|error| format!("`branchline openapi {name}` gave no text: {error}"))?;
    serde_json::from_str::<serde_json::Value>(&text)
        .map_err(|error| format!("`branchline openapi {name}` gave no JSON: {error}"))?;
    Ok(format!("{}\n", text.trim_end()))
}

/// What differs, with the first line that does.
fn compare(name: &str, committed: Option<&str>, generated: &str) -> Option<Finding> {
    let committed = committed.unwrap_or("");
    if committed == generated {
        return None;
    }
    let same = committed
        .lines()
        .zip(generated.lines())
        .take_while(|(one, other)| one == other);
    let line = same.count() + 1;
    let now = generated.lines().nth(line - 1).unwrap_or("its end").trim();
    Some(Finding {
        file: file_of(name),
        line,
        what: format!("not what the code says; there it is `{now}`"),
        why: "who builds against the document builds against what is not there",
        remedy: "run `cargo xtask openapi`, read the difference, commit it with the change"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_that_is_out_of_date_is_found_with_its_line() {
        assert!(compare("core", Some("{\n}\n"), "{\n}\n").is_none());
        let found = compare("core", Some("{\n \"a\"\n}\n"), "{\n \"b\"\n}\n").unwrap();
        assert_eq!((found.file.as_str(), found.line), ("openapi/core.json", 2));
        assert!(found.what.contains("`\"b\"`"));
        assert!(compare("core", None, "{}\n").is_some());
        assert!(compare("core", Some("{}\n1\n"), "{}\n").is_some());
    }
}
