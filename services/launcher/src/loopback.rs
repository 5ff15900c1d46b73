//! Ports on the loopback address, and the least of HTTP that tells whether a server is ready.

use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::error::LauncherError;

/// One question must be answered within this time; the caller asks again.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A port on 127.0.0.1 that nothing uses now. Another program may take it before you do.
///
/// # Errors
/// When the system has no port left.
pub fn free_port() -> Result<u16, LauncherError> {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(crate::error::io_failed(
            "find a free port on",
            "127.0.0.1".as_ref(),
        ))
}

/// Refuses a port on which something listens already.
pub(crate) fn must_be_free(server: &'static str, port: u16) -> Result<(), LauncherError> {
    match std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            Err(LauncherError::PortTaken { server, port })
        }
        Err(source) => Err(crate::error::io_failed(
            "use the port of",
            "127.0.0.1".as_ref(),
        )(source)),
    }
}

/// Sends `question` and gives the first bytes of the answer.
pub(crate) async fn ask(port: u16, question: &[u8]) -> io::Result<Vec<u8>> {
    let talk = async {
        let mut stream = TcpStream::connect(SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)).await?;
        stream.write_all(question).await?;
        let mut answer = vec![0; 512];
        let length = stream.read(&mut answer).await?;
        answer.truncate(length);
        Ok(answer)
    };
    timeout(ANSWER_WITHIN, talk)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Whether a GET of `path` is answered with 200.
pub(crate) async fn answers_ok(port: u16, path: &str) -> bool {
    let question =
        format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n");
    ask(port, question.as_bytes())
        .await
        .is_ok_and(|answer| answer.starts_with(b"HTTP/1.1 200"))
}
