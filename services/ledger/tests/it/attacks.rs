//! What each role must not be able to do, tried as that role.

use branchline_ledger::Verdict;
use sqlx::{AssertSqlSafe, Executor, Row};

use crate::books::{Books, books, eur, hold, hold_id, is_posted, refusal, refused, transfer};

const TABLES: [&str; 15] = [
    "account",
    "account_counter",
    "balance_mark",
    "day_seal",
    "entry",
    "gl_account",
    "gl_total",
    "hold",
    "hold_end",
    "ledger_key",
    "marked_period",
    "period",
    "posting",
    "value_mark",
    "value_mark_day",
];

const FORBIDDEN: &str = "42501";
const INSERT_ONLY: &str = "23001";

/// Books with a posting, a hold and an ended hold.
async fn used() -> Option<Books> {
    let books = books().await?;
    let (a, b) = (books.member(100).await, books.member(50).await);
    let (open, ended) = (hold_id(), hold_id());
    let void = branchline_ledger::Action::Void(ended);
    let verdicts = books
        .post(&[
            transfer(a, b, 10),
            hold(open, a, 5),
            hold(ended, a, 5),
            branchline_ledger::Command::new(crate::books::key(), void),
        ])
        .await;
    assert!(verdicts.into_iter().all(is_posted));
    Some(books)
}

#[tokio::test]
async fn the_application_may_only_read_and_execute() {
    let Some(books) = used().await else { return };
    let mut app = books.app().await;
    for table in TABLES {
        for attack in [
            format!("DELETE FROM {table}"),
            format!("TRUNCATE {table}"),
            format!("BEGIN; LOCK TABLE {table} IN EXCLUSIVE MODE"),
            format!("ALTER TABLE {table} DISABLE TRIGGER ALL"),
            format!("DROP TABLE {table}"),
        ] {
            refused(&mut app, &attack, FORBIDDEN).await;
        }
    }
    for attack in [
        "UPDATE entry SET amount = 1",
        "UPDATE account SET cr = cr + 1",
        "UPDATE posting SET memo = 'x'",
        "UPDATE gl_total SET dr = 0",
        "UPDATE period SET closed_at = NULL",
        "INSERT INTO entry SELECT * FROM entry",
        "INSERT INTO posting SELECT * FROM posting",
        "INSERT INTO hold_end SELECT id, NULL, 0, now(), 'void', 'x' FROM hold",
        "INSERT INTO ledger_key SELECT * FROM ledger_key",
        "SELECT * FROM account FOR UPDATE",
        "SELECT * FROM account FOR KEY SHARE",
        "SELECT ledger_guard_entries()",
        "CREATE TABLE evil (id bigint)",
        "CREATE OR REPLACE FUNCTION ledger_take_ids(p_count bigint) RETURNS bigint LANGUAGE sql AS 'SELECT 1'",
        "DROP TRIGGER insert_only ON entry",
        "SET session_replication_role = replica",
    ] {
        refused(&mut app, attack, FORBIDDEN).await;
    }
    books.agree().await;
}

#[tokio::test]
async fn what_is_stored_cannot_be_changed_even_by_the_owner() {
    let Some(books) = used().await else { return };
    let mut owner = books.owner().await;
    for table in [
        "posting",
        "entry",
        "hold",
        "hold_end",
        "ledger_key",
        "day_seal",
        "balance_mark",
        "value_mark",
        "value_mark_day",
        "marked_period",
    ] {
        let column = match table {
            "posting" | "hold" => "actor = 'x'",
            "entry" | "value_mark_day" => "amount = amount",
            "hold_end" => "posted = 0",
            "ledger_key" => "reason = 1",
            "balance_mark" => "booked = 0",
            "value_mark" => "valued = 0",
            "marked_period" => "first_day = '2020-01-01'",
            _ => "postings = 0",
        };
        for attack in [
            format!("UPDATE {table} SET {column}"),
            format!("DELETE FROM {table}"),
            format!("DELETE FROM {table} WHERE false"),
            format!("TRUNCATE {table}"),
            format!("TRUNCATE {table} CASCADE"),
        ] {
            refused(&mut owner, &attack, INSERT_ONLY).await;
        }
    }
    for attack in [
        "DELETE FROM account",
        "TRUNCATE account",
        "TRUNCATE period",
        "DELETE FROM gl_total",
        "TRUNCATE gl_total, entry",
        "UPDATE account SET currency = 'KES'",
        "UPDATE account SET normal_side = 'D'",
        "UPDATE account SET gl_account = '1000'",
        "UPDATE account SET id = id + 100",
        "UPDATE period SET last_day = last_day + 1",
        "MERGE INTO entry USING account ON account.id = entry.account WHEN MATCHED THEN DELETE",
    ] {
        refused(&mut owner, attack, INSERT_ONLY).await;
    }
    books.agree().await;
}

const HEADER: &str = "INSERT INTO posting (id, kind, booking_date, value_date, actor, branch, leg_accounts, leg_seqs) \
VALUES ('00000000-0000-7000-8000-00000000000a', 'x', '2026-11-03', '2026-11-03', 'x', 'main', '{1,2}', '{90,90}');";

