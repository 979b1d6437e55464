//! Clients whose `client_id` is the address of a metadata document.

use std::sync::{Arc, Mutex};

use keyfob::oidc::client::ClientId;
use keyfob::oidc::timestamp::Timestamp;
use keyfob::store::{DatabaseOptions, Store, StoreError, clients};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client_assertions::{TYPE, post};
use crate::support::browser::{Arrival, Browser};
use crate::support::client_key::{ClientKey, assertion_claims};
use crate::support::jwt;
use crate::support::launch::Launch;
use crate::support::peer::{Peer, write_json};
use crate::support::process::Server;
use crate::support::relying_party::{Authentication, RelyingParty, http_client};

const CALLBACK: &str = "http://127.0.0.1:3999/callback";

/// A peer whose document the test can change, and the address of that.
struct Host {
    peer: Peer,
    document: Arc<Mutex<String>>,
}

impl Host {
    fn new() -> Self {
        let document = Arc::new(Mutex::new(String::new()));
        let served = Arc::clone(&document);
        let peer = Peer::http(move |_, stream| {
            let content = served.lock().expect("a document").clone();
            write_json(stream, "", &content);
        });
        let host = Self { peer, document };
        host.say(&host.good());
        host
    }

    fn client_id(&self) -> String {
        self.peer.url("/client.json")
    }

    fn good(&self) -> Value {
        json!({
            "client_id": self.client_id(),
            "client_name": "Agent of nobody",
            "redirect_uris": ["http://127.0.0.1/callback"],
            "grant_types": ["authorization_code", "refresh_token"],
            "token_endpoint_auth_method": "none",
        })
    }

    fn say(&self, document: &Value) {
        *self.document.lock().expect("a document") = document.to_string();
    }

    fn party(&self, server: &Server) -> RelyingParty {
        RelyingParty {
            issuer: server.issuer().to_owned(),
            client_id: self.client_id(),
            client_secret: None,
            redirect_uri: CALLBACK.to_owned(),
            authentication: Authentication::None,
            http: http_client(),
        }
    }
}

