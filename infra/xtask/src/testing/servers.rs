//! The private servers of a test run: one child process that stops when its input closes.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;

/// The first start may fetch and unpack a server.
const READY_WITHIN: Duration = Duration::from_secs(400);
const STOPPED_WITHIN: Duration = Duration::from_secs(20);

/// Servers that run as long as this value lives.
pub struct Servers {
    child: Child,
    input: Option<ChildStdin>,
    /// A superuser's address of the private PostgreSQL.
    pub postgres_url: String,
    /// The private Redis, where one was asked for.
    pub redis_url: Option<String>,
    /// The private Keycloak with its administrator, where one was asked for.
    pub keycloak_url: Option<String>,
}

impl Servers {
    /// Starts them through `branchline launch`, which prints one line of JSON when all accept.
    pub fn start(binary: &Path, also: &[&str]) -> Result<Self, String> {
        let mut command = Command::new(binary);
        command.args(["launch", "--postgres", "--no-fsync", "--print", "json"]);
        command.args(also);
        Self::from_command(command)
    }

    fn from_command(mut command: Command) -> Result<Self, String> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start the private servers: {error}"))?;
        let input = child.stdin.take();
        let output = child.stdout.take().ok_or("the servers' output is gone")?;
        let mut servers = Self {
            child,
            input,
            postgres_url: String::new(),
            redis_url: None,
            keycloak_url: None,
        };
        let (sender, receiver) = mpsc::channel();
        // Reads on after the first line, so that the child never waits for a full pipe.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                // Nobody listens after the first line.
                let _ = sender.send(line);
            }
        });
        let line = receiver.recv_timeout(READY_WITHIN).map_err(|_| {
            "the private servers did not become ready; what they said is above".to_owned()
        })?;
        let addresses: Value = serde_json::from_str(&line).map_err(|error| {
            format!("the private servers printed no JSON but `{line}`: {error}")
        })?;
        let address = |name: &str| addresses[name].as_str().map(str::to_owned);
        servers.redis_url = address("redis_url");
        servers.keycloak_url = with_login(
            address("keycloak_url"),
            address("keycloak_admin_user"),
            address("keycloak_admin_password"),
        );
        servers.postgres_url =
            address("postgres_url").ok_or("the private servers named no postgres_url")?;
        Ok(servers)
    }
}

/// An address with a login in it, as the tests of sign-in read it.
fn with_login(
    url: Option<String>,
    user: Option<String>,
    password: Option<String>,
) -> Option<String> {
    let (url, user, password) = (url?, user?, password?);
    let (scheme, host) = url.split_once("://")?;
    Some(format!("{scheme}://{user}:{password}@{host}"))
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.input.take());
        let start = Instant::now();
        while start.elapsed() < STOPPED_WITHIN {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        eprintln!("the private servers did not stop by themselves; killing them");
        // It is gone in either case, or out of our hands.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<Servers, String> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Servers::from_command(command)
    }

    #[test]
    fn addresses_are_read_and_the_closed_input_stops_the_child() {
        let script =
            "echo '{\"postgres_url\": \"postgres://x\", \"redis_url\": null}'; cat > /dev/null";
        let servers = shell(script).unwrap();
        assert_eq!(servers.postgres_url, "postgres://x");
        assert_eq!(servers.redis_url, None);
        let id = servers.child.id();
        drop(servers);
        assert!(!Path::new(&format!("/proc/{id}")).exists());
    }

    #[test]
    fn a_login_is_put_into_the_address() {
        let some = |text: &str| Some(text.to_owned());
        let url = with_login(some("http://127.0.0.1:1"), some("admin"), some("x"));
        assert_eq!(url.as_deref(), Some("http://admin:x@127.0.0.1:1"));
        assert_eq!(with_login(None, some("admin"), some("x")), None);
    }

    #[test]
    fn servers_that_end_before_they_are_ready_are_an_error() {
        assert!(shell("exit 1").is_err());
        assert!(shell("echo hello").is_err());
        assert!(shell("echo '{}'").is_err());
    }
}
