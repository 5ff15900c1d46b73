//! Money set aside: placed, then posted, voided or expired, exactly once.

use branchline_kernel::Clock;
use branchline_kernel::{HoldId, LedgerAccountId};
use branchline_ledger::{
    Action, Command, Direction, Freeze, HoldState, Limits, NewHold, Reason, Side, Verdict,
};
use chrono::TimeDelta;

use crate::books::{
    Books, books, eur, hold, hold_id, is_posted, key, legs, post_of, transfer, why,
};

fn post_hold(from: LedgerAccountId, to: LedgerAccountId, minor: i64, hold: HoldId) -> Command {
    let post = post_of(legs(from, to, eur(minor))).ending(hold);
    Command::new(key(), Action::Post(post))
}

fn void(hold: HoldId) -> Command {
    Command::new(key(), Action::Void(hold))
}

fn expire(hold: HoldId) -> Command {
    Command::new(key(), Action::Expire(hold))
}

async fn sums(books: &Books, account: LedgerAccountId) -> (i64, i64) {
    let balances = books.balances(account).await;
    (balances.booked.minor(), balances.available.minor())
}

#[tokio::test]
async fn held_money_cannot_be_spent_and_a_part_may_be_posted() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(9_790).await, books.member(0).await);
    let held = hold_id();
    assert!(is_posted(books.one(hold(held, a, 6_000)).await));
    assert_eq!(sums(&books, a).await, (9_790, 3_790));
    let spend = books.one(transfer(a, b, 5_000)).await;
    assert_eq!(why(spend), Some(Reason::Funds));
    let too_much = books.one(post_hold(a, b, 6_001, held)).await;
    assert_eq!(why(too_much), Some(Reason::HoldAmount));
    assert!(is_posted(books.one(post_hold(a, b, 4_000, held)).await));
    assert_eq!(sums(&books, a).await, (5_790, 5_790));
    let again = books.one(post_hold(a, b, 1, held)).await;
    assert_eq!(why(again), Some(Reason::HoldEnded));
    assert_eq!(why(books.one(void(held)).await), Some(Reason::HoldEnded));
    let tx = books.read().await;
    let stored = branchline_ledger::find_hold(&tx, held).await.unwrap();
    assert_eq!(stored.unwrap().state, HoldState::Posted(eur(4_000)));
    books.agree().await;
}

#[tokio::test]
async fn a_hold_above_what_is_available_is_refused_and_cannot_be_posted() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let held = hold_id();
    let verdict = books.one(hold(held, a, 101)).await;
    assert_eq!(why(verdict), Some(Reason::Funds));
    let verdict = books.one(post_hold(a, b, 1, held)).await;
    assert_eq!(why(verdict), Some(Reason::UnknownHold));
    books.agree().await;
}

#[tokio::test]
async fn more_than_the_largest_hold_there_can_be_is_not_within_it() {
    let Some(books) = books().await else { return };
    let most = 4_000_000_000_000_000_000;
    let (a, b) = (books.member(0).await, books.member(0).await);
    let held = hold_id();
    let announced = NewHold::try_new(held, a, eur(most), Direction::Incoming).unwrap();
    let announced = Command::new(key(), Action::Hold(announced));
    assert!(is_posted(books.one(announced).await));
    let mut twice = legs(b, a, eur(most));
    twice.extend(legs(b, a, eur(1)));
    let too_much = Command::new(key(), Action::Post(post_of(twice).ending(held)));
    assert_eq!(why(books.one(too_much).await), Some(Reason::HoldAmount));
    books.agree().await;
}

#[tokio::test]
async fn a_posting_that_takes_nothing_of_its_hold_is_refused() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(100).await);
    let held = hold_id();
    books.one(hold(held, a, 10)).await;
    let verdict = books.one(post_hold(b, a, 10, held)).await;
    assert_eq!(why(verdict), Some(Reason::HoldAmount));
    books.agree().await;
}

#[tokio::test]
async fn after_its_time_a_hold_can_only_be_ended() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let held = hold_id();
    let until = books.clock.now() + TimeDelta::minutes(5);
    let new = NewHold::try_new(held, a, eur(60), Direction::Outgoing).unwrap();
    let place = Command::new(key(), Action::Hold(new.until(until)));
    assert!(is_posted(books.one(place).await));
    assert_eq!(
        why(books.one(expire(held)).await),
        Some(Reason::HoldNotExpired)
    );
    books.clock.advance(TimeDelta::minutes(5));
    let late = books.one(post_hold(a, b, 1, held)).await;
    assert_eq!(why(late), Some(Reason::HoldExpired));
    assert!(is_posted(books.one(expire(held)).await));
    assert_eq!(sums(&books, a).await, (100, 100));
    assert_eq!(why(books.one(expire(held)).await), Some(Reason::HoldEnded));
    books.agree().await;
}

#[tokio::test]
async fn a_hold_without_end_never_expires() {
    let Some(books) = books().await else { return };
    let a = books.member(100).await;
    let held = hold_id();
    books.one(hold(held, a, 60)).await;
    books.clock.advance(TimeDelta::days(3_650));
    assert_eq!(
        why(books.one(expire(held)).await),
        Some(Reason::HoldNotExpired)
    );
}

