//! Stands before replicas as a load balancer does: each connection goes to the next of them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A running balancer; it ends when dropped.
pub(crate) struct Balancer {
    /// The port it listens on, on loopback.
    pub(crate) port: u16,
    /// How many connections went to each replica.
    pub(crate) counts: Arc<Vec<AtomicUsize>>,
    accepting: JoinHandle<()>,
}

impl Balancer {
    /// Listens on `port` of 127.0.0.1 and hands the connections to the `replicas` in turn.
    pub(crate) async fn start(port: u16, replicas: Vec<u16>) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let listener = TcpListener::bind(address).await.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let counts: Arc<Vec<_>> = Arc::new(replicas.iter().map(|_| AtomicUsize::new(0)).collect());
        let counting = Arc::clone(&counts);
        let accepting = tokio::spawn(async move {
            let mut turn = 0;
            while let Ok((mut near, _)) = listener.accept().await {
                let chosen = turn % replicas.len();
                turn += 1;
                counting[chosen].fetch_add(1, Ordering::Relaxed);
                let address = SocketAddr::from(([127, 0, 0, 1], replicas[chosen]));
                tokio::spawn(async move {
                    if let Ok(mut far) = TcpStream::connect(address).await {
                        let _ = copy_bidirectional(&mut near, &mut far).await;
                    }
                });
            }
        });
        Self {
            port,
            counts,
            accepting,
        }
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}
