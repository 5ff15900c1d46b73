//! What no text file may hold: paths of one machine, registries' hosts, loose ends.

use crate::repo::SourceFile;
use crate::report::Finding;

/// Taken apart, because this file is checked as well.
const MACHINE_PATHS: [&str; 3] = [
    concat!("/wo", "rk"),
    concat!("/ro", "ot"),
    concat!("/ho", "me/"),
];
const HOSTS: [&str; 12] = [
    concat!("index.crates", ".io"),
    concat!("static.crates", ".io"),
    concat!("//crates", ".io"),
    concat!("registry.npmjs", ".org"),
    concat!("registry.yarnpkg", ".com"),
    concat!("pypi", ".org"),
    concat!("files.pythonhosted", ".org"),
    concat!("repo1.maven", ".org"),
    concat!("repo.maven.apache", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("deb.debian", ".org"),
    concat!("security.debian", ".org"),
];
const MARKERS: [&str; 2] = [concat!("TO", "DO"), concat!("FIX", "ME")];
const CODE: [&str; 9] = [
    ".rs", ".sql", ".ts", ".js", ".mjs", ".py", ".sh", ".toml", ".html",
];

/// All rules over one file.
pub fn check(file: &SourceFile) -> Vec<Finding> {
    let is_code = CODE.iter().any(|ending| file.path.ends_with(ending));
    let mut findings = Vec::new();
    for (index, line) in file.text.lines().enumerate() {
        let mut add = |what: String, why: &'static str, remedy: &str| {
            findings.push(Finding {
                file: file.path.clone(),
                line: index + 1,
                what,
                why,
                remedy: remedy.to_owned(),
            });
        };
        if let Some(path) = machine_path(line) {
            add(
                format!("a path of one machine: `{path}…`"),
                "what only one machine has fails on every other",
                "make it relative to the repository, or read it from the environment",
            );
        }
        if let Some(host) = HOSTS.iter().find(|host| line.contains(**host)) {
            add(
                format!("a package registry's host: `{host}`"),
                "where packages come from is each machine's own setting; a host here breaks mirrors",
                "leave it out; npm: `npm config set omit-lockfile-registry-resolved true`, then \
                 make the lock file anew",
            );
        }
        if is_code && let Some(marker) = loose_end(line) {
            add(
                format!("`{marker}` without an issue"),
                "a loose end that no issue knows is never tied",
                &format!(
                    "write `{}(#123)` with the issue's number, or do it now",
                    MARKERS[0]
                ),
            );
        }
    }
    findings
}

/// The first path in the line that begins where only some machines have a folder.
fn machine_path(line: &str) -> Option<&'static str> {
    MACHINE_PATHS.into_iter().find(|path| {
        line.match_indices(*path).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let after = line[at + path.len()..].chars().next();
            let starts = !before.is_some_and(|c| c.is_alphanumeric() || "._-}~)/>*".contains(c));
            let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
            // A folder in `/home/` needs a name; the other two must end there.
            let fits = path.ends_with('/') == after.is_some_and(is_name);
            starts && fits
        })
    })
}

fn loose_end(line: &str) -> Option<&'static str> {
    MARKERS.into_iter().find(|marker| {
        line.match_indices(*marker).any(|(at, _)| {
            let before = line[..at].chars().next_back();
            let rest = &line[at + marker.len()..];
            let is_part = |c: char| c.is_alphanumeric() || c == '_';
            let alone = !before.is_some_and(is_part) && !rest.chars().next().is_some_and(is_part);
            let issue = rest
                .strip_prefix("(#")
                .and_then(|rest| rest.split_once(')'));
            let known = issue.is_some_and(|(number, _)| {
                !number.is_empty() && number.chars().all(|c| c.is_ascii_digit())
            });
            alone && !known
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::file;

    fn found(path: &str, line: &str) -> usize {
        check(&file(path, &format!("first\n{line}\n"))).len()
    }

    #[test]
    fn a_path_of_one_machine_is_found_in_any_text_file() {
        let [work, root, home] = MACHINE_PATHS;
        for line in [
            format!("see {work}/shared/x"),
            format!("cd {work}"),
            format!("\"{root}/.cache\""),
            format!("file://{}", "x").replace("//x", &format!(" {home}ada/notes")),
        ] {
            assert_eq!(found("docs/a.md", &line), 1, "{line}");
        }
    }

    #[test]
    fn an_ordinary_path_is_no_machine_path() {
        let [work, root, home] = MACHINE_PATHS;
        for line in [
            format!("frame{}/x", work.trim_start_matches('/')),
            format!("src{work}/x"),
            format!("{work}er"),
            format!("{root}s"),
            home.to_owned(),
        ] {
            assert_eq!(found("docs/a.md", &line), 0, "{line}");
        }
    }

    #[test]
    fn a_registry_host_is_found_and_the_locks_own_source_is_not() {
        for host in HOSTS {
            assert!(
                found(
                    "package-lock.json",
                    &format!("\"https:{}\"", format!("//{host}/x").replace("////", "//"))
                ) >= 1,
                "{host}"
            );
        }
        let source = concat!(
            "source = \"registry+https://github.com/rust-lang/crates",
            ".io-index\""
        );
        assert_eq!(found("Cargo.lock", source), 0);
    }

    #[test]
    fn a_loose_end_needs_an_issue() {
        let marker = MARKERS[0];
        assert_eq!(found("a/src/x.rs", &format!("// {marker}: later")), 1);
        assert_eq!(found("a/src/x.rs", &format!("// {marker}(me): later")), 1);
        assert_eq!(found("a/src/x.rs", &format!("// {marker}(#12): later")), 0);
        assert_eq!(found("a/src/x.rs", &format!("let {marker}S = 1;")), 0);
    }
}
