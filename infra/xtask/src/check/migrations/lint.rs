//! What a migration may not say.

use std::collections::BTreeSet;

use super::sql::{Token, has, positions, statements};
use crate::repo::SourceFile;
use crate::report::Finding;

struct Ban {
    words: &'static [&'static str],
    why: &'static str,
    remedy: &'static str,
}

const XID: &str = "transaction ids differ between databases, and Citus refuses the type";
const NUMBERS: &str = "numbers from a sequence collide when a tenant moves, and have gaps";
const TYPES: &str = "own types are copied per schema, are hard to change, and Citus refuses some";
const OTHERS: &str = "Citus refuses it, and a tenant must be able to move there";

/// Words that may not stand in a migration one after the other.
const BANS: [Ban; 16] = [
    ban(&["xid8"], XID, "order by a number of your own or by time"),
    ban(
        &["pg_current_xact_id"],
        XID,
        "order by a number of your own or by time",
    ),
    ban(
        &["txid_current"],
        XID,
        "order by a number of your own or by time",
    ),
    ban(
        &["as", "identity"],
        NUMBERS,
        "use an id from `tx.next_id()`",
    ),
    ban(&["serial"], NUMBERS, "use an id from `tx.next_id()`"),
    ban(&["bigserial"], NUMBERS, "use an id from `tx.next_id()`"),
    ban(&["smallserial"], NUMBERS, "use an id from `tx.next_id()`"),
    ban(
        &["create", "sequence"],
        NUMBERS,
        "keep the number in a row and lock that",
    ),
    ban(
        &["nextval"],
        NUMBERS,
        "keep the number in a row and lock that",
    ),
    ban(
        &["materialized", "view"],
        OTHERS,
        "keep a table and write it with the change",
    ),
    ban(&["create", "rule"], OTHERS, "use a trigger"),
    ban(&["or", "replace", "rule"], OTHERS, "use a trigger"),
    ban(&["inherits"], OTHERS, "repeat the columns"),
    ban(
        &["create", "type"],
        TYPES,
        "use text with a CHECK, or columns",
    ),
    ban(
        &["create", "domain"],
        TYPES,
        "use text with a CHECK, or columns",
    ),
    ban(&["as", "enum"], TYPES, "use text with a CHECK"),
];

const fn ban(words: &'static [&'static str], why: &'static str, remedy: &'static str) -> Ban {
    Ban { words, why, remedy }
}

/// All rules over one file.
pub fn check(file: &SourceFile) -> Vec<Finding> {
    let statements = statements(&file.text);
    let transitions = transition_names(&statements);
    let keyed_later = tables_keyed_later(&statements);
    let mut hits = Vec::new();
    for statement in &statements {
        hits.extend(banned(statement));
        hits.extend(second_partition_level(statement));
        hits.extend(foreign_schema(statement));
        hits.extend(joined_transitions(statement, &transitions));
        hits.extend(open_search_path(statement));
        hits.extend(without_key(statement, &keyed_later));
    }
    hits.into_iter()
        .map(|hit| hit.in_file(&file.path))
        .collect()
}

/// How many tables the file makes, less those it drops.
pub fn tables(text: &str) -> usize {
    let statements = statements(text);
    let made = statements
        .iter()
        .filter(|statement| table_name(statement).is_some())
        .count();
    let dropped = statements
        .iter()
        .filter(|statement| has(statement, &["drop", "table"]))
        .count();
    made.saturating_sub(dropped)
}

struct Hit {
    line: usize,
    what: String,
    why: &'static str,
    remedy: &'static str,
}

impl Hit {
    fn in_file(self, file: &str) -> Finding {
        Finding {
            file: file.to_owned(),
            line: self.line,
            what: self.what,
            why: self.why,
            remedy: self.remedy.to_owned(),
        }
    }
}

fn banned(statement: &[Token]) -> Vec<Hit> {
    BANS.iter()
        .flat_map(|ban| {
            positions(statement, ban.words).into_iter().map(|at| Hit {
                line: statement[at].line,
                what: format!("`{}`", ban.words.join(" ").to_uppercase()),
                why: ban.why,
                remedy: ban.remedy,
            })
        })
        .collect()
}

fn second_partition_level(statement: &[Token]) -> Option<Hit> {
    let both = has(statement, &["partition", "of"]) && has(statement, &["partition", "by"]);
    both.then(|| Hit {
        line: statement[0].line,
        what: "a partition that is partitioned again".to_owned(),
        why: OTHERS,
        remedy: "one level of partitions is enough",
    })
}

fn foreign_schema(statement: &[Token]) -> Vec<Hit> {
    positions(statement, &["references"])
        .into_iter()
        .filter(|at| {
            let dotted = statement.get(at + 2).is_some_and(|token| token.text == ".");
            dotted && statement[at + 1].text != "{{schema}}"
        })
        .map(|at| Hit {
            line: statement[at].line,
            what: format!("a foreign key into the schema `{}`", statement[at + 1].text),
            why: "a tenant's schema must be able to move without its neighbors",
            remedy: "store the id without a foreign key, and check it where it is written",
        })
        .collect()
}

