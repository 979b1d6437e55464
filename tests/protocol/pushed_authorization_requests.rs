//! Pushed authorization requests (RFC 9126).

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::json;
use url::Url;

use crate::assertions::{assert_page, assert_told, open};
use crate::support::browser::{Arrival, Browser};
use crate::support::launch::Launch;
use crate::support::process::Server;
use crate::support::relying_party::{
    Answer, Authentication, AuthorizationRequest, RelyingParty, http_client, random_text,
};

/// RFC 9126 sections 2.1, 2.2 and 4.
#[tokio::test]
async fn a_pushed_request_is_answered_once_with_its_own_parameters() {
    let server = Server::dev();
    for party in [
        RelyingParty::web_app(&server),
        RelyingParty::web_app(&server).authenticating(Authentication::Post),
        RelyingParty::single_page_app(&server),
    ] {
        let request = party.request("openid email");
        let answer = push(&party, &request).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-cache, no-store");
        assert_eq!(answer.json["expires_in"], 90);
        let request_uri = answer.member("request_uri");
        let secret = request_uri.strip_prefix("urn:ietf:params:oauth:request_uri:");
        assert_eq!(secret.map(str::len), Some(43), "{request_uri}");

        // RFC 9101 section 6.3: of what else stands in the address, nothing counts.
        let mut url = front_channel(&party, request_uri);
        url.query_pairs_mut()
            .append_pair("redirect_uri", "https://evil.test/")
            .append_pair("scope", "openid profile")
            .append_pair("state", "another")
            .append_pair("response_mode", "form_post");
        let alice = server.user("alice");
        let mut browser = Browser::new(server.issuer());
        let away = browser
            .sign_in(&url, &alice.username, &alice.password)
            .await;
        assert_eq!(away.parameter("state").as_ref(), Some(&request.state));
        assert!(away.url.as_str().starts_with(&party.redirect_uri));
        let answer = party.redeem(&away.code(), &request.verifier).await;
        assert_eq!(answer.json["scope"], "openid email");

        let again = browser.open(&url).await;
        assert_told(again, &request, server.issuer(), "invalid_request_uri");
    }
}

/// RFC 9126 section 7.3: a person may reload the page, and open another tab.
#[tokio::test]
async fn a_request_uri_can_be_opened_again_until_something_is_granted_through_it() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let request = party.request("openid");
    let url = pushed_url(&party, &request).await;
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let first = browser.open_login(&url).await;
    let second = browser.open_login(&url).await;

    let arrival = browser
        .log_in(&first, &alice.username, &alice.password)
        .await;
    let arrival = allow(&mut browser, arrival).await;
    arrival.away().code();
    let arrival = browser
        .log_in(&second, &alice.username, &alice.password)
        .await;
    assert_told(arrival, &request, server.issuer(), "invalid_request_uri");
}

/// CVE-2024-4540 is about what is in the way of it; the race is the suite's.
#[tokio::test]
async fn of_many_that_ask_silently_with_one_request_uri_one_gets_a_code() {
    let server = Server::with_file();
    let party = RelyingParty::web_app(&server);
    let mut browser = Browser::new(server.issuer());
    let alice = server.user("alice");
    party.sign_in_with(&mut browser, alice, "openid").await;
    let request = party.request("openid").with("prompt", "none");
    let url = pushed_url(&party, &request).await;
    let arrivals = join_all((0..20).map(|_| {
        let (mut browser, url) = (browser.clone(), url.clone());
        async move { browser.open(&url).await }
    }))
    .await;
    let (granted, refused): (Vec<_>, Vec<_>) = arrivals
        .into_iter()
        .map(Arrival::away)
        .partition(|away| away.parameter("code").is_some());
    assert_eq!(granted.len(), 1);
    for away in refused {
        assert_eq!(away.error(), "invalid_request_uri");
    }
}

/// RFC 9126 sections 2.2 and 4.
#[tokio::test]
async fn a_request_uri_that_expired_or_is_not_the_clients_is_refused() {
    let server = Server::with_file();
    let party = RelyingParty::web_app(&server);
    let request = party.request("openid");
    let pushed = push(&party, &request).await;
    let request_uri = pushed.member("request_uri");

    let other = RelyingParty::single_page_app(&server);
    let url = front_channel(&other, request_uri);
    assert_page(open(&url).await, "another client's");
    let nobody = front_channel(&party, request_uri)
        .as_str()
        .replace(&party.client_id, "nobody");
    assert_page(open(&nobody.parse().expect("a URL")).await, "nobody's");
    let mut url = front_channel(&party, request_uri);
    url.query_pairs_mut()
        .clear()
        .append_pair("request_uri", request_uri);
    assert_page(open(&url).await, "without a client_id");
    let mut url = front_channel(&party, request_uri);
    let twice = url.clone();
    let pairs = twice.query_pairs();
    url.query_pairs_mut().extend_pairs(pairs);
    assert_page(open(&url).await, "everything twice");
    let unknown = format!("urn:ietf:params:oauth:request_uri:{}", "A".repeat(43));
    for request_uri in [
        &*unknown,
        "urn:ietf:params:oauth:request_uri:",
        "urn:ietf:params:oauth:request_uri:short",
        &format!("{request_uri}x"),
    ] {
        let url = front_channel(&party, request_uri);
        assert_page(open(&url).await, request_uri);
    }

    let mut url = front_channel(&party, request_uri);
    url.query_pairs_mut().append_pair("request", "e30.e30.");
    let arrival = open(&url).await;
    assert_told(arrival, &request, server.issuer(), "invalid_request");

    let span = Duration::from_secs(91);
    server
        .age("pushed_authorization_requests", &["expires_at"], span)
        .await;
    let arrival = open(&front_channel(&party, request_uri)).await;
    assert_told(arrival, &request, server.issuer(), "invalid_request_uri");
}

