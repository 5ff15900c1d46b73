//! Marks made at any moment, among postings booked and valued on any day: what they shorten stays
//! what the entries say.

use std::cell::Cell;

use branchline_kernel::{LedgerAccountId, PostingId};
use branchline_ledger::{
    Action, Command, Dates, LedgerError, Limits, Post, Side, balance_booked_on, balance_valued_on,
    find_unmarked_period, mark_balances,
};
use chrono::{Days, Months, NaiveDate};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use sqlx::{AssertSqlSafe, Row};

use crate::books::{Books, books, day, eur, id, is_posted, key, legs};
use crate::checks::behind_the_guards;

const MONTHS: u32 = 5;
const CASES: u32 = 24;

#[derive(Debug, Clone)]
enum Deed {
    /// Pays from one account to another.
    Pay {
        from: usize,
        to: usize,
        minor: i64,
        /// Counted over all days of the case; later when its books are closed.
        booked: u64,
        /// Days from the booking day to the value day.
        valued: i64,
    },
    /// Closes the oldest open period.
    Close,
    /// Marks one of the closed periods, in whatever order.
    Mark(usize),
    /// Takes the value figures away, as if the marks had been made before there were any.
    Forget,
}

fn deed() -> impl Strategy<Value = Deed> {
    let valued = prop_oneof![6 => Just(0), 3 => -3..4_i64, 2 => -80..81_i64];
    prop_oneof![
        60 => (0..3_usize, 0..3_usize, 1..1_000_i64, 0..150_u64, valued)
            .prop_map(|(from, to, minor, booked, valued)| Deed::Pay { from, to, minor, booked, valued }),
        5 => Just(Deed::Close),
        7 => (0..3_usize).prop_map(Deed::Mark),
        1 => Just(Deed::Forget),
    ]
}

struct Play<'b> {
    books: &'b Books,
    accounts: [LedgerAccountId; 3],
    firsts: Vec<NaiveDate>,
    closed: usize,
    /// Account, booking day, value day and what it adds.
    told: Vec<(LedgerAccountId, NaiveDate, NaiveDate, i64)>,
}

impl<'b> Play<'b> {
    /// Each case has a year of its own, and accounts of its own.
    async fn start(books: &'b Books, year: i32) -> Self {
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap();
        let firsts: Vec<_> = (0..MONTHS).map(|n| first + Months::new(n)).collect();
        let tx = books.write().await;
        for first in &firsts {
            let last = *first + Months::new(1) - Days::new(1);
            branchline_ledger::open_period(&tx, *first, last)
                .await
                .unwrap();
        }
        tx.commit().await.unwrap();
        let accounts = [
            books.account(Limits::NONE, Side::Credit).await,
            books.account(Limits::NONE, Side::Debit).await,
            books.account(Limits::NONE, Side::Credit).await,
        ];
        Self {
            books,
            accounts,
            firsts,
            closed: 0,
            told: Vec::new(),
        }
    }

    async fn pay(&mut self, (from, to): (usize, usize), minor: i64, dates: Dates) {
        let (from, to) = (self.accounts[from], self.accounts[to]);
        let legs = legs(from, to, eur(minor));
        let post = Post::try_new(PostingId::from(id()), "any", dates, legs).unwrap();
        let command = Command::new(key(), Action::Post(post));
        assert!(is_posted(self.books.one(command).await));
        for (account, debit) in [(from, true), (to, false)] {
            let grows = (account == self.accounts[1]) == debit;
            let adds = if grows { minor } else { -minor };
            self.told.push((account, dates.booking, dates.value, adds));
        }
    }

    /// Postings within a month, and across its ends both ways.
    async fn cross(&mut self) {
        for (booked, valued) in [(3, 0), (10, 60), (40, -35), (45, 2), (75, -10), (100, -90)] {
            let booking = self.firsts[0] + Days::new(booked);
            let value = booking + chrono::TimeDelta::days(valued);
            self.pay((1, 0), 10, Dates { booking, value }).await;
        }
    }

    async fn does(&mut self, deed: &Deed) -> Result<(), TestCaseError> {
        match deed {
            Deed::Pay {
                from,
                to,
                minor,
                booked,
                valued,
            } => {
                let Some(open) = self.firsts.get(self.closed) else {
                    return Ok(());
                };
                let booking = (self.firsts[0] + Days::new(*booked)).max(*open);
                let value = booking + chrono::TimeDelta::days(*valued);
                self.pay((*from, *to), *minor, Dates { booking, value })
                    .await;
                Ok(())
            }
            Deed::Close => {
                if let Some(first) = self.firsts.get(self.closed) {
                    let tx = self.books.write().await;
                    branchline_ledger::close_period(&tx, *first).await.unwrap();
                    tx.commit().await.unwrap();
                    self.closed += 1;
                }
                Ok(())
            }
            Deed::Mark(which) if self.closed > 0 => {
                mark(self.books, self.firsts[which % self.closed]).await;
                self.compare().await
            }
            Deed::Mark(_) => Ok(()),
            Deed::Forget => {
                forget(self.books).await;
                self.compare().await
            }
        }
    }

