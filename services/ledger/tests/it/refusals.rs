//! What the tables themselves refuse, behind the functions: tried as the owner where only the owner
//! can get that far, and as the application where text or a foreign schema is the weapon.

use branchline_kernel::LedgerAccountId;
use branchline_ledger::{
    Action, Command, Dates, Effect, Finding, Limits, NewAccount, Post, Reverse, Side, Verdict,
};
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row, raw_sql};

use crate::books::{
    books, books_with, day, eur, id, is_posted, key, legs, refusal, refused, reverse, transfer,
};

const FORBIDDEN: &str = "42501";
const CHECK: &str = "23514";

/// The constraint that refuses the statement.
async fn refused_by(connection: &mut PgConnection, sql: &str) -> String {
    let found = refusal(connection, sql).await;
    found.unwrap_or_else(|| panic!("not refused: {sql}")).1
}

#[tokio::test]
async fn a_balance_beyond_its_limits_cannot_be_stored_by_anybody() {
    let Some(books) = books().await else { return };
    let limits = Limits {
        floor_minor: Some(-50),
        cap_minor: Some(200),
    };
    let a = books.account(limits, Side::Credit).await;
    books.one(transfer(books.cash, a, 100)).await;
    let mut owner = books.owner().await;
    for (change, constraint) in [
        ("dr = dr + 151", "account_floor_kept"),
        ("pdr = pdr + 151", "account_floor_kept"),
        ("cr = cr + 101", "account_cap_kept"),
        ("cr = -1", "account_counters_ok"),
        ("dr = 4000000000000000001", "account_counters_ok"),
        ("closed_on = '2026-11-03'", "account_closed_empty"),
    ] {
        let change = format!("UPDATE account SET {change} WHERE id = {}", a.number());
        assert_eq!(
            refused_by(&mut owner, &change).await,
            constraint,
            "{change}"
        );
    }
    // To the limits and no further.
    for change in ["dr = dr + 150", "cr = cr + 100"] {
        let change = format!(
            "BEGIN; UPDATE account SET {change} WHERE id = {}; ROLLBACK",
            a.number()
        );
        assert_eq!(refusal(&mut owner, &change).await, None, "{change}");
    }
    books.agree().await;
}

fn header(posting: &str, legs: &str) -> String {
    format!(
        "INSERT INTO posting (id, kind, booking_date, value_date, actor, branch, leg_accounts, leg_seqs) \
         VALUES ('{posting}', 'x', '2026-11-03', '2026-11-03', 'x', 'main', {legs})"
    )
}

fn entry(posting: &str, (account, side): (LedgerAccountId, &str), seq: i64, amount: i64) -> String {
    format!(
        "INSERT INTO entry VALUES ({}, {seq}, {amount}, 0, '{posting}', '2026-11-03', '2026-11-03', '{side}', 'EUR')",
        account.number()
    )
}

#[tokio::test]
async fn a_posting_names_at_least_two_legs_and_a_place_for_each() {
    let Some(books) = books().await else { return };
    let mut owner = books.owner().await;
    let posting = id().to_string();
    for legs in ["'{}', '{}'", "'{1}', '{1}'", "'{1,2}', '{1}'"] {
        let refused = refused_by(&mut owner, &header(&posting, legs)).await;
        assert_eq!(refused, "posting_legs_ok", "{legs}");
    }
}

#[tokio::test]
async fn a_posting_says_what_it_is_and_by_whom_in_words_of_bounded_length() {
    let Some(books) = books().await else { return };
    let mut owner = books.owner().await;
    let posting = id().to_string();
    for (column, value) in [
        ("kind", "''".to_owned()),
        ("kind", format!("'{}'", "x".repeat(41))),
        ("actor", "''".to_owned()),
        ("actor", format!("'{}'", "x".repeat(201))),
        ("branch", "''".to_owned()),
        ("branch", format!("'{}'", "x".repeat(41))),
        ("memo", format!("'{}'", "x".repeat(281))),
        ("reference_kind", "'loan'".to_owned()),
        ("reference_id", "gen_random_uuid()".to_owned()),
        (
            "reference_id, reference_kind",
            format!("gen_random_uuid(), '{}'", "x".repeat(41)),
        ),
    ] {
        let given: [(&str, &str); 3] = [("kind", "'x'"), ("actor", "'x'"), ("branch", "'main'")];
        let others = given.iter().filter(|(name, _)| *name != column);
        let (names, values): (Vec<&str>, Vec<&str>) = others.copied().unzip();
        let header = format!(
            "INSERT INTO posting (id, booking_date, value_date, leg_accounts, leg_seqs, {}, {column}) \
             VALUES ('{posting}', '2026-11-03', '2026-11-03', '{{1,2}}', '{{1,1}}', {}, {value})",
            names.join(", "),
            values.join(", ")
        );
        let found = refused_by(&mut owner, &header).await;
        assert_eq!(found, "posting_words_ok", "{column} {value}");
    }
}

