//! Attempts to leave one's own tenant. One connection per pool, so that whatever a transaction
//! leaves behind meets the next one.

use std::time::Duration;

use branchline_db::{Access, Db, DbError, Values};
use branchline_kernel::TenantId;
use sqlx::{Connection, PgConnection, Row};

use crate::installation;

const WHO: &str = "test";

#[tokio::test]
async fn a_transaction_sees_its_own_schema_and_no_other() {
    let Some(at) = installation().await else {
        return;
    };
    let lion = at.core.tenant(&at.lion, WHO, Access::Read).await.unwrap();
    let rows = lion
        .named(
            "SELECT current_schema() AS here, current_user AS me",
            Values::new(),
        )
        .await
        .unwrap();
    assert_eq!(rows[0].get::<String, _>("here"), format!("t_{}", at.lion));
    assert_eq!(rows[0].get::<String, _>("me"), format!("t_{}", at.lion));
    drop(lion);
    let elephant = at
        .core
        .tenant(&at.elephant, WHO, Access::Read)
        .await
        .unwrap();
    let rows = elephant
        .named("SELECT current_user AS me", Values::new())
        .await
        .unwrap();
    assert_eq!(rows[0].get::<String, _>("me"), format!("t_{}", at.elephant));
}

/// Statements as an injected value or fragment would make them run, inside Lion.
#[tokio::test]
async fn a_query_inside_one_tenant_cannot_reach_another() {
    let Some(at) = installation().await else {
        return;
    };
    let other = format!("t_{}", at.elephant);
    let mut connection = PgConnection::connect(&at.core_url).await.unwrap();
    for (attempt, state) in [
        (format!("SELECT * FROM \"{other}\".outbox"), "42501"),
        (
            format!("SELECT set_config('role', '{other}', true)"),
            "42501",
        ),
        (
            format!("SELECT set_config('search_path', '{other}', true)"),
            "42501",
        ),
        (
            format!(
                "SELECT query_to_xml('SELECT set_config(''role'', ''{other}'', true)', true, true, '')"
            ),
            "42501",
        ),
        (
            "UPDATE pg_settings SET setting = 'x' WHERE name = 'role'".to_owned(),
            "42501",
        ),
        ("DO $$ BEGIN NULL; END $$".to_owned(), "42501"),
        ("CREATE TABLE mine (a int)".to_owned(), "42501"),
        ("CREATE TEMPORARY TABLE outbox (a int)".to_owned(), "42501"),
        ("SELECT 1; RESET ROLE".to_owned(), "42601"),
        (format!("SET SESSION AUTHORIZATION {other}_owner"), "42501"),
        ("SELECT pg_read_file('/etc/passwd')".to_owned(), "42501"),
        ("COPY outbox TO PROGRAM 'cat'".to_owned(), "42501"),
        (format!("SELECT * FROM g_{}.tenant_key", at.lion), "42501"),
        (
            "SELECT * FROM platform.applied_migration".to_owned(),
            "42501",
        ),
        ("SELECT * FROM jobs_core._private_jobs".to_owned(), "42501"),
        ("DELETE FROM audit_event".to_owned(), "42501"),
        (
            "UPDATE tenant_state SET serving = 'open'".to_owned(),
            "42501",
        ),
    ] {
        let mut tx = connection.begin().await.unwrap();
        let start = format!(
            "SET LOCAL ROLE t_{0}; SET LOCAL search_path TO t_{0}, pg_temp",
            at.lion
        );
        sqlx::raw_sql(sqlx::AssertSqlSafe(start))
            .execute(&mut *tx)
            .await
            .unwrap();
        let refused = sqlx::query(sqlx::AssertSqlSafe(attempt.clone()))
            .fetch_all(&mut *tx)
            .await;
        let code = refused
            .err()
            .and_then(|e| e.as_database_error()?.code().map(|c| c.into_owned()));
        assert_eq!(code.as_deref(), Some(state), "{attempt}");
        tx.rollback().await.unwrap();
    }
}

