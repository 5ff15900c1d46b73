//! Holes that an earlier sketch of this ledger had; each stays closed.

use branchline_ledger::{
    Action, Command, Dates, Effect, LedgerError, Limits, Reason, Reverse, Side, Verdict,
};
use chrono::NaiveDate;
use sqlx::{Executor, Row};

use crate::books::{books, day, eur, id, is_posted, key, refusal, refused, transfer, why};

/// Names are sought in `pg_temp` first unless a function puts it last.
#[tokio::test]
async fn a_temporary_table_cannot_stand_in_for_an_account() {
    let Some(books) = books().await else { return };
    let a = books.member(100).await;
    let mut app = books.app().await;
    refused(
        &mut app,
        "CREATE TEMPORARY TABLE account (id bigint)",
        "42501",
    )
    .await;
    let mut owner = books.owner().await;
    let settings: Vec<String> = owner
        .fetch_all(
            "SELECT p.proname || ': ' || coalesce(array_to_string(p.proconfig, ' '), '') AS f FROM pg_proc p \
             JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = current_schema() \
             AND (p.proname LIKE 'ledger%' OR p.proname IN ('post_batch', 'post_plain')) \
             AND NOT (p.prosecdef AND array_to_string(p.proconfig, ' ') LIKE 'search_path=t_%, pg_temp%')",
        )
        .await
        .unwrap()
        .iter()
        .map(|row| row.get("f"))
        .collect();
    assert_eq!(settings, Vec::<String>::new());
    assert_eq!(books.balances(a).await.booked, eur(100));
}

#[tokio::test]
async fn functions_of_the_ledger_are_closed_to_everybody_else() {
    let Some(books) = books().await else { return };
    let mut owner = books.owner().await;
    let open: Vec<String> = owner
        .fetch_all(
            "SELECT p.proname::text AS f FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace \
             WHERE n.nspname = current_schema() AND (p.proacl IS NULL OR EXISTS \
             (SELECT FROM aclexplode(p.proacl) x WHERE x.grantee = 0))",
        )
        .await
        .unwrap()
        .iter()
        .map(|row| row.get("f"))
        .collect();
    assert_eq!(open, Vec::<String>::new());
}

#[tokio::test]
async fn periods_cannot_overlap() {
    let Some(books) = books().await else { return };
    let tx = books.write().await;
    let overlap = branchline_ledger::open_period(&tx, day(30), day(30)).await;
    assert!(matches!(overlap, Err(LedgerError::PeriodOverlaps)));
    let mut owner = books.owner().await;
    let insert = "INSERT INTO period VALUES ('2026-11-15', '2026-12-15', NULL)";
    let found = refusal(&mut owner, insert).await.unwrap();
    assert_eq!(found.1, "period_no_overlap");
}

#[tokio::test]
async fn a_closed_period_stays_closed() {
    let Some(books) = books().await else { return };
    let tx = books.write().await;
    branchline_ledger::close_period(&tx, day(1)).await.unwrap();
    tx.commit().await.unwrap();
    let tx = books.write().await;
    let again = branchline_ledger::close_period(&tx, day(1)).await;
    assert!(matches!(again, Err(LedgerError::PeriodNotOpen)));
    drop(tx);
    let mut owner = books.owner().await;
    refused(&mut owner, "UPDATE period SET closed_at = NULL", "23001").await;
}

#[tokio::test]
async fn the_key_of_a_reversal_covers_what_is_reversed() {
    let Some(books) = books().await else { return };
    let (a, b) = (books.member(100).await, books.member(0).await);
    let mut made = Vec::new();
    for _ in 0..2 {
        match books.one(transfer(a, b, 10)).await.accepted().unwrap() {
            Effect::Booked(posting) => made.push(posting),
            Effect::Held(_) | Effect::Released(_) => panic!("not booked"),
        }
    }
    let same = key();
    let reverse = |of| {
        let reverse = Reverse {
            id: id().into(),
            of,
            dates: Dates::on(day(3)),
        };
        Command::new(same, Action::Reverse(reverse))
    };
    assert!(is_posted(books.one(reverse(made[0])).await));
    assert_eq!(books.one(reverse(made[1])).await, Verdict::Conflict);
    books.agree().await;
}

#[tokio::test]
async fn the_end_of_a_hold_needs_its_hold_and_posts_no_more_than_it() {
    let Some(books) = books().await else { return };
    let a = books.member(100).await;
    let held = crate::books::hold_id();
    books.one(crate::books::hold(held, a, 60)).await;
    let mut owner = books.owner().await;
    for (hold, posted) in [(id(), 1), (held.uuid(), 61)] {
        let insert = format!(
            "INSERT INTO hold_end VALUES ('{hold}', '{}', {posted}, now(), 'post', 'x')",
            id()
        );
        let found = refusal(&mut owner, &insert).await.unwrap();
        assert_eq!(found.1, "hold_end_within_hold");
    }
    let void = format!(
        "INSERT INTO hold_end VALUES ('{}', NULL, 0, now(), 'void', 'x')",
        held.uuid()
    );
    assert_eq!(refusal(&mut owner, &void).await, None);
    refused(&mut owner, &void, "23505").await;
    // The counters no longer fit: the verifier names the account.
    let tx = books.read().await;
    let found = branchline_ledger::verify(&tx).await.unwrap();
    assert_eq!(found[0].place, a.number().to_string());
}

#[tokio::test]
async fn limits_that_the_balance_breaks_are_refused() {
    let Some(books) = books().await else { return };
    let a = books.member(100).await;
    for limits in [
        Limits {
            floor_minor: Some(101),
            cap_minor: None,
        },
        Limits {
            floor_minor: None,
            cap_minor: Some(99),
        },
    ] {
        let tx = books.write().await;
        let set = branchline_ledger::set_limits(&tx, a, limits).await;
        assert!(matches!(set, Err(LedgerError::LimitBreached)));
    }
    let tx = books.write().await;
    let limits = Limits {
        floor_minor: Some(-10),
        cap_minor: Some(200),
    };
    branchline_ledger::set_limits(&tx, a, limits).await.unwrap();
    tx.commit().await.unwrap();
    let b = books.member(0).await;
    let verdict = books.one(transfer(a, b, 111)).await;
    assert_eq!(why(verdict), Some(Reason::Floor));
}

#[tokio::test]
async fn an_account_needs_a_new_code_and_a_known_chart_account() {
    let Some(books) = books().await else { return };
    let eur = eur(0).currency();
    let new =
        |code: &str, gl: &str| branchline_ledger::NewAccount::new(code, eur, Side::Credit, gl);
    let tx = books.write().await;
    let taken = branchline_ledger::open_account(&tx, &new("cash-eur", "2000")).await;
    assert!(matches!(taken, Err(LedgerError::CodeTaken)));
    let tx = books.write().await;
    let unknown = branchline_ledger::open_account(&tx, &new("x", "9999")).await;
    assert!(matches!(unknown, Err(LedgerError::UnknownGlAccount)));
    let tx = books.write().await;
    let first = NaiveDate::from_ymd_opt(2027, 1, 1).unwrap();
    let backwards = branchline_ledger::open_period(&tx, first, day(1)).await;
    assert!(backwards.is_err());
}
