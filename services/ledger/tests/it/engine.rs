//! Group commit: what is answered is durable, what rides along is committed with it, and nobody
//! can stall or flood the others.

use std::time::Duration;

use branchline_db::{Access, TenantTx, Values, outbox};
use branchline_kernel::{Kind, Refusal};
use branchline_ledger::{
    Command, Engine, EngineError, EngineLimits, Reason, Ridden, RideFuture, Rider, RiderKind,
    Ticket, Verdict,
};
use futures::future::join_all;
use sqlx::Row;

use crate::books::{Books, books, eur, hold, hold_id, is_posted, transfer, why};

const QUICK: EngineLimits = EngineLimits {
    idle: Duration::from_millis(200),
    ..EngineLimits::STANDARD
};

fn engine(books: &Books, limits: EngineLimits) -> Engine {
    Engine::try_new(&books.db, limits).unwrap()
}

/// What a rider of these tests is to do.
#[derive(Clone, Copy, PartialEq)]
enum Does {
    Publish,
    FindItChanged,
    BreakOnSql,
}

static NOTE: RiderKind = RiderKind {
    name: "note",
    ride: note,
};

fn note<'a>(tx: &'a TenantTx, tickets: &'a [Ticket<'a>]) -> RideFuture<'a> {
    Box::pin(async move {
        let mut outcomes = Vec::new();
        for ticket in tickets {
            let does = *ticket.facts::<Does>()?;
            if does == Does::FindItChanged {
                outcomes.push(Ridden::Stale);
                continue;
            }
            if does == Does::BreakOnSql {
                tx.run("SELECT 1 / 0", Values::new()).await?;
            }
            let posted = matches!(ticket.verdict, Verdict::Posted { .. });
            let payload =
                serde_json::json!({ "key": ticket.command.key().uuid(), "posted": posted });
            outbox::publish(tx, "note", &payload).await?;
            outcomes.push(Ridden::Done);
        }
        Ok(outcomes)
    })
}

/// The notes of a command that were committed: whether each says that it was posted.
async fn notes(books: &Books, command: &Command) -> Vec<bool> {
    let tx = books.read().await;
    let sql =
        "SELECT (payload ->> 'posted')::boolean AS posted FROM outbox WHERE payload ->> 'key' = $1";
    let key = command.key().uuid().to_string();
    let rows = tx.named(sql, Values::new().with(key)).await.unwrap();
    rows.iter().map(|row| row.get("posted")).collect()
}

fn rider(does: Does) -> Option<Rider> {
    Some(Rider::new(&NOTE, does))
}

#[tokio::test]
async fn what_waits_together_is_committed_together() {
    let Some(books) = books().await else { return };
    let engine = engine(&books, QUICK);
    let (a, b) = (books.member(1_000).await, books.member(0).await);
    let waiting = (0..600).map(|_| engine.submit(&books.tenant, transfer(a, b, 1), None));
    let verdicts = join_all(waiting).await;
    assert!(
        verdicts
            .into_iter()
            .all(|verdict| is_posted(verdict.unwrap()))
    );
    let tallied = engine.tallied();
    assert_eq!((tallied.batches, tallied.commands), (2, 600));
    assert_eq!(books.balances(b).await.booked, eur(600));
    books.agree().await;
}

#[tokio::test]
async fn commands_are_decided_in_the_order_they_came() {
    let Some(books) = books().await else { return };
    let engine = engine(&books, QUICK);
    let (a, b) = (books.member(100).await, books.member(0).await);
    let commands = [
        transfer(a, b, 100),
        transfer(a, b, 1),
        transfer(b, a, 1),
        transfer(a, b, 1),
    ];
    let waiting = commands.map(|command| engine.submit(&books.tenant, command, None));
    let verdicts: Vec<_> = join_all(waiting)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let reasons: Vec<_> = verdicts.into_iter().map(why).collect();
    assert_eq!(reasons, [None, Some(Reason::Funds), None, None]);
}

#[tokio::test]
async fn a_full_queue_refuses_with_503_and_keeps_to_its_bound() {
    let Some(books) = books().await else { return };
    let engine = engine(&books, EngineLimits { queue: 10, ..QUICK });
    let (a, b) = (books.member(1_000).await, books.member(0).await);
    let waiting = (0..25).map(|_| engine.submit(&books.tenant, transfer(a, b, 1), None));
    let (posted, refused): (Vec<_>, Vec<_>) =
        join_all(waiting).await.into_iter().partition(Result::is_ok);
    assert_eq!((posted.len(), refused.len()), (10, 15));
    for refusal in refused {
        let error = refusal.unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (Kind::Unavailable, "ledger-full")
        );
    }
    assert_eq!(books.balances(b).await.booked, eur(10));
}

