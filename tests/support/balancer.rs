//! Stands before servers and hands each connection to the next of them: a load balancer before
//! replicas, or a gate before a database that can be shut.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::Mutex;
use tokio::task::{JoinHandle, JoinSet};
use url::Url;

/// Where connections go.
#[derive(Clone, Debug)]
enum Behind {
    /// To a port of this machine.
    Port(u16),
    /// To a Unix socket.
    Socket(String),
}

/// A running balancer; it ends, with every connection through it, when dropped.
pub(crate) struct Balancer {
    /// The port it listens on, on loopback.
    pub(crate) port: u16,
    behind: Vec<Behind>,
    /// How many connections went to each.
    counts: Arc<Vec<AtomicUsize>>,
    running: Mutex<Option<JoinHandle<()>>>,
}

impl Balancer {
    /// Listens on `port` of 127.0.0.1, or any for 0, and hands the connections to the `replicas`
    /// in turn.
    pub(crate) async fn start(port: u16, replicas: Vec<u16>) -> Self {
        Self::new(port, replicas.into_iter().map(Behind::Port).collect()).await
    }

    /// A gate before the PostgreSQL server of that URL.
    pub(crate) async fn to_postgres(url: &str) -> Self {
        let url: Url = url.parse().expect("a URL");
        let socket = url.query_pairs().find(|(name, _)| name == "host");
        let port = url.port().unwrap_or(5432);
        let behind = socket.map_or(Behind::Port(port), |(_, folder)| {
            Behind::Socket(format!("{folder}/.s.PGSQL.{port}"))
        });
        Self::new(0, vec![behind]).await
    }

    async fn new(port: u16, behind: Vec<Behind>) -> Self {
        let counts = behind.iter().map(|_| AtomicUsize::new(0)).collect();
        let mut balancer = Self {
            port,
            behind,
            counts: Arc::new(counts),
            running: Mutex::new(None),
        };
        balancer.port = balancer.open().await;
        balancer
    }

    /// Listens; the port.
    pub(crate) async fn open(&self) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", self.port)).await;
        let listener = listener.expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let (behind, counts) = (self.behind.clone(), Arc::clone(&self.counts));
        let task = tokio::spawn(async move {
            // Aborted with this task, and so are the connections in it.
            let mut connections = JoinSet::new();
            let mut turn = 0;
            while let Ok((near, _)) = listener.accept().await {
                let chosen = turn % behind.len();
                turn += 1;
                counts[chosen].fetch_add(1, Ordering::Relaxed);
                connections.spawn(connect(near, behind[chosen].clone()));
            }
        });
        *self.running.lock().await = Some(task);
        port
    }

    /// Cuts every connection and refuses new ones.
    pub(crate) async fn close(&self) {
        if let Some(task) = self.running.lock().await.take() {
            task.abort();
            let _ = task.await;
        }
    }

    /// The URL of the same database through this gate.
    pub(crate) fn postgres_url(&self, url: &str) -> String {
        let mut url: Url = url.parse().expect("a URL");
        url.set_query(None);
        url.set_host(Some("127.0.0.1")).expect("a host");
        url.set_port(Some(self.port)).expect("a port");
        url.into()
    }

    /// Whether every replica was used, and none much more than another.
    pub(crate) fn is_fair(&self) -> bool {
        let counts = self
            .counts
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        let (least, most) = (counts.clone().min(), counts.max());
        least > Some(0) && most <= least.map(|least| least + 1)
    }
}

async fn connect(mut near: TcpStream, behind: Behind) {
    // A peer that hangs up is nobody's failure here.
    match behind {
        Behind::Port(port) => {
            if let Ok(mut far) = TcpStream::connect(("127.0.0.1", port)).await {
                let _ = copy_bidirectional(&mut near, &mut far).await;
            }
        }
        Behind::Socket(path) => {
            if let Ok(mut far) = UnixStream::connect(path).await {
                let _ = copy_bidirectional(&mut near, &mut far).await;
            }
        }
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        if let Some(task) = self.running.get_mut().take() {
            task.abort();
        }
    }
}
