//! The rounds of work, each called by itself, against a real server.

use std::sync::Arc;

use branchline_db::provision::{Serving, set_serving};
use branchline_db::{Access, Db, Tenant, TenantTx, Values};
use branchline_kernel::{Clock, LedgerAccountId, Money, PostingId, TenantId};
use branchline_ledger::{
    Action, Command, Dates, GlAccount, GlClass, LedgerKey, Leg, NewAccount, Post, Side,
    newest_sealable,
};
use branchline_testkit::{Installation, installation};
use chrono::{Days, NaiveDate};
use sqlx::Row;

use super::marks::{Marked, Place, mark_page, mark_tenants};
use super::months::open_of;
use super::rounds::{Round, step};
use super::seals::{seal_days, seal_tenants};

async fn write(db: &Db, tenant: &TenantId) -> TenantTx {
    db.tenant(tenant, "system:test", Access::Write)
        .await
        .unwrap()
}

async fn count(db: &Db, tenant: &TenantId, sql: &'static str) -> i64 {
    let tx = write(db, tenant).await;
    let rows = tx.named(sql, Values::new()).await.unwrap();
    rows[0].get("n")
}

const SEALS: &str = "SELECT count(*) AS n FROM day_seal";
const MARKS: &str = "SELECT count(*) AS n FROM balance_mark";

/// Something happened four days before the newest day that may be sealed: five days wait.
async fn five_days() -> Option<(Installation, NaiveDate)> {
    let made = installation("the jobs of the books", 8).await?;
    let newest = newest_sealable(made.clock.now()).unwrap();
    let first = newest.checked_sub_days(Days::new(4)).unwrap();
    let hold = format!(
        "INSERT INTO hold (id, account, amount, placed_at, side, actor) \
         VALUES (gen_random_uuid(), 1, 1, '{first} 12:00Z', 'D', 'a test')"
    );
    made.as_superuser(&format!("t_{}", made.lion), &hold).await;
    Some((made, first))
}

#[tokio::test]
async fn each_day_that_is_over_gets_a_seal_of_its_own_and_only_one() {
    let Some((made, first)) = five_days().await else {
        return;
    };
    assert_eq!(seal_days(&made.core, &made.lion, 3).await.unwrap(), 3);
    assert_eq!(seal_days(&made.core, &made.lion, 40).await.unwrap(), 2);
    assert_eq!(seal_days(&made.core, &made.lion, 40).await.unwrap(), 0);
    assert_eq!(count(&made.core, &made.lion, SEALS).await, 5);
    let tx = write(&made.core, &made.lion).await;
    for day in first.iter_days().take(5) {
        let seal = branchline_ledger::find_seal(&tx, day).await.unwrap();
        assert!(seal.is_some(), "{day}");
    }
    // Where nothing has happened yet, the chain begins with the newest day.
    assert_eq!(seal_days(&made.core, &made.elephant, 40).await.unwrap(), 1);
}

#[tokio::test]
async fn two_processes_that_seal_at_once_seal_each_day_once() {
    let Some((made, _)) = five_days().await else {
        return;
    };
    let sealing = || seal_days(&made.core, &made.lion, 40);
    let (a, b) = tokio::join!(sealing(), sealing());
    a.unwrap();
    b.unwrap();
    // Whoever was second gave up for this round.
    seal_days(&made.core, &made.lion, 40).await.unwrap();
    assert_eq!(count(&made.core, &made.lion, SEALS).await, 5);
}

#[tokio::test]
async fn a_suspended_tenant_is_passed_over_and_sealed_when_it_is_back() {
    let Some((made, _)) = five_days().await else {
        return;
    };
    let serving = async |how| {
        set_serving(&made.admin, &made.elephant, how, "a test")
            .await
            .unwrap();
    };
    serving(Serving::Suspended).await;
    // Elephant comes first.
    seal_tenants(made.core.clone()).await.unwrap();
    assert_eq!(count(&made.core, &made.lion, SEALS).await, 5);
    serving(Serving::Open).await;
    assert_eq!(count(&made.core, &made.elephant, SEALS).await, 0);
    seal_tenants(made.core.clone()).await.unwrap();
    assert_eq!(count(&made.core, &made.elephant, SEALS).await, 1);
}

const MONTHS: [(&str, &str); 2] = [("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-02-28")];

/// Lion with two accounts that were posted to in two months, both closed.
async fn two_closed_months() -> Option<Installation> {
    let made = installation("the jobs of the books", 8).await?;
    let tx = write(&made.core, &made.lion).await;
    let gl_account = GlAccount {
        code: "1000".to_owned(),
        name: "Cash".to_owned(),
        class: GlClass::Asset,
    };
    branchline_ledger::add_gl_account(&tx, &gl_account)
        .await
        .unwrap();
    let mut accounts: Vec<LedgerAccountId> = Vec::new();
    let eur = "EUR".parse().unwrap();
    for code in ["a", "b"] {
        let new = NewAccount::new(code, eur, Side::Debit, "1000");
        let opened = branchline_ledger::open_account(&tx, &new).await;
        accounts.push(opened.unwrap());
    }
    let mut commands = Vec::new();
    for (first, last) in MONTHS {
        let (first, last) = (first.parse().unwrap(), last.parse().unwrap());
        branchline_ledger::open_period(&tx, first, last)
            .await
            .unwrap();
        let one = Money::new(1, eur);
        let legs = vec![Leg::debit(accounts[0], one), Leg::credit(accounts[1], one)];
        let id = PostingId::from(tx.next_id());
        let post = Post::try_new(id, "any", Dates::on(last), legs).unwrap();
        commands.push(Command::new(
            LedgerKey::from(tx.next_id()),
            Action::Post(post),
        ));
    }
    tx.commit().await.unwrap();
    let tx = write(&made.core, &made.lion).await;
    branchline_ledger::post(&tx, &commands).await.unwrap();
    tx.commit().await.unwrap();
    let tx = write(&made.core, &made.lion).await;
    for (first, _) in MONTHS {
        let first = first.parse().unwrap();
        branchline_ledger::close_period(&tx, first).await.unwrap();
    }
    tx.commit().await.unwrap();
    Some(made)
}