#[tokio::test]
async fn an_entry_has_an_amount_above_zero_and_one_of_two_sides() {
    let Some(books) = books().await else { return };
    let a = books.member(100).await;
    let mut owner = books.owner().await;
    let posting = id().to_string();
    let header = header(&posting, "'{1,2}', '{90,90}'");
    for (entry, constraint) in [
        (entry(&posting, (a, "D"), 90, -5), "entry_shape_ok"),
        (entry(&posting, (a, "D"), 90, 0), "entry_shape_ok"),
        (entry(&posting, (a, "X"), 90, 5), "entry_shape_ok"),
        (entry(&posting, (a, "D"), 0, 5), "entry_shape_ok"),
        (entry(&posting, (a, "D"), 1, 5), "entry_pkey"),
    ] {
        let found = refused_by(&mut owner, &format!("BEGIN; {header}; {entry}")).await;
        assert_eq!(found, constraint, "{entry}");
    }
    books.agree().await;
}

/// A call of the batch function as the application could forge it: one posting of two legs.
fn forged(accounts: [LedgerAccountId; 2], minor: i64, currencies: &str) -> String {
    let [from, to] = accounts.map(LedgerAccountId::number);
    format!(
        "SELECT reason FROM post_batch(now(), ARRAY[gen_random_uuid()], ARRAY[sha256('a')], ARRAY[1::smallint], \
         ARRAY[gen_random_uuid()], ARRAY['x'], ARRAY['2026-11-03'::date], ARRAY['2026-11-03'::date], ARRAY['x'], \
         ARRAY[NULL::text], ARRAY[NULL::text], ARRAY[NULL::uuid], ARRAY['main'], ARRAY[NULL::uuid], ARRAY[NULL::uuid], \
         ARRAY[NULL::timestamptz], ARRAY[2], ARRAY[{from}, {to}]::bigint[], ARRAY[true, false], \
         ARRAY[{minor}, {minor}]::bigint[], ARRAY[{currencies}])"
    )
}

#[tokio::test]
async fn a_batch_balanced_in_total_but_not_in_each_currency_is_refused() {
    let Some(books) = books().await else { return };
    let a = books.member(100).await;
    let b = books.account_in(crate::books::kwd(0), Limits::NONE, Side::Credit);
    let b = b.await;
    let mut app = books.app().await;
    let crossed = forged([a, b], 5, "'EUR', 'KWD'");
    let found = refusal(&mut app, &crossed).await.unwrap();
    assert_eq!(found, (CHECK.to_owned(), "entry_balanced".to_owned()));
    books.agree().await;
}

/// Names are sought in `pg_temp` first unless a function puts it last.
#[tokio::test]
async fn a_forged_table_of_accounts_does_not_change_what_the_batch_decides() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let app_role = format!("t_{}", books.tenant);
    // A database whose operator did not take the right to temporary tables away.
    let mut root = books.owner().await;
    let grant = format!(
        "RESET ROLE; DO $$ BEGIN EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO {app_role}', current_database()); END $$"
    );
    raw_sql(AssertSqlSafe(grant))
        .execute(&mut root)
        .await
        .unwrap();
    let mut app = books.app().await;
    let forge = "CREATE TEMPORARY TABLE forged AS SELECT * FROM account; \
        UPDATE forged SET cr = 1000000, available = 1000000, booked = 1000000, floor_available = NULL; \
        ALTER TABLE forged RENAME TO account; GRANT ALL ON pg_temp.account TO PUBLIC";
    raw_sql(forge).execute(&mut app).await.unwrap();
    let row = app
        .fetch_one(AssertSqlSafe(forged([a, b], 500, "'EUR', 'EUR'")))
        .await
        .unwrap();
    // Not enough funds.
    assert_eq!(row.get::<i16, _>("reason"), 1);
    assert_eq!(books.balances(b).await.booked, eur(0));
    books.agree().await;
}