/// A person may take longer to sign in than the request_uri lives.
#[tokio::test]
async fn a_sign_in_that_began_in_time_may_end_later() {
    let server = Server::with_file();
    let party = RelyingParty::web_app(&server);
    let request = party.request("openid");
    let url = pushed_url(&party, &request).await;
    let mut browser = Browser::new(server.issuer());
    let page = browser.open_login(&url).await;
    let span = Duration::from_mins(10);
    server
        .age("pushed_authorization_requests", &["expires_at"], span)
        .await;
    let alice = server.user("alice");
    let arrival = browser
        .log_in(&page, &alice.username, &alice.password)
        .await;
    let code = allow(&mut browser, arrival).await.away().code();
    party.redeem(&code, &request.verifier).await.tokens();
}

/// RFC 9126 sections 2.1 and 2.3.
#[tokio::test]
async fn a_client_that_is_not_authenticated_pushes_nothing() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let request = party.request("openid");
    let wrong = party.clone().with_secret("wrong");
    push(&wrong, &request).await.unauthenticated();
    let nameless = party.clone().authenticating(Authentication::None);
    push(&nameless, &request).await.unauthenticated();
    let public = RelyingParty::single_page_app(&server);
    let secretive = public
        .clone()
        .with_secret("a secret")
        .authenticating(Authentication::Post);
    let answer = push(&secretive, &public.request("openid")).await;
    answer.unauthenticated();
    let contradictory = request.clone().with("client_id", &public.client_id);
    let answer = push_all(&party, &contradictory).await;
    answer.refused(&["invalid_request"]);

    let machine = RelyingParty::machine(&server);
    let answer = push(&machine, &machine.request("stock:read")).await;
    answer.refused(&["invalid_request", "unauthorized_client"]);

    let endpoint = party.endpoint("/oauth2/par");
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = Answer::of(http_client().request(method, &endpoint)).await;
        assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(answer.header("allow"), "POST, OPTIONS");
    }
    let in_the_query = party.prepare("/oauth2/par?scope=openid", &[]);
    Answer::of(in_the_query).await.refused(&["invalid_request"]);
    let json = http_client().post(&endpoint).body("{}");
    let json = json.header("content-type", "application/json");
    Answer::of(json).await.refused(&["invalid_request"]);
}

/// RFC 9126 sections 2.1 and 2.3: what the authorization endpoint would refuse is refused at once.
#[tokio::test]
async fn a_request_that_would_be_refused_cannot_be_pushed() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    for (name, value, error) in [
        ("redirect_uri", "", "invalid_request"),
        ("redirect_uri", "https://evil.test/", "invalid_request"),
        ("response_type", "", "invalid_request"),
        ("response_type", "foo", "unsupported_response_type"),
        ("response_mode", "foo", "invalid_request"),
        ("scope", "", "invalid_scope"),
        ("scope", "nothing-known", "invalid_scope"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("prompt", "none login", "invalid_request"),
        ("max_age", "-1", "invalid_request"),
        ("id_token_hint", "e30.e30.e30", "invalid_request"),
        ("request_uri", "https://rp.test/r", "invalid_request"),
        (
            "request_uri",
            "urn:ietf:params:oauth:request_uri:x",
            "invalid_request",
        ),
        ("registration", "{}", "registration_not_supported"),
    ] {
        let request = party.request("openid").with(name, value);
        let answer = push(&party, &request).await;
        answer.refused(&[error]);
        assert!(!answer.text.contains("evil"), "{}", answer.text);
    }
    for name in ["scope", "state", "nonce", "redirect_uri", "code_challenge"] {
        let request = party.request("openid");
        let value = request.parameter(name).expect("it is there");
        for value in [value, random_text()] {
            let answer = push(&party, &request.clone().and(name, &value)).await;
            answer.refused(&["invalid_request"]);
        }
    }
    let public = RelyingParty::single_page_app(&server);
    let unproven = public.request("openid").without("code_challenge");
    let unproven = unproven.without("code_challenge_method");
    push(&public, &unproven).await.refused(&["invalid_request"]);
    let too_much = party.request("openid").with("state", &"x".repeat(5000));
    push(&party, &too_much).await.refused(&["invalid_request"]);
}

