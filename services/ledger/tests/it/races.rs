//! Many at once: the locks decide, and nothing is lost or doubled.

use std::sync::Arc;

use branchline_db::{TenantTx, Values};
use branchline_kernel::{LedgerAccountId, PostingId, Timestamp};
use branchline_ledger::{Action, Command, Dates, Engine, EngineLimits, Post, Reason, Verdict};
use chrono::NaiveDate;
use sqlx::Row;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::books::{
    Books, books_with, day, eur, hold, hold_id, id, is_posted, key, legs, post_of, transfer, why,
};

/// Gives all commands at once, each in a transaction of its own; what may be repeated is.
async fn at_once(books: &Arc<Books>, commands: Vec<Command>) -> Vec<Verdict> {
    let mut tasks = JoinSet::new();
    for command in commands {
        let books = Arc::clone(books);
        tasks.spawn(async move {
            loop {
                match books.try_post(std::slice::from_ref(&command)).await {
                    Ok(verdicts) => break verdicts[0],
                    Err(error) => assert!(error.may_be_repeated(), "{error:?}"),
                }
            }
        });
    }
    tasks.join_all().await
}

fn count(verdicts: &[Verdict], wanted: Option<Reason>) -> usize {
    verdicts.iter().filter(|one| why(**one) == wanted).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_given_twenty_times_at_once_has_one_effect() {
    let Some(books) = books_with(20).await else {
        return;
    };
    let books = Arc::new(books);
    let (a, b) = (books.member(100).await, books.member(0).await);
    let same = key();
    let commands = (0..20)
        .map(|_| Command::new(same, Action::Post(post_of(legs(a, b, eur(10))))))
        .collect();
    let verdicts = at_once(&books, commands).await;
    let effects: Vec<_> = verdicts.iter().map(|one| one.accepted().unwrap()).collect();
    assert!(effects.iter().all(|effect| *effect == effects[0]));
    let fresh = |one: &&Verdict| {
        matches!(
            one,
            Verdict::Posted {
                replayed: false,
                ..
            }
        )
    };
    assert_eq!(verdicts.iter().filter(fresh).count(), 1);
    assert_eq!(books.balances(a).await.booked, eur(90));
    books.agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_debits_of_80_on_100_exactly_one_passes() {
    let Some(books) = books_with(20).await else {
        return;
    };
    let books = Arc::new(books);
    let (a, b) = (books.member(100).await, books.member(0).await);
    let commands = (0..20).map(|_| transfer(a, b, 80)).collect();
    let verdicts = at_once(&books, commands).await;
    assert_eq!(count(&verdicts, None), 1);
    assert_eq!(count(&verdicts, Some(Reason::Funds)), 19);
    books.agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_six_holds_of_1000_on_5000_exactly_five_pass() {
    let Some(books) = books_with(20).await else {
        return;
    };
    let books = Arc::new(books);
    let (a, b) = (books.member(5_000).await, books.member(0).await);
    let ids: Vec<_> = (0..6).map(|_| hold_id()).collect();
    let commands = ids.iter().map(|id| hold(*id, a, 1_000)).collect();
    let verdicts = at_once(&books, commands).await;
    assert_eq!(count(&verdicts, None), 5);
    // The one that was refused cannot be posted.
    let tx = books.read().await;
    for held in ids {
        let found = branchline_ledger::find_hold(&tx, held).await.unwrap();
        if found.is_none() {
            let post = post_of(legs(a, b, eur(1_000))).ending(held);
            let verdict = books.one(Command::new(key(), Action::Post(post))).await;
            assert_eq!(why(verdict), Some(Reason::UnknownHold));
        }
    }
    assert_eq!(books.balances(a).await.available, eur(0));
    books.agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_ten_end_at_once_ends_once() {
    let Some(books) = books_with(20).await else {
        return;
    };
    let books = Arc::new(books);
    let (a, b) = (books.member(100).await, books.member(0).await);
    let held = hold_id();
    books.one(hold(held, a, 60)).await;
    let commands = (0..10)
        .map(|n| {
            let post = || Action::Post(post_of(legs(a, b, eur(60))).ending(held));
            let action = if n % 2 == 0 {
                post()
            } else {
                Action::Void(held)
            };
            Command::new(key(), action)
        })
        .collect();
    let verdicts = at_once(&books, commands).await;
    assert_eq!(count(&verdicts, None), 1);
    assert_eq!(count(&verdicts, Some(Reason::HoldEnded)), 9);
    assert_eq!(books.balances(a).await.held, eur(0));
    books.agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postings_in_opposite_directions_do_not_deadlock() {
    let Some(books) = books_with(20).await else {
        return;
    };
    let books = Arc::new(books);
    let (a, b) = (books.member(1_000).await, books.member(1_000).await);
    let mut tasks = JoinSet::new();
    for n in 0..60 {
        let books = Arc::clone(&books);
        let (from, to) = if n % 2 == 0 { (a, b) } else { (b, a) };
        tasks.spawn(async move { books.try_post(&[transfer(from, to, 1)]).await });
    }
    for posted in tasks.join_all().await {
        assert!(is_posted(posted.unwrap()[0]));
    }
    assert_eq!(books.balances(a).await.booked, eur(1_000));
    books.agree().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_booked_was_booked_before_the_period_closed() {
    let Some(books) = books_with(20).await else {
        return;
    };
    let books = Arc::new(books);
    let (a, b) = (books.member(1_000).await, books.member(0).await);
    let mut tasks = JoinSet::new();
    for n in 0..31 {
        let books = Arc::clone(&books);
        tasks.spawn(async move {
            if n == 15 {
                let tx = books.write().await;
                let closed = branchline_ledger::close_period(&tx, day(1)).await.unwrap();
                tx.commit().await.unwrap();
                return Err(closed);
            }
            Ok(books.one(transfer(a, b, 1)).await)
        });
    }
    let ended = tasks.join_all().await;
    let closed = ended.iter().find_map(|one| one.err()).unwrap();
    let verdicts: Vec<_> = ended.into_iter().filter_map(Result::ok).collect();
    let posted = count(&verdicts, None);
    assert_eq!(posted + count(&verdicts, Some(Reason::Period)), 30);
    let later = books.one(transfer(a, b, 1)).await;
    assert_eq!(why(later), Some(Reason::Period));
    let tx = books.read().await;
    let none = Values::new();
    let last = "SELECT max(booked_at) AS last FROM posting";
    let rows = tx.named(last, none).await.unwrap();
    let last: Timestamp = rows[0].get("last");
    assert!(last < closed);
    let now = books.balances(b).await.booked;
    assert_eq!(now, eur(i64::try_from(posted).unwrap()));
    books.agree().await;
}

/// What a writer of the test below got to see.
#[derive(Default)]
struct Seen {
    posted: usize,
    refused: usize,
}

/// Posts under that day until the period was found closed a few times.
async fn write_until(books: &Books, engine: &Engine, on: NaiveDate, progress: &Progress) -> Seen {
    let mut seen = Seen::default();
    while seen.refused < 5 && seen.posted < 2_000 {
        let verdict = transfer_on(books, engine, on, progress.to).await;
        match why(verdict) {
            None => {
                seen.posted += 1;
                progress.posted.send_modify(|all| *all += 1);
            }
            Some(reason) => {
                assert_eq!(reason, Reason::Period);
                seen.refused += 1;
            }
        }
    }
    seen
}

/// How many postings of the period were answered, and the account they went to.
struct Progress {
    posted: watch::Sender<usize>,
    to: LedgerAccountId,
}

const IN_PERIOD: &str = "SELECT count(*) AS n, max(booked_at) AS last FROM posting \
WHERE booking_date BETWEEN '2026-11-01' AND '2026-11-30'";

#[tokio::test(flavor = "multi_thread")]
async fn a_period_that_is_closed_under_load_gets_nothing_after_the_instant_of_closing() {
    let Some(books) = books_with(8).await else {
        return;
    };
    let books = Arc::new(books);
    let engine = Engine::try_new(&books.db, EngineLimits::STANDARD).unwrap();
    let tx = books.write().await;
    let december = NaiveDate::from_ymd_opt(2026, 12, 1).unwrap();
    branchline_ledger::open_period(&tx, december, december)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let progress = Arc::new(Progress {
        posted: watch::channel(0).0,
        to: books.member(0).await,
    });
    let mut load = JoinSet::new();
    for _ in 0..24 {
        let (books, engine, progress) = (books.clone(), engine.clone(), progress.clone());
        load.spawn(async move { write_until(&books, &engine, day(3), &progress).await });
    }
    // The load is there before the closing, and does not end before it has met it.
    let mut posted = progress.posted.subscribe();
    posted.wait_for(|posted| *posted >= 200).await.unwrap();
    let tx = books.write().await;
    let closed = branchline_ledger::close_period(&tx, day(1)).await.unwrap();
    let count = async |tx: &TenantTx| {
        let rows = tx.named(IN_PERIOD, Values::new()).await.unwrap();
        let last: Timestamp = rows[0].get("last");
        (rows[0].get::<i64, _>("n"), last)
    };
    // Seen while the row of the period is locked: all that was booked before the instant.
    let at_closing = count(&tx).await;
    tx.commit().await.unwrap();
    let seen = load.join_all().await;
    let tx = books.read().await;
    let in_the_end = count(&tx).await;
    assert_eq!(
        at_closing, in_the_end,
        "something was booked after the closing"
    );
    assert!(in_the_end.1 < closed);
    // Each writer met the closed period, and what was answered as posted is what is there.
    assert!(seen.iter().all(|one| one.refused == 5));
    let answered: usize = seen.iter().map(|one| one.posted).sum();
    assert_eq!(in_the_end.0, i64::try_from(answered).unwrap());
    let next = transfer_on(&books, &engine, december, progress.to).await;
    assert!(is_posted(next), "the open period goes on");
    books.agree().await;
}

async fn transfer_on(
    books: &Books,
    engine: &Engine,
    on: NaiveDate,
    to: LedgerAccountId,
) -> Verdict {
    let legs = legs(books.cash, to, eur(1));
    let post = Post::try_new(PostingId::from(id()), "transfer", Dates::on(on), legs).unwrap();
    let command = Command::new(key(), Action::Post(post));
    engine.submit(&books.tenant, command, None).await.unwrap()
}
