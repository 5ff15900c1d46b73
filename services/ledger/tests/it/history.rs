//! Balances at a past day, and how little is read for what is shown.

use branchline_kernel::PostingId;
use branchline_ledger::{
    Action, Command, Dates, LedgerError, Post, StatementQuery, balance_booked_on,
    balance_valued_on, mark_balances,
};
use chrono::NaiveDate;
use serde_json::Value;
use sqlx::{PgConnection, Row, raw_sql};

use crate::books::{Books, books, day, eur, id, key, legs};

fn on(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, month, day).unwrap()
}

/// Pays in on a booking day, valued on another.
async fn pay_in(
    books: &Books,
    account: branchline_kernel::LedgerAccountId,
    minor: i64,
    dates: Dates,
) {
    let legs = legs(books.cash, account, eur(minor));
    let post = Post::try_new(PostingId::from(id()), "deposit", dates, legs).unwrap();
    books
        .one(Command::new(key(), Action::Post(post)))
        .await
        .accepted()
        .unwrap();
}

async fn open(books: &Books, month: u32, last: u32) {
    let tx = books.write().await;
    branchline_ledger::open_period(&tx, on(month, 1), on(month, last))
        .await
        .unwrap();
    tx.commit().await.unwrap();
}

async fn close_and_mark(books: &Books, month: u32) {
    let tx = books.write().await;
    branchline_ledger::close_period(&tx, on(month, 1))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let mut after = None;
    loop {
        let tx = books.write().await;
        after = mark_balances(&tx, on(month, 1), after, 2).await.unwrap();
        tx.commit().await.unwrap();
        if after.is_none() {
            return;
        }
    }
}

#[tokio::test]
async fn a_balance_at_a_day_is_the_same_with_and_without_marks() {
    let Some(books) = books().await else { return };
    let account = books.member(0).await;
    open(&books, 9, 30).await;
    open(&books, 10, 31).await;
    // Booked under three open periods in no order, and valued before and behind.
    for (number, (booked, valued)) in [
        (on(10, 5), on(9, 20)),
        (on(9, 10), on(9, 10)),
        (day(2), on(10, 1)),
        (on(9, 30), on(10, 2)),
        (on(10, 31), on(10, 31)),
        (on(10, 1), day(15)),
        (day(1), day(1)),
    ]
    .into_iter()
    .enumerate()
    {
        let minor = 1_i64 << number;
        pay_in(
            &books,
            account,
            minor,
            Dates {
                booking: booked,
                value: valued,
            },
        )
        .await;
    }
    let days = [
        (on(8, 31), 0, 0),
        (on(9, 10), 2, 2),
        (on(9, 30), 10, 3),
        (on(10, 1), 42, 7),
        (on(10, 30), 43, 15),
        (on(10, 31), 59, 31),
        (day(1), 123, 95),
        (day(30), 127, 127),
    ];
    for marked in [0, 9, 10] {
        if marked > 0 {
            close_and_mark(&books, marked).await;
        }
        let tx = books.read().await;
        for (day, booked, valued) in days {
            let found = balance_booked_on(&tx, account, day).await.unwrap();
            assert_eq!(found, eur(booked), "booked by {day}, marked {marked}");
            let found = balance_valued_on(&tx, account, day).await.unwrap();
            assert_eq!(found, eur(valued), "valued by {day}, marked {marked}");
        }
        for (from, to, count) in [(on(9, 1), on(9, 30), 2), (on(10, 1), on(10, 31), 3)] {
            let query = StatementQuery {
                from: Some(from),
                to: Some(to),
                cursor: None,
                limit: 500,
            };
            let page = branchline_ledger::statement(&tx, account, &query)
                .await
                .unwrap();
            assert_eq!(page.entries.len(), count, "from {from}, marked {marked}");
        }
        drop(tx);
        books.agree().await;
    }
}

#[tokio::test]
async fn only_closed_periods_are_marked_and_none_is_opened_behind_a_mark() {
    let Some(books) = books().await else { return };
    let account = books.member(1).await;
    open(&books, 10, 31).await;
    let tx = books.write().await;
    let early = mark_balances(&tx, on(10, 1), None, 10).await;
    assert!(matches!(early, Err(LedgerError::PeriodNotClosed)));
    drop(tx);
    close_and_mark(&books, 10).await;
    close_and_mark(&books, 11).await;
    let tx = books.write().await;
    let behind = branchline_ledger::open_period(&tx, on(9, 1), on(9, 30)).await;
    assert!(matches!(behind, Err(LedgerError::PeriodOverlaps)));
    drop(tx);
    let tx = books.read().await;
    assert_eq!(
        balance_booked_on(&tx, account, day(30)).await.unwrap(),
        eur(1)
    );
}

/// The nodes of a plan, as the server prints it.
fn nodes<'p>(plan: &'p Value, found: &mut Vec<&'p Value>) {
    found.push(plan);
    for child in plan["Plans"].as_array().into_iter().flatten() {
        nodes(child, found);
    }
}

