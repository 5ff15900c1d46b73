//! A wire between a worker and the server that can be cut around a COMMIT.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Where the next connection that commits is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// The server never hears the COMMIT.
    Before,
    /// The server commits; its answer is lost.
    After,
}

/// The wire. Dropping it leaves its connections to the server's end.
#[derive(Clone)]
pub(super) struct Proxy {
    pub(super) port: u16,
    armed: Arc<AtomicU8>,
}

impl Proxy {
    pub(super) async fn start(server: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let proxy = Self {
            port: listener.local_addr()?.port(),
            armed: Arc::default(),
        };
        let armed = Arc::clone(&proxy.armed);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server, Arc::clone(&armed)));
            }
        });
        Ok(proxy)
    }

    /// Cuts the next connection that commits.
    pub(super) fn cut(&self, where_: Cut) {
        let mode = match where_ {
            Cut::Before => 1,
            Cut::After => 2,
        };
        self.armed.store(mode, Ordering::SeqCst);
    }

    pub(super) fn leave_alone(&self) {
        self.armed.store(0, Ordering::SeqCst);
    }
}

/// Carries bytes both ways until one end closes, or the wire is cut.
async fn carry(client: TcpStream, server: u16, armed: Arc<AtomicU8>) {
    let Ok(upstream) = TcpStream::connect(("127.0.0.1", server)).await else {
        return;
    };
    // Latency is what the bench measures; here it only costs rounds.
    let _ = (client.set_nodelay(true), upstream.set_nodelay(true));
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = upstream.into_split();
    let up = async {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count) = from_client.read(&mut bytes).await {
            let Some(sent) = bytes.get(..count).filter(|sent| !sent.is_empty()) else {
                return;
            };
            let commits = sent.windows(6).any(|word| word == b"COMMIT");
            let cut = if commits {
                armed.swap(0, Ordering::SeqCst)
            } else {
                0
            };
            if cut == 1 || to_server.write_all(sent).await.is_err() || cut == 2 {
                return;
            }
        }
    };
    let down = async {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(count) = from_server.read(&mut bytes).await {
            let Some(sent) = bytes.get(..count).filter(|sent| !sent.is_empty()) else {
                return;
            };
            if to_client.write_all(sent).await.is_err() {
                return;
            }
        }
    };
    tokio::select! {
        () = up => {}
        () = down => {}
    }
}