#[tokio::test]
async fn a_hold_on_a_frozen_account_is_refused() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let before = hold_id();
    books.one(hold(before, a, 60)).await;
    let tx = books.write().await;
    branchline_ledger::set_freeze(&tx, a, Freeze::Debits)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let verdict = books.one(hold(hold_id(), a, 1)).await;
    assert_eq!(why(verdict), Some(Reason::Frozen));
    // What was promised before the freeze is kept.
    assert!(is_posted(books.one(post_hold(a, b, 60, before)).await));
    books.agree().await;
}

#[tokio::test]
async fn hold_void_and_hold_again_leaves_the_balances_as_they_were() {
    let Some(books) = books().await else { return };
    let a = books.member(100).await;
    let (first, second) = (hold_id(), hold_id());
    books.one(hold(first, a, 60)).await;
    let before = books.balances(a).await;
    assert!(is_posted(books.one(void(first)).await));
    assert_eq!(sums(&books, a).await, (100, 100));
    books.one(hold(second, a, 60)).await;
    assert_eq!(books.balances(a).await, before);
    books.agree().await;
}

#[tokio::test]
async fn holds_have_keys_like_postings() {
    let Some(books) = books().await else { return };
    let a = books.member(100).await;
    let held = hold_id();
    let place = hold(held, a, 60);
    let first = books.one(place.clone()).await;
    let again = books.one(place.clone()).await;
    assert!(is_posted(first));
    assert_eq!(first.accepted(), again.accepted());
    assert!(matches!(again, Verdict::Posted { replayed: true, .. }));
    let other = NewHold::try_new(hold_id(), a, eur(61), Direction::Outgoing);
    let reused = Command::new(place.key(), Action::Hold(other.unwrap()));
    assert_eq!(books.one(reused).await, Verdict::Conflict);
    assert_eq!(
        why(books.one(hold(held, a, 1)).await),
        Some(Reason::HoldExists)
    );
    let release = void(held);
    assert!(is_posted(books.one(release.clone()).await));
    assert!(matches!(
        books.one(release).await,
        Verdict::Posted { replayed: true, .. }
    ));
    assert_eq!(sums(&books, a).await, (100, 100));
    books.agree().await;
}

#[tokio::test]
async fn a_hold_protects_an_account_of_either_side() {
    let Some(books) = books().await else { return };
    let limits = Limits::NO_OVERDRAFT;
    let vault = books.account(limits, Side::Debit).await;
    let m = books.account(Limits::NONE, Side::Credit).await;
    assert!(is_posted(books.one(transfer(vault, m, 100)).await));
    let held = hold_id();
    assert!(is_posted(books.one(hold(held, vault, 60)).await));
    assert_eq!(sums(&books, vault).await, (100, 40));
    let verdict = books.one(transfer(m, vault, 50)).await;
    assert_eq!(why(verdict), Some(Reason::Funds));
    assert!(is_posted(books.one(post_hold(m, vault, 60, held)).await));
    assert_eq!(sums(&books, vault).await, (40, 40));
    books.agree().await;
}

#[tokio::test]
async fn announced_money_is_expected_but_not_available() {
    let Some(books) = books().await else { return };
    let a = books.member(100).await;
    let coming = hold_id();
    let new = NewHold::try_new(coming, a, eur(50), Direction::Incoming);
    let announce = Command::new(key(), Action::Hold(new.unwrap()));
    assert!(is_posted(books.one(announce).await));
    let balances = books.balances(a).await;
    assert_eq!(balances.available, eur(100));
    assert_eq!((balances.incoming, balances.expected), (eur(50), eur(150)));
    assert!(is_posted(
        books.one(post_hold(books.cash, a, 50, coming)).await
    ));
    let balances = books.balances(a).await;
    assert_eq!((balances.booked, balances.expected), (eur(150), eur(150)));
    books.agree().await;
}

#[tokio::test]
async fn a_batch_can_place_and_end_the_same_hold() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let held = hold_id();
    let verdicts = books
        .post(&[
            post_hold(a, b, 1, held),
            hold(held, a, 80),
            transfer(a, b, 30),
            post_hold(a, b, 70, held),
            void(held),
            transfer(a, b, 30),
        ])
        .await;
    let refused: Vec<_> = verdicts.into_iter().map(why).collect();
    assert_eq!(
        refused,
        vec![
            Some(Reason::UnknownHold),
            None,
            Some(Reason::Funds),
            None,
            Some(Reason::HoldEnded),
            None
        ]
    );
    assert_eq!(sums(&books, a).await, (0, 0));
    books.agree().await;
}

#[tokio::test]
async fn an_account_with_an_open_hold_cannot_be_closed() {
    let Some(books) = books().await else { return };
    let a = books.member(0).await;
    let new = NewHold::try_new(hold_id(), a, eur(50), Direction::Incoming);
    books
        .one(Command::new(key(), Action::Hold(new.unwrap())))
        .await;
    let tx = books.write().await;
    let closed = branchline_ledger::close_account(&tx, a, crate::books::day(3)).await;
    assert!(matches!(
        closed,
        Err(branchline_ledger::LedgerError::NotEmpty)
    ));
}
