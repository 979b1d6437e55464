//! The outbound HTTP client: what strangers name is fetched from the Internet alone.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use keyfob::oidc::policy::OutboundPolicy;
use keyfob::provider::outbound::resolver::Lookup;
use keyfob::provider::outbound::{LONGEST, Outbound, OutboundError};
use serde_json::{Value, json};

use crate::support::certificates::CertificateAuthority;
use crate::support::peer::{Peer, write_json};

/// A client that may ask the peer, and whoever else is on this machine.
fn in_development() -> Outbound {
    Outbound::new(OutboundPolicy {
        allows_loopback: true,
        ..OutboundPolicy::default()
    })
}

fn fact(result: Result<impl Sized, OutboundError>) -> String {
    match result {
        Ok(_) => "fetched".to_owned(),
        Err(error) => format!("{error:?}"),
    }
}

#[tokio::test]
async fn no_connection_is_made_to_what_is_not_on_the_internet() {
    let peer = Peer::http(|_, stream| write_json(stream, "", "{}"));
    let outbound = Outbound::new(OutboundPolicy::default());
    let port = peer.port();
    for host in [
        "127.0.0.1",
        "127.1",
        "127.0.0.1.",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "2130706433",
        "0",
        "%31%32%37.0.0.1",
        "①②⑦.0.0.1",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        // Names that are looked up.
        "localhost",
        "LOCALHOST",
        "localhost.",
    ] {
        for scheme in ["https", "http"] {
            let uri = format!("{scheme}://{host}:{port}/jwks");
            let refused = fact(outbound.fetch(&uri, "*/*", LONGEST).await);
            assert!(
                ["Address", "OutOfReach", "Scheme"].contains(&&*refused)
                    // Some machines know no such name.
                    || refused.contains("lookup") || refused.contains("dns"),
                "{uri}: {refused}"
            );
            let refused = fact(outbound.post_form(&uri, &[("a", "b")]).await);
            assert_ne!(refused, "fetched", "{uri}");
        }
    }
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_connected_to_where_it_was_judged() {
    let peer = Peer::http(|_, stream| write_json(stream, "", "{}"));
    // The name is on the Internet whenever it is asked after twice.
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let lookup = Lookup::from_source(move |_| {
        let turn = counter.fetch_add(1, Ordering::SeqCst);
        let address: IpAddr = if turn.is_multiple_of(2) {
            [127, 0, 0, 1].into()
        } else {
            [8, 8, 8, 8].into()
        };
        Box::pin(async move { Ok(vec![address]) })
    });
    let outbound = Outbound::new(OutboundPolicy::default()).with_lookup(lookup);
    let uri = format!("https://rebinding.example:{}/", peer.port());
    let refused = fact(outbound.fetch(&uri, "*/*", LONGEST).await);
    assert_eq!(refused, "OutOfReach");
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    assert_eq!(peer.connections(), 0);
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let inner = Peer::http(|_, stream| write_json(stream, "", "{}"));
    let location = inner.url("/secret");
    let outer = Peer::http(move |_, stream| {
        let _ = write!(
            stream,
            "HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\
             Connection: close\r\n\r\n"
        );
    });
    let outbound = in_development();
    let refused = fact(outbound.fetch(&outer.url("/"), "*/*", LONGEST).await);
    assert_eq!(refused, "Status(302)");
    let answered = outbound.post_form(&outer.url("/"), &[]).await;
    assert_eq!(answered.expect("a status"), 302);
    assert_eq!((outer.connections(), inner.connections()), (2, 0));
}

#[tokio::test]
async fn an_answer_is_read_as_far_as_it_may_go() {
    let announced = Peer::http(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n{");
    });
    let endless = Peer::http(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        while stream.write_all(b"400\r\n").is_ok()
            && stream.write_all(&[b' '; 1024]).is_ok()
            && stream.write_all(b"\r\n").is_ok()
        {}
    });
    let compressed = Peer::http(|_, stream| {
        write_json(stream, "Content-Encoding: gzip\r\n", "bomb");
    });
    let exact = Peer::http(|_, stream| write_json(stream, "", &" ".repeat(1000)));
    let outbound = in_development();
    for (peer, longest, expected) in [
        (&announced, LONGEST, "TooLong(65536)"),
        (&endless, LONGEST, "TooLong(65536)"),
        (&compressed, LONGEST, "Compressed"),
        (&exact, 999, "TooLong(999)"),
        (&exact, 1000, "fetched"),
    ] {
        let actual = fact(outbound.fetch(&peer.url("/"), "*/*", longest).await);
        assert_eq!(actual, expected);
    }
    let request = &exact.requests()[0].to_ascii_lowercase();
    assert!(!request.contains("accept-encoding"), "{request}");
    assert!(!request.contains("cookie"), "{request}");
}

#[tokio::test]
async fn whoever_answers_slowly_is_left() {
    let (sender, gone) = std::sync::mpsc::channel::<()>();
    let gone = std::sync::Mutex::new(gone);
    let slow = Peer::http(move |_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{");
        let _ = stream.flush();
        let _ = gone.lock().expect("the channel").recv();
    });
    let outbound = in_development().with_patience(Duration::from_millis(300));
    let refused = fact(outbound.fetch(&slow.url("/"), "*/*", LONGEST).await);
    assert_eq!(refused, "TimedOut");
    drop(sender);
}

