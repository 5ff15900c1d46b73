//! The leanest client of HTTP/1.1 that a load can have: one kept connection, made anew where the
//! core closes it after an answer, one request at a time, answers with a stated length. Whatever
//! the generator costs, it takes from the core.

use std::net::SocketAddr;

use anyhow::Context;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection.
pub(super) struct Wire {
    to: SocketAddr,
    stream: Option<TcpStream>,
    input: Vec<u8>,
}

/// What came back.
#[derive(Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    /// Seconds to wait, where the answer says so.
    pub(super) retry_after: Option<u64>,
    /// The core closes the connection behind it.
    closes: bool,
    pub(super) body: Vec<u8>,
}

/// The end of the head of an answer.
const END: &[u8] = b"\r\n\r\n";
/// No answer of the core is longer; a line that never ends must not fill the memory.
const MOST: usize = 1 << 20;

impl Wire {
    pub(super) async fn connect(to: SocketAddr) -> anyhow::Result<Self> {
        let mut wire = Self {
            to,
            stream: None,
            input: Vec::new(),
        };
        wire.open().await?;
        Ok(wire)
    }

    async fn open(&mut self) -> anyhow::Result<&mut TcpStream> {
        if self.stream.is_none() {
            let stream = TcpStream::connect(self.to).await?;
            stream.set_nodelay(true)?;
            self.stream = Some(stream);
        }
        self.stream.as_mut().context("a connection that is open")
    }

    /// Sends a request as it is and reads the answer to it.
    pub(super) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Reply> {
        self.open().await?.write_all(request).await?;
        self.input.clear();
        let head = loop {
            if let Some(end) = self.input.windows(END.len()).position(|four| four == END) {
                break end;
            }
            self.read().await?;
        };
        let body = head.saturating_add(END.len());
        let (mut reply, length) = read_head(self.input.get(..head).unwrap_or_default())?;
        let end = body.saturating_add(length);
        while self.input.len() < end {
            self.read().await?;
        }
        reply.body = self.input.get(body..end).unwrap_or_default().to_vec();
        if reply.closes {
            self.stream = None;
        }
        Ok(reply)
    }

    /// Reads from a path.
    pub(super) async fn get(&mut self, path: &str) -> anyhow::Result<Reply> {
        let request = format!("GET {path} HTTP/1.1\r\nHost: core\r\n\r\n");
        self.ask(request.as_bytes()).await
    }

    async fn read(&mut self) -> anyhow::Result<()> {
        anyhow::ensure!(self.input.len() < MOST, "an answer without an end");
        let stream = self
            .stream
            .as_mut()
            .context("an answer needs a connection")?;
        let read = stream.read_buf(&mut self.input).await?;
        anyhow::ensure!(read > 0, "the connection was closed before the answer");
        Ok(())
    }
}

/// The status and the headers that matter, with the length of the body.
fn read_head(head: &[u8]) -> anyhow::Result<(Reply, usize)> {
    let head = std::str::from_utf8(head)?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let mut reply = Reply {
        status: status.context("an answer without a status")?.parse()?,
        ..Reply::default()
    };
    let mut length = 0;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse()?;
        } else if name.eq_ignore_ascii_case("retry-after") {
            reply.retry_after = value.trim().parse().ok();
        } else if name.eq_ignore_ascii_case("connection") {
            reply.closes = value.trim().eq_ignore_ascii_case("close");
        }
    }
    Ok((reply, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_says_when_to_come_again() {
        let head = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 12\r\nRetry-After: 1";
        let (reply, length) = read_head(head).unwrap();
        assert_eq!(
            (reply.status, reply.retry_after, length),
            (503, Some(1), 12)
        );
        assert!(!reply.closes);
        let (reply, _) = read_head(b"HTTP/1.1 503 x\r\nconnection: close").unwrap();
        assert!(reply.closes);
    }
}