/// Marks until nothing is left, and gives the number of pages.
async fn mark_all(made: &Installation, mut place: Option<Place>) -> usize {
    for pages in 0.. {
        match mark_page(&made.core, &made.lion, place, 1).await.unwrap() {
            Some(next) => place = Some(next),
            None => return pages,
        }
    }
    usize::MAX
}

#[tokio::test]
async fn marking_goes_on_where_it_was_and_ends() {
    let Some(made) = two_closed_months().await else {
        return;
    };
    let page = mark_page(&made.core, &made.lion, None, 1).await.unwrap();
    assert_eq!(count(&made.core, &made.lion, MARKS).await, 1);
    // The second account and the end of the first month, then a month from its start.
    assert_eq!(mark_all(&made, page).await, 5);
    assert_eq!(count(&made.core, &made.lion, MARKS).await, 4);
    assert_eq!(mark_all(&made, None).await, 0);
}

#[tokio::test]
async fn a_process_that_starts_anew_finishes_the_marks_of_the_one_before() {
    let Some(made) = two_closed_months().await else {
        return;
    };
    mark_page(&made.core, &made.lion, None, 1).await.unwrap();
    assert_eq!(mark_all(&made, None).await, 6);
    assert_eq!(count(&made.core, &made.lion, MARKS).await, 4);
    let tx = write(&made.core, &made.lion).await;
    assert_eq!(branchline_ledger::verify(&tx).await.unwrap(), []);
}

#[tokio::test]
async fn a_suspended_tenant_is_marked_when_it_is_back() {
    let Some(made) = two_closed_months().await else {
        return;
    };
    let marked = Marked::default();
    let serving = async |how| {
        set_serving(&made.admin, &made.lion, how, "a test")
            .await
            .unwrap();
    };
    serving(Serving::Suspended).await;
    let round = || mark_tenants(made.core.clone(), Arc::clone(&marked));
    round().await.unwrap();
    serving(Serving::Open).await;
    assert_eq!(count(&made.core, &made.lion, MARKS).await, 0);
    round().await.unwrap();
    assert_eq!(count(&made.core, &made.lion, MARKS).await, 4);
    assert_eq!(mark_all(&made, None).await, 0);
}

#[tokio::test]
async fn two_processes_that_mark_at_once_mark_each_account_once() {
    let Some(made) = two_closed_months().await else {
        return;
    };
    let round = || mark_tenants(made.core.clone(), Marked::default());
    let (a, b) = tokio::join!(round(), round());
    a.unwrap();
    b.unwrap();
    assert_eq!(count(&made.core, &made.lion, MARKS).await, 4);
    let tx = write(&made.core, &made.lion).await;
    assert_eq!(branchline_ledger::verify(&tx).await.unwrap(), []);
}

#[tokio::test]
async fn an_alarm_stays_until_a_whole_round_finds_nothing() {
    let Some(made) = two_closed_months().await else {
        return;
    };
    let lion = async |sql: &str| made.as_superuser(&format!("t_{}", made.lion), sql).await;
    let tenants = made.core.tenants().await.unwrap();
    let tenant = tenants.iter().find(|one| one.id == made.lion).unwrap();
    let mut round = Round::default();
    assert_eq!(walk(&made, tenant, &mut round).await.last(), Some(&0));
    lion("UPDATE account SET pdr = pdr + 1").await;
    let shown = walk(&made, tenant, &mut round).await;
    assert_eq!((shown.first(), shown.last()), (Some(&0), Some(&2)));
    lion("UPDATE account SET pdr = pdr - 1").await;
    let shown = walk(&made, tenant, &mut round).await;
    assert_eq!((shown.first(), shown.last()), (Some(&2), Some(&0)));
}

/// A whole round: what is shown after each step.
async fn walk(made: &Installation, tenant: &Tenant, round: &mut Round) -> Vec<u32> {
    let mut shown = Vec::new();
    loop {
        let is_done = step(&made.core, tenant, round).await.unwrap();
        shown.push(round.shown);
        if is_done {
            return shown;
        }
    }
}

#[tokio::test]
async fn the_books_never_end_for_want_of_somebody_who_opens_them() {
    let Some(made) = installation("the months of the books", 8).await else {
        return;
    };
    let today = made.clock.now().date_naive();
    let tx = write(&made.core, &made.lion).await;
    branchline_ledger::open_period(&tx, today, today)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    assert!(open_of(&made.core, &made.lion).await.unwrap() >= 2);
    assert_eq!(open_of(&made.core, &made.lion).await.unwrap(), 0);
    let tx = write(&made.core, &made.lion).await;
    let last = branchline_ledger::last_day_of_books(&tx).await.unwrap();
    assert!(last.unwrap() >= today.checked_add_days(Days::new(62)).unwrap());
    // Nobody opened books at Elephant: nobody is to do so unasked.
    assert_eq!(open_of(&made.core, &made.elephant).await.unwrap(), 0);
}
