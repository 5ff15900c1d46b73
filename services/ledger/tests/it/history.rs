//! Balances at a past day, and how little is read for what is shown.

use branchline_kernel::PostingId;
use branchline_ledger::{
    Action, Command, Dates, LedgerError, Post, StatementQuery, balance_booked_on,
    balance_valued_on, mark_balances,
};
use chrono::NaiveDate;
use serde_json::Value;
use sqlx::{Row, raw_sql};

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
    raw_sql("ANALYZE account, entry, posting, balance_mark; SET enable_seqscan = off")
        .execute(&mut owner)
        .await
        .unwrap();
    for sql in branchline_ledger::PLANS {
        let explain = format!(
            "EXPLAIN (ANALYZE, FORMAT JSON) {}",
            sql.replace("$1", &number.to_string())
                .replace(
                    "$2",
                    if sql.contains("LIMIT $5") {
                        "1000"
                    } else {
                        "'2026-11-15'"
                    }
                )
                .replace("$3", "date '2026-11-01'")
                .replace("$4", "date '2026-11-30'")
                .replace("$5", "50")
        );
        let row = sqlx::query(sqlx::AssertSqlSafe(explain))
            .fetch_one(&mut owner)
            .await
            .unwrap();
        let plan: Value = row.get(0);
        let mut all = Vec::new();
        nodes(&plan[0]["Plan"], &mut all);
        for node in all {
            let kind = node["Node Type"].as_str().unwrap();
            let table = node["Relation Name"].as_str().unwrap_or_default();
            assert_ne!(kind, "Seq Scan", "{sql}: {node}");
            if table == "entry" {
                let read = node["Actual Rows"].as_f64().unwrap()
                    + node["Rows Removed by Filter"].as_f64().unwrap_or(0.0);
                assert!(read <= 10.0, "{read} entries are read by {sql}");
            }
        }
    }
}
