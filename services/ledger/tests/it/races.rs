//! Many at once: the locks decide, and nothing is lost or doubled.

use std::sync::Arc;

use branchline_ledger::{Action, Command, Reason, Verdict};
use sqlx::Row;
use tokio::task::JoinSet;

use crate::books::{
    Books, books_with, day, eur, hold, hold_id, is_posted, key, legs, post_of, transfer, why,
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
    let a = books.member(5_000).await;
    let commands = (0..6).map(|_| hold(hold_id(), a, 1_000)).collect();
    let verdicts = at_once(&books, commands).await;
    assert_eq!(count(&verdicts, None), 5);
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
    let none = branchline_db::Values::new();
    let last = "SELECT max(booked_at) AS last FROM posting";
    let rows = tx.named(last, none).await.unwrap();
    let last: branchline_kernel::Timestamp = rows[0].get("last");
    assert!(last < closed);
    let now = books.balances(b).await.booked;
    assert_eq!(now, eur(i64::try_from(posted).unwrap()));
    books.agree().await;
}
