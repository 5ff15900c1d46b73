//! Checks in operation: verification in steps, day seals, guards that vanish, holds that expire.

use branchline_db::{Values, audit, idempotency, outbox};
use branchline_kernel::{Clock, SystemClock};
use branchline_ledger::{
    Action, Checkpoint, Command, Direction, Finding, LedgerError, NewHold, expired_holds, seal_day,
    seal_head, verify_step,
};
use chrono::{Days, NaiveDate, TimeDelta};
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Executor, Row};

use crate::books::{Books, books, eur, hold, hold_id, id, is_posted, key, transfer};

async fn findings(books: &Books) -> Vec<Finding> {
    let tx = books.read().await;
    branchline_ledger::verify(&tx).await.unwrap()
}

fn days_ago(days: u64) -> NaiveDate {
    let today = SystemClock.now().date_naive();
    today.checked_sub_days(Days::new(days)).unwrap()
}

/// Does to the rows what only an owner can: behind the back of their guards.
pub(crate) async fn behind_the_guards(books: &Books, table: &str, change: &str) {
    let mut owner = books.owner().await;
    for sql in [
        format!("ALTER TABLE {table} DISABLE TRIGGER insert_only"),
        change.to_owned(),
        format!("ALTER TABLE {table} ENABLE TRIGGER insert_only"),
    ] {
        owner.execute(AssertSqlSafe(sql)).await.unwrap();
    }
}

/// Books with one posting that was booked three days ago, as far as its row says.
async fn books_of_three_days_ago() -> Option<Books> {
    let books = books().await?;
    let a = books.member(0).await;
    books.one(transfer(books.cash, a, 5)).await;
    let earlier = "UPDATE posting SET booked_at = booked_at - interval '3 days'";
    behind_the_guards(&books, "posting", earlier).await;
    Some(books)
}

async fn seal(books: &Books, day: NaiveDate) -> Result<(), LedgerError> {
    let tx = books.write().await;
    seal_day(&tx, day).await?;
    Ok(tx.commit().await?)
}

#[tokio::test]
async fn a_day_is_sealed_once_and_in_order_and_not_before_it_is_over() {
    let Some(books) = books_of_three_days_ago().await else {
        return;
    };
    assert!(matches!(
        seal(&books, days_ago(0)).await,
        Err(LedgerError::DayNotOver)
    ));
    seal(&books, days_ago(4)).await.unwrap();
    seal(&books, days_ago(2)).await.unwrap();
    for day in [2, 3, 4, 5] {
        assert!(matches!(
            seal(&books, days_ago(day)).await,
            Err(LedgerError::DaySealed)
        ));
    }
    let tx = books.read().await;
    let head = seal_head(&tx).await.unwrap().unwrap();
    assert_eq!(
        (head.day, head.postings, head.hash.len()),
        (days_ago(2), 1, 32)
    );
    drop(tx);
    books.agree().await;
}

#[tokio::test]
async fn whatever_changes_under_a_seal_is_found_with_its_day() {
    let Some(books) = books_of_three_days_ago().await else {
        return;
    };
    seal(&books, days_ago(2)).await.unwrap();
    let place = days_ago(2).to_string();
    for (table, change, undo) in [
        (
            "posting",
            "UPDATE posting SET memo = 'x'",
            "UPDATE posting SET memo = NULL",
        ),
        (
            "posting",
            "UPDATE posting SET actor = 'nobody'",
            "UPDATE posting SET actor = 'staff:tester'",
        ),
        (
            "day_seal",
            "UPDATE day_seal SET postings = postings + 1",
            "UPDATE day_seal SET postings = postings - 1",
        ),
        (
            "day_seal",
            "UPDATE day_seal SET previous = sha256('x')",
            "UPDATE day_seal SET previous = decode(repeat('00', 32), 'hex')",
        ),
    ] {
        behind_the_guards(&books, table, change).await;
        let found = findings(&books).await;
        assert_eq!(found.len(), 1, "{change}");
        assert_eq!(found[0].place, place, "{change}");
        behind_the_guards(&books, table, undo).await;
        books.agree().await;
    }
}

