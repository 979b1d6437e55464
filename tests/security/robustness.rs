//! Input that no client sends: too much of it, not text, not HTTP, for another host.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::support::balancer::Balancer;
use crate::support::launch::{Database, Launch};
use crate::support::postgres;
use crate::support::process::Server;
use crate::support::relying_party::{Answer, RelyingParty, http_client};
use reqwest::StatusCode;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

/// Kanidm's recursion; the conformance suite's long values.
#[tokio::test]
async fn too_much_of_anything_is_refused_at_once() {
    let server = Server::dev();
    let megabyte = "a".repeat(1 << 20);
    let many: String = (0..10_000).map(|number| format!("p{number}=1&")).collect();
    let deep = format!("claims={}{}", "%5B".repeat(10_000), "%5D".repeat(10_000));
    let number = format!("max_age={}", "9".repeat(100_000));
    let path = "/oauth2/authorize";
    let authorize = |query: &str| format!("GET {path}?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let post = |path: &str, headers: &str, body: &str| {
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\n{FORM}{headers}Content-Length: {length}\r\n\r\n{body}"
        )
    };
    for (what, request) in [
        ("a long state", authorize(&format!("state={megabyte}"))),
        ("a long scope", post(path, "", &format!("scope={megabyte}"))),
        ("many parameters", post(path, "", &many)),
        ("deep claims", post(path, "", &deep)),
        ("a long number", post(path, "", &number)),
        (
            "a long code",
            post("/oauth2/token", "", &format!("code={megabyte}")),
        ),
        (
            "many parameters for a token",
            post("/oauth2/token", "", &many),
        ),
        (
            "a long Authorization",
            post(
                "/oauth2/token",
                &format!("Authorization: Basic {megabyte}\r\n"),
                "a=b",
            ),
        ),
        (
            "a long cookie",
            format!("GET / HTTP/1.1\r\nHost: localhost\r\nCookie: a={megabyte}\r\n\r\n"),
        ),
    ] {
        let start = Instant::now();
        let (status, _) = send(&server, request.as_bytes());
        let took = start.elapsed();
        assert!(
            [400, 401, 413, 414, 431].contains(&status),
            "{what}: {status}"
        );
        assert!(took < Duration::from_secs(1), "{what}: {took:?}");
    }
    assert_serves(&server).await;
}

/// CVE-2023-6484; PostgreSQL refuses 0x00 in text.
#[tokio::test]
async fn what_is_not_text_is_refused_and_never_breaks_a_log_line() {
    for database in crate::codes::databases() {
        let server = Launch::dev().on(database).start();
        let party = RelyingParty::machine(&server);
        let secret = party.client_secret.clone().unwrap_or_default();
        let credentials = crate::support::relying_party::basic(&party.client_id, &secret);
        for bad in [
            "%00",
            "%ff",
            "%c0%af",
            "%ed%a0%80",
            "%0d%0aInjected:1",
            "%",
            "%zz",
            "%e2%82",
        ] {
            for parameter in [
                "client_id",
                "redirect_uri",
                "state",
                "scope",
                "nonce",
                "login_hint",
                "x",
            ] {
                let query = format!("response_type=code&client_id=web-app&{parameter}=a{bad}b");
                let page = get(&server, &format!("/oauth2/authorize?{query}"));
                assert_eq!(page, 400, "{parameter}={bad}");
            }
            for path in ["/login", "/consent", "/continue", "/oauth2/logout"] {
                let page = get(&server, &format!("{path}?tx=a{bad}b&state={bad}"));
                assert_eq!(page, 400, "{path} {bad}");
            }
            for parameter in ["grant_type", "code", "refresh_token", "scope", "token", "x"] {
                for path in ["/oauth2/token", "/oauth2/introspect", "/oauth2/revoke"] {
                    let request = http_client()
                        .post(server.url(path))
                        .header("authorization", &credentials)
                        .header("content-type", "application/x-www-form-urlencoded")
                        .body(format!("token=x&{parameter}=a{bad}b"));
                    let answer = Answer::of(request).await;
                    answer.refused(&["invalid_request"]);
                }
            }
            assert_ne!(get(&server, &format!("/x{bad}")), 500);
        }
        for header in [
            "Cookie: a=\x01\u{7f}",
            "User-Agent: \u{1b}[31m",
            "Authorization: \u{ff}",
        ] {
            let request = format!("GET /login HTTP/1.1\r\nHost: localhost\r\n{header}\r\n\r\n");
            let (status, _) = send(&server, request.as_bytes());
            assert!((400..500).contains(&status), "{header:?}: {status}");
        }
        let log = server.log();
        assert!(!log.contains('\u{1b}'), "{log}");
        assert!(
            !log.lines().any(|line| line.starts_with("Injected")),
            "{log}"
        );
        assert_serves(&server).await;
    }
}

