//! Postings: what is accepted, what is refused, and what a key means.

use branchline_kernel::LedgerAccountId;
use branchline_ledger::{
    Action, Command, Effect, Freeze, LedgerError, Leg, Limits, Reason, Side, Verdict,
};

use crate::books::{
    Books, books, day, eur, is_posted, key, kwd, legs, post_of, reverse, transfer, why,
};

async fn booked(books: &Books, account: LedgerAccountId) -> i64 {
    books.balances(account).await.booked.minor()
}

#[tokio::test]
async fn more_than_is_available_is_refused() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let verdict = books.one(transfer(a, b, 101)).await;
    assert_eq!(why(verdict), Some(Reason::Funds));
    assert!(is_posted(books.one(transfer(a, b, 100)).await));
    assert_eq!((booked(&books, a).await, booked(&books, b).await), (0, 100));
    books.agree().await;
}

#[tokio::test]
async fn an_overdraft_reaches_to_its_limit_and_no_further() {
    let Some(books) = books().await else { return };
    let limits = Limits {
        floor_minor: Some(-50),
        cap_minor: None,
    };
    let a = books.account(limits, Side::Credit).await;
    let b = books.member(0).await;
    assert!(is_posted(books.one(transfer(a, b, 50)).await));
    let verdict = books.one(transfer(a, b, 1)).await;
    assert_eq!(why(verdict), Some(Reason::Floor));
    books.agree().await;
}

#[tokio::test]
async fn an_account_holds_no_more_than_its_cap() {
    let Some(books) = books().await else { return };
    let limits = Limits {
        floor_minor: Some(0),
        cap_minor: Some(100),
    };
    let a = books.account(limits, Side::Credit).await;
    assert!(is_posted(books.one(transfer(books.cash, a, 100)).await));
    let verdict = books.one(transfer(books.cash, a, 1)).await;
    assert_eq!(why(verdict), Some(Reason::Cap));
    books.agree().await;
}

#[tokio::test]
async fn a_frozen_side_takes_nothing_and_the_other_side_goes_on() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(100).await);
    for (freeze, from, to) in [
        (Freeze::Debits, a, b),
        (Freeze::Credits, b, a),
        (Freeze::Everything, a, b),
    ] {
        let tx = books.write().await;
        branchline_ledger::set_freeze(&tx, a, freeze).await.unwrap();
        tx.commit().await.unwrap();
        let verdict = books.one(transfer(from, to, 1)).await;
        assert_eq!(why(verdict), Some(Reason::Frozen), "{freeze:?}");
        let back = is_posted(books.one(transfer(to, from, 1)).await);
        assert_eq!(back, freeze != Freeze::Everything, "{freeze:?}");
    }
    books.agree().await;
}

#[tokio::test]
async fn a_closed_account_takes_nothing() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(0).await, books.member(100).await);
    let tx = books.write().await;
    branchline_ledger::close_account(&tx, a, day(3))
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert_eq!(
        why(books.one(transfer(b, a, 1)).await),
        Some(Reason::Closed)
    );
    let tx = books.write().await;
    let again = branchline_ledger::close_account(&tx, a, day(4)).await;
    assert!(matches!(again, Err(LedgerError::UnknownAccount(_))));
}

#[tokio::test]
async fn an_account_with_money_cannot_be_closed() {
    let Some(books) = books().await else { return };
    let a = books.member(1).await;
    let tx = books.write().await;
    let closed = branchline_ledger::close_account(&tx, a, day(3)).await;
    assert!(matches!(closed, Err(LedgerError::NotEmpty)));
}

#[tokio::test]
async fn an_unknown_account_is_refused_and_named() {
    let Some(books) = books().await else { return };
    let a = books.member(100).await;
    let verdict = books.one(transfer(a, 4711.into(), 1)).await;
    assert_eq!(
        verdict,
        Verdict::Refused {
            reason: Reason::UnknownAccount,
            account: Some(4711.into()),
            replayed: false
        }
    );
    books.agree().await;
}

