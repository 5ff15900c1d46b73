//! The licenses of all we depend on, as `cargo metadata` tells them.

use serde_json::Value;

use crate::report::Finding;

/// What may come in; `deny.toml` has the same list.
const ALLOWED: [&str; 12] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "CC0-1.0",
    "CDLA-Permissive-2.0",
    "BSL-1.0",
    "PostgreSQL",
];

/// Packages whose license is none, unreadable, or not on the list.
pub fn check(metadata: &Value) -> Vec<Finding> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .filter_map(|package| {
            let license = package["license"].as_str();
            let what = match license.map(is_allowed) {
                Some(Ok(true)) => return None,
                Some(Ok(false)) => "is not on the list",
                Some(Err(_)) => "cannot be read",
                None => "is not stated",
            };
            let name = package["name"].as_str().unwrap_or("?");
            let version = package["version"].as_str().unwrap_or("?");
            Some(Finding {
                file: "Cargo.lock".to_owned(),
                line: 0,
                what: format!(
                    "the license of {name} {version} {what}: {}",
                    license.unwrap_or("none")
                ),
                why: "Branchline is given away under Apache-2.0, and so must be all it is built of",
                remedy: format!(
                    "`cargo tree -i {name}` tells who needs it: choose another package, or extend \
                     the lists in infra/xtask/src/check/licenses.rs and deny.toml by an ADR"
                ),
            })
        })
        .collect()
}

/// Whether the SPDX expression can be met from the list. `/` is an old way to write OR.
fn is_allowed(expression: &str) -> Result<bool, String> {
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let allowed = any(&mut rest)?;
    if rest.is_empty() {
        Ok(allowed)
    } else {
        Err(format!("`{}` is left over", rest.join(" ")))
    }
}

/// A OR B: SPDX 2.3, annex D.4. OR binds weaker than AND, AND weaker than WITH.
fn any(rest: &mut &[&str]) -> Result<bool, String> {
    let mut allowed = all(rest)?;
    while take(rest, "OR") {
        allowed |= all(rest)?;
    }
    Ok(allowed)
}

fn all(rest: &mut &[&str]) -> Result<bool, String> {
    let mut allowed = one(rest)?;
    while take(rest, "AND") {
        allowed &= one(rest)?;
    }
    Ok(allowed)
}

fn one(rest: &mut &[&str]) -> Result<bool, String> {
    if take(rest, "(") {
        let allowed = any(rest)?;
        return if take(rest, ")") {
            Ok(allowed)
        } else {
            Err("a `)` is missing".to_owned())
        };
    }
    let (id, after) = rest.split_first().ok_or("a license is missing")?;
    if ["AND", "OR", "WITH", ")"].contains(id) {
        return Err(format!("`{id}` where a license should be"));
    }
    *rest = after;
    if !take(rest, "WITH") {
        return Ok(ALLOWED.contains(id));
    }
    let (exception, after) = rest.split_first().ok_or("an exception is missing")?;
    *rest = after;
    Ok(ALLOWED.contains(&format!("{id} WITH {exception}").as_str()))
}

fn take(rest: &mut &[&str], word: &str) -> bool {
    match rest.split_first() {
        Some((first, after)) if *first == word => {
            *rest = after;
            true
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expressions_are_judged_by_their_meaning() {
        for (expression, allowed) in [
            ("MIT", true),
            ("GPL-3.0-or-later", false),
            ("MIT OR GPL-3.0-only", true),
            ("MIT AND GPL-3.0-only", false),
            ("Unlicense/MIT", true),
            ("Apache-2.0 / MIT", true),
            ("(MIT OR GPL-2.0) AND Unicode-3.0", true),
            ("MIT OR GPL-2.0 AND AGPL-3.0", true),
            ("(MIT OR GPL-2.0) AND AGPL-3.0", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("GPL-2.0 WITH Classpath-exception-2.0", false),
        ] {
            assert_eq!(is_allowed(expression), Ok(allowed), "{expression}");
        }
    }

    #[test]
    fn what_is_no_expression_is_no_license() {
        for expression in [
            "",
            "MIT OR",
            "(MIT",
            "MIT)",
            "MIT Apache-2.0",
            "AND",
            "MIT WITH",
        ] {
            assert!(is_allowed(expression).is_err(), "{expression}");
        }
    }

    #[test]
    fn deny_toml_has_the_same_list() {
        let text = include_str!("../../../../deny.toml");
        let list = text
            .split("\nallow = [")
            .nth(1)
            .and_then(|rest| rest.split(']').next());
        let theirs: Vec<&str> = list.unwrap().split('"').skip(1).step_by(2).collect();
        assert_eq!(theirs, ALLOWED);
    }

    #[test]
    fn a_license_off_the_list_and_a_missing_one_are_found() {
        let metadata = json!({"packages": [
            {"name": "good", "version": "1.0.0", "license": "MIT"},
            {"name": "bad", "version": "1.0.0", "license": "AGPL-3.0-only"},
            {"name": "silent", "version": "1.0.0", "license": null},
        ]});
        let found = check(&metadata);
        assert_eq!(found.len(), 2);
        assert!(found[0].what.contains("bad 1.0.0") && found[1].what.contains("silent"));
    }
}
