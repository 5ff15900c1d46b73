//! Words that Rust code of this project may not use, or only in one place.

use crate::check::rust_text::{code_only, has_word, is_test_file, test_lines};
use crate::repo::SourceFile;
use crate::report::Finding;

struct WordRule {
    words: &'static [&'static str],
    /// Whether the rule binds the file with this path.
    binds: fn(&str) -> bool,
    what: &'static str,
    why: &'static str,
    remedy: &'static str,
}

/// Rules over words of product code; test code is free of them.
const RULES: [WordRule; 6] = [
    WordRule {
        words: &["f32", "f64"],
        binds: |path| {
            !path.contains("telemetry") && !path.contains("metrics") && !on_private_ground(path)
        },
        what: "floating point",
        why: "money in floating point is wrong by cents that add up",
        remedy: "use `Money` or integers; gauges live in a module called `metrics` or `telemetry`",
    },
    WordRule {
        words: &[
            "PgPool",
            "PgPoolOptions",
            "PgConnection",
            "PgConnectOptions",
            "PgListener",
            "DatabaseConnection",
            "DatabaseTransaction",
            "TransactionTrait",
            "AssertSqlSafe",
        ],
        binds: |path| !in_db(path) && !in_testkit(path) && !on_private_ground(path),
        what: "a way to the database beside the tenant door",
        why: "whoever holds a pool can forget the tenant; only `branchline-db` opens connections",
        remedy: "take a `&TenantTx` (or `&PlatformTx`) as the first parameter",
    },
    WordRule {
        words: &["sea_orm", "sea_query"],
        binds: |path| !in_db(path) && !in_rows(path),
        what: "SeaORM outside `rows.rs` and `store.rs`",
        why: "rows stay where tables are mapped, so that the model changes without recompiling them",
        remedy: "move the query into the feature's `store.rs` and call it from here",
    },
    WordRule {
        words: &["anyhow"],
        binds: |path| !path.starts_with("services/branchline/"),
        what: "`anyhow` in a library",
        why: "a caller cannot tell apart what `anyhow` hides, and `web` cannot answer it",
        remedy: "give the feature a `thiserror` enum that implements `Refusal`",
    },
    WordRule {
        words: &["macro_rules"],
        binds: |path| !path.starts_with("services/kernel/"),
        what: "a macro of our own",
        why: "macros hide what they write; one place has them, for ids",
        remedy: "write a function, or a generic type",
    },
    WordRule {
        words: &["unsafe"],
        binds: |_| true,
        what: "`unsafe`",
        why: "nothing here needs it, and one slip ends every promise about memory",
        remedy: "find the safe way, or the crate that has it",
    },
];

/// All rules over one Rust file.
pub fn check(file: &SourceFile) -> Vec<Finding> {
    let code = code_only(&file.text);
    let tests = test_lines(&code);
    let whole_file_is_test = is_test_file(&file.path);
    let mut findings = Vec::new();
    for (index, (line, raw)) in code.lines().zip(file.text.lines()).enumerate() {
        let found = everywhere(&file.path, line).into_iter();
        let is_test = whole_file_is_test || tests.get(index).copied().unwrap_or(false);
        let is_product = !is_test && !in_tool(&file.path);
        let product = is_product.then(|| in_product(&file.path, line));
        let schema = is_product.then(|| schema_name(&file.path, raw)).flatten();
        for (what, why, remedy) in found.chain(product.into_iter().flatten()).chain(schema) {
            findings.push(Finding {
                file: file.path.clone(),
                line: index + 1,
                what,
                why,
                remedy: remedy.to_owned(),
            });
        }
    }
    if file.path.ends_with("/rows.rs") {
        findings.extend(public_rows(&file.path, &code));
    }
    findings
}

type Hit = (String, &'static str, &'static str);