#[tokio::test]
async fn a_leg_in_another_currency_than_its_account_is_refused() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let wrong = post_of(legs(a, b, kwd(1)));
    let verdict = books.one(Command::new(key(), Action::Post(wrong))).await;
    assert_eq!(why(verdict), Some(Reason::Currency));
    books.agree().await;
}

#[tokio::test]
async fn an_exchange_of_four_legs_is_balanced_in_each_currency() {
    let Some(books) = books().await else { return };
    let a = books.member(1_000).await;
    let b = books.account_in(kwd(0), Limits::NO_OVERDRAFT, Side::Credit);
    let b = b.await;
    let position_eur = books.account(Limits::NONE, Side::Debit).await;
    let position_kwd = books.account_in(kwd(0), Limits::NONE, Side::Debit).await;
    let exchange = post_of(vec![
        Leg::debit(a, eur(1_000)),
        Leg::credit(position_eur, eur(1_000)),
        Leg::debit(position_kwd, kwd(355)),
        Leg::credit(b, kwd(355)),
    ]);
    assert!(is_posted(
        books.one(Command::new(key(), Action::Post(exchange))).await
    ));
    assert_eq!(books.balances(b).await.booked, kwd(355));
    assert_eq!(books.balances(position_eur).await.booked, eur(-1_000));
    books.agree().await;
}

#[tokio::test]
async fn an_account_may_stand_twice_in_a_posting_and_is_judged_by_the_sum() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    // Out 150, in 80: below zero on the way, 30 in the end.
    let post = post_of(vec![
        Leg::debit(a, eur(150)),
        Leg::credit(b, eur(150)),
        Leg::debit(b, eur(80)),
        Leg::credit(a, eur(80)),
    ]);
    assert!(is_posted(
        books.one(Command::new(key(), Action::Post(post))).await
    ));
    let page = books.statement(a).await;
    let found: Vec<_> = page
        .entries
        .iter()
        .map(|entry| (entry.seq, entry.balance_after.minor()))
        .collect();
    assert_eq!(found, vec![(3, 30), (2, -50), (1, 100)]);
    books.agree().await;
}

#[tokio::test]
async fn a_day_without_open_period_is_refused_and_the_refusal_stays() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let december = chrono::NaiveDate::from_ymd_opt(2026, 12, 1).unwrap();
    let mut late = Vec::new();
    for _ in 0..2 {
        let post = branchline_ledger::Post::try_new(
            crate::books::id().into(),
            "transfer",
            branchline_ledger::Dates::on(december),
            legs(a, b, eur(1)),
        );
        late.push(post.unwrap());
    }
    let same = key();
    let first = late.remove(0);
    let verdict = books.one(Command::new(same, Action::Post(first))).await;
    assert_eq!(why(verdict), Some(Reason::Period));
    let tx = books.write().await;
    let last = chrono::NaiveDate::from_ymd_opt(2026, 12, 31).unwrap();
    branchline_ledger::open_period(&tx, december, last)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let again = late.remove(0);
    let verdict = books.one(Command::new(same, Action::Post(again))).await;
    assert_eq!(
        verdict,
        Verdict::Refused {
            reason: Reason::Period,
            account: None,
            replayed: true
        }
    );
    books.agree().await;
}

#[tokio::test]
async fn a_repeated_key_gets_the_same_answer_and_other_content_is_a_conflict() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let same = key();
    let command = |minor| Command::new(same, Action::Post(post_of(legs(a, b, eur(minor)))));
    let Verdict::Posted { effect, .. } = books.one(command(10)).await else {
        panic!("not posted")
    };
    let again = Verdict::Posted {
        effect,
        replayed: true,
    };
    assert_eq!(books.one(command(10)).await, again);
    assert_eq!(books.one(command(11)).await, Verdict::Conflict);
    assert_eq!(
        books.post(&[command(11), command(10)]).await,
        vec![Verdict::Conflict, again]
    );
    assert_eq!(booked(&books, a).await, 90);
    books.agree().await;
}