#[tokio::test]
async fn what_is_fetched_says_how_long_it_is_good() {
    let peer = Peer::http(|_, stream| {
        write_json(
            stream,
            "Cache-Control: public, max-age=600\r\n",
            r#"{"keys":[]}"#,
        );
    });
    let broken = Peer::http(|_, stream| write_json(stream, "", r#"{"secret":"#));
    let missing = Peer::http(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}");
    });
    let outbound = in_development();
    let uri = peer.url("/jwks");
    let document = outbound.fetch_json::<Value>(&uri, LONGEST).await;
    let document = document.expect("a document");
    assert_eq!(document.content, json!({"keys": []}));
    assert_eq!(document.max_age, Some(Duration::from_mins(10)));
    assert_eq!(document.media_type.as_deref(), Some("application/json"));
    let uri = broken.url("/");
    let refused = outbound.fetch_json::<Value>(&uri, LONGEST).await;
    let refused = refused.expect_err("no JSON");
    assert!(!format!("{refused:?} {refused}").contains("secret"));
    let refused = fact(outbound.fetch(&missing.url("/"), "*/*", LONGEST).await);
    assert_eq!(refused, "Status(404)");
}

#[tokio::test]
async fn a_form_is_posted() {
    let peer = Peer::http(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
    });
    let uri = peer.url("/logout");
    let form = [("logout_token", "a.b+c")];
    let posted = in_development().post_form(&uri, &form).await;
    assert_eq!(posted.expect("a status"), 204);
    let request = &peer.requests()[0];
    assert!(
        request.starts_with("POST /logout HTTP/1.1\r\n"),
        "{request}"
    );
    let lower = request.to_ascii_lowercase();
    assert!(
        lower.contains("content-type: application/x-www-form-urlencoded\r\n"),
        "{request}"
    );
    assert!(
        request.ends_with("\r\n\r\nlogout_token=a.b%2Bc"),
        "{request}"
    );
}

#[tokio::test]
async fn a_host_that_is_listed_is_asked_with_the_extra_authority() {
    let authority = CertificateAuthority::new("Intranet");
    let peer = Peer::https(&authority.server(&["intranet.test"]), |_, stream| {
        write_json(stream, "", r#"{"keys":[]}"#);
    });
    let lookup =
        Lookup::from_source(|_| Box::pin(async { Ok(vec![IpAddr::from([127, 0, 0, 1])]) }));
    let uri = peer.url_at("intranet.test", "/jwks");
    let listed = format!("intranet.test:{}", peer.port());
    for (allow, extra_ca, expected) in [
        (vec![], vec![authority.der()], "OutOfReach"),
        (vec![&*listed], vec![authority.der()], "fetched"),
        (vec!["intranet.test:1"], vec![authority.der()], "OutOfReach"),
        (vec![&*listed], vec![], "Unreachable"),
    ] {
        let outbound = Outbound::new(OutboundPolicy {
            allow: allow
                .iter()
                .map(|it| it.parse().expect("a host and port"))
                .collect(),
            extra_ca,
            allows_loopback: false,
        })
        .with_lookup(lookup.clone());
        let actual = fact(outbound.fetch(&uri, "*/*", LONGEST).await);
        assert!(actual.starts_with(expected), "{allow:?}: {actual}");
    }
}

#[tokio::test]
async fn an_address_is_judged_without_being_asked() {
    let peer = Peer::http(|_, stream| write_json(stream, "", "{}"));
    let lookup = Lookup::from_source(|name| {
        let addresses: &[&str] = match name.as_str() {
            "client.test" => &["8.8.8.8"],
            "mixed.test" => &["127.0.0.1", "8.8.8.8"],
            "inside.test" => &["127.0.0.1", "10.0.0.1", "::1"],
            _ => &[],
        };
        let addresses: Vec<IpAddr> = addresses
            .iter()
            .map(|address| address.parse().expect("an address"))
            .collect();
        Box::pin(async move { Ok(addresses) })
    });
    let outbound = Outbound::new(OutboundPolicy {
        allow: vec!["inside.test:8443".parse().expect("an authority")],
        ..OutboundPolicy::default()
    })
    .with_lookup(lookup);
    let port = peer.port();
    for (uri, expected) in [
        (format!("https://client.test:{port}/"), "fetched"),
        (format!("https://mixed.test:{port}/"), "fetched"),
        ("https://not-there-yet.test/".to_owned(), "fetched"),
        ("https://inside.test:8443/".to_owned(), "fetched"),
        (format!("https://inside.test:{port}/"), "OutOfReach"),
        (format!("https://127.0.0.1:{port}/"), "Address"),
        (format!("https://[::1]:{port}/"), "Address"),
        (format!("http://client.test:{port}/"), "Scheme"),
        ("file:///etc/passwd".to_owned(), "Scheme"),
        ("https://client.test:22/".to_owned(), "Port(22)"),
    ] {
        assert_eq!(fact(outbound.check(&uri).await), expected, "{uri}");
    }
    assert_eq!(peer.connections(), 0);
}