fn in_product(path: &str, line: &str) -> Vec<Hit> {
    let words = RULES
        .iter()
        .filter(|rule| (rule.binds)(path))
        .filter_map(|rule| {
            let word = rule.words.iter().find(|word| has_word(line, word))?;
            Some((format!("{}: `{word}`", rule.what), rule.why, rule.remedy))
        });
    let begins = line.contains(".begin(") && !in_db(path) && !in_testkit(path);
    let begin = begins.then(|| {
        (
            "a transaction begun by hand: `begin`".to_owned(),
            "the tenant door sets role, schema, tenant and time before the first statement",
            "use `db.tenant(…)`, or take the `TenantTx` as a parameter",
        )
    });
    words.chain(begin).collect()
}

/// A schema's name inside a string: only the door knows how a tenant's schemas are called.
fn schema_name(path: &str, raw: &str) -> Option<Hit> {
    let marks = ["\"t_{", "\"g_{", "\"t_\"", "\"g_\"", "search_path"];
    let found = marks.iter().find(|mark| raw.contains(**mark))?;
    let knows = in_db(path)
        || in_testkit(path)
        || on_private_ground(path)
        || path.starts_with("migrations/")
        || path == PROVES_SEARCH_PATH;
    (!knows && !raw.trim_start().starts_with("//")).then(|| {
        (
            format!("a schema's name: `{found}`"),
            "whoever writes a schema's name can write another tenant's",
            "name the table only; `TenantTx` has set the schema",
        )
    })
}

fn everywhere(path: &str, line: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    if line.contains("cfg") && has_word(line, "feature") {
        hits.push((
            "a feature flag".to_owned(),
            "what is not always compiled is not always tested",
            "decide at run time, by configuration",
        ));
    }
    if line.trim_start().starts_with("pub mod rows") {
        hits.push((
            "rows shown to other crates".to_owned(),
            "a table's columns are nobody else's business",
            "write `mod rows;` and turn rows into domain types by `TryFrom`",
        ));
    }
    if path.ends_with("/rows.rs") && (has_word(line, "Serialize") || has_word(line, "Deserialize"))
    {
        hits.push((
            "serde on a row".to_owned(),
            "a row that can be serialized is soon sent, with every column",
            "make a type for the wire, in the API crate",
        ));
    }
    hits
}

/// Types in `rows.rs` that other crates could see. SeaORM's own derives need `pub`.
fn public_rows(path: &str, code: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut depth = 0_i32;
    let mut derives_entity = false;
    for (index, line) in code.lines().enumerate() {
        let start = line.trim_start();
        derives_entity |= line.contains("DeriveEntityModel") || line.contains("DeriveRelation");
        let names_type = [
            "pub struct ",
            "pub enum ",
            "pub type ",
            "pub fn ",
            "pub async fn ",
        ]
        .iter()
        .any(|item| start.starts_with(item));
        if names_type && depth == 0 && !derives_entity {
            findings.push(Finding {
                file: path.to_owned(),
                line: index + 1,
                what: "a `pub` item in `rows.rs`".to_owned(),
                why: "rows are private to the feature; others see what the model says",
                remedy: "write `pub(crate)` or `pub(super)`".to_owned(),
            });
        }
        if !start.starts_with('#') && !start.is_empty() {
            derives_entity = false;
        }
        for c in line.chars() {
            depth += i32::from(c == '{') - i32::from(c == '}');
        }
    }
    findings
}

fn in_db(path: &str) -> bool {
    path.starts_with("services/db/")
}

/// Torture and bench play on servers of their own, which they make and remove.
fn on_private_ground(path: &str) -> bool {
    let ground = "services/branchline/src/commands/ledger/";
    path.strip_prefix(ground).is_some_and(|rest| {
        rest == "ground.rs" || rest.starts_with("torture/") || rest.starts_with("bench/")
    })
}

/// The verifier names the setting to prove that every function has it pinned.
const PROVES_SEARCH_PATH: &str = "services/ledger/src/verify/guards.rs";

