//! The arrows between rooms, and what a room's manifest may say.

mod arrows;
mod manifest;

use serde_json::Value;

use crate::repo::SourceFile;
use crate::report::Finding;

/// One member of the workspace.
#[derive(Debug, Clone)]
struct Member {
    name: String,
    /// The folder, seen from the root.
    folder: String,
    /// Normal and build dependencies, by package name.
    needs: Vec<String>,
    /// Dependencies of the tests.
    test_needs: Vec<String>,
}

/// All rules over `cargo metadata` and the members' files.
pub fn check(metadata: &Value, files: &[SourceFile]) -> Result<Vec<Finding>, String> {
    let members = members(metadata)?;
    let mut findings = arrows::check(&members);
    for member in &members {
        findings.extend(manifest::check(member.folder.as_str(), &member.name, files));
    }
    findings.extend(banned_packages(metadata));
    Ok(findings)
}

fn members(metadata: &Value) -> Result<Vec<Member>, String> {
    let root = metadata["workspace_root"].as_str().unwrap_or("");
    let ids = metadata["workspace_members"]
        .as_array()
        .ok_or("cargo metadata lists no workspace members")?;
    let packages = metadata["packages"]
        .as_array()
        .ok_or("cargo metadata lists no packages")?;
    Ok(packages
        .iter()
        .filter(|package| ids.contains(&package["id"]))
        .map(|package| member(package, root))
        .collect())
}

fn member(package: &Value, root: &str) -> Member {
    let manifest = package["manifest_path"].as_str().unwrap_or("");
    let folder = manifest
        .strip_prefix(root)
        .unwrap_or(manifest)
        .trim_start_matches('/')
        .trim_end_matches("Cargo.toml")
        .trim_end_matches('/');
    let needs = |is_dev: bool| {
        let all = package["dependencies"].as_array().into_iter().flatten();
        all.filter(|need| (need["kind"].as_str() == Some("dev")) == is_dev)
            .filter_map(|need| need["name"].as_str())
            .map(str::to_owned)
            .collect()
    };
    Member {
        name: package["name"].as_str().unwrap_or("").to_owned(),
        folder: folder.to_owned(),
        needs: needs(false),
        test_needs: needs(true),
    }
}

/// Packages that may not come in, not even through others.
const BANNED: [(&str, &str); 3] = [
    ("openssl-sys", "one TLS provider: rustls with aws-lc-rs"),
    ("native-tls", "one TLS provider: rustls with aws-lc-rs"),
    (
        "actix-governor",
        "its license is GPL-3.0-or-later; use `governor`",
    ),
];

fn banned_packages(metadata: &Value) -> Vec<Finding> {
    let nodes = metadata["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten();
    let ids: Vec<&str> = nodes.filter_map(|node| node["id"].as_str()).collect();
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages
        .filter(|package| package["id"].as_str().is_some_and(|id| ids.contains(&id)))
        .filter_map(|package| {
            let name = package["name"].as_str()?;
            let (_, why) = BANNED.iter().find(|(banned, _)| *banned == name)?;
            Some(Finding {
                file: "Cargo.lock".to_owned(),
                line: 0,
                what: format!("the package `{name}` came in"),
                why,
                remedy: format!("`cargo tree -i {name}` tells who asks for it; take that away"),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn members_are_read_from_metadata_with_their_test_needs_apart() {
        let metadata = json!({
            "workspace_root": "/x",
            "workspace_members": ["a"],
            "packages": [
                {"id": "a", "name": "branchline-db", "manifest_path": "/x/services/db/Cargo.toml",
                 "dependencies": [{"name": "sqlx", "kind": null}, {"name": "proptest", "kind": "dev"}]},
                {"id": "b", "name": "sqlx", "manifest_path": "/y/Cargo.toml", "dependencies": []},
            ],
        });
        let members = members(&metadata).unwrap();
        assert_eq!(members.len(), 1);
        assert_eq!(members[0].folder, "services/db");
        assert_eq!(members[0].needs, ["sqlx"]);
        assert_eq!(members[0].test_needs, ["proptest"]);
    }

    #[test]
    fn a_second_tls_provider_is_found() {
        let metadata = json!({
            "packages": [{"id": "o", "name": "openssl-sys"}, {"id": "r", "name": "rustls"}],
            "resolve": {"nodes": [{"id": "o"}, {"id": "r"}]},
        });
        assert_eq!(banned_packages(&metadata).len(), 1);
    }
}
