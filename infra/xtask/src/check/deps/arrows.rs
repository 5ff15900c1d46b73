//! Which room may know which.

use std::collections::BTreeSet;

use super::Member;
use crate::report::Finding;

/// Every room of the workspace with the rooms it may know; `*` means all but the test kit.
const ARROWS: [(&str, &[&str]); 22] = [
    ("kernel", &[]),
    ("migrations", &[]),
    ("launcher", &[]),
    ("oauth", &["kernel"]),
    ("xs2a", &["kernel"]),
    ("db", &["kernel", "migrations"]),
    ("iam", &["kernel"]),
    ("web", &["kernel", "iam", "db"]),
    ("ledger", &["kernel", "db"]),
    ("banking", &["kernel", "db", "ledger"]),
    ("payments", &["kernel", "db", "ledger", "banking"]),
    ("rails", &["kernel", "payments"]),
    ("consent", &["kernel", "db", "oauth", "xs2a"]),
    ("core-contract", &["kernel"]),
    (
        "core-api",
        &[
            "web",
            "iam",
            "kernel",
            "db",
            "core-contract",
            "ledger",
            "banking",
            "payments",
        ],
    ),
    (
        "gateway-api",
        &[
            "web",
            "iam",
            "kernel",
            "db",
            "oauth",
            "xs2a",
            "consent",
            "core-contract",
        ],
    ),
    (
        "admin-api",
        &["web", "iam", "kernel", "db", "migrations", "core-contract"],
    ),
    ("portal", &["web", "iam", "kernel", "core-contract"]),
    ("branchline", &["*"]),
    ("testkit", &["*"]),
    ("xtask", &[]),
    ("e2e", &[]),
];

/// What the core alone may know: nothing in `gateway/` reaches it, not even through others.
const CORE_ONLY: [&str; 4] = ["ledger", "banking", "payments", "rails"];
/// Rooms of pure rules, and what would end their purity.
const PURE: [&str; 3] = ["kernel", "oauth", "xs2a"];
const IMPURE: [&str; 8] = [
    "actix-web",
    "redis",
    "reqwest",
    "sea-orm",
    "sqlx",
    "tokio",
    "graphile_worker",
    "keycloak",
];

/// The room's short name.
fn room(package: &str) -> &str {
    package.strip_prefix("branchline-").unwrap_or(package)
}

fn is_ours(package: &str) -> bool {
    package == "branchline" || package.starts_with("branchline-")
}

/// All arrows that are not in the table.
pub fn check(members: &[Member]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = members.iter().flat_map(check_member).collect();
    for member in members
        .iter()
        .filter(|member| member.folder.starts_with("gateway/"))
    {
        let reached = reached(&member.name, members);
        for core in CORE_ONLY.iter().filter(|core| reached.contains(**core)) {
            findings.push(finding(
                member,
                format!("the gateway reaches `{core}`, directly or through another room"),
                "whoever breaks into the gateway must not find the ledger in its process",
                "ask the core over its internal API (`core-contract`)".to_owned(),
            ));
        }
    }
    findings
}

fn check_member(member: &Member) -> Vec<Finding> {
    let name = room(&member.name);
    let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == name) else {
        return vec![finding(
            member,
            format!("the room `{name}` has no entry in the table of arrows"),
            "a room that nobody placed is soon known by all",
            "add it to infra/xtask/src/check/deps/arrows.rs, and to the architecture by an ADR"
                .to_owned(),
        )];
    };
    let may = |to: &str| {
        to != "testkit" && (allowed.contains(&"*") || allowed.contains(&to)) || to == name
    };
    let needs = member.needs.iter().map(|need| (need, may(room(need))));
    let tests = member
        .test_needs
        .iter()
        .map(|need| (need, room(need) == "testkit" || may(room(need))));
    let arrows = needs
        .chain(tests)
        .filter(|(need, may)| is_ours(need) && !may)
        .map(|(need, _)| forbidden(member, name, room(need)));
    let impure = member
        .needs
        .iter()
        .filter(|need| PURE.contains(&name) && IMPURE.contains(&need.as_str()))
        .map(|need| {
            finding(
                member,
                format!("the pure room `{name}` depends on `{need}`"),
                "pure rules compile in seconds and are tested without a database",
                "move what does I/O into the room that calls this one".to_owned(),
            )
        });
    arrows.chain(impure).collect()
}