#[tokio::test]
async fn a_second_reversal_cannot_be_stored_by_anybody() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let effect = books.one(transfer(a, b, 10)).await.accepted().unwrap();
    let Effect::Booked(posting) = effect else {
        panic!("not booked")
    };
    assert!(is_posted(books.one(reverse(posting)).await));
    let mut owner = books.owner().await;
    let second = header(&id().to_string(), "'{1,2}', '{90,90}'")
        .replace("(id,", "(reversal_of, id,")
        .replace("VALUES (", &format!("VALUES ('{}', ", posting.uuid()));
    assert_eq!(
        refused_by(&mut owner, &second).await,
        "posting_reversal_of_key"
    );
    books.agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_ten_reversals_at_once_exactly_one_passes() {
    let Some(books) = books_with(12).await else {
        return;
    };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let effect = books.one(transfer(a, b, 10)).await.accepted().unwrap();
    let Effect::Booked(posting) = effect else {
        panic!("not booked")
    };
    let tries = (0..10).map(|_| async {
        let command = reverse(posting);
        loop {
            match books.try_post(std::slice::from_ref(&command)).await {
                Ok(verdicts) => break verdicts[0],
                Err(error) => assert!(error.may_be_repeated(), "{error:?}"),
            }
        }
    });
    let verdicts = futures::future::join_all(tries).await;
    assert_eq!(
        verdicts.into_iter().filter(|one| is_posted(*one)).count(),
        1
    );
    assert_eq!(books.balances(a).await.booked, eur(100));
    books.agree().await;
}

/// The function mirrors by itself; what an owner writes around it is named.
#[tokio::test]
async fn a_reversal_that_does_not_mirror_its_posting_is_found() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let effect = books.one(transfer(a, b, 10)).await.accepted().unwrap();
    let Effect::Booked(of) = effect else {
        panic!("not booked")
    };
    let false_one = id().to_string();
    let places = format!("'{{{},{}}}', '{{3,2}}'", a.number(), b.number());
    let header = header(&false_one, &places)
        .replace("(id,", "(reversal_of, id,")
        .replace("VALUES (", &format!("VALUES ('{}', ", of.uuid()));
    // Balanced, but of another amount.
    let legs = format!(
        "INSERT INTO entry VALUES ({}, 3, 7, 97, '{false_one}', '2026-11-03', '2026-11-03', 'C', 'EUR'), \
         ({}, 2, 7, 3, '{false_one}', '2026-11-03', '2026-11-03', 'D', 'EUR')",
        a.number(),
        b.number()
    );
    let mut owner = books.owner().await;
    let both = AssertSqlSafe(format!("BEGIN; {header}; {legs}; COMMIT"));
    raw_sql(both).execute(&mut owner).await.unwrap();
    let tx = books.read().await;
    let found = branchline_ledger::verify(&tx).await.unwrap();
    let wanted = Finding {
        rule: "a reversal mirrors its posting leg by leg",
        place: false_one,
    };
    assert!(found.contains(&wanted), "{found:?}");
}

#[tokio::test]
async fn a_role_reaches_neither_rows_nor_functions_of_another_tenant() {
    let Some(books) = books().await else { return };
    books.member(100).await;
    let other = format!("t_{}", books.second_tenant().await);
    let mut app = books.app().await;
    for attack in [
        format!("SELECT * FROM {other}.entry"),
        format!("SELECT booked FROM {other}.account"),
        format!("SELECT {other}.ledger_take_ids(1)"),
        format!("SELECT {other}.ledger_close_period('2026-11-01')"),
        format!("SET search_path TO {other}; SELECT {other}.ledger_seal_day('2020-01-01')"),
        format!("INSERT INTO {other}.entry SELECT * FROM entry"),
        format!("SELECT * FROM account UNION ALL SELECT * FROM {other}.account"),
    ] {
        refused(&mut app, &attack, FORBIDDEN).await;
    }
}

