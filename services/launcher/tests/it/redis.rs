//! The private Redis.

use std::io::{Read, Write};
use std::net::TcpStream;

use branchline_launcher::{LauncherError, Places, Redis, free_port};

use crate::folder::{TestFolder, or_skip};

/// Sends one line per command and reads until `lines` lines have come back.
fn talk(redis: &Redis, commands: &str, lines: usize) -> Vec<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", redis.port())).unwrap();
    stream
        .write_all(commands.replace('\n', "\r\n").as_bytes())
        .unwrap();
    let mut answer = Vec::new();
    while answer.iter().filter(|byte| **byte == b'\n').count() < lines {
        let mut buffer = [0; 256];
        let length = stream.read(&mut buffer).unwrap();
        assert!(length > 0, "Redis closed the connection");
        answer.extend_from_slice(buffer.get(..length).unwrap());
    }
    String::from_utf8(answer)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

fn auth(redis: &Redis) -> String {
    let password = redis
        .url()
        .split_once("//:")
        .unwrap()
        .1
        .split_once('@')
        .unwrap()
        .0
        .to_owned();
    format!("AUTH {password}\n")
}

#[tokio::test]
async fn a_private_redis_wants_its_password_and_forgets_when_killed() {
    let folder = TestFolder::new("redis");
    let started = Redis::start(folder.path(), None, &Places::from_environment()).await;
    let Some(mut redis) = or_skip(started) else {
        return;
    };
    assert!(talk(&redis, "GET a\n", 1)[0].starts_with("-NOAUTH"));
    let written = talk(&redis, &format!("{}SET a 1\nEXISTS a\n", auth(&redis)), 3);
    assert_eq!(written, ["+OK", "+OK", ":1"]);

    redis.kill().await.unwrap();
    assert!(TcpStream::connect(("127.0.0.1", redis.port())).is_err());
    redis.restart().await.unwrap();
    assert_eq!(
        talk(&redis, &format!("{}EXISTS a\n", auth(&redis)), 2),
        ["+OK", ":0"]
    );
    redis.stop().await.unwrap();
    redis.stop().await.unwrap();
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let folder = TestFolder::new("redis-port");
    let port = free_port().unwrap();
    let _listener = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let started = Redis::start(folder.path(), Some(port), &Places::from_environment()).await;
    if let Err(error @ LauncherError::PortTaken { .. }) = &started {
        assert!(error.to_string().contains(&port.to_string()));
        return;
    }
    assert!(or_skip(started).is_none(), "Redis started on a taken port");
}

#[tokio::test]
async fn a_missing_redis_says_what_to_install() {
    let folder = TestFolder::new("redis-missing");
    let mut places = Places::from_environment();
    places.programs.clear();
    let error = Redis::start(folder.path(), None, &places)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("Debian: redis-server"),
        "{error}"
    );
    assert!(!folder.path().exists());
}
