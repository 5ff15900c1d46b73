//! The lint over migrations: what scale-out engines refuse, what isolation needs, what is frozen.

mod frozen;
mod lint;
mod sql;

use std::collections::BTreeMap;

use crate::repo::{Repo, SourceFile};
use crate::report::Finding;

pub use frozen::accept;

const FOLDERS: [&str; 3] = [
    "migrations/platform/",
    "migrations/tenant/",
    "migrations/gateway/",
];
/// A tenant's two schemas together; thousands of tenants share one catalog.
const MOST_TABLES: usize = 80;

/// All rules over all migrations.
pub fn check(repo: &Repo, files: &[SourceFile]) -> Result<Vec<Finding>, String> {
    let migrations = migrations(files);
    let mut findings = names(&migrations);
    for file in &migrations {
        findings.extend(lint::check(file));
    }
    findings.extend(too_many_tables(&migrations));
    findings.extend(frozen::check(repo, &migrations, files)?);
    Ok(findings)
}

/// The files in the three folders.
fn migrations(files: &[SourceFile]) -> Vec<&SourceFile> {
    files
        .iter()
        .filter(|file| FOLDERS.iter().any(|folder| file.path.starts_with(folder)))
        .collect()
}

/// Files not called `NNNN_name.sql`, and two of one number.
fn names(migrations: &[&SourceFile]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut taken: BTreeMap<String, &str> = BTreeMap::new();
    for file in migrations {
        let (folder, name) = file.path.rsplit_once('/').unwrap_or(("", &file.path));
        let Some(number) = number(name) else {
            findings.push(Finding {
                file: file.path.clone(),
                line: 0,
                what: format!("`{name}` is no name of a migration"),
                why: "migrations run in the order of their numbers",
                remedy: "call it NNNN_name.sql: four digits, then small letters, digits and _"
                    .to_owned(),
            });
            continue;
        };
        if let Some(other) = taken.insert(format!("{folder}/{number}"), name) {
            findings.push(Finding {
                file: file.path.clone(),
                line: 0,
                what: format!("number {number} is taken by `{other}`"),
                why: "two files of one number have no order",
                remedy: "take the next free number".to_owned(),
            });
        }
    }
    findings
}

fn number(name: &str) -> Option<&str> {
    let (number, rest) = name.strip_suffix(".sql")?.split_once('_')?;
    let is_number = number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit());
    let is_name = !rest.is_empty()
        && rest
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    (is_number && is_name).then_some(number)
}

fn too_many_tables(migrations: &[&SourceFile]) -> Option<Finding> {
    let tables: usize = migrations
        .iter()
        .filter(|file| !file.path.starts_with(FOLDERS[0]))
        .map(|file| lint::tables(&file.text))
        .sum();
    (tables > MOST_TABLES).then(|| Finding {
        file: "migrations".to_owned(),
        line: 0,
        what: format!("{tables} tables in a tenant's two schemas; {MOST_TABLES} is the most"),
        why: "each tenant has them all, and the catalog of thousands of tenants must stay small",
        remedy: "fold tables that always travel together, or write an ADR and raise the number"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::file;

    #[test]
    fn a_wrong_name_and_a_taken_number_are_found() {
        for name in [
            "1_a.sql",
            "0001-a.sql",
            "0001_A.sql",
            "0001_.sql",
            "notes.md",
        ] {
            let file = file(&format!("migrations/tenant/{name}"), "");
            assert_eq!(names(&[&file]).len(), 1, "{name}");
        }
        let one = file("migrations/tenant/0001_a.sql", "");
        let other = file("migrations/tenant/0001_b.sql", "");
        let elsewhere = file("migrations/gateway/0001_b.sql", "");
        assert!(names(&[&one, &elsewhere]).is_empty());
        assert!(names(&[&one, &other])[0].what.contains("taken by"));
    }

    #[test]
    fn the_eighty_first_table_is_too_many() {
        let table = "CREATE TABLE x (id uuid PRIMARY KEY);\n";
        let tenant = file("migrations/tenant/0001_a.sql", &table.repeat(80));
        let more = file("migrations/gateway/0001_a.sql", table);
        assert!(too_many_tables(&[&tenant]).is_none());
        assert!(too_many_tables(&[&tenant, &more]).is_some());
    }
}