fn lines(first: i64, second: i64, seq: i64) -> String {
    format!(
        "INSERT INTO entry (account, seq, amount, balance_after, posting, booking_date, value_date, side, currency) VALUES \
         (1, {seq}, {first}, 0, '00000000-0000-7000-8000-00000000000a', '2026-11-03', '2026-11-03', 'D', 'EUR'), \
         (2, {seq}, {second}, 0, '00000000-0000-7000-8000-00000000000a', '2026-11-03', '2026-11-03', 'C', 'EUR');"
    )
}

#[tokio::test]
async fn an_unbalanced_posting_is_refused_whoever_writes_it() {
    let Some(books) = used().await else { return };
    let mut owner = books.owner().await;
    let expect = Some(("23514".to_owned(), "entry_balanced".to_owned()));
    let unbalanced = format!("BEGIN; {HEADER} {}", lines(5, 6, 90));
    assert_eq!(refusal(&mut owner, &unbalanced).await, expect);
    // Balanced in total, but not in each currency.
    let crossed = lines(5, 5, 90).replace("'C', 'EUR'", "'C', 'KES'");
    let crossed = format!("BEGIN; {HEADER} {crossed}");
    assert_eq!(refusal(&mut owner, &crossed).await, expect);
    // A third line once the posting is whole.
    let third = "INSERT INTO entry VALUES (1, 91, 7, 0, '00000000-0000-7000-8000-00000000000a', '2026-11-03', '2026-11-03', 'D', 'EUR');";
    let third = format!(
        "BEGIN; {HEADER} {} SET CONSTRAINTS ALL IMMEDIATE; {third}",
        lines(5, 5, 90)
    );
    assert_eq!(refusal(&mut owner, &third).await, expect);
    books.agree().await;
}

#[tokio::test]
async fn entries_in_another_currency_than_their_account_are_refused() {
    let Some(books) = used().await else { return };
    let mut owner = books.owner().await;
    let wrong = lines(5, 5, 90).replace("'EUR'", "'KES'");
    let found = refusal(&mut owner, &format!("BEGIN; {HEADER} {wrong}")).await;
    assert_eq!(found.unwrap().1, "entry_currency");
    let nowhere = lines(5, 5, 90).replace("(2, ", "(4711, ");
    let found = refusal(&mut owner, &format!("BEGIN; {HEADER} {nowhere}")).await;
    assert_eq!(found.unwrap().1, "entry_currency");
}

#[tokio::test]
async fn a_balanced_pair_cannot_join_a_posting_of_an_earlier_transaction() {
    let Some(books) = used().await else { return };
    let mut owner = books.owner().await;
    let append = "INSERT INTO entry SELECT e.account, e.seq + 900, e.amount, e.balance_after, e.posting, e.booking_date, e.value_date, e.side, e.currency FROM entry e";
    let found = refusal(&mut owner, append).await.unwrap();
    assert_eq!(found, (INSERT_ONLY.to_owned(), "entry_sealed".to_owned()));
    let orphan = refusal(&mut owner, &lines(5, 5, 90)).await.unwrap();
    assert_eq!(orphan.1, "entry_sealed");
    books.agree().await;
}

#[tokio::test]
async fn a_posting_cannot_be_dated_back_or_forward() {
    let Some(books) = used().await else { return };
    let mut owner = books.owner().await;
    let header = HEADER.replace("(id, ", "(booked_at, id, ");
    for moment in ["'2026-11-01'", "now() + interval '1 second'", "'infinity'"] {
        let forged = header.replace("VALUES (", &format!("VALUES ({moment}, "));
        let found = refusal(&mut owner, &forged).await.unwrap();
        assert_eq!(found.1, "posting_booked_now", "{moment}");
    }
    let december = HEADER.replace("2026-11-03", "2026-12-03");
    let found = refusal(&mut owner, &december).await.unwrap();
    assert_eq!(found.1, "posting_period_open");
}

#[tokio::test]
async fn a_malformed_batch_is_refused_as_a_whole() {
    let Some(books) = used().await else { return };
    let mut app = books.app().await;
    let call = |legs: &str, accounts: &str, amounts: &str| {
        format!(
            "SELECT * FROM post_batch(now(), ARRAY[gen_random_uuid()], ARRAY[sha256('a')], ARRAY[1::smallint], \
             ARRAY[gen_random_uuid()], ARRAY['x'], ARRAY['2026-11-03'::date], ARRAY['2026-11-03'::date], ARRAY['x'], \
             ARRAY[NULL::text], ARRAY[NULL::text], ARRAY[NULL::uuid], ARRAY['main'], ARRAY[NULL::uuid], ARRAY[NULL::uuid], \
             ARRAY[NULL::timestamptz], ARRAY[{legs}], ARRAY[{accounts}]::bigint[], ARRAY[true, false], ARRAY[{amounts}]::bigint[], ARRAY['EUR', 'EUR'])"
        )
    };
    for (legs, accounts, amounts, state) in [
        ("0", "", "", "22023"),
        ("1", "1", "5", "22023"),
        ("101", "1, 1", "5, 5", "22023"),
        ("2", "1, 1", "-5, -5", "22023"),
        ("2", "1, 1", "0, 0", "22023"),
        ("2", "1, 1", "5, NULL", "22023"),
        (
            "2",
            "1, 1",
            "9223372036854775807, 9223372036854775807",
            "22023",
        ),
        ("2", "1, 1", "5, 6", "23514"),
    ] {
        refused(&mut app, &call(legs, accounts, amounts), state).await;
    }
    books.agree().await;
}