#[tokio::test]
async fn a_command_whose_time_is_over_is_refused_before_it_is_tried() {
    let Some(books) = books().await else { return };
    let limits = EngineLimits {
        deadline: Duration::ZERO,
        ..QUICK
    };
    let engine = engine(&books, limits);
    let (a, b) = (books.member(1).await, books.member(0).await);
    let late = engine.submit(&books.tenant, transfer(a, b, 1), None).await;
    assert!(matches!(late, Err(EngineError::Expired)));
    assert_eq!(books.balances(b).await.booked, eur(0));
}

#[tokio::test]
async fn a_writer_that_ended_for_want_of_work_is_followed_by_another() {
    let Some(books) = books().await else { return };
    let limits = EngineLimits {
        idle: Duration::ZERO,
        ..QUICK
    };
    let engine = engine(&books, limits);
    let (a, b) = (books.member(100).await, books.member(0).await);
    for _ in 0..50 {
        let verdict = engine.submit(&books.tenant, transfer(a, b, 1), None).await;
        assert!(is_posted(verdict.unwrap()));
    }
    assert_eq!(books.balances(b).await.booked, eur(50));
}

#[tokio::test]
async fn stopping_answers_what_waits_and_takes_nothing_more() {
    let Some(books) = books().await else { return };
    let engine = engine(&books, EngineLimits::STANDARD);
    let (a, b) = (books.member(100).await, books.member(0).await);
    let waiting = join_all((0..20).map(|_| engine.submit(&books.tenant, transfer(a, b, 1), None)));
    let (verdicts, ()) = tokio::join!(waiting, engine.stop());
    assert!(
        verdicts
            .into_iter()
            .all(|verdict| is_posted(verdict.unwrap()))
    );
    let late = engine.submit(&books.tenant, transfer(a, b, 1), None).await;
    assert!(matches!(late, Err(EngineError::Stopping)));
}

#[tokio::test]
async fn what_rides_on_a_command_is_committed_once_with_its_first_verdict() {
    let Some(books) = books().await else { return };
    let engine = engine(&books, QUICK);
    let (a, b) = (books.member(10).await, books.member(0).await);
    let (good, bad) = (transfer(a, b, 10), transfer(a, b, 10));
    for replayed in [false, true] {
        let posted = engine
            .submit(&books.tenant, good.clone(), rider(Does::Publish))
            .await;
        assert!(matches!(posted, Ok(Verdict::Posted { replayed: again, .. }) if again == replayed));
        let refused = engine
            .submit(&books.tenant, bad.clone(), rider(Does::Publish))
            .await;
        assert_eq!(why(refused.unwrap()), Some(Reason::Funds));
        assert_eq!(notes(&books, &good).await, [true]);
        assert_eq!(notes(&books, &bad).await, [false]);
    }
}

#[tokio::test]
async fn a_command_whose_rider_is_stale_is_left_out_and_its_neighbors_are_posted() {
    let Some(books) = books().await else { return };
    let engine = engine(&books, QUICK);
    let (a, b) = (books.member(100).await, books.member(0).await);
    let stale = transfer(a, b, 50);
    let neighbors = [transfer(a, b, 1), transfer(a, b, 2)];
    let (first, late, last) = tokio::join!(
        engine.submit(&books.tenant, neighbors[0].clone(), rider(Does::Publish)),
        engine.submit(&books.tenant, stale.clone(), rider(Does::FindItChanged)),
        engine.submit(&books.tenant, neighbors[1].clone(), rider(Does::Publish)),
    );
    assert!(is_posted(first.unwrap()) && is_posted(last.unwrap()));
    assert!(matches!(late, Err(EngineError::Stale)));
    assert_eq!(books.balances(b).await.booked, eur(3));
    assert_eq!(notes(&books, &neighbors[0]).await, [true]);
    assert!(notes(&books, &stale).await.is_empty());
    // Nothing was decided: with a rider that fits, the same key is posted.
    let again = engine
        .submit(&books.tenant, stale, rider(Does::Publish))
        .await;
    assert!(matches!(
        again,
        Ok(Verdict::Posted {
            replayed: false,
            ..
        })
    ));
    books.agree().await;
}

#[tokio::test]
async fn a_command_that_the_database_fails_on_does_not_fail_its_neighbors() {
    let Some(books) = books().await else { return };
    let engine = engine(&books, QUICK);
    let (a, b) = (books.member(100).await, books.member(0).await);
    let poison = engine.submit(&books.tenant, transfer(a, b, 50), rider(Does::BreakOnSql));
    let good = join_all((0..5).map(|_| engine.submit(&books.tenant, transfer(a, b, 1), None)));
    let (poison, good) = tokio::join!(poison, good);
    assert!(matches!(poison, Err(EngineError::Failed(_))));
    assert!(good.into_iter().all(|verdict| is_posted(verdict.unwrap())));
    assert_eq!(books.balances(b).await.booked, eur(5));
    books.agree().await;
}