#[tokio::test]
async fn a_client_that_was_never_registered_signs_a_user_in_for_one_mcp_server() {
    let (server, host) = (Server::dev(), Host::new());
    let party = host.party(&server);
    let metadata = party
        .fetch(&party.endpoint("/.well-known/oauth-authorization-server"))
        .await
        .json;
    assert_eq!(metadata["client_id_metadata_document_supported"], true);
    let resource = "http://localhost:3000/mcp";
    let request = party
        .request("mcp:tools offline_access")
        .and("resource", resource);
    let user = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let page = browser.open_login(&request.url()).await;
    let arrival = browser.log_in(&page, &user.username, &user.password).await;
    let page = arrival.page();
    let own = format!("localhost:{}", host.peer.port());
    for words in ["Agent of nobody", &*own, "127.0.0.1", "consent-loopback"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    let away = browser
        .sign_in(&request.url(), &user.username, &user.password)
        .await;
    let tokens = party
        .token(&[
            ("grant_type", "authorization_code"),
            ("code", &away.code()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", &request.verifier),
            ("resource", resource),
        ])
        .await
        .tokens();
    let claims = jwt::verify(&tokens.access_token, &party.jwks().await);
    assert_eq!(claims["aud"], resource);
    assert_eq!(claims["client_id"], host.client_id());
    party.refresh(&tokens.refresh_token).await.tokens();
    assert_eq!(host.peer.requests().len(), 1, "it is kept for a while");
}

/// S95.
#[tokio::test]
async fn a_document_that_is_wrong_leads_to_a_page_and_nowhere_else() {
    let (server, host) = (Server::dev(), Host::new());
    let party = host.party(&server);
    let url = party.request("openid").url();
    let with = |member: &str, value: Value| {
        let mut document = host.good();
        document[member] = value;
        document
    };
    for document in [
        with("client_id", json!("https://other.example.com/client.json")),
        with("client_id", json!(format!("{}/", host.client_id()))),
        with("client_secret", json!("kfs_a-secret-that-everybody-reads")),
        with("token_endpoint_auth_method", json!("client_secret_basic")),
        with("redirect_uris", json!([])),
        with("client_name", json!("a".repeat(11 * 1024))),
        json!([]),
    ] {
        host.say(&document);
        let mut browser = Browser::new(server.issuer());
        let Arrival::Page(page) = browser.open(&url).await else {
            panic!("a redirect for {document}");
        };
        assert_eq!(page.status, StatusCode::BAD_REQUEST);
    }
    // What is no answer with a document is none: a redirect is not followed.
    let page = host.good().to_string();
    for head in [
        "302 Found\r\nLocation: /other\r\nContent-Type: application/json",
        "404 Not Found\r\nContent-Type: application/json",
        "200 OK\r\nContent-Type: text/html",
        "200 OK",
    ] {
        let length = page.len();
        let answer = format!(
            "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{page}"
        );
        let peer = Peer::http(move |_, stream| {
            let _ = stream.write_all(answer.as_bytes());
        });
        let url = party
            .request("openid")
            .with("client_id", &peer.url("/client.json"))
            .url();
        let page = Browser::new(server.issuer()).open(&url).await.page();
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{head}");
        assert_eq!(peer.requests().len(), 1, "{head}");
    }
}

/// S89, S95: off unless switched on, and then over https and on the Internet alone.
#[tokio::test]
async fn nothing_is_asked_that_may_not_be() {
    let host = Host::new();
    let off = Server::serve();
    let on = Launch::serve()
        .variable("KEYFOB_REGISTRATION__CLIENT_ID_METADATA_DOCUMENTS", "true")
        .start();
    let port = host.peer.port();
    for server in [&off, &on] {
        for client_id in [
            host.client_id(),
            format!("https://127.0.0.1:{port}/client.json"),
            format!("https://localhost:{port}/client.json"),
            format!("https://[::ffff:127.0.0.1]:{port}/client.json"),
        ] {
            let request = host.party(server).request("openid");
            let url = request.with("client_id", &client_id).url();
            let page = Browser::new(server.issuer()).open(&url).await.page();
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "{client_id}");
        }
    }
    assert_eq!(host.peer.connections(), 0);
}

#[tokio::test]
async fn an_operator_can_list_the_hosts_of_documents() {
    let host = Host::new();
    let server = Launch::serve()
        .variable("KEYFOB_REGISTRATION__CLIENT_ID_METADATA_DOCUMENTS", "true")
        .variable(
            "KEYFOB_REGISTRATION__METADATA_DOCUMENT_HOSTS",
            "clients.example.com",
        )
        .start();
    for other in ["https://example.com/c", "https://a.clients.example.com/c"] {
        let request = host.party(&server).request("openid");
        let url = request.with("client_id", other).url();
        let page = Browser::new(server.issuer()).open(&url).await.page();
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{other}");
    }
    let log = server.log();
    let reason = "a metadata document of this host is not allowed";
    assert!(log.contains(reason), "{log}");
}

#[tokio::test]
async fn the_first_request_of_a_client_can_be_pushed() {
    let (server, host) = (Server::dev(), Host::new());
    let party = host.party(&server);
    let request = party.request("openid");
    let parameters: Vec<_> = request
        .parameters
        .iter()
        .filter(|(name, _)| name != "client_id")
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let pushed = party.post("/oauth2/par", &parameters).await;
    assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.text);
    host.say(&json!({"client_id": "another"}));
    let mut other = host.party(&server);
    other.client_id = host.peer.url("/other.json");
    other
        .post("/oauth2/par", &parameters)
        .await
        .unauthenticated();
}

#[tokio::test]
async fn a_described_client_can_authenticate_by_its_private_key() {
    let (server, host) = (Server::dev(), Host::new());
    let key = ClientKey::p256("a");
    let mut document = host.good();
    document["token_endpoint_auth_method"] = json!("private_key_jwt");
    document["jwks"] = json!(key.jwks());
    host.say(&document);
    let party = host.party(&server);
    let request = party.request("openid");
    let user = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let away = browser
        .sign_in(&request.url(), &user.username, &user.password)
        .await;
    let code = away.code();
    let mut parameters = vec![
        ("grant_type", "authorization_code"),
        ("code", &*code),
        ("redirect_uri", CALLBACK),
        ("code_verifier", &*request.verifier),
    ];
    party.token(&parameters).await.unauthenticated();
    let assertion = key.sign(&assertion_claims(&host.client_id(), server.issuer()));
    parameters.push(("client_assertion_type", TYPE));
    parameters.push(("client_assertion", &assertion));
    post(&server, "/oauth2/token", &parameters).await.tokens();
}

#[tokio::test]
async fn a_client_that_an_operator_disabled_stays_disabled() {
    let host = Host::new();
    let server = Server::with_file();
    let party = host.party(&server);
    let url = party.request("openid").url();
    let mut browser = Browser::new(server.issuer());
    browser.open_login(&url).await;
    let database = server.database_url().expect("a database on disk");
    let options = DatabaseOptions::new(&database);
    let store = Store::connect(&options).await.expect("a store");
    let id: ClientId = host.client_id().parse().expect("an identifier");
    let changed: Result<bool, StoreError> = store
        .write(move |db| Box::pin(async move { clients::disable(db, &id, Timestamp(1)).await }))
        .await;
    assert!(changed.expect("a write"));
    let page = Browser::new(server.issuer()).open(&url).await.page();
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
}