#[tokio::test]
async fn without_a_tenant_every_table_is_refused() {
    let Some(at) = installation().await else {
        return;
    };
    let mut connection = PgConnection::connect(&at.core_url).await.unwrap();
    for (attempt, state) in [
        ("SELECT * FROM outbox".to_owned(), "42P01"),
        (format!("SELECT * FROM t_{}.outbox", at.lion), "42501"),
        ("SELECT * FROM platform.tenant".to_owned(), "42501"),
        (
            "SELECT jobs_core_door.enqueue('x', '{}', 'k', now())".to_owned(),
            "42501",
        ),
        (format!("SET ROLE g_{}", at.lion), "42501"),
        (format!("SET ROLE t_{}_owner", at.lion), "42501"),
    ] {
        let refused = sqlx::query(sqlx::AssertSqlSafe(attempt.clone()))
            .execute(&mut connection)
            .await;
        let code = refused
            .err()
            .and_then(|e| e.as_database_error()?.code().map(|c| c.into_owned()));
        assert_eq!(code.as_deref(), Some(state), "{attempt}");
    }
}

#[tokio::test]
async fn a_start_that_fails_leaves_the_connection_usable() {
    let Some(at) = installation().await else {
        return;
    };
    let nobody = "nobody_here".parse().unwrap();
    for _ in 0..3 {
        assert!(at.core.tenant(&nobody, WHO, Access::Read).await.is_err());
        let fine = at.core.tenant(&at.lion, WHO, Access::Write).await.unwrap();
        assert_eq!(
            fine.named("SELECT 1", Values::new()).await.unwrap().len(),
            1
        );
    }
}

