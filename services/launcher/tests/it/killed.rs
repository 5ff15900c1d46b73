//! What happens to a server whose launcher is killed. The launcher is this test program, started once more.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use branchline_launcher::{Durability, Places, Postgres, PostgresOptions, Progress};

use crate::folder::{TestFolder, or_skip};
use crate::postgres::{is_alive, sql, start};

const FOLDER: &str = "BRANCHLINE_LAUNCHER_TEST_FOLDER";

/// Not a test of its own: the part that gets killed.
#[tokio::test]
#[ignore = "the other tests here start it"]
async fn launcher_that_gets_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let mut options = PostgresOptions::new(folder);
    options.durability = Durability::Careless;
    let started = Postgres::start(options, &Places::from_environment(), &Progress::silent()).await;
    let postgres = started.unwrap();
    println!("\nserver {}", postgres.pid().unwrap());
    std::future::pending::<()>().await;
    drop(postgres);
}

/// Starts the above and gives it with the process id of its server.
fn launcher(folder: &Path) -> (Child, u32) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "killed::launcher_that_gets_killed",
            "--ignored",
            "--nocapture",
        ])
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let server = lines
        .map_while(Result::ok)
        .find_map(|line| line.strip_prefix("server ")?.parse().ok());
    (
        child,
        server.expect("the launcher tells the id of its server"),
    )
}

fn kill(child: &mut Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// The processes whose parent is `pid`, from the fourth field of `stat`.
fn children_of(pid: u32) -> Vec<u32> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    ids.filter(|id| {
        let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        let parent = stat
            .rsplit(") ")
            .next()
            .and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
        parent == Some(pid)
    })
    .collect()
}

#[tokio::test]
async fn a_server_ends_with_its_killed_launcher() {
    let folder = TestFolder::new("pg-killed");
    let Some(first) = start(folder.path()).await else {
        return;
    };
    drop(first);
    let (mut launcher, server) = launcher(folder.path());
    kill(&mut launcher);
    let mut asked = 0;
    while is_alive(server) {
        assert!(asked < 500, "the server outlived its launcher");
        asked += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_server_that_was_left_behind_is_stopped_by_the_next_start() {
    let folder = TestFolder::new("pg-left");
    let Some(first) = start(folder.path()).await else {
        return;
    };
    sql(&first.url("postgres"), "CREATE TABLE t (n int)").unwrap();
    drop(first);
    let (mut launcher, server) = launcher(folder.path());
    for lifeline in children_of(launcher.id())
        .into_iter()
        .filter(|child| *child != server)
    {
        let killed = Command::new("kill")
            .args(["-9", &lifeline.to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
    }
    kill(&mut launcher);
    assert!(is_alive(server));

    let next = start(folder.path()).await.unwrap();
    assert!(!is_alive(server));
    assert_eq!(
        sql(&next.url("postgres"), "SELECT count(*) FROM t").unwrap(),
        "0"
    );
}

#[tokio::test]
async fn a_pid_file_that_names_somebody_else_is_no_obstacle() {
    let folder = TestFolder::new("pg-stale");
    let Some(mut first) = start(folder.path()).await else {
        return;
    };
    let pid_file = first.directory().join("data/postmaster.pid");
    first.stop().await.unwrap();
    drop(first);
    std::fs::write(&pid_file, format!("{}\n", std::process::id())).unwrap();
    let next = or_skip(Ok(start(folder.path()).await.unwrap())).unwrap();
    assert_eq!(sql(&next.url("postgres"), "SELECT 1").unwrap(), "1");
}
