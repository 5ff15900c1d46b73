//! How files are named, how they begin, and how long they may be.

use std::collections::BTreeSet;

use crate::check::rust_text::{code_only, is_test_file, test_lines};
use crate::repo::SourceFile;
use crate::report::{Finding, Verdict};

const TARGET_LINES: usize = 400;
const MOST_LINES: usize = 600;
const MOST_TEST_LINES: usize = 800;
const COUNTED: [&str; 8] = [".rs", ".sql", ".ts", ".js", ".mjs", ".py", ".sh", ".css"];
const EMPTY_NAMES: [&str; 7] = [
    "util", "utils", "helper", "helpers", "common", "prelude", "misc",
];

/// Files that are too long; those on the way there are listed as notes.
pub fn lengths(files: &[SourceFile]) -> Verdict {
    let mut verdict = Verdict::default();
    for file in files.iter().filter(|file| is_counted(&file.path)) {
        let lines = counted_lines(file);
        let (most, kind) = if is_test_file(&file.path) {
            (MOST_TEST_LINES, "a test file may have")
        } else {
            (MOST_LINES, "without its tests a file may have")
        };
        if lines > most {
            verdict.findings.push(Finding {
                file: file.path.clone(),
                line: 0,
                what: format!("{lines} lines; {kind} {most}"),
                why: "a file that fits in the head is read before it is changed",
                remedy: "split it along the things it is about, not into parts 1 and 2".to_owned(),
            });
        } else if lines > TARGET_LINES && most == MOST_LINES {
            verdict.notes.push(format!(
                "{} has {lines} lines; the aim is {TARGET_LINES}",
                file.path
            ));
        }
    }
    verdict
}

fn is_counted(path: &str) -> bool {
    COUNTED.iter().any(|ending| path.ends_with(ending))
}

fn counted_lines(file: &SourceFile) -> usize {
    if !file.path.ends_with(".rs") || is_test_file(&file.path) {
        return file.text.lines().count();
    }
    let tests = test_lines(&code_only(&file.text));
    tests.iter().filter(|is_test| !**is_test).count()
}

/// Names that say nothing, modules in two styles, and modules that do not introduce themselves.
pub fn names(files: &[SourceFile]) -> Vec<Finding> {
    let rust: Vec<&SourceFile> = files
        .iter()
        .filter(|file| file.path.ends_with(".rs"))
        .collect();
    let folders: BTreeSet<&str> = rust.iter().filter_map(|file| folder(&file.path)).collect();
    rust.iter()
        .flat_map(|file| {
            [
                empty_name(&file.path),
                second_style(&file.path, &folders),
                no_introduction(file),
            ]
        })
        .flatten()
        .collect()
}

fn folder(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(folder, _)| folder)
}

fn empty_name(path: &str) -> Option<Finding> {
    let name = path
        .trim_end_matches(".rs")
        .split('/')
        .find(|part| EMPTY_NAMES.contains(part))?;
    Some(Finding {
        file: path.to_owned(),
        line: 0,
        what: format!("a module called `{name}`"),
        why: "such a name says nothing, so everything ends up there and everything depends on it",
        remedy: "name it after what it is about, or move each part to what it belongs to"
            .to_owned(),
    })
}

fn second_style(path: &str, folders: &BTreeSet<&str>) -> Option<Finding> {
    let module = path.strip_suffix(".rs")?;
    folders.contains(module).then(|| Finding {
        file: path.to_owned(),
        line: 0,
        what: format!("the module is this file and the folder `{module}/`"),
        why: "one style of modules, so that a feature is one folder",
        remedy: format!("move it to `{module}/mod.rs`"),
    })
}

fn no_introduction(file: &SourceFile) -> Option<Finding> {
    (!file.text.starts_with("//!")).then(|| Finding {
        file: file.path.clone(),
        line: 1,
        what: "the module does not say what it is".to_owned(),
        why: "the first line of a module tells a reader whether to read on",
        remedy: "begin the file with `//!` and a sentence; add `# Invariants` where there are some"
            .to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::file;

    #[test]
    fn a_file_of_601_lines_fails_and_its_tests_do_not_count() {
        let long = "//! x\n".repeat(601);
        let verdict = lengths(&[file("a/src/x.rs", &long)]);
        assert!(verdict.findings[0].what.contains("601 lines"));

        let tests = format!(
            "//! x\n#[cfg(test)]\nmod tests {{\n{}}}\n",
            "fn a() {}\n".repeat(700)
        );
        assert!(lengths(&[file("a/src/x.rs", &tests)]).findings.is_empty());
        assert!(lengths(&[file("a/tests/x.rs", &long)]).findings.is_empty());
        assert_eq!(
            lengths(&[file("a/tests/x.rs", &long.repeat(2))])
                .findings
                .len(),
            1
        );
    }

    #[test]
    fn a_file_over_the_aim_is_only_noted() {
        let verdict = lengths(&[file("a/src/x.rs", &"//! x\n".repeat(401))]);
        assert!(verdict.findings.is_empty());
        assert_eq!(verdict.notes.len(), 1);
    }

    #[test]
    fn names_that_say_nothing_are_found() {
        for path in [
            "a/src/utils.rs",
            "a/src/helpers/x.rs",
            "a/tests/common/mod.rs",
        ] {
            let found = names(&[file(path, "//! x\n")]);
            assert!(found[0].what.contains("a module called"), "{path}");
        }
        assert!(names(&[file("a/src/commonwealth.rs", "//! x\n")]).is_empty());
    }

    #[test]
    fn a_module_in_two_places_is_found() {
        let found = names(&[
            file("a/src/pay.rs", "//! x\n"),
            file("a/src/pay/rows.rs", "//! x\n"),
        ]);
        assert!(found[0].remedy.contains("a/src/pay/mod.rs"));
    }

    #[test]
    fn a_module_without_an_introduction_is_found() {
        let found = names(&[file("a/src/pay.rs", "// x\nfn a() {}\n")]);
        assert_eq!((found.len(), found[0].line), (1, 1));
    }
}