/// The names that `REFERENCING … TABLE AS` gives to a statement trigger's rows.
fn transition_names(statements: &[Vec<Token>]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for statement in statements {
        for which in ["new", "old"] {
            for at in positions(statement, &[which, "table"]) {
                let rest = &statement[at + 2..];
                let named = rest.iter().find(|token| token.text != "as");
                if has(statement, &["referencing"])
                    && let Some(name) = named
                {
                    names.insert(name.text.clone());
                }
            }
        }
    }
    names
}

fn joined_transitions(statement: &[Token], names: &BTreeSet<String>) -> Vec<Hit> {
    statement
        .iter()
        .enumerate()
        .filter(|(at, token)| names.contains(&token.text) && is_joined(statement, *at))
        .map(|(_, token)| Hit {
            line: token.line,
            what: format!("the transition table `{}` in a join", token.text),
            why: "on a sharded table it is refused or gives wrong rows",
            remedy: "aggregate it on its own first, or read it by EXISTS or a sub-query",
        })
        .collect()
}

/// Whether the table named at `at` stands in a join: after JOIN, before JOIN, or in a list.
fn is_joined(statement: &[Token], at: usize) -> bool {
    let text = |at: Option<usize>| {
        at.and_then(|at| statement.get(at))
            .map_or("", |t| t.text.as_str())
    };
    let before = text(at.checked_sub(1));
    if before == "join" || (before == "lateral" && text(at.checked_sub(2)) == "join") {
        return true;
    }
    if before == "," {
        let clause = ["from", "select", "where", "values", "(", "set", "by"];
        let head = statement[..at]
            .iter()
            .rev()
            .find(|token| clause.contains(&token.text.as_str()));
        return head.is_some_and(|token| token.text == "from");
    }
    let joins = [
        "join", "inner", "left", "right", "full", "cross", "natural", ",",
    ];
    before == "from" && {
        let next = at + 1 + usize::from(text(Some(at + 1)) == "as");
        joins.contains(&text(Some(next))) || {
            let ends = [
                "where", "group", "order", "limit", ")", ";", "having", "union", "loop",
            ];
            !ends.contains(&text(Some(next))) && joins.contains(&text(Some(next + 1)))
        }
    }
}

/// `SECURITY DEFINER` without a search path that is pinned and ends in `pg_temp`.
fn open_search_path(statement: &[Token]) -> Option<Hit> {
    let head: Vec<Token> = statement
        .iter()
        .filter(|token| !token.in_body)
        .cloned()
        .collect();
    let at = *positions(&head, &["security", "definer"]).first()?;
    let pinned = positions(&head, &["set", "search_path"])
        .into_iter()
        .any(|set| {
            let path: Vec<&str> = head[set + 3..]
                .iter()
                .map(|token| token.text.as_str())
                .scan(true, |expects_name, word| {
                    let is_name = *expects_name && word != ",";
                    let is_comma = !*expects_name && word == ",";
                    *expects_name = !*expects_name;
                    (is_name || is_comma).then_some(word)
                })
                .filter(|word| *word != ",")
                .collect();
            path.len() > 1 && path.last() == Some(&"pg_temp")
        });
    (!pinned).then(|| Hit {
        line: head[at].line,
        what: "SECURITY DEFINER without a pinned search path".to_owned(),
        why: "the caller could put tables of its own before ours, and the owner's rights would act on them",
        remedy: "add `SET search_path = {{schema}}, pg_temp`, with pg_temp last",
    })
}

/// The name of the table that the statement makes; temporary ones do not count.
fn table_name(statement: &[Token]) -> Option<String> {
    let at = *positions(statement, &["create", "table"])
        .first()
        .or(positions(statement, &["create", "unlogged", "table"]).first())?;
    let skipped = ["create", "unlogged", "table", "if", "not", "exists"];
    let mut rest = statement[at..]
        .iter()
        .skip_while(|token| skipped.contains(&token.text.as_str()));
    rest.next().map(|token| token.text.clone())
}

fn tables_keyed_later(statements: &[Vec<Token>]) -> BTreeSet<String> {
    statements
        .iter()
        .filter(|statement| has(statement, &["primary", "key"]))
        .filter_map(|statement| {
            let at = *positions(statement, &["alter", "table"]).first()?;
            let mut rest = statement[at + 2..]
                .iter()
                .filter(|token| token.text != "only");
            rest.next().map(|token| token.text.clone())
        })
        .collect()
}