/// Statements as an injected fragment would make them run: with the application's rights.
#[tokio::test]
async fn an_injected_statement_can_do_no_more_than_the_application() {
    let Some(books) = books().await else { return };
    let a = books.member(100).await;
    let owner = format!("t_{}_owner", books.tenant);
    let before = books.balances(a).await;
    let mut app = books.app().await;
    for attack in [
        "SELECT 1; UPDATE account SET cr = cr + 1; --",
        "WITH gone AS (DELETE FROM entry RETURNING 1) SELECT count(*) FROM gone",
        "EXPLAIN ANALYZE DELETE FROM entry",
        "DO $$ BEGIN UPDATE account SET cr = cr + 1; END $$",
        "DO $$ BEGIN EXECUTE 'TRUNCATE entry'; END $$",
        "TRUNCATE entry, posting CASCADE",
        "BEGIN; LOCK TABLE period IN EXCLUSIVE MODE",
        "MERGE INTO account USING entry ON account.id = entry.account WHEN MATCHED THEN UPDATE SET cr = 0",
        "INSERT INTO ledger_key SELECT key, result, account, reason, hash FROM ledger_key ON CONFLICT DO NOTHING",
        "COPY entry FROM PROGRAM 'true'",
        "COPY entry TO '/tmp/entries'",
        "SELECT pg_read_file('/etc/passwd')",
        "ALTER FUNCTION ledger_seal_day(date) RESET search_path",
        "SELECT ledger_guard_frozen_rows()",
        "SELECT ledger_mark_values(ARRAY[1], '2026-11-30')",
        &format!("SET ROLE {owner}"),
        &format!("SELECT set_config('role', '{owner}', false)"),
        &format!("SET SESSION AUTHORIZATION {owner}"),
    ] {
        refused(&mut app, attack, FORBIDDEN).await;
    }
    assert_eq!(books.balances(a).await, before);
    books.agree().await;
}

#[tokio::test]
async fn texts_that_look_like_sql_are_stored_as_they_came_and_do_nothing() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let texts = [
        "x'); DELETE FROM entry; --",
        "$$; TRUNCATE entry; $$",
        "{\"a\",NULL}",
        "'||(SELECT 1)||'",
        "\\'; DROP--",
    ];
    for text in texts {
        let post = Post::try_new(id().into(), text, Dates::on(day(3)), legs(a, b, eur(1)));
        let command = Command::new(key(), Action::Post(post.unwrap()))
            .by(text)
            .and_then(|command| command.with_memo(text))
            .and_then(|command| command.about(text, id()))
            .and_then(|command| command.at_branch(text))
            .unwrap();
        let effect = books.one(command).await.accepted().unwrap();
        let Effect::Booked(posting) = effect else {
            panic!("not booked")
        };
        let tx = books.read().await;
        let stored = branchline_ledger::find_posting(&tx, posting).await;
        let stored = stored.unwrap().unwrap();
        let told = [
            stored.kind.as_str(),
            stored.actor.as_str(),
            stored.branch.as_str(),
            stored.memo.as_deref().unwrap(),
            stored.reference.as_ref().unwrap().kind.as_str(),
        ];
        assert_eq!(told, [text; 5]);
        drop(tx);
        let tx = books.write().await;
        let new = NewAccount::new(text, eur(0).currency(), Side::Credit, "2000");
        let opened = branchline_ledger::open_account(&tx, &new).await.unwrap();
        tx.commit().await.unwrap();
        let tx = books.read().await;
        let found = branchline_ledger::find_account_by_code(&tx, text).await;
        assert_eq!(found.unwrap().map(|account| account.id), Some(opened));
    }
    assert_eq!(books.balances(b).await.booked, eur(5));
    books.agree().await;
}

#[tokio::test]
async fn the_key_of_any_command_covers_all_of_its_content() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let same = key();
    let of = |from: &str, memo: &str| {
        let post = Post::try_new(id().into(), from, Dates::on(day(3)), legs(a, b, eur(1)));
        Command::new(same, Action::Post(post.unwrap()))
            .with_memo(memo)
            .unwrap()
    };
    assert!(is_posted(books.one(of("ab", "c")).await));
    // The same letters, cut elsewhere.
    assert_eq!(books.one(of("a", "bc")).await, Verdict::Conflict);
    let back = Reverse {
        id: id().into(),
        of: id().into(),
        dates: Dates::on(day(3)),
    };
    let reversal = Command::new(same, Action::Reverse(back));
    assert_eq!(books.one(reversal).await, Verdict::Conflict);
    books.agree().await;
}