fn forbidden(member: &Member, from: &str, to: &str) -> Finding {
    finding(
        member,
        format!("the arrow {from} → {to} is not in the table"),
        "arrows in one direction keep rooms small, and the gateway away from the ledger",
        "move the code to where the arrow exists, or propose the arrow by an ADR".to_owned(),
    )
}

fn finding(member: &Member, what: String, why: &'static str, remedy: String) -> Finding {
    Finding {
        file: format!("{}/Cargo.toml", member.folder),
        line: 0,
        what,
        why,
        remedy,
    }
}

/// The rooms that a member reaches by normal dependencies, in any number of steps.
fn reached<'a>(package: &str, members: &'a [Member]) -> BTreeSet<&'a str> {
    let mut rooms = BTreeSet::new();
    let mut waiting = vec![package.to_owned()];
    while let Some(next) = waiting.pop() {
        let Some(member) = members.iter().find(|member| member.name == next) else {
            continue;
        };
        for need in member.needs.iter().filter(|need| is_ours(need)) {
            if rooms.insert(room(need)) {
                waiting.push(need.clone());
            }
        }
    }
    rooms
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, folder: &str, needs: &[&str], test_needs: &[&str]) -> Member {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Member {
            name: name.to_owned(),
            folder: folder.to_owned(),
            needs: owned(needs),
            test_needs: owned(test_needs),
        }
    }

    fn found(member: Member) -> Vec<String> {
        check(&[member])
            .into_iter()
            .map(|finding| finding.what)
            .collect()
    }

    #[test]
    fn an_arrow_that_is_not_listed_is_found_in_tests_too() {
        let db =
            |needs: &[&str], tests: &[&str]| member("branchline-db", "services/db", needs, tests);
        assert!(
            found(db(
                &["branchline-kernel", "branchline-migrations", "sqlx"],
                &[]
            ))
            .is_empty()
        );
        assert_eq!(
            found(db(&["branchline-iam"], &[])),
            ["the arrow db → iam is not in the table"]
        );
        assert_eq!(found(db(&[], &["branchline-web"])).len(), 1);
    }

    #[test]
    fn only_tests_may_know_the_test_kit() {
        let bin = |needs: &[&str], tests: &[&str]| {
            member("branchline", "services/branchline", needs, tests)
        };
        assert!(found(bin(&["branchline-ledger"], &["branchline-testkit"])).is_empty());
        assert_eq!(found(bin(&["branchline-testkit"], &[])).len(), 1);
    }

    #[test]
    fn a_room_without_an_entry_is_found() {
        let what = found(member("branchline-lottery", "services/lottery", &[], &[]));
        assert!(what[0].contains("no entry"), "{what:?}");
    }

    #[test]
    fn the_gateway_reaching_the_ledger_through_another_room_is_found() {
        let members = [
            member(
                "branchline-gateway-api",
                "gateway/api",
                &["branchline-web"],
                &[],
            ),
            member(
                "branchline-web",
                "services/web",
                &["branchline-ledger"],
                &[],
            ),
        ];
        let found = check(&members);
        assert!(
            found
                .iter()
                .any(|f| f.file == "gateway/api/Cargo.toml" && f.what.contains("reaches `ledger`"))
        );
    }

    #[test]
    fn input_and_output_in_a_pure_room_are_found() {
        let what = found(member(
            "branchline-kernel",
            "services/kernel",
            &["tokio"],
            &[],
        ));
        assert_eq!(what, ["the pure room `kernel` depends on `tokio`"]);
    }
}