fn without_key(statement: &[Token], keyed_later: &BTreeSet<String>) -> Option<Hit> {
    let name = table_name(statement)?;
    let has_key = has(statement, &["primary", "key"])
        || has(statement, &["partition", "of"])
        || keyed_later.contains(&name);
    (!has_key).then(|| Hit {
        line: statement[0].line,
        what: format!("the table `{name}` has no primary key"),
        why: "moving and replicating a tenant need to name each row",
        remedy: "add `CONSTRAINT <table>_pkey PRIMARY KEY (…)`",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repo::file;

    fn found(sql: &str) -> Vec<String> {
        let found = check(&file("migrations/tenant/0001_a.sql", sql));
        found.into_iter().map(|finding| finding.what).collect()
    }

    #[test]
    fn each_ban_bites_on_the_words_it_names() {
        for ban in &BANS {
            let sql = format!("SELECT 1;\nx {} y;", ban.words.join("  "));
            let found = check(&file("migrations/tenant/0001_a.sql", &sql));
            assert!(
                found.iter().any(|f| f.why == ban.why && f.line == 2),
                "{sql}"
            );
        }
    }

    #[test]
    fn an_ordinary_table_passes() {
        let sql = "-- serial numbers, xid8\nCREATE TABLE IF NOT EXISTS member (\n id uuid NOT NULL,\n bank uuid REFERENCES bank (id),\n note text CHECK (note <> 'inherits'),\n CONSTRAINT member_pkey PRIMARY KEY (id));\nGRANT SELECT ON member TO {{app}};";
        assert!(found(sql).is_empty(), "{:?}", found(sql));
    }

    #[test]
    fn a_table_without_a_primary_key_is_found() {
        assert_eq!(
            found("CREATE TABLE a (id uuid);"),
            ["the table `a` has no primary key"]
        );
        assert!(found("CREATE TABLE a (id uuid); ALTER TABLE ONLY a ADD CONSTRAINT a_pkey PRIMARY KEY (id);").is_empty());
        let body = "CREATE FUNCTION f() RETURNS void AS $$ BEGIN CREATE TABLE b (id int); END $$;";
        assert_eq!(found(body), ["the table `b` has no primary key"]);
    }

    #[test]
    fn a_foreign_key_into_another_schema_is_found() {
        let table = |target: &str| {
            format!("CREATE TABLE a (id uuid PRIMARY KEY, b uuid REFERENCES {target} (id));")
        };
        assert_eq!(
            found(&table("platform.bank")),
            ["a foreign key into the schema `platform`"]
        );
        assert_eq!(found(&table("\"g_1\".bank")).len(), 1);
        assert!(found(&table("bank")).is_empty() && found(&table("{{schema}}.bank")).is_empty());
    }

    #[test]
    fn a_second_level_of_partitions_is_found() {
        let sql = "CREATE TABLE a_1 PARTITION OF a FOR VALUES IN ('x') PARTITION BY HASH (id);";
        assert_eq!(found(sql), ["a partition that is partitioned again"]);
    }

    #[test]
    fn a_transition_table_in_a_join_is_found_and_alone_it_is_not() {
        let trigger = "CREATE TRIGGER t AFTER INSERT ON e REFERENCING NEW TABLE AS fresh OLD TABLE gone FOR EACH STATEMENT EXECUTE FUNCTION f();\n";
        let body = |query: &str| {
            format!(
                "{trigger}CREATE FUNCTION f() RETURNS trigger AS $$ BEGIN PERFORM {query}; END $$;"
            )
        };
        for query in [
            "1 FROM a JOIN fresh ON true",
            "1 FROM fresh f JOIN a ON true",
            "1 FROM fresh AS f LEFT JOIN a ON true",
            "1 FROM a, gone g WHERE true",
            "1 FROM gone, a",
        ] {
            assert_eq!(found(&body(query)).len(), 1, "{query}");
        }
        for query in [
            "sum(x), y FROM fresh GROUP BY y",
            "1 WHERE EXISTS (SELECT 1 FROM fresh f WHERE f.x = 1)",
            "1 FROM (SELECT y FROM fresh GROUP BY y) s JOIN a ON true",
        ] {
            assert!(found(&body(query)).is_empty(), "{query}");
        }
    }

    #[test]
    fn a_definer_function_needs_a_path_that_ends_in_pg_temp() {
        let function = |set: &str| {
            format!(
                "CREATE FUNCTION f() RETURNS void LANGUAGE sql SECURITY DEFINER {set} AS $$ SELECT 1 $$;"
            )
        };
        for set in [
            "",
            "SET search_path = {{schema}}",
            "SET search_path = pg_temp, {{schema}}",
            "SET search_path FROM CURRENT",
        ] {
            assert_eq!(found(&function(set)).len(), 1, "{set}");
        }
        assert!(found(&function("SET search_path = {{schema}}, pg_temp")).is_empty());
        assert!(
            found(&function(
                "SET search_path TO {{schema}}, pg_temp SET jit = off"
            ))
            .is_empty()
        );
        let hidden = "CREATE FUNCTION f() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$ SELECT 1 SET search_path = a, pg_temp $$;";
        assert_eq!(found(hidden).len(), 1);
    }
}