#[tokio::test]
async fn a_key_repeated_within_one_batch_counts_once() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let (good, bad) = (key(), key());
    let command = |key, minor| Command::new(key, Action::Post(post_of(legs(a, b, eur(minor)))));
    let verdicts = books
        .post(&[
            command(good, 10),
            command(good, 10),
            command(good, 11),
            command(bad, 500),
            command(bad, 500),
        ])
        .await;
    assert!(matches!(
        verdicts[0],
        Verdict::Posted {
            replayed: false,
            ..
        }
    ));
    assert!(matches!(
        verdicts[1],
        Verdict::Posted { replayed: true, .. }
    ));
    assert_eq!(verdicts[2], Verdict::Conflict);
    assert_eq!(why(verdicts[3]), Some(Reason::Funds));
    assert!(matches!(
        verdicts[4],
        Verdict::Refused { replayed: true, .. }
    ));
    assert_eq!(booked(&books, a).await, 90);
    books.agree().await;
}

#[tokio::test]
async fn a_refusal_stays_when_the_money_has_come() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(0).await, books.member(0).await);
    let command = transfer(a, b, 10);
    assert_eq!(why(books.one(command.clone()).await), Some(Reason::Funds));
    books.one(transfer(books.cash, a, 100)).await;
    assert_eq!(why(books.one(command).await), Some(Reason::Funds));
    assert!(is_posted(books.one(transfer(a, b, 10)).await));
    books.agree().await;
}

#[tokio::test]
async fn commands_of_a_batch_see_those_before_them() {
    let Some(books) = books().await else { return };
    let (a, b, c) = (
        books.member(0).await,
        books.member(0).await,
        books.member(0).await,
    );
    let verdicts = books
        .post(&[
            transfer(b, c, 5),
            transfer(books.cash, a, 10),
            transfer(a, b, 10),
            transfer(a, b, 1),
            transfer(b, c, 5),
        ])
        .await;
    let refused: Vec<_> = verdicts.into_iter().map(why).collect();
    let funds = Some(Reason::Funds);
    assert_eq!(refused, vec![funds, None, None, funds, None]);
    books.agree().await;
}

#[tokio::test]
async fn a_posting_is_reversed_once_and_leg_by_leg() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let Verdict::Posted { effect, .. } = books.one(transfer(a, b, 40)).await else {
        panic!("not posted")
    };
    let Effect::Booked(posting) = effect else {
        panic!("not booked")
    };
    assert!(is_posted(books.one(reverse(posting)).await));
    assert_eq!((booked(&books, a).await, booked(&books, b).await), (100, 0));
    let verdict = books.one(reverse(posting)).await;
    assert_eq!(why(verdict), Some(Reason::AlreadyReversed));
    let verdict = books.one(reverse(crate::books::id().into())).await;
    assert_eq!(why(verdict), Some(Reason::UnknownPosting));
    let tx = books.read().await;
    let stored = branchline_ledger::find_posting(&tx, posting).await;
    let legs = stored.unwrap().unwrap().legs;
    assert_eq!(legs[0].amount, eur(40));
    books.agree().await;
}

#[tokio::test]
async fn a_batch_can_post_reverse_and_reverse_again() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let post = post_of(legs(a, b, eur(40)));
    let first = crate::books::id().into();
    let first_post = branchline_ledger::Post::try_new(
        first,
        "transfer",
        branchline_ledger::Dates::on(day(3)),
        legs(a, b, eur(40)),
    );
    let back = branchline_ledger::Reverse {
        id: crate::books::id().into(),
        of: first,
        dates: branchline_ledger::Dates::on(day(3)),
    };
    let and_forth = reverse(back.id);
    let verdicts = books
        .post(&[
            Command::new(key(), Action::Post(first_post.unwrap())),
            Command::new(key(), Action::Post(post)),
            Command::new(key(), Action::Reverse(back)),
            reverse(first),
            and_forth,
        ])
        .await;
    let refused: Vec<_> = verdicts.into_iter().map(why).collect();
    let twice = Some(Reason::AlreadyReversed);
    assert_eq!(refused, vec![None, None, None, twice, None]);
    assert_eq!(booked(&books, a).await, 20);
    books.agree().await;
}