/// RFC 9126 section 2.3; CVE-2023-6484.
#[tokio::test]
async fn what_is_too_large_or_not_text_cannot_be_pushed() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    for (body, status) in [
        (format!("scope={}", "x".repeat(1 << 20)), 413),
        ("a=1&".repeat(10_000), 400),
        ("state=%00".to_owned(), 400),
        ("state=%ff".to_owned(), 400),
        ("state=a%0d%0ab".to_owned(), 400),
        ("state=%ed%a0%80".to_owned(), 400),
    ] {
        let request = party.prepare("/oauth2/par", &[]).body(body.clone());
        let answer = Answer::of(request).await;
        assert_eq!(answer.status.as_u16(), status, "{body:.40}");
        assert_eq!(answer.member("error"), "invalid_request");
    }
}

/// RFC 9126 sections 5 and 6.
#[tokio::test]
async fn pushing_can_be_required_of_one_client_or_of_all() {
    let server = Server::serve();
    let careful = json!({
        "client_id": "careful",
        "client_secret": "kfs_a-secret-for-tests-that-nobody-else-uses-0123",
        "redirect_uris": ["https://rp.test/cb"],
        "require_pushed_authorization_requests": true,
    });
    server.add_client(&careful);
    let usual = RelyingParty::web_app(&server);
    let careful = RelyingParty {
        client_id: "careful".to_owned(),
        redirect_uri: "https://rp.test/cb".to_owned(),
        ..usual.clone()
    };
    let metadata = published(&usual).await;
    assert_eq!(metadata["require_pushed_authorization_requests"], false);
    let endpoint = metadata["pushed_authorization_request_endpoint"].as_str();
    assert_eq!(endpoint, Some(&*usual.endpoint("/oauth2/par")));

    let request = careful.request("openid");
    let arrival = open(&request.url()).await;
    assert_told(arrival, &request, server.issuer(), "invalid_request");
    let url = pushed_url(&careful, &request).await;
    Browser::new(server.issuer()).open_login(&url).await;
    let request = usual.request("openid");
    let mut browser = Browser::new(server.issuer());
    browser.open_login(&request.url()).await;

    let required = "KEYFOB_REQUIRE_PUSHED_AUTHORIZATION_REQUESTS";
    let server = Launch::serve().variable(required, "true").start();
    let party = RelyingParty::web_app(&server);
    let metadata = published(&party).await;
    assert_eq!(metadata["require_pushed_authorization_requests"], true);
    let request = party.request("openid");
    let arrival = open(&request.url()).await;
    assert_told(arrival, &request, server.issuer(), "invalid_request");
    let url = pushed_url(&party, &request).await;
    Browser::new(server.issuer()).open_login(&url).await;
}

/// RFC 9126 section 2.1: what authenticates the client is no part of the request.
#[tokio::test]
async fn a_secret_that_came_with_a_pushed_request_is_not_stored() {
    let server = Server::with_file();
    let party = RelyingParty::web_app(&server).authenticating(Authentication::Post);
    let answer = push(&party, &party.request("openid")).await;
    let secret = party.client_secret.clone().expect("a secret");
    let request_uri = answer.member("request_uri");
    assert_eq!(answer.status, StatusCode::CREATED);
    let files = std::fs::read_dir(server.directory()).expect("its directory");
    for file in files {
        let path = file.expect("a file").path();
        let content = std::fs::read(&path).unwrap_or_default();
        let content = String::from_utf8_lossy(&content);
        let name = path.display();
        // What `keyfob dev` prints of its seeds is meant to be read.
        let is_told = name.to_string().ends_with("stdout");
        assert!(is_told || !content.contains(&secret), "{name}");
        assert!(!content.contains(request_uri), "{name}");
    }
}

/// Pushes `request`; who asks is said as the client says it everywhere.
pub(crate) async fn push(party: &RelyingParty, request: &AuthorizationRequest) -> Answer {
    push_all(party, &request.clone().without("client_id")).await
}

async fn push_all(party: &RelyingParty, request: &AuthorizationRequest) -> Answer {
    let parameters = request.parameters.iter();
    let parameters: Vec<_> = parameters
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    party.post("/oauth2/par", &parameters).await
}

/// Where to send a browser with `request`, pushed.
async fn pushed_url(party: &RelyingParty, request: &AuthorizationRequest) -> Url {
    let answer = push(party, request).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    front_channel(party, answer.member("request_uri"))
}

async fn published(party: &RelyingParty) -> serde_json::Value {
    let url = party.endpoint("/.well-known/openid-configuration");
    party.fetch(&url).await.json
}

/// The address that names a pushed request and nothing else.
pub(crate) fn front_channel(party: &RelyingParty, request_uri: &str) -> Url {
    let parameters = [
        ("client_id", party.client_id.as_str()),
        ("request_uri", request_uri),
    ];
    let endpoint = party.endpoint("/oauth2/authorize");
    Url::parse_with_params(&endpoint, parameters).expect("a URL")
}

/// Allows what the page asks, if it asks.
async fn allow(browser: &mut Browser, arrival: Arrival) -> Arrival {
    match arrival {
        Arrival::Page(page) => {
            let form = page.form("consent-allow").press("consent-allow");
            browser.submit(&page, &form).await
        }
        away @ Arrival::Away(_) => away,
    }
}
