//! Merged migrations are frozen: their checksums are committed beside them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::migrations;
use crate::repo::{Repo, SourceFile};
use crate::report::Finding;
use crate::sha256;

const LIST: &str = "migrations/checksums.txt";
const WHY: &str =
    "a migration that ran somewhere and is changed here makes two databases that claim to be one";

/// Compares the files with the committed list.
pub fn check(
    repo: &Repo,
    migrations: &[&SourceFile],
    files: &[SourceFile],
) -> Result<Vec<Finding>, String> {
    let recorded = recorded(files);
    let actual = actual(repo, migrations)?;
    Ok(compare(&recorded, &actual))
}

/// Adds new migrations to the list; a recorded one is never changed by this.
pub fn accept(repo: &Repo) -> Result<(), String> {
    let files = repo.text_files()?;
    let recorded = recorded(&files);
    let actual = actual(repo, &migrations(&files))?;
    for (path, sum) in &recorded {
        if actual.get(path) != Some(sum) {
            return Err(format!(
                "{path} is frozen and was changed or removed. Put the change into a new migration. \
                 If the file never left this branch, delete its line from {LIST} and accept again."
            ));
        }
    }
    let mut text = String::new();
    for (path, sum) in &actual {
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{sum}  {path}");
    }
    std::fs::write(repo.path(LIST), text)
        .map_err(|error| format!("cannot write {LIST}: {error}"))?;
    let new = actual.len() - recorded.len();
    println!(
        "{LIST}: {} migrations frozen, {new} of them new",
        actual.len()
    );
    Ok(())
}

fn recorded(files: &[SourceFile]) -> BTreeMap<String, String> {
    let list = files.iter().find(|file| file.path == LIST);
    list.map_or("", |file| &file.text)
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(sum, path)| (path.to_owned(), sum.to_owned()))
        .collect()
}

fn actual(repo: &Repo, migrations: &[&SourceFile]) -> Result<BTreeMap<String, String>, String> {
    migrations
        .iter()
        .map(|file| Ok((file.path.clone(), sha256::of_file(&repo.path(&file.path))?)))
        .collect()
}

fn compare(recorded: &BTreeMap<String, String>, actual: &BTreeMap<String, String>) -> Vec<Finding> {
    let finding = |path: &str, what: &str, remedy: &str| Finding {
        file: path.to_owned(),
        line: 0,
        what: what.to_owned(),
        why: WHY,
        remedy: remedy.to_owned(),
    };
    let mut findings = Vec::new();
    for (path, sum) in recorded {
        let remedy = format!(
            "restore it and write a new migration; only if it never left this branch, delete its \
             line from {LIST} and run `cargo xtask migrations --accept`"
        );
        match actual.get(path) {
            None => findings.push(finding(path, "a frozen migration is gone", &remedy)),
            Some(now) if now != sum => {
                findings.push(finding(path, "a frozen migration was changed", &remedy));
            }
            Some(_) => {}
        }
    }
    for path in actual.keys().filter(|path| !recorded.contains_key(*path)) {
        findings.push(finding(
            path,
            "a migration without its checksum",
            "when it is final, run `cargo xtask migrations --accept` and commit the list",
        ));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(path, sum): &(&str, &str)| ((*path).to_owned(), (*sum).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn a_changed_a_missing_and_an_unlisted_migration_are_found() {
        let recorded = sums(&[("a.sql", "1"), ("b.sql", "2"), ("c.sql", "3")]);
        let actual = sums(&[("a.sql", "1"), ("b.sql", "x"), ("d.sql", "4")]);
        let found = compare(&recorded, &actual);
        let what: Vec<&str> = found.iter().map(|finding| finding.what.as_str()).collect();
        assert_eq!(
            what,
            [
                "a frozen migration was changed",
                "a frozen migration is gone",
                "a migration without its checksum"
            ]
        );
        assert!(compare(&recorded, &recorded).is_empty());
    }
}