    fn sum(&self, of: LedgerAccountId, until: impl Fn(NaiveDate, NaiveDate) -> bool) -> i64 {
        let told = self.told.iter();
        let counts =
            told.filter(|(account, booked, valued, _)| *account == of && until(*booked, *valued));
        counts.map(|(.., adds)| adds).sum()
    }

    async fn compare(&self) -> Result<(), TestCaseError> {
        let ends = self
            .firsts
            .iter()
            .flat_map(|first| [*first - Days::new(1), *first]);
        let spread = (0..26).map(|n| self.firsts[0] - Days::new(55) + Days::new(n * 11));
        let tx = self.books.read().await;
        for day in ends.chain(spread) {
            for account in self.accounts {
                let found = balance_booked_on(&tx, account, day).await.unwrap();
                let told = self.sum(account, |booked, _| booked <= day);
                prop_assert_eq!(found.minor(), told, "{} booked by {}", account, day);
                let found = balance_valued_on(&tx, account, day).await.unwrap();
                let told = self.sum(account, |_, valued| valued <= day);
                prop_assert_eq!(found.minor(), told, "{} valued by {}", account, day);
            }
        }
        Ok(())
    }
}

/// Marks all accounts of the period, two at a time.
async fn mark(books: &Books, first: NaiveDate) {
    let mut after = None;
    loop {
        let tx = books.write().await;
        after = mark_balances(&tx, first, after, 2).await.unwrap();
        tx.commit().await.unwrap();
        if after.is_none() {
            return;
        }
    }
}

async fn forget(books: &Books) {
    for table in ["value_mark", "value_mark_day", "marked_period"] {
        behind_the_guards(books, table, &format!("DELETE FROM {table}")).await;
    }
}

async fn play(books: &Books, year: i32, deeds: &[Deed]) -> Result<(), TestCaseError> {
    let mut play = Play::start(books, year).await;
    for deed in deeds {
        play.does(deed).await?;
    }
    play.compare().await?;
    while play.closed < play.firsts.len() {
        play.does(&Deed::Close).await?;
    }
    Ok(())
}

#[test]
fn marks_never_change_what_a_balance_was() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let Some(books) = runtime.block_on(books()) else {
        return;
    };
    let close_first = async {
        let tx = books.write().await;
        branchline_ledger::close_period(&tx, day(1)).await.unwrap();
        tx.commit().await.unwrap();
    };
    runtime.block_on(close_first);
    let year = Cell::new(2026);
    let mut runner = TestRunner::new(Config {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: 300,
        ..Config::default()
    });
    let deeds = prop::collection::vec(deed(), 20..90);
    let played = runner.run(&deeds, |deeds| {
        year.set(year.get() + 1);
        runtime.block_on(play(&books, year.get(), &deeds))
    });
    if let Err(found) = played {
        panic!("{found}");
    }
    runtime.block_on(books.agree());
}

/// Books of three closed months with postings that cross their ends.
async fn crossing() -> Option<(Books, LedgerAccountId)> {
    let books = books().await?;
    let mut play = Play::start(&books, 2025).await;
    play.cross().await;
    for _ in 0..3 {
        play.does(&Deed::Close).await.unwrap();
    }
    let account = play.accounts[0];
    Some((books, account))
}

#[tokio::test]
async fn periods_may_be_marked_in_any_order() {
    let Some(books) = books().await else { return };
    let orders = [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
    ];
    for (year, order) in (2019..).zip(orders) {
        let mut play = Play::start(&books, year).await;
        play.cross().await;
        for _ in 0..MONTHS {
            play.does(&Deed::Close).await.unwrap();
        }
        for which in order {
            mark(&books, play.firsts[which]).await;
            play.compare().await.unwrap();
        }
        books.agree().await;
    }
}

#[tokio::test]
async fn closed_periods_are_marked_from_the_oldest_on_until_none_is_left() {
    let Some((books, account)) = crossing().await else {
        return;
    };
    let mut marked = Vec::new();
    loop {
        let tx = books.read().await;
        let Some(first) = find_unmarked_period(&tx).await.unwrap() else {
            break;
        };
        drop(tx);
        // Broken off after its first account, a period is still to be marked.
        let tx = books.write().await;
        mark_balances(&tx, first, None, 1).await.unwrap();
        tx.commit().await.unwrap();
        let tx = books.read().await;
        assert_eq!(find_unmarked_period(&tx).await.unwrap(), Some(first));
        drop(tx);
        mark(&books, first).await;
        marked.push(first.to_string());
    }
    assert_eq!(marked, ["2025-01-01", "2025-02-01", "2025-03-01"]);
    let mut owner = books.owner().await;
    let count = format!(
        "SELECT count(*) FROM value_mark WHERE account = {}",
        account.number()
    );
    let count = sqlx::query(AssertSqlSafe(count))
        .fetch_one(&mut owner)
        .await;
    assert_eq!(count.unwrap().get::<i64, _>(0), 3);
    books.agree().await;
}

