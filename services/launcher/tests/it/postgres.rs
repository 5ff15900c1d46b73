//! The private PostgreSQL.

use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use branchline_launcher::{
    Durability, LauncherError, Places, Postgres, PostgresBinaries, PostgresOptions, Progress,
    free_port,
};

use crate::folder::{TestFolder, or_skip};

/// Only the machine's own programs: a test does not download.
pub(crate) async fn start(folder: &Path) -> Option<Postgres> {
    or_skip(try_start(options(folder)?).await)
}

fn options(folder: &Path) -> Option<PostgresOptions> {
    let installed = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten();
    let mut bins: Vec<_> = installed.map(|entry| entry.path()).collect();
    bins.sort();
    let bin = or_skip(bins.pop().ok_or(LauncherError::MissingProgram {
        program: "PostgreSQL below /usr/lib/postgresql",
        needed_for: "this test",
        install: "install it",
    }))?;
    let mut options = PostgresOptions::new(folder);
    options.binaries = PostgresBinaries::Folder(bin);
    options.durability = Durability::Careless;
    Some(options)
}

async fn try_start(options: PostgresOptions) -> Result<Postgres, LauncherError> {
    Postgres::start(options, &Places::from_environment(), &Progress::silent()).await
}

/// Runs SQL through `psql`, which Debian installs with the server.
pub(crate) fn sql(url: &str, statement: &str) -> Result<String, String> {
    let arguments = [
        url,
        "--no-psqlrc",
        "-v",
        "ON_ERROR_STOP=1",
        "-qAtc",
        statement,
    ];
    let output = Command::new("psql")
        .args(arguments)
        .output()
        .expect("psql runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        Ok(text(&output.stdout))
    } else {
        Err(text(&output.stderr))
    }
}

pub(crate) fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[tokio::test]
async fn data_survive_a_stop_a_crash_and_a_kill() {
    let folder = TestFolder::new("pg-data");
    let Some(mut postgres) = start(folder.path()).await else {
        return;
    };
    let port = postgres.port();
    let url = postgres.url("postgres");
    sql(&url, "CREATE TABLE t (n int); INSERT INTO t VALUES (1)").unwrap();

    postgres.stop().await.unwrap();
    postgres.stop().await.unwrap();
    assert!(sql(&url, "SELECT 1").is_err());
    postgres.restart().await.unwrap();
    sql(&url, "INSERT INTO t VALUES (2)").unwrap();

    postgres.immediate_stop().await.unwrap();
    postgres.restart().await.unwrap();
    sql(&url, "INSERT INTO t VALUES (3)").unwrap();

    let pid = postgres.pid().unwrap().to_string();
    assert!(
        Command::new("kill")
            .args(["-9", &pid])
            .status()
            .unwrap()
            .success()
    );
    postgres.restart().await.unwrap();
    assert_eq!(postgres.port(), port);
    assert_eq!(sql(&url, "SELECT sum(n) FROM t").unwrap(), "6");

    drop(postgres);
    let again = start(folder.path()).await.unwrap();
    assert_eq!(
        sql(&again.url("postgres"), "SELECT sum(n) FROM t").unwrap(),
        "6"
    );
}

#[tokio::test]
async fn it_wants_its_password_and_its_files_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TestFolder::new("pg-password");
    let Some(postgres) = start(folder.path()).await else {
        return;
    };
    let url = postgres.url("postgres");
    let wrong = url.replace("branchline:", "branchline:x");
    assert!(
        sql(&wrong, "SELECT 1")
            .unwrap_err()
            .contains("password authentication failed")
    );
    let password = std::fs::metadata(postgres.directory().join("password")).unwrap();
    assert_eq!(password.permissions().mode() & 0o077, 0);
    assert_eq!(sql(&url, "SHOW max_locks_per_transaction").unwrap(), "256");
    assert_eq!(
        sql(&url, "SHOW recovery_init_sync_method").unwrap(),
        "syncfs"
    );
    assert!(!format!("{postgres:?}").contains(url.get(24..72).unwrap()));
}

#[tokio::test]
async fn dropping_the_handle_ends_the_server() {
    let folder = TestFolder::new("pg-drop");
    let Some(postgres) = start(folder.path()).await else {
        return;
    };
    let pid = postgres.pid().unwrap();
    assert!(is_alive(pid));
    drop(postgres);
    assert!(!is_alive(pid));
}

#[tokio::test]
async fn a_folder_belongs_to_one_launcher_at_a_time() {
    let folder = TestFolder::new("pg-twice");
    let Some(postgres) = start(folder.path()).await else {
        return;
    };
    let error = try_start(options(folder.path()).unwrap())
        .await
        .unwrap_err();
    assert!(matches!(error, LauncherError::InUse { .. }), "{error}");
    assert!(error.to_string().contains(&std::process::id().to_string()));
    assert_eq!(sql(&postgres.url("postgres"), "SELECT 1").unwrap(), "1");
}

#[tokio::test]
async fn a_foreign_folder_is_left_alone() {
    let folder = TestFolder::new("pg-foreign");
    std::fs::create_dir(folder.path()).unwrap();
    std::fs::write(folder.path().join("diary.txt"), "mine").unwrap();
    let Some(options) = options(folder.path()) else {
        return;
    };
    let error = try_start(options).await.unwrap_err();
    assert!(matches!(error, LauncherError::NotOurs { .. }), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let folder = TestFolder::new("pg-port");
    let Some(mut options) = options(folder.path()) else {
        return;
    };
    let port = free_port().unwrap();
    let _listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    options.port = Some(port);
    let error = try_start(options).await.unwrap_err();
    assert!(
        matches!(error, LauncherError::PortTaken { port: taken, .. } if taken == port),
        "{error}"
    );
}

#[tokio::test]
async fn data_of_another_major_version_are_not_touched() {
    let folder = TestFolder::new("pg-major");
    let Some(postgres) = start(folder.path()).await else {
        return;
    };
    let directory = postgres.directory().to_path_buf();
    drop(postgres);
    std::fs::write(directory.join("data/PG_VERSION"), "12\n").unwrap();
    let error = try_start(options(folder.path()).unwrap())
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("install PostgreSQL 12"),
        "{error}"
    );
    assert!(directory.join("data/global").is_dir());
}

#[tokio::test]
async fn a_folder_without_the_programs_says_which_are_needed() {
    let folder = TestFolder::new("pg-none");
    let mut options = PostgresOptions::new(folder.path());
    options.binaries = PostgresBinaries::Folder("/nowhere".into());
    let error = try_start(options).await.unwrap_err();
    assert!(
        error.to_string().contains("postgres, initdb, pg_ctl"),
        "{error}"
    );
}

#[tokio::test]
async fn the_waiting_person_hears_of_slow_steps() {
    let folder = TestFolder::new("pg-progress");
    let Some(options) = options(folder.path()) else {
        return;
    };
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ear = Arc::clone(&heard);
    let progress = Progress::new(move |sentence| ear.lock().unwrap().push(sentence.to_owned()));
    let started = Postgres::start(options, &Places::from_environment(), &progress).await;
    drop(or_skip(started));
    let heard = heard.lock().unwrap();
    assert!(
        heard
            .iter()
            .any(|line| line.starts_with("initializing PostgreSQL")),
        "{heard:?}"
    );
    assert!(
        heard
            .iter()
            .any(|line| line.contains("listens on 127.0.0.1:")),
        "{heard:?}"
    );
}
