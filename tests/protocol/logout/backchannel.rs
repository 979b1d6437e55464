//! Back-Channel Logout 1.0: logout tokens, and clients that do not take them.

use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{sleep, timeout};
use url::form_urlencoded;

use super::{is_signed_in, logout, register};
use crate::support::browser::Browser;
use crate::support::jwt;
use crate::support::launch::Launch;
use crate::support::peer::Peer;
use crate::support::process::Server;
use crate::support::relying_party::RelyingParty;

/// A client's back-channel logout endpoint.
struct Endpoint {
    peer: Peer,
    requests: UnboundedReceiver<String>,
}

/// What came to it.
struct Request {
    path: String,
    headers: String,
    logout_token: String,
}

impl Endpoint {
    /// One that answers with this status line and these header lines, each ended.
    fn answering(answer: &'static str) -> Self {
        Self::new(move |stream| {
            let _ = write!(
                stream,
                "HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            );
        })
    }

    fn new(answer: impl Fn(&mut dyn Write) + Send + Sync + 'static) -> Self {
        let (sender, requests) = unbounded_channel();
        let peer = Peer::http(move |request, stream| {
            let _ = sender.send(request.to_owned());
            answer(stream);
        });
        Self { peer, requests }
    }

    fn url(&self, path: &str) -> String {
        self.peer.url(path)
    }

    /// The next request, once it is there.
    async fn next(&mut self) -> Request {
        let request = timeout(Duration::from_mins(1), self.requests.recv()).await;
        let request = request.expect("a logout token in time").expect("a request");
        let (head, body) = request.split_once("\r\n\r\n").expect("a head and a body");
        let (line, headers) = head.split_once("\r\n").expect("a request line");
        let mut fields = form_urlencoded::parse(body.as_bytes()).into_owned();
        let (name, logout_token) = fields.next().expect("a parameter");
        assert_eq!((&*name, fields.next()), ("logout_token", None));
        Request {
            path: line.split(' ').nth(1).unwrap_or_default().to_owned(),
            headers: headers.to_ascii_lowercase(),
            logout_token,
        }
    }
}

/// `keyfob serve` that may call these endpoints.
fn serve(endpoints: &[&Endpoint]) -> Server {
    let hosts = endpoints
        .iter()
        .map(|endpoint| format!("localhost:{}", endpoint.peer.port()));
    let hosts: Vec<_> = hosts.collect();
    Launch::serve()
        .variable("KEYFOB_OUTBOUND__ALLOW", &hosts.join(","))
        .start()
}

fn told_at(uri: &str) -> Value {
    json!({"backchannel_logout_uri": uri, "backchannel_logout_session_required": true})
}

/// What the operator is shown of the logout tokens to a client.
fn deliveries(server: &Server, client_id: &str) -> Vec<Value> {
    let shown = server.operate(&["client", "logouts", client_id, "--json"], "");
    shown["logouts"].as_array().expect("a list").clone()
}

/// The only delivery to a client, once `is_it`.
async fn delivery(server: &Server, client_id: &str, is_it: impl Fn(&Value) -> bool) -> Value {
    let search = async {
        loop {
            let shown = deliveries(server, client_id);
            assert_eq!(shown.len(), 1, "{shown:?}");
            if is_it(&shown[0]) {
                return shown[0].clone();
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let found = timeout(Duration::from_mins(1), search).await;
    found.unwrap_or_else(|_| panic!("{client_id}: {:?}", deliveries(server, client_id)))
}

/// The only delivery to a client, once that is its last status.
async fn settled(server: &Server, client_id: &str, status: &str) -> Value {
    delivery(server, client_id, |it| it["last_status"] == status).await
}

/// Makes every attempt that waits due now.
async fn let_an_hour_pass(server: &Server) {
    let hour = Duration::from_hours(1);
    server
        .age("logout_deliveries", &["next_attempt_at"], hour)
        .await;
}

/// Signs alice in and out again. Returns her ID token.
async fn sign_in_and_out(server: &Server, party: &RelyingParty) -> String {
    let mut browser = Browser::new(server.issuer());
    let alice = server.user("alice");
    let tokens = party.sign_in_with(&mut browser, alice, "openid").await;
    let url = logout(server, &[("id_token_hint", &tokens.id_token)]);
    let page = browser.open(&url).await.page();
    assert_eq!(page.status, 200, "{}", page.describe());
    tokens.id_token
}

/// Back-Channel Logout 1.0 sections 2.4 and 2.5.
#[tokio::test]
async fn a_logout_is_told_to_every_client_of_the_session_and_to_no_other() {
    let mut endpoint = Endpoint::answering("200 OK");
    let server = serve(&[&endpoint]);
    let alice = server.user("alice");
    let shop = register(&server, "shop", &told_at(&endpoint.url("/shop?tenant=a")));
    let mut forum = told_at(&endpoint.url("/forum"));
    forum["id_token_signed_response_alg"] = json!("ES256");
    let forum = register(&server, "forum", &forum);
    let other = register(&server, "other", &told_at(&endpoint.url("/other")));
    let quiet = register(&server, "quiet", &json!({}));

    let mut browser = Browser::new(server.issuer());
    let id_tokens = [
        shop.sign_in_with(&mut browser, alice, "openid")
            .await
            .id_token,
        forum
            .sign_in_with(&mut browser, alice, "openid")
            .await
            .id_token,
    ];
    quiet.sign_in_with(&mut browser, alice, "openid").await;
    // Another device of the same person, and a client of that alone.
    let mut phone = Browser::new(server.issuer());
    shop.sign_in_with(&mut phone, alice, "openid").await;
    other.sign_in_with(&mut phone, alice, "openid").await;

    let url = logout(&server, &[("id_token_hint", &id_tokens[0])]);
    browser.open(&url).await;
    let mut requests = [endpoint.next().await, endpoint.next().await];
    requests.sort_by(|one, other| other.path.cmp(&one.path));
    let jwks = shop.jwks().await;
    for (request, id_token, client_id, path, alg) in [
        (
            &requests[0],
            &id_tokens[0],
            "shop",
            "/shop?tenant=a",
            "RS256",
        ),
        (&requests[1], &id_tokens[1], "forum", "/forum", "ES256"),
    ] {
        assert_eq!(request.path, path);
        let form = "content-type: application/x-www-form-urlencoded";
        assert!(request.headers.contains(form), "{}", request.headers);
        let header = jwt::header(&request.logout_token);
        assert_eq!(header["typ"], "logout+jwt");
        assert_eq!(header["alg"], alg);
        let claims = jwt::verify(&request.logout_token, &jwks);
        let id_claims = jwt::claims(id_token);
        for same in ["iss", "sub", "sid"] {
            assert_eq!(claims[same], id_claims[same], "{same}");
        }
        assert_eq!(claims["aud"], client_id);
        assert_eq!(
            claims["events"],
            json!({"http://schemas.openid.net/event/backchannel-logout": {}})
        );
        let lifetime = claims["exp"].as_i64().expect("exp") - claims["iat"].as_i64().expect("iat");
        assert!((1..=120).contains(&lifetime), "{lifetime}");
        assert!(claims["jti"].as_str().is_some_and(|jti| jti.len() >= 16));
        let mut names: Vec<_> = claims.as_object().expect("claims").keys().collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["aud", "events", "exp", "iat", "iss", "jti", "sid", "sub"]
        );
    }
    assert_eq!(settled(&server, "shop", "200").await["state"], "delivered");
    assert_eq!(settled(&server, "forum", "200").await["state"], "delivered");
    assert!(deliveries(&server, "other").is_empty());
    assert!(deliveries(&server, "quiet").is_empty());
    assert!(is_signed_in(&mut phone, &shop).await);
}

/// S88: CVE-2026-4874 and its class.
#[tokio::test]
async fn no_client_keeps_anybody_from_signing_out_or_is_told_for_ever() {
    let nobody = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let closed = nobody.local_addr().expect("its address").port();
    drop(nobody);
    let beyond = Endpoint::answering("200 OK");
    let location = format!("302 Found\r\nLocation: {}", beyond.url("/"));
    let location: &'static str = location.leak();
    let mut failing = Endpoint::answering("500 Internal Server Error");
    let mut refusing = Endpoint::answering("400 Bad Request");
    let mut redirecting = Endpoint::answering(location);
    let mut silent = Endpoint::new(|_| std::thread::park_timeout(Duration::from_mins(2)));
    let hosts = [&beyond, &failing, &refusing, &redirecting, &silent];
    let mut hosts: Vec<_> = hosts
        .iter()
        .map(|endpoint| format!("localhost:{}", endpoint.peer.port()))
        .collect();
    hosts.push(format!("localhost:{closed}"));
    let server = Launch::serve()
        .variable("KEYFOB_OUTBOUND__ALLOW", &hosts.join(","))
        .start();

    let uris = [
        ("failing", failing.url("/")),
        ("refusing", refusing.url("/")),
        ("redirecting", redirecting.url("/")),
        ("silent", silent.url("/")),
        ("closed", format!("http://localhost:{closed}/")),
        ("inside", "https://169.254.169.254/latest".to_owned()),
    ];
    let mut browser = Browser::new(server.issuer());
    let mut hint = String::new();
    for (client_id, uri) in &uris {
        let party = register(&server, client_id, &told_at(uri));
        let alice = server.user("alice");
        hint = party
            .sign_in_with(&mut browser, alice, "openid")
            .await
            .id_token;
    }
    let url = logout(&server, &[("id_token_hint", &hint)]);
    browser.open(&url).await.page();
    // Whoever is silent has the token, has said nothing, and kept nobody.
    silent.next().await;
    let shown = deliveries(&server, "silent");
    assert_eq!(shown[0]["state"], "waiting");

    for endpoint in [&mut failing, &mut refusing, &mut redirecting] {
        endpoint.next().await;
    }
    assert_eq!(settled(&server, "refusing", "400").await["state"], "failed");
    for (client_id, status) in [
        ("failing", "500"),
        ("redirecting", "302"),
        ("silent", "it did not answer in time"),
    ] {
        let shown = settled(&server, client_id, status).await;
        assert_eq!(shown["state"], "waiting", "{client_id}");
        assert_eq!(shown["attempts"], 1, "{client_id}");
    }
    assert_eq!(beyond.peer.connections(), 0, "a redirect was followed");
    let inside = delivery(&server, "inside", |it| it["last_status"].is_string()).await;
    assert_eq!(
        inside["last_status"],
        "the address in the URI is not on the Internet"
    );
    delivery(&server, "closed", |it| it["last_status"].is_string()).await;
}

/// Back-Channel Logout 1.0 section 2.7 leaves what to do about errors to the OpenID Provider.
#[tokio::test]
async fn a_logout_token_is_tried_five_times_and_each_time_it_is_new() {
    let mut endpoint = Endpoint::answering("503 Service Unavailable");
    let server = serve(&[&endpoint]);
    let party = register(&server, "shop", &told_at(&endpoint.url("/")));
    sign_in_and_out(&server, &party).await;
    let mut tokens = Vec::new();
    for attempt in 1..=5 {
        tokens.push(endpoint.next().await.logout_token);
        let shown = settled(&server, "shop", "503").await;
        assert_eq!(shown["attempts"], attempt);
        if attempt < 5 {
            assert_eq!(shown["state"], "waiting");
            let_an_hour_pass(&server).await;
        }
    }
    tokens.sort_unstable();
    tokens.dedup();
    assert_eq!(tokens.len(), 5);
    delivery(&server, "shop", |it| it["state"] == "failed").await;
}

#[tokio::test]
async fn a_logout_token_that_was_queued_is_delivered_by_the_next_process() {
    let mut endpoint = Endpoint::answering("204 No Content");
    let mut server = serve(&[&endpoint]);
    let party = register(&server, "shop", &told_at(&endpoint.url("/")));
    let mut browser = Browser::new(server.issuer());
    party
        .sign_in_with(&mut browser, server.user("alice"), "openid")
        .await;
    server.kill9();
    // The operator's command ends the sessions while no server runs.
    server.operate(&["user", "disable", "alice"], "");
    assert_eq!(deliveries(&server, "shop")[0]["state"], "waiting");
    server.restart();
    endpoint.next().await;
    assert_eq!(settled(&server, "shop", "204").await["state"], "delivered");
}

#[tokio::test]
async fn clients_are_told_whatever_ends_the_session() {
    let mut endpoint = Endpoint::answering("200 OK");
    let server = serve(&[&endpoint]);
    let party = register(&server, "shop", &told_at(&endpoint.url("/")));
    let sign_in = async |browser: &mut Browser, name: &str| {
        let tokens = party.sign_in_with(browser, server.user(name), "openid");
        jwt::claims(&tokens.await.id_token)["sid"].clone()
    };
    let mut told = async || jwt::claims(&endpoint.next().await.logout_token)["sid"].clone();

    // Somebody else signs in.
    let mut browser = Browser::new(server.issuer());
    let sid = sign_in(&mut browser, "alice").await;
    let request = party.request("openid").with("prompt", "login");
    let page = browser.open_login(&request.url()).await;
    let bob = server.user("bob");
    browser.log_in(&page, "bob", &bob.password).await;
    assert_eq!(told().await, sid);

    // The operator.
    let mut browser = Browser::new(server.issuer());
    let sid = sign_in(&mut browser, "alice").await;
    server.operate(&["user", "sign-out", "alice"], "");
    assert_eq!(told().await, sid);
    assert!(!is_signed_in(&mut browser, &party).await);

    // A new password.
    let sid = sign_in(&mut Browser::new(server.issuer()), "alice").await;
    let password = &server.user("alice").password;
    let set = ["user", "set-password", "alice", "--password-stdin"];
    server.operate(&set, &format!("{password}\n"));
    assert_eq!(told().await, sid);

    // A user that is disabled, and one that is gone.
    let sid = sign_in(&mut Browser::new(server.issuer()), "alice").await;
    server.operate(&["user", "disable", "alice"], "");
    assert_eq!(told().await, sid);
    server.operate(&["user", "enable", "alice"], "");
    let sid = sign_in(&mut Browser::new(server.issuer()), "alice").await;
    server.operate(&["user", "delete", "alice"], "");
    assert_eq!(told().await, sid);
}

/// S48: RFC 9068; ASVS 9.2.2.
#[tokio::test]
async fn a_logout_token_passes_for_no_other_token() {
    let mut endpoint = Endpoint::answering("200 OK");
    let server = serve(&[&endpoint]);
    let party = register(&server, "shop", &told_at(&endpoint.url("/")));
    sign_in_and_out(&server, &party).await;
    let token = endpoint.next().await.logout_token;

    let mut browser = Browser::new(server.issuer());
    party
        .sign_in_with(&mut browser, server.user("alice"), "openid")
        .await;
    let page = browser
        .open(&logout(&server, &[("id_token_hint", &token)]))
        .await
        .page();
    assert!(page.is_refusal(), "{}", page.describe());
    assert!(is_signed_in(&mut browser, &party).await);
    let request = party.request("openid").with("prompt", "none");
    let request = request.with("id_token_hint", &token);
    let away = browser.open(&request.url()).await.away();
    assert_eq!(away.error(), "invalid_request");
    party.userinfo(&token).await.challenged("invalid_token");
    let state = party.introspect(&token).await;
    assert_eq!(state.text, r#"{"active":false}"#);
}

#[tokio::test]
async fn a_logout_uri_that_cannot_be_is_not_registered() {
    let server = Server::serve();
    for (members, reason) in [
        (told_at("http://rp.test/logout"), "https"),
        (told_at("https://rp.test/logout#x"), "fragment"),
        (told_at("/logout"), "absolute"),
        (told_at("javascript:alert(1)"), "absolute"),
        (
            json!({"frontchannel_logout_uri": "https://rp.test/logout"}),
            "one of the redirect URIs",
        ),
        (
            json!({"frontchannel_logout_uri": "http://127.0.0.1/logout"}),
            "one of the redirect URIs",
        ),
        (
            json!({"frontchannel_logout_uri": "http://rp.test/logout"}),
            "https",
        ),
    ] {
        let mut metadata = json!({"redirect_uris": ["http://localhost/cb"]});
        let own = metadata.as_object_mut().expect("an object");
        own.extend(members.as_object().expect("an object").clone());
        let arguments = ["client", "add", "--metadata", "-"];
        let output = server.run(&arguments, &metadata.to_string());
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{members}: {said}");
        assert!(said.contains(reason), "{members}: {said}");
    }
}