#[tokio::test]
async fn the_chain_of_seals_is_verified_a_week_at_a_time() {
    let Some(books) = books_of_three_days_ago().await else {
        return;
    };
    for day in (2..12).rev() {
        seal(&books, days_ago(day)).await.unwrap();
    }
    // In the second portion: the first seal of it follows one of the portion before.
    let change = format!(
        "UPDATE day_seal SET hash = sha256('x') WHERE day = '{}'",
        days_ago(2)
    );
    behind_the_guards(&books, "day_seal", &change).await;
    let (mut at, mut steps) = (Some(Checkpoint::START), Vec::new());
    while let Some(here) = at {
        let tx = books.read().await;
        let checked = verify_step(&tx, &here).await.unwrap();
        if here.subject() == "day seals" {
            let places: Vec<_> = checked.findings.into_iter().map(|one| one.place).collect();
            steps.push(places);
        } else {
            assert_eq!(checked.findings, []);
        }
        at = checked.next;
    }
    assert_eq!(steps, [vec![], vec![days_ago(2).to_string()]]);
}

#[tokio::test]
async fn a_guard_that_is_gone_or_changed_is_named() {
    let Some(books) = books().await else { return };
    let mut owner = books.owner().await;
    let app = format!("t_{}", books.tenant);
    for (attack, undo, place) in [
        (
            "ALTER TABLE entry DISABLE TRIGGER whole_postings",
            "ALTER TABLE entry ENABLE TRIGGER whole_postings",
            "trigger whole_postings on entry",
        ),
        (
            "ALTER TABLE hold_end RENAME CONSTRAINT hold_end_pkey TO other",
            "ALTER TABLE hold_end RENAME CONSTRAINT other TO hold_end_pkey",
            "constraint hold_end_pkey on hold_end",
        ),
        (
            "ALTER FUNCTION ledger_guard_entries() RESET search_path",
            &format!("ALTER FUNCTION ledger_guard_entries() SET search_path = {app}, pg_temp"),
            "function ledger_guard_entries",
        ),
        (
            &format!("GRANT UPDATE ON account TO {app}"),
            &format!("REVOKE UPDATE ON account FROM {app}"),
            "rights of the application on account",
        ),
        (
            "ALTER TABLE account DROP CONSTRAINT account_floor_kept",
            "SELECT 1",
            "constraint account_floor_kept on account",
        ),
    ] {
        owner
            .execute(AssertSqlSafe(attack.to_owned()))
            .await
            .unwrap();
        let places: Vec<_> = findings(&books)
            .await
            .into_iter()
            .map(|one| one.place)
            .collect();
        assert_eq!(places, [place]);
        owner.execute(AssertSqlSafe(undo.to_owned())).await.unwrap();
    }
    owner
        .execute("CREATE OR REPLACE FUNCTION ledger_guard_period() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'")
        .await
        .unwrap();
    let places: Vec<_> = findings(&books)
        .await
        .into_iter()
        .map(|one| one.place)
        .collect();
    assert!(
        places.contains(&"function ledger_guard_period".to_owned()),
        "{places:?}"
    );
}

#[tokio::test]
async fn a_verification_that_was_interrupted_goes_on_where_it_was() {
    let Some(books) = books().await else { return };
    let mut owner = books.owner().await;
    // More accounts than one portion holds; the broken one comes last.
    owner
        .execute(
            "INSERT INTO account (id, code, currency, exponent, normal_side, gl_account, branch) \
             SELECT n, 'c' || n, 'EUR', 2, 'C', '2000', 'main' FROM generate_series(10, 1999) n; \
             UPDATE account SET cr = 7 WHERE id = 1999",
        )
        .await
        .unwrap();
    let (mut at, mut found, mut steps) = (Some(Checkpoint::START), Vec::new(), Vec::new());
    while let Some(here) = at {
        // Each step reads back what an operator would give on the command line.
        let here: Checkpoint = here.to_string().parse().unwrap();
        let tx = books.read().await;
        let checked = verify_step(&tx, &here).await.unwrap();
        steps.push(here.subject());
        found.extend(checked.findings);
        at = checked.next;
    }
    assert_eq!(
        steps
            .iter()
            .filter(|subject| **subject == "accounts")
            .count(),
        2
    );
    let places: Vec<_> = found.iter().map(|one| one.place.as_str()).collect();
    assert_eq!(places, ["1999"]);
}

