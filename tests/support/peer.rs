//! A peer that the server calls: answers whatever the test wants, counts and keeps what it was
//! asked.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::certificates::Identity;

/// A listening peer. It ends with the test's process.
pub(crate) struct Peer {
    port: u16,
    scheme: &'static str,
    seen: Arc<Seen>,
}

/// What the peer has seen.
#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: Mutex<Vec<String>>,
}

type Answer = dyn Fn(&str, &mut dyn Write) + Send + Sync;

impl Peer {
    /// One that speaks plain HTTP and writes `answer` to each request.
    pub(crate) fn http(answer: impl Fn(&str, &mut dyn Write) + Send + Sync + 'static) -> Self {
        Self::start(None, Arc::new(answer))
    }

    /// The same over TLS.
    pub(crate) fn https(
        identity: &Identity,
        answer: impl Fn(&str, &mut dyn Write) + Send + Sync + 'static,
    ) -> Self {
        let chain = vec![identity.certificate.clone()];
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(chain, identity.key())
            .expect("a server's certificate");
        Self::start(Some(Arc::new(config)), Arc::new(answer))
    }

    /// One that answers each request with this document.
    pub(crate) fn serving(content: impl Fn() -> String + Send + Sync + 'static) -> Self {
        Self::http(move |_, stream| write_json(stream, "", &content()))
    }

    fn start(tls: Option<Arc<ServerConfig>>, answer: Arc<Answer>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let port = listener.local_addr().expect("its address").port();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let seen = Arc::new(Seen::default());
        let own = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                own.connections.fetch_add(1, Ordering::SeqCst);
                let (tls, answer, seen) = (tls.clone(), Arc::clone(&answer), Arc::clone(&own));
                thread::spawn(move || converse(stream, tls, &*answer, &seen));
            }
        });
        Self { port, scheme, seen }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The URL of `path` at this host name.
    pub(crate) fn url_at(&self, host: &str, path: &str) -> String {
        format!("{}://{host}:{}{path}", self.scheme, self.port)
    }

    /// The URL of `path`.
    pub(crate) fn url(&self, path: &str) -> String {
        self.url_at("localhost", path)
    }

    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// The requests that came, each as it was written.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.seen.requests.lock();
        requests.unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Writes an answer with these further header lines, each ended, and this JSON.
pub(crate) fn write_json(stream: &mut dyn Write, headers: &str, content: &str) {
    let length = content.len();
    // Whoever asked may have gone away.
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         {headers}Connection: close\r\n\r\n{content}"
    );
}

fn converse(stream: TcpStream, tls: Option<Arc<ServerConfig>>, answer: &Answer, seen: &Seen) {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
    match tls {
        None => answer_one(stream, answer, seen),
        Some(config) => {
            let Ok(connection) = ServerConnection::new(config) else {
                return;
            };
            answer_one(StreamOwned::new(connection, stream), answer, seen);
        }
    }
}

fn answer_one(mut stream: impl Read + Write, answer: &Answer, seen: &Seen) {
    let mut request = Vec::new();
    let mut chunk = [0; 4096];
    while !is_whole(&request) {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(read) => request.extend_from_slice(&chunk[..read]),
        }
    }
    let request = String::from_utf8_lossy(&request).into_owned();
    let mut requests = seen.requests.lock().unwrap_or_else(PoisonError::into_inner);
    requests.push(request.clone());
    drop(requests);
    answer(&request, &mut stream);
    let _ = stream.flush();
}

/// Whether head and body have arrived.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length")
            .then(|| value.trim().parse().ok())?
    });
    body.len() >= length.unwrap_or(0)
}