/// A call of the function for a command alone, as the application could forge it.
fn plain(accounts: &str, amount: &str, day: &str, kind: &str) -> String {
    format!(
        "SELECT post_plain(gen_random_uuid(), sha256('a'), gen_random_uuid(), {kind}, {day}, '2026-11-03', 'x', NULL, NULL, NULL, \
         'main', {accounts}, true, {amount}, 'EUR') AS posted"
    )
}

#[tokio::test]
async fn a_plain_posting_that_is_not_sure_to_be_accepted_is_left_to_the_batch() {
    let Some(books) = used().await else { return };
    let mut app = books.app().await;
    let day = "'2026-11-03'";
    for (accounts, amount, day) in [
        ("1, 1", "5", day),
        ("1, NULL", "5", day),
        ("1, 999999", "5", day),
        ("1, 2", "0", day),
        ("1, 2", "-5", day),
        ("1, 2", "NULL", day),
        ("1, 2", "9223372036854775807", day),
        ("2, 1", "4000000000000000000", day),
        ("1, 2", "5", "'2031-01-01'"),
        ("1, 2", "5", "NULL"),
    ] {
        let row = app.fetch_one(AssertSqlSafe(plain(accounts, amount, day, "'x'")));
        let posted: bool = row.await.unwrap().get("posted");
        assert!(!posted, "{accounts} {amount} {day}");
    }
    let long = format!("'{}'", "x".repeat(41));
    refused(&mut app, &plain("1, 2", "5", day, &long), "23514").await;
    refused(&mut app, &plain("1, 2", "5", day, "NULL"), "23502").await;
    let row = app.fetch_one(AssertSqlSafe(plain("1, 2", "5", day, "'x'")));
    let posted: bool = row.await.unwrap().get("posted");
    assert!(posted, "what nothing speaks against");
    books.agree().await;
}

#[tokio::test]
async fn a_sum_that_the_owner_changes_is_found_by_the_verifier() {
    let Some(books) = used().await else { return };
    let mut owner = books.owner().await;
    for (attack, undo) in [
        (
            "UPDATE account SET cr = cr + 1 WHERE id = 2",
            "UPDATE account SET cr = cr - 1 WHERE id = 2",
        ),
        (
            "UPDATE account SET pdr = pdr + 1 WHERE id = 2",
            "UPDATE account SET pdr = pdr - 1 WHERE id = 2",
        ),
        (
            "UPDATE account SET seq = seq + 1 WHERE id = 2",
            "UPDATE account SET seq = seq - 1 WHERE id = 2",
        ),
        (
            "UPDATE gl_total SET dr = dr + 1",
            "UPDATE gl_total SET dr = dr - 1",
        ),
    ] {
        owner.execute(attack).await.unwrap();
        let tx = books.read().await;
        let found = branchline_ledger::verify(&tx).await.unwrap();
        assert_eq!(
            found.len(),
            if attack.contains("gl_total") { 2 } else { 1 },
            "{attack}"
        );
        drop(tx);
        owner.execute(undo).await.unwrap();
    }
    books.agree().await;
    // A header that brings no entries.
    owner.execute(HEADER).await.unwrap();
    let tx = books.read().await;
    let found = branchline_ledger::verify(&tx).await.unwrap();
    assert!(found.iter().any(|one| one.place.ends_with("00000000000a")));
}

#[tokio::test]
async fn no_table_of_the_ledger_is_partitioned_and_each_has_its_guards() {
    let Some(books) = books().await else { return };
    let mut owner = books.owner().await;
    let unguarded: Vec<String> = sqlx::query_scalar(
        "SELECT c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND c.relname = ANY ($1) \
         AND (c.relkind = 'p' OR c.relispartition OR NOT EXISTS (SELECT FROM pg_trigger t \
         WHERE t.tgrelid = c.oid AND t.tgname IN ('insert_only', 'no_removal') AND t.tgenabled = 'O'))",
    )
    .bind(TABLES.map(str::to_owned).to_vec())
    .fetch_all(&mut owner)
    .await
    .unwrap();
    assert_eq!(unguarded, Vec::<String>::new());
}

#[tokio::test]
async fn a_login_without_tenant_reads_nothing() {
    let Some(books) = books().await else { return };
    let mut app = books.app().await;
    let tenant = &books.tenant;
    let naked = format!("RESET ROLE; SELECT * FROM t_{tenant}.entry");
    refused(&mut app, &naked, FORBIDDEN).await;
    let _: Verdict = books.one(transfer(books.cash, books.cash, 1)).await;
    assert_eq!(books.balances(books.cash).await.booked, eur(0));
}