#[tokio::test]
async fn what_is_shown_is_read_by_index_and_after_a_mark_only() {
    let Some(books) = books().await else { return };
    let account = books.member(0).await;
    let (other, number) = (books.member(0).await, account.number());
    open(&books, 10, 31).await;
    for (booked, count) in [(on(10, 5), 300), (day(2), 3)] {
        let legs = || legs(books.cash, account, eur(1));
        let post =
            || Post::try_new(PostingId::from(id()), "deposit", Dates::on(booked), legs()).unwrap();
        let commands: Vec<_> = (0..count)
            .map(|_| Command::new(key(), Action::Post(post())))
            .collect();
        books.post(&commands).await;
    }
    pay_in(&books, other, 1, Dates::on(day(2))).await;
    close_and_mark(&books, 10).await;
    let mut owner = books.owner().await;
    // The tables are small: without this a scan would be right.
    raw_sql("ANALYZE account, entry, posting, balance_mark, value_mark; SET enable_seqscan = off")
        .execute(&mut owner)
        .await
        .unwrap();
    for sql in branchline_ledger::PLANS {
        let bound = sql
            .replace("$1", &number.to_string())
            .replace(
                "$2",
                if sql.contains("LIMIT $5") {
                    "1000"
                } else {
                    "date '2026-11-15'"
                },
            )
            .replace("$3", "date '2026-11-01'")
            .replace("$4", "date '2026-11-30'")
            .replace("$5", "50");
        let read = entries_read(&mut owner, &bound).await;
        assert!(read <= 10, "{read} entries are read by {sql}");
    }
}

/// How many entries the statement reads; every table is read by an index.
async fn entries_read(owner: &mut PgConnection, sql: &str) -> u64 {
    let explain = format!("EXPLAIN (ANALYZE, FORMAT JSON) {sql}");
    let row = sqlx::query(sqlx::AssertSqlSafe(explain))
        .fetch_one(owner)
        .await
        .unwrap();
    let plan: Value = row.get(0);
    // Newer servers print counts with decimals.
    let count = |value: &Value| match value.to_string().split('.').next() {
        Some("null") | None => 0,
        Some(whole) => whole.parse::<u64>().unwrap(),
    };
    let (mut all, mut read) = (Vec::new(), 0);
    nodes(&plan[0]["Plan"], &mut all);
    for node in all {
        assert_ne!(node["Node Type"], "Seq Scan", "{sql}: {node}");
        if node["Relation Name"] == "entry" {
            let rows = count(&node["Actual Rows"]) + count(&node["Rows Removed by Filter"]);
            read += rows * count(&node["Actual Loops"]);
        }
    }
    read
}

#[tokio::test]
async fn a_balance_at_any_day_reads_one_month_of_the_account_at_most() {
    const MONTH: u64 = 40;
    let Some(books) = books().await else { return };
    let account = books.member(0).await;
    for (month, last) in [(6, 30), (7, 31), (8, 31), (9, 30), (10, 31)] {
        open(&books, month, last).await;
    }
    for month in 6..=11 {
        let commands: Vec<_> = (0..MONTH)
            .map(|n| {
                let booking = on(month, u32::try_from(n % 28).unwrap() + 1);
                // Some are valued two months before, and some in the month after.
                let value = match n {
                    7 => on(month - 2, 15),
                    9 if month < 11 => on(month + 1, 10),
                    _ => booking,
                };
                let legs = legs(books.cash, account, eur(1));
                let post = Post::try_new(
                    PostingId::from(id()),
                    "deposit",
                    Dates { booking, value },
                    legs,
                );
                Command::new(key(), Action::Post(post.unwrap()))
            })
            .collect();
        books.post(&commands).await;
    }
    for month in 6..=10 {
        close_and_mark(&books, month).await;
    }
    let mut owner = books.owner().await;
    let small = "ANALYZE account, entry, balance_mark, value_mark, value_mark_day; SET enable_seqscan = off";
    raw_sql(small).execute(&mut owner).await.unwrap();
    let days = [
        on(3, 1),
        on(6, 15),
        on(6, 30),
        on(8, 1),
        on(8, 20),
        on(10, 31),
        day(1),
        day(30),
    ];
    for sql in &branchline_ledger::PLANS[1..] {
        for day in days {
            let bound = sql
                .replace("$1", &account.number().to_string())
                .replace("$2", &format!("date '{day}'"));
            let read = entries_read(&mut owner, &bound).await;
            assert!(read <= MONTH, "{read} entries are read for {day} by {sql}");
        }
    }
}

#[tokio::test]
async fn a_page_reads_no_more_of_a_long_history_than_it_shows() {
    let Some(books) = books().await else { return };
    let account = books.member(0).await;
    for _ in 0..4 {
        let legs = || legs(books.cash, account, eur(1));
        let post =
            || Post::try_new(PostingId::from(id()), "deposit", Dates::on(day(2)), legs()).unwrap();
        let commands: Vec<_> = (0..500)
            .map(|_| Command::new(key(), Action::Post(post())))
            .collect();
        books.post(&commands).await;
    }
    let mut owner = books.owner().await;
    // After a few uses a connection keeps one plan for all accounts.
    let prepare = format!(
        "ANALYZE account, entry, posting; SET plan_cache_mode = force_generic_plan; \
         PREPARE page AS {}",
        branchline_ledger::PLANS[0]
    );
    raw_sql(sqlx::AssertSqlSafe(prepare))
        .execute(&mut owner)
        .await
        .unwrap();
    for days in ["NULL, NULL", "'2026-11-01', '2026-11-30'"] {
        let explain = format!(
            "EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE page({}, 1900, {days}, 51)",
            account.number()
        );
        let row = raw_sql(sqlx::AssertSqlSafe(explain))
            .fetch_one(&mut owner)
            .await
            .unwrap();
        let plan: Value = row.get(0);
        let mut all = Vec::new();
        nodes(&plan[0]["Plan"], &mut all);
        let of_entries = |node: &&Value| node["Relation Name"] == "entry";
        let node = all.into_iter().find(of_entries).unwrap();
        let read = node["Actual Rows"].as_f64().unwrap();
        assert!(read <= 51.0, "{read} entries are read: {node}");
    }
}