fn in_testkit(path: &str) -> bool {
    path.starts_with("services/testkit/")
}

fn in_tool(path: &str) -> bool {
    path.starts_with("infra/")
}

fn in_rows(path: &str) -> bool {
    path.ends_with("/rows.rs") || path.ends_with("/store.rs") || path.contains("/store/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::file;

    fn found(path: &str, code: &str) -> Vec<String> {
        let found = check(&file(path, code));
        found.into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn each_word_rule_finds_its_words() {
        for rule in &RULES {
            for word in rule.words {
                let what = found(
                    "services/banking/src/model.rs",
                    &format!("use x::{word};\n"),
                );
                assert_eq!(what, [format!("{}: `{word}`", rule.what)]);
            }
        }
    }

    #[test]
    fn words_in_comments_strings_and_tests_are_free() {
        for code in [
            "// f64\n",
            "let a = \"PgPool\";\n",
            "#[cfg(test)]\nmod tests {\n    use sqlx::PgConnection;\n}\n",
        ] {
            assert!(
                found("services/banking/src/model.rs", code).is_empty(),
                "{code}"
            );
        }
        let code = "use sqlx::PgConnection;\n";
        assert!(found("services/ledger/tests/it/main.rs", code).is_empty());
    }

    #[test]
    fn what_belongs_to_one_place_is_free_there() {
        for (path, code) in [
            (
                "services/db/src/pools.rs",
                "use sqlx::PgPool; pool.begin(x);\n",
            ),
            (
                "services/banking/src/account/store.rs",
                "use sea_orm::Set;\n",
            ),
            (
                "services/branchline/src/main.rs",
                "fn main() -> anyhow::Result<()> {}\n",
            ),
            ("services/kernel/src/ids.rs", "macro_rules! id {}\n"),
            ("services/web/src/metrics.rs", "let x: f64 = y;\n"),
        ] {
            assert!(found(path, code).is_empty(), "{path}");
        }
    }

    #[test]
    fn a_schema_name_in_a_string_is_found_outside_the_door() {
        for code in [
            "let s = format!(\"t_{id}\");\n",
            "x(\"SET search_path = a\");\n",
        ] {
            assert_eq!(found("services/web/src/app.rs", code).len(), 1, "{code}");
            assert!(found("services/db/src/door.rs", code).is_empty(), "{code}");
        }
        assert!(found("services/web/src/app.rs", "// the search_path is set\n").is_empty());
    }

    #[test]
    fn a_transaction_begun_by_hand_is_found() {
        assert_eq!(
            found("services/web/src/app.rs", "let tx = pool.begin().await?;\n").len(),
            1
        );
    }

    #[test]
    fn a_feature_flag_is_found_in_tests_too() {
        let code = "#[cfg(feature = \"slow\")]\nfn a() {}\n";
        assert_eq!(
            found("services/web/tests/it/main.rs", code),
            ["a feature flag"]
        );
        assert_eq!(found("infra/xtask/src/x.rs", code), ["a feature flag"]);
    }

    #[test]
    fn public_or_serializable_rows_are_found() {
        let path = "services/banking/src/account/rows.rs";
        assert_eq!(found(path, "pub struct Row {\n    id: i64,\n}\n").len(), 1);
        assert_eq!(found(path, "#[derive(Serialize)]\nstruct Row;\n").len(), 1);
        assert_eq!(
            found("services/banking/src/account/mod.rs", "pub mod rows;\n").len(),
            1
        );
        let entity = "pub(super) mod account {\n    #[derive(DeriveEntityModel)]\n    pub struct Model {\n    }\n}\n";
        assert!(found(path, entity).is_empty());
        assert!(
            found(
                path,
                "#[derive(Clone, DeriveEntityModel)]\n#[x]\npub struct Model {}\n"
            )
            .is_empty()
        );
    }
}