#[tokio::test]
async fn holds_whose_time_is_over_are_ended_once() {
    let Some(books) = books().await else { return };
    let a = books.member(100).await;
    let at = books
        .clock
        .now()
        .checked_add_signed(TimeDelta::hours(1))
        .unwrap();
    let held = NewHold::try_new(hold_id(), a, eur(60), Direction::Outgoing).unwrap();
    books
        .one(Command::new(key(), Action::Hold(held.until(at))))
        .await;
    let due = async || {
        let tx = books.read().await;
        expired_holds(&tx, None, 10).await.unwrap()
    };
    assert!(due().await.is_empty());
    books.clock.advance(TimeDelta::hours(1));
    let commands = due().await;
    assert_eq!(commands.len(), 1);
    assert!(is_posted(books.one(commands[0].clone()).await));
    assert_eq!(books.balances(a).await.available, eur(100));
    // Another process that looked at the same time gives the same command.
    assert!(is_posted(books.one(commands[0].clone()).await));
    assert!(due().await.is_empty());
    books.agree().await;
}

/// With a thousand tenants, tables that are analyzed or vacuumed every fifty rows stop all writers
/// for seconds each minute: each time makes each connection look through all plans it keeps.
#[tokio::test]
async fn no_table_that_a_posting_writes_is_looked_after_every_few_rows() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let tx = books.write().await;
    // What the server has counted of this connection: not only of this transaction.
    let asked = "SELECT s.relname::text AS tab, s.n_tup_ins + s.n_tup_upd + s.n_tup_del AS changes, \
                 (c.reloptions @> ARRAY['autovacuum_analyze_threshold=10000', 'autovacuum_vacuum_threshold=1000', \
                 'autovacuum_vacuum_insert_threshold=10000']) IS TRUE AS rarely \
                 FROM pg_stat_xact_user_tables s JOIN pg_class c ON c.oid = s.relid \
                 WHERE s.schemaname = current_schema() ORDER BY 1";
    let before = tx.named(asked, Values::new()).await.unwrap();
    let (promised, other) = (hold_id(), hold_id());
    let commands = [
        transfer(a, b, 10),
        hold(promised, a, 5),
        Command::new(key(), Action::Void(promised)),
        hold(other, a, 5),
    ];
    let verdicts = branchline_ledger::post(&tx, &commands).await.unwrap();
    assert!(verdicts.into_iter().all(is_posted));
    let used = idempotency::Key {
        client: "test".to_owned(),
        operation: "postPosting".to_owned(),
        key: id(),
    };
    idempotency::claim(&tx, &used, &[1; 32], tx.now())
        .await
        .unwrap();
    audit::record(&tx, audit::Event::default()).await.unwrap();
    audit::seal(&tx).await.unwrap();
    outbox::publish(&tx, "posted", &serde_json::json!({}))
        .await
        .unwrap();
    let after = tx.named(asked, Values::new()).await.unwrap();
    let changes = |row: &PgRow| -> i64 { row.get("changes") };
    let was = |tab: &str| before.iter().find(|row| row.get::<&str, _>("tab") == tab);
    let written = |rarely: bool| -> Vec<String> {
        after
            .iter()
            .filter(|row| changes(row) > was(row.get("tab")).map_or(0, changes))
            .filter(|row| row.get::<bool, _>("rarely") == rarely)
            .map(|row| row.get("tab"))
            .collect()
    };
    assert_eq!(written(false), Vec::<String>::new());
    let all = [
        "account",
        "audit_event",
        "audit_seal",
        "audit_unsealed",
        "entry",
        "gl_total",
        "hold",
        "hold_end",
        "idempotency_key",
        "ledger_key",
        "outbox",
        "posting",
    ];
    assert_eq!(written(true), all);
}
