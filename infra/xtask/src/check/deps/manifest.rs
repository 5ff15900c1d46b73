//! What a room's `Cargo.toml` may say, and that somebody lives in the room.

use crate::check::rust_text::code_only;
use crate::repo::SourceFile;
use crate::report::Finding;

const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];
/// What is never served has a short list of lints of its own.
const OWN_LINTS: [&str; 2] = ["branchline-testkit", "branchline-xtask"];

/// All rules over one member.
pub fn check(folder: &str, name: &str, files: &[SourceFile]) -> Vec<Finding> {
    let path = format!("{folder}/Cargo.toml");
    let Some(manifest) = files.iter().find(|file| file.path == path) else {
        return Vec::new();
    };
    let mut findings = manifest_rules(manifest, OWN_LINTS.contains(&name));
    if is_empty(folder, files) {
        findings.push(Finding {
            file: folder.to_owned(),
            line: 0,
            what: "an empty room".to_owned(),
            why: "a room exists when somebody lives in it; empty ones promise what is not there",
            remedy: "remove the member until it has code".to_owned(),
        });
    }
    findings
}

fn manifest_rules(manifest: &SourceFile, own_lints: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut section = "";
    let mut inherited: Vec<&str> = Vec::new();
    let mut inherits_lints = own_lints;
    for (index, line) in manifest.text.lines().enumerate() {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').trim();
            if let Some(mut finding) = section_rule(section) {
                finding.file.clone_from(&manifest.path);
                finding.line = index + 1;
                findings.push(finding);
            }
            continue;
        }
        let Some((key, value)) = line.split_once('=') else {
            continue;
        };
        let (key, value) = (key.trim(), value.trim());
        if line.starts_with('#') {
            continue;
        }
        if section == "package"
            && let Some(field) = key.strip_suffix(".workspace")
        {
            inherited.push(field);
        }
        inherits_lints |= section == "lints" && key == "workspace" && value == "true";
        if is_dependencies(section) && !is_inherited(key, value) {
            findings.push(Finding {
                file: manifest.path.clone(),
                line: index + 1,
                what: format!("the dependency `{key}` is not the workspace's as it is"),
                why: "versions and features in one place; a feature added here changes every build",
                remedy: format!(
                    "write `{}.workspace = true`; the version and features go to the root Cargo.toml",
                    key.split('.').next().unwrap_or(key)
                ),
            });
        }
    }
    findings.extend(missing(manifest, &inherited, inherits_lints));
    findings
}

fn section_rule(section: &str) -> Option<Finding> {
    let (what, why, remedy) = if section == "features" {
        (
            "a member with `[features]`".to_owned(),
            "what is not always compiled is not always tested",
            "decide at run time, by configuration",
        )
    } else if ["dependencies.", "dev-dependencies.", "build-dependencies."]
        .iter()
        .any(|start| section.starts_with(start) || section.contains(&format!(".{start}")))
    {
        (
            format!("a dependency as a section: `[{section}]`"),
            "versions and features in one place",
            "write `name.workspace = true` under `[dependencies]`",
        )
    } else {
        return None;
    };
    Some(Finding {
        file: String::new(),
        line: 0,
        what,
        why,
        remedy: remedy.to_owned(),
    })
}

fn is_dependencies(section: &str) -> bool {
    ["dependencies", "dev-dependencies", "build-dependencies"]
        .iter()
        .any(|name| section == *name || section.ends_with(&format!(".{name}")))
}

fn is_inherited(key: &str, value: &str) -> bool {
    let value: String = value.chars().filter(|c| !c.is_whitespace()).collect();
    (key.ends_with(".workspace") && value == "true") || value == "{workspace=true}"
}

fn missing(manifest: &SourceFile, inherited: &[&str], inherits_lints: bool) -> Vec<Finding> {
    let fields = INHERITED.iter().filter(|field| !inherited.contains(*field));
    let mut lines: Vec<String> = fields
        .map(|field| format!("{field}.workspace = true"))
        .collect();
    if !inherits_lints {
        lines.push("[lints] workspace = true".to_owned());
    }
    lines
        .into_iter()
        .map(|line| Finding {
            file: manifest.path.clone(),
            line: 0,
            what: format!("`{line}` is missing"),
            why: "all rooms live by one version, one license and one list of lints",
            remedy: "add the line".to_owned(),
        })
        .collect()
}

/// Whether the room holds no line of code.
fn is_empty(folder: &str, files: &[SourceFile]) -> bool {
    let source = format!("{folder}/src/");
    let mut rust = files
        .iter()
        .filter(|file| file.path.starts_with(&source) && file.path.ends_with(".rs"));
    !rust.any(|file| {
        let code = code_only(&file.text);
        let code = code.trim();
        !code.is_empty() && code != "fn main() {}"
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::file;

    const GOOD: &str = "[package]\nname = \"branchline-x\"\nversion.workspace = true\nedition.workspace = true\nrust-version.workspace = true\nlicense.workspace = true\npublish.workspace = true\n[lints]\nworkspace = true\n";

    fn found(manifest: &str, source: &str) -> Vec<String> {
        let files = [
            file("services/x/Cargo.toml", manifest),
            file("services/x/src/lib.rs", source),
        ];
        let found = check("services/x", "branchline-x", &files);
        found.into_iter().map(|finding| finding.what).collect()
    }

    fn found_with(lines: &str) -> Vec<String> {
        found(&format!("{GOOD}{lines}"), "//! x\nfn a() {}\n")
    }

    #[test]
    fn a_member_as_it_should_be_passes() {
        assert!(
            found_with("[dependencies]\na.workspace = true\nb = { workspace = true }\n").is_empty()
        );
    }

    #[test]
    fn a_version_or_a_feature_of_ones_own_is_found() {
        for line in [
            "a = \"1\"",
            "a = { workspace = true, features = [\"x\"] }",
            "a = { path = \"../a\" }",
            "a.version = \"1\"",
        ] {
            for section in [
                "dependencies",
                "dev-dependencies",
                "target.'cfg(unix)'.dependencies",
            ] {
                assert_eq!(
                    found_with(&format!("[{section}]\n{line}\n")).len(),
                    1,
                    "{section} {line}"
                );
            }
        }
        assert_eq!(found_with("[dependencies.a]\n").len(), 1);
    }

    #[test]
    fn features_are_found() {
        assert_eq!(
            found_with("[features]\nslow = []\n"),
            ["a member with `[features]`"]
        );
    }

    #[test]
    fn a_member_with_lints_of_its_own_is_found() {
        let manifest = GOOD.replace(
            "workspace = true\n[lints]\nworkspace = true",
            "workspace = true",
        );
        assert_eq!(
            found(&manifest, "//! x\nfn a() {}\n"),
            ["`[lints] workspace = true` is missing"]
        );
    }

    #[test]
    fn an_empty_room_is_found() {
        assert_eq!(found(GOOD, "//! A room to come.\n"), ["an empty room"]);
        assert_eq!(found(GOOD, "//! x\nfn main() {}\n"), ["an empty room"]);
    }
}