#[tokio::test]
async fn a_counter_that_would_leave_its_range_is_refused_for_that_command_alone() {
    let Some(books) = books().await else { return };
    let most = 4_000_000_000_000_000_000;
    let (a, b) = (
        books.account(Limits::NONE, Side::Credit).await,
        books.account(Limits::NONE, Side::Credit).await,
    );
    let verdicts = books
        .post(&[
            transfer(a, b, most),
            transfer(a, b, 1),
            transfer(b, a, most),
            transfer(books.cash, b, 1),
            transfer(books.cash, a, 0x10),
        ])
        .await;
    let refused: Vec<_> = verdicts.into_iter().map(why).collect();
    let large = Some(Reason::TooLarge);
    assert_eq!(refused, vec![None, large, None, large, large]);
    books.agree().await;
}

#[tokio::test]
async fn memo_reference_actor_and_value_date_are_kept() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let payment = crate::books::id();
    let memo = "rent'; DROP TABLE entry; -- \"{}\\";
    let command = transfer(a, b, 40)
        .by("member:anna")
        .and_then(|command| command.with_memo(memo))
        .and_then(|command| command.about("payment", payment))
        .and_then(|command| command.at_branch("north"))
        .unwrap();
    let effect = books.one(command).await.accepted().unwrap();
    let Effect::Booked(posting) = effect else {
        panic!("not booked")
    };
    let tx = books.read().await;
    let stored = branchline_ledger::find_posting(&tx, posting).await;
    let stored = stored.unwrap().unwrap();
    assert_eq!(stored.actor, "member:anna");
    assert_eq!(stored.branch, "north");
    assert_eq!(stored.memo.as_deref(), Some(memo));
    let about = stored.reference.unwrap();
    assert_eq!((about.kind.as_str(), about.id), ("payment", payment));
    let entry = &books.statement(a).await.entries[0];
    assert_eq!(entry.memo.as_deref(), Some(memo));
}

#[tokio::test]
async fn a_statement_pages_without_gap_or_repeat() {
    let Some(books) = books().await else { return };
    let a = books.member(0).await;
    let commands: Vec<_> = (1..=25).map(|n| transfer(books.cash, a, n)).collect();
    books.post(&commands).await;
    let tx = books.read().await;
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let query = branchline_ledger::StatementQuery {
            cursor,
            limit: 10,
            ..branchline_ledger::StatementQuery::default()
        };
        let page = branchline_ledger::statement(&tx, a, &query).await.unwrap();
        seen.extend(page.entries.iter().map(|entry| entry.seq));
        let Some(next) = page.next else { break };
        cursor = Some(next.as_str().to_owned());
    }
    assert_eq!(seen, (1..=25).rev().collect::<Vec<_>>());
}

#[tokio::test]
async fn the_trial_balance_is_the_sum_of_the_accounts() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(50).await);
    books.one(transfer(a, b, 30)).await;
    let tx = books.read().await;
    let rows = branchline_ledger::trial_balance(&tx, day(1), day(30))
        .await
        .unwrap();
    let found: Vec<_> = rows
        .iter()
        .map(|row| {
            (
                row.gl_account.code.as_str(),
                row.debits.minor(),
                row.credits.minor(),
            )
        })
        .collect();
    assert_eq!(found, vec![("1000", 150, 0), ("2000", 30, 180)]);
}