/// RUSTSEC-2021-0081.
#[tokio::test]
async fn a_request_that_could_be_read_in_two_ways_is_refused() {
    let server = Server::dev();
    let start = format!("POST /oauth2/token HTTP/1.1\r\nHost: localhost\r\n{FORM}");
    for (what, rest) in [
        (
            "both lengths",
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "two lengths",
            "Content-Length: 3\r\nContent-Length: 4\r\n\r\na=bc",
        ),
        ("a signed length", "Content-Length: +3\r\n\r\na=b"),
        ("a list of lengths", "Content-Length: 3, 3\r\n\r\na=b"),
        (
            "an unknown coding",
            "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        ),
        (
            "a coding after chunked",
            "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        ),
        (
            "a folded header",
            "X: a\r\n b\r\nContent-Length: 3\r\n\r\na=b",
        ),
        ("a space before the colon", "Content-Length : 3\r\n\r\na=b"),
    ] {
        // What is smuggled would be answered in its own right.
        let smuggled = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let request = format!("{start}{rest}{smuggled}");
        let (status, answer) = send(&server, request.as_bytes());
        assert_eq!(status, 400, "{what}: {answer}");
        let answers = answer.matches("HTTP/1.1 ").count();
        assert_eq!(answers, 1, "{what}: {answer}");
    }
    assert_serves(&server).await;
}

/// CVE-2025-64101.
#[tokio::test]
async fn the_issuer_never_comes_from_the_request() {
    let server = Server::dev();
    for (target, headers) in [
        ("/.well-known/openid-configuration", "Host: evil.com\r\n"),
        (
            "/.well-known/openid-configuration",
            "Host: localhost\r\nX-Forwarded-Host: evil.com\r\nX-Forwarded-Proto: https\r\n",
        ),
        (
            "/.well-known/openid-configuration",
            "Host: localhost\r\nForwarded: host=evil.com;proto=http;for=1.2.3.4\r\n",
        ),
        (
            "http://evil.com/.well-known/openid-configuration",
            "Host: localhost\r\n",
        ),
        ("/", "Host: evil.com\r\nX-Original-URL: //evil.com/\r\n"),
        (
            "/oauth2/logout",
            "Host: evil.com\r\nX-Forwarded-Prefix: /evil.com\r\n",
        ),
    ] {
        let request = format!("GET {target} HTTP/1.1\r\n{headers}Connection: close\r\n\r\n");
        let (status, answer) = send(&server, request.as_bytes());
        assert!(!answer.contains("evil.com"), "{answer}");
        if target.contains("openid-configuration") && status == 200 {
            assert!(answer.contains(server.issuer()), "{answer}");
        }
        assert!([200, 400, 404, 421].contains(&status), "{target}: {status}");
    }
}

/// RFC 6749 section 4.1.2.1.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_database_it_says_so_and_comes_back_alone() {
    let Some(url) = postgres::database() else {
        return;
    };
    let gate = Balancer::to_postgres(&url).await;
    let server = Launch::serve()
        .on(Database::Url(gate.postgres_url(&url)))
        .start();
    let party = RelyingParty::web_app(&server);
    let tokens = party
        .sign_in(server.user("alice"), "openid offline_access")
        .await;

    gate.close().await;
    let start = Instant::now();
    let answer = party.refresh(&tokens.refresh_token).await;
    assert_eq!(
        answer.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        answer.text
    );
    assert_eq!(answer.member("error"), "temporarily_unavailable");
    assert!(start.elapsed() < Duration::from_secs(10));
    let page = crate::assertions::open(&party.request("openid").url()).await;
    if let crate::support::browser::Arrival::Page(page) = page {
        assert_eq!(page.status, StatusCode::SERVICE_UNAVAILABLE);
        let body = page.body.to_lowercase();
        for word in ["sql", "postgres", "select", "connection", "127.0.0.1"] {
            assert!(!body.contains(word), "{word}: {body}");
        }
    }
    let revoked = party.revoke(&tokens.refresh_token).await;
    assert_eq!(revoked.status, StatusCode::SERVICE_UNAVAILABLE);
    for (path, expected) in [
        ("/healthz", 200),
        ("/readyz", 503),
        ("/.well-known/jwks.json", 200),
    ] {
        assert_eq!(get(&server, path), expected, "{path}");
    }

    gate.open().await;
    party.refresh(&tokens.refresh_token).await.tokens();
    assert_eq!(get(&server, "/readyz"), 200);
}

/// Sends bytes and reads until the server closes, or says no more for a while. The status and the
/// whole answer.
fn send(server: &Server, request: &[u8]) -> (u16, String) {
    let address = SocketAddr::from(([127, 0, 0, 1], server.port()));
    let mut stream = TcpStream::connect(address).expect("a connection");
    let patience = Some(Duration::from_millis(500));
    stream.set_read_timeout(patience).expect("a time-out");
    // A server that has heard enough may hang up before it has heard all.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let mut buffer = [0; 16 * 1024];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        answer.extend_from_slice(&buffer[..length]);
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    (status.unwrap_or_default(), answer)
}

/// The status of a GET whose target is sent as it is.
fn get(server: &Server, target: &str) -> u16 {
    let request = format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    send(server, request.as_bytes()).0
}

async fn assert_serves(server: &Server) {
    let party = RelyingParty::web_app(server);
    party.sign_in(server.user("alice"), "openid").await;
}