#[tokio::test]
async fn one_statement_on_one_connection_serves_both_tenants_rightly() {
    let Some(at) = installation().await else {
        return;
    };
    for turn in 0..24 {
        let (tenant, name) = if turn % 2 == 0 {
            (&at.lion, "lion")
        } else {
            (&at.elephant, "elephant")
        };
        let tx = at.core.tenant(tenant, WHO, Access::Write).await.unwrap();
        branchline_db::outbox::publish(&tx, "turn", &serde_json::json!({ "of": name }))
            .await
            .unwrap();
        let rows = tx
            .named("SELECT payload ->> 'of' AS of FROM outbox", Values::new())
            .await
            .unwrap();
        assert!(
            rows.iter().all(|row| row.get::<String, _>("of") == name),
            "turn {turn}"
        );
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn nothing_a_tenant_leaves_on_a_lane_meets_another() {
    let Some(at) = installation().await else {
        return;
    };
    let lane = at.core.lane().unwrap();
    // What a session keeps beyond its transaction; empty means nothing.
    let kept_by_session = async |tx: &branchline_db::TenantTx| {
        let asked = "SELECT coalesce(current_setting('test.kept', true), '') AS set";
        let rows = tx.named(asked, Values::new()).await.unwrap();
        rows[0].get::<String, _>("set")
    };
    for _ in 0..3 {
        for (tenant, name, leave) in [
            (&at.lion, "lion", "SET test.kept TO 'lion'"),
            (&at.elephant, "elephant", "SET test.kept TO 'elephant'"),
        ] {
            for again in [false, true] {
                let tx = lane.tenant(tenant, WHO, Access::Write).await.unwrap();
                let expected = if again { name } else { "" };
                assert_eq!(kept_by_session(&tx).await, expected, "{name}");
                tx.run(leave, Values::new()).await.unwrap();
                tx.commit().await.unwrap();
            }
        }
        // A start that fails in between changes nothing about who was last.
        let nobody = "nobody_here".parse().unwrap();
        assert!(lane.tenant(&nobody, WHO, Access::Write).await.is_err());
        // What is rolled back does not undo the cleaning.
        let tx = lane.tenant(&at.lion, WHO, Access::Write).await.unwrap();
        assert_eq!(kept_by_session(&tx).await, "");
        tx.rollback().await.unwrap();
        let tx = lane.tenant(&at.lion, WHO, Access::Read).await.unwrap();
        assert_eq!(kept_by_session(&tx).await, "");
        tx.rollback().await.unwrap();
        let tx = lane.tenant(&at.elephant, WHO, Access::Read).await.unwrap();
        assert_eq!(kept_by_session(&tx).await, "");
    }
}

/// The server's process behind a transaction that begins on `lane`; it sees nothing unfinished.
async fn server_process(lane: &Db, tenant: &TenantId) -> Result<i32, DbError> {
    let tx = lane.tenant(tenant, WHO, Access::Write).await?;
    let asked = "SELECT pg_backend_pid() AS pid FROM (SELECT count(*) AS rows FROM outbox) q WHERE q.rows = 0";
    let rows = tx.named(asked, Values::new()).await?;
    tx.commit().await?;
    Ok(rows.first().ok_or(DbError::Ended)?.try_get("pid")?)
}

#[tokio::test]
async fn a_lane_keeps_its_connection_until_it_rests_or_that_dies() {
    let Some(at) = installation().await else {
        return;
    };
    let lane = at.core.lane().unwrap();
    let first = server_process(&lane, &at.lion).await.unwrap();
    // Two at a time wait for each other; the pool gives the same one again.
    let (one, two) = tokio::join!(
        server_process(&lane, &at.lion),
        server_process(&lane, &at.lion)
    );
    assert_eq!((one.unwrap(), two.unwrap()), (first, first));
    lane.rest(&at.lion);
    assert_eq!(server_process(&lane, &at.lion).await.unwrap(), first);
    sqlx::query("SELECT pg_terminate_backend($1, 5000)")
        .bind(first)
        .execute(&mut at.superuser().await)
        .await
        .unwrap();
    let second = server_process(&lane, &at.lion).await.unwrap();
    assert_ne!(second, first);
    assert_eq!(server_process(&lane, &at.lion).await.unwrap(), second);
}

#[tokio::test]
async fn what_is_dropped_on_a_lane_is_undone_before_the_lane_is_used_again() {
    let Some(at) = installation().await else {
        return;
    };
    let lane = at.core.lane().unwrap();
    let process = server_process(&lane, &at.lion).await.unwrap();
    let lock = "SELECT pg_advisory_xact_lock(7)";
    let tx = lane.tenant(&at.lion, WHO, Access::Write).await.unwrap();
    branchline_db::outbox::publish(&tx, "gone", &serde_json::json!({}))
        .await
        .unwrap();
    tx.run(lock, Values::new()).await.unwrap();
    drop(tx);
    // Nobody asks the lane for anything, and yet another may have the lock.
    let other = at.core.tenant(&at.lion, WHO, Access::Write).await.unwrap();
    other.run(lock, Values::new()).await.unwrap();
    other.rollback().await.unwrap();
    assert_eq!(server_process(&lane, &at.lion).await.unwrap(), process);
    // A beginning that is broken off, wherever it was.
    for turns in 0..12 {
        let begin = lane.tenant(&at.lion, WHO, Access::Write);
        tokio::pin!(begin);
        for _turn in 0..turns {
            if futures::poll!(begin.as_mut()).is_ready() {
                break;
            }
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
    }
    assert_eq!(server_process(&lane, &at.lion).await.unwrap(), process);
}

#[tokio::test]
async fn dropped_without_commit_means_undone() {
    let Some(at) = installation().await else {
        return;
    };
    let tx = at.core.tenant(&at.lion, WHO, Access::Write).await.unwrap();
    branchline_db::outbox::publish(&tx, "gone", &serde_json::json!({}))
        .await
        .unwrap();
    drop(tx);
    let tx = at.core.tenant(&at.lion, WHO, Access::Read).await.unwrap();
    assert!(
        tx.named("SELECT 1 FROM outbox", Values::new())
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn raw_sql_and_writes_in_a_read_are_refused() {
    use sea_orm::ConnectionTrait;
    let Some(at) = installation().await else {
        return;
    };
    let tx = at
        .gateway
        .tenant(&at.lion, WHO, Access::Read)
        .await
        .unwrap();
    assert!(tx.execute_unprepared("SELECT 1").await.is_err());
    let written = branchline_db::outbox::publish(&tx, "no", &serde_json::json!({})).await;
    assert_eq!(
        written.err().and_then(|e: DbError| e.sqlstate()).as_deref(),
        Some("25006")
    );
}

#[tokio::test]
async fn a_job_carries_the_tenant_that_sent_it_whatever_it_says() {
    let Some(at) = installation().await else {
        return;
    };
    let tx = at.core.tenant(&at.lion, WHO, Access::Write).await.unwrap();
    let forged = serde_json::json!({ "tenant": at.elephant.as_str() });
    let due = ("k", tx.now());
    branchline_db::jobs::enqueue(&tx, at.core.program(), "wake", &forged, due)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    let sql = "SELECT payload ->> 'tenant' FROM jobs_core._private_jobs";
    let sent: Vec<String> = sqlx::query_scalar(sql)
        .fetch_all(&mut at.superuser().await)
        .await
        .unwrap();
    assert_eq!(sent, [at.lion.as_str()]);
}