#[tokio::test]
async fn a_mark_that_is_tampered_with_is_named() {
    let Some((books, account)) = crossing().await else {
        return;
    };
    for first in ["2025-01-01", "2025-02-01", "2025-03-01"] {
        mark(&books, first.parse().unwrap()).await;
    }
    books.agree().await;
    let place = format!("{} 2025-02-28", account.number());
    let at = format!(
        "WHERE account = {} AND day = '2025-02-28'",
        account.number()
    );
    for (table, change, undo) in [
        (
            "balance_mark",
            "SET booked = booked + 1",
            "SET booked = booked - 1",
        ),
        (
            "balance_mark",
            "SET first_seq = first_seq + 1",
            "SET first_seq = first_seq - 1",
        ),
        (
            "balance_mark",
            "SET last_seq = last_seq - 1",
            "SET last_seq = last_seq + 1",
        ),
        (
            "value_mark",
            "SET valued = valued + 1",
            "SET valued = valued - 1",
        ),
        (
            "value_mark_day",
            "SET amount = amount + 1",
            "SET amount = amount - 1",
        ),
        (
            "value_mark_day",
            "SET outside = NOT outside",
            "SET outside = NOT outside",
        ),
    ] {
        behind_the_guards(&books, table, &format!("UPDATE {table} {change} {at}")).await;
        let tx = books.read().await;
        let found = branchline_ledger::verify(&tx).await.unwrap();
        assert!(!found.is_empty(), "{table} {change}");
        for one in found {
            assert!(one.place.starts_with(&place), "{table} {change}: {one:?}");
        }
        drop(tx);
        behind_the_guards(&books, table, &format!("UPDATE {table} {undo} {at}")).await;
        books.agree().await;
    }
    for change in [
        format!("DELETE FROM value_mark_day {at}"),
        format!(
            "INSERT INTO value_mark_day VALUES ({}, 7, '2025-02-28', '2025-02-27', false)",
            account.number()
        ),
    ] {
        behind_the_guards(&books, "value_mark_day", &change).await;
        let tx = books.read().await;
        let found = branchline_ledger::verify(&tx).await.unwrap();
        assert!(
            found.iter().any(|one| one.place.starts_with(&place)),
            "{change}: {found:?}"
        );
    }
}

/// Waits until somebody in this database waits for a lock.
async fn somebody_waits(books: &Books) {
    let mut owner = books.owner().await;
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = \
        (SELECT oid FROM pg_database WHERE datname = current_database())";
    loop {
        let count: i64 = sqlx::query_scalar(waiting)
            .fetch_one(&mut owner)
            .await
            .unwrap();
        if count > 0 {
            return;
        }
        tokio::task::yield_now().await;
    }
}

fn in_2024(month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(2024, month, day).unwrap()
}

#[tokio::test]
async fn books_that_are_opened_behind_a_mark_while_it_is_made_undo_it() {
    let Some((books, _)) = crossing().await else {
        return;
    };
    let opening = books.write().await;
    branchline_ledger::open_period(&opening, in_2024(12, 1), in_2024(12, 31))
        .await
        .unwrap();
    let marking = async {
        let tx = books.write().await;
        mark_balances(&tx, "2025-01-01".parse().unwrap(), None, 10).await
    };
    let mut marking = std::pin::pin!(marking);
    tokio::select! {
        marked = &mut marking => panic!("it did not wait: {marked:?}"),
        () = somebody_waits(&books) => opening.commit().await.unwrap(),
    }
    let marked = marking.await;
    assert!(matches!(marked, Err(LedgerError::PeriodNotClosed)));
    books.agree().await;
}

#[tokio::test]
async fn books_cannot_be_opened_behind_a_mark_that_is_not_committed_yet() {
    let Some((books, _)) = crossing().await else {
        return;
    };
    let marking = books.write().await;
    mark_balances(&marking, "2025-01-01".parse().unwrap(), None, 10)
        .await
        .unwrap();
    let opening = async {
        let tx = books.write().await;
        branchline_ledger::open_period(&tx, in_2024(12, 1), in_2024(12, 31)).await
    };
    let mut opening = std::pin::pin!(opening);
    tokio::select! {
        opened = &mut opening => panic!("it did not wait: {opened:?}"),
        () = somebody_waits(&books) => marking.commit().await.unwrap(),
    }
    let opened = opening.await;
    assert!(matches!(opened, Err(LedgerError::PeriodOverlaps)));
}