#[tokio::test]
async fn what_meets_a_row_locked_by_somebody_else_is_refused_and_the_rest_is_posted() {
    let Some(books) = books().await else { return };
    let engine = engine(&books, QUICK);
    let (a, b) = (books.member(100).await, books.member(0).await);
    let (c, held) = (books.member(100).await, hold_id());
    books.one(hold(held, c, 10)).await;
    let mut owner = books.owner().await;
    let lock = format!(
        "BEGIN; SELECT FROM account WHERE id = {} FOR UPDATE",
        c.number()
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(lock))
        .execute(&mut owner)
        .await
        .unwrap();
    let void = Command::new(crate::books::key(), branchline_ledger::Action::Void(held));
    let (free, locked, void) = tokio::join!(
        engine.submit(&books.tenant, transfer(a, b, 1), None),
        engine.submit(&books.tenant, transfer(c, b, 1), None),
        engine.submit(&books.tenant, void, None),
    );
    assert!(is_posted(free.unwrap()));
    assert!(matches!(locked, Err(EngineError::Busy)));
    assert!(matches!(void, Err(EngineError::Busy)));
    sqlx::raw_sql("ROLLBACK").execute(&mut owner).await.unwrap();
    assert_eq!(books.balances(b).await.booked, eur(1));
    books.agree().await;
}

#[tokio::test]
async fn a_connection_that_is_lost_between_batches_costs_no_answer() {
    let Some(mut books) = books().await else {
        return;
    };
    let engine = engine(&books, QUICK);
    let (a, b) = (books.member(100).await, books.member(0).await);
    for minor in 1..=3 {
        let verdict = engine
            .submit(&books.tenant, transfer(a, b, 1), rider(Does::Publish))
            .await;
        assert!(is_posted(verdict.unwrap()));
        assert_eq!(books.balances(b).await.booked, eur(minor));
        books.cut_others().await;
        books.db = books.db.apart(4).unwrap();
    }
    books.agree().await;
}

#[tokio::test]
async fn a_suspended_tenant_gets_no_posting() {
    let Some(books) = books().await else { return };
    let engine = engine(&books, QUICK);
    let (a, b) = (books.member(1).await, books.member(0).await);
    books.suspend().await;
    let refused = engine.submit(&books.tenant, transfer(a, b, 1), None).await;
    assert!(matches!(refused, Err(EngineError::Suspended)));
    let tx = books
        .db
        .tenant(&books.tenant, "staff:tester", Access::Read)
        .await
        .unwrap();
    let now = branchline_ledger::balances(&tx, b).await.unwrap();
    assert_eq!(now.booked, eur(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_engines_that_get_the_same_commands_post_each_once() {
    let Some(books) = books().await else { return };
    let engines = [engine(&books, QUICK), engine(&books, QUICK)];
    let (a, b) = (books.member(200).await, books.member(200).await);
    let commands: Vec<_> = (0..200)
        .map(|n| {
            if n % 2 == 0 {
                transfer(a, b, 1)
            } else {
                transfer(b, a, 1)
            }
        })
        .collect();
    let given = engines.iter().flat_map(|engine| {
        let submit =
            |command: &Command| engine.submit(&books.tenant, command.clone(), rider(Does::Publish));
        commands.iter().map(submit).collect::<Vec<_>>()
    });
    let verdicts = join_all(given).await;
    let fresh = verdicts.iter().filter(|verdict| {
        matches!(
            verdict,
            Ok(Verdict::Posted {
                replayed: false,
                ..
            })
        )
    });
    assert_eq!(fresh.count(), 200);
    assert!(
        verdicts
            .iter()
            .all(|verdict| matches!(verdict, Ok(Verdict::Posted { .. })))
    );
    for command in &commands {
        assert_eq!(notes(&books, command).await, [true]);
    }
    let deadlocks: u64 = engines
        .iter()
        .map(|engine| engine.tallied().deadlocks)
        .sum();
    assert_eq!(deadlocks, 0);
    books.agree().await;
}

#[tokio::test]
async fn a_flood_at_one_tenant_makes_another_wait_two_batches_at_most() {
    let Some(books) = books().await else { return };
    let quiet = books.second_tenant().await;
    let limits = EngineLimits {
        lanes: 1,
        batch: 10,
        ..QUICK
    };
    let engine = engine(&books, limits);
    let (a, b) = (books.member(1_000).await, books.member(0).await);
    let flood = join_all((0..500).map(|_| engine.submit(&books.tenant, transfer(a, b, 1), None)));
    let one = async {
        // The quiet tenant has no open period: a verdict like any other.
        let verdict = engine
            .submit(&quiet, transfer(a, b, 1), None)
            .await
            .unwrap();
        (why(verdict), engine.tallied().batches)
    };
    let (flooded, (reason, batches)) = tokio::join!(flood, one);
    assert_eq!(reason, Some(Reason::Period));
    assert!(batches <= 3, "its own batch was number {batches}");
    assert!(engine.tallied().most_turns_waited <= 2);
    assert!(
        flooded
            .into_iter()
            .all(|verdict| is_posted(verdict.unwrap()))
    );
}
