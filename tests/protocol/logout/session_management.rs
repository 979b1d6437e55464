//! Session Management 1.0: `session_state`, the page that relying parties frame, and its cookie.

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{logout, register};
use crate::support::browser::Browser;
use crate::support::launch::Launch;
use crate::support::process::Server;
use crate::support::relying_party::RelyingParty;

fn watched() -> Server {
    Launch::serve()
        .variable("KEYFOB_LOGOUT__SESSION_MANAGEMENT", "true")
        .start()
}

async fn metadata(party: &RelyingParty) -> Value {
    let path = party.endpoint("/.well-known/openid-configuration");
    party.fetch(&path).await.json
}

/// What the page makes of `session_state` in this browser.
fn is_unchanged(browser: &Browser, party: &RelyingParty, session_state: &str) -> bool {
    let (_, salt) = session_state.split_once('.').expect("a salt");
    let cookie = browser.cookie("_state");
    let state = cookie.map_or("", |cookie| cookie.value.as_str());
    let text = format!("{} http://localhost {state} {salt}", party.client_id);
    let digest = Sha256::digest(text);
    let digest: Vec<_> = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    session_state == format!("{}.{salt}", digest.concat())
}

#[tokio::test]
async fn sessions_are_not_watched_unless_that_is_switched_on() {
    let server = Server::serve();
    let party = register(&server, "shop", &json!({}));
    assert_eq!(metadata(&party).await["check_session_iframe"], Value::Null);
    let mut browser = Browser::new(server.issuer());
    let page = browser.get(&server.url("/oauth2/check-session")).await;
    assert_eq!(page.status, 404);
    let (_, away) = party
        .authorize(&mut browser, server.user("alice"), "openid")
        .await;
    assert_eq!(away.parameter("session_state"), None);
    assert!(browser.cookie("_state").is_none());
}

/// Session Management 1.0 sections 2 and 3.2.
#[tokio::test]
async fn session_state_is_unchanged_as_long_as_the_session_is() {
    let server = watched();
    let party = register(&server, "shop", &json!({}));
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let tokens = party.sign_in_with(&mut browser, alice, "openid").await;
    let cookie = browser.cookie("_state").expect("a cookie").clone();
    assert!(!cookie.has("httponly"), "{cookie:?}");
    assert!(cookie.has("samesite=lax"), "{cookie:?}");
    let session = browser.cookie("_session").expect("a session").clone();
    assert!(!session.value.contains(&cookie.value));

    let renewal = party.request("openid").with("prompt", "none");
    let away = browser.open(&renewal.url()).await.away();
    let first = away.parameter("session_state").expect("session_state");
    assert!(is_unchanged(&browser, &party, &first));
    let away = browser.open(&renewal.url()).await.away();
    let second = away.parameter("session_state").expect("session_state");
    assert_ne!(first, second, "the salt is another each time");
    assert!(is_unchanged(&browser, &party, &second));
    let spaces = [&first, &second].iter().any(|it| it.contains(' '));
    assert!(!spaces);

    // Whoever signs in again has another state.
    let again = party.request("openid").with("prompt", "login");
    let page = browser.open_login(&again.url()).await;
    let away = browser
        .log_in(&page, &alice.username, &alice.password)
        .await
        .away();
    let third = away.parameter("session_state").expect("session_state");
    assert!(!is_unchanged(&browser, &party, &first));
    assert!(is_unchanged(&browser, &party, &third));

    // A cookie that was lost comes again with the next answer.
    browser.cookies.retain(|own| !own.name.contains("_state"));
    assert!(!is_unchanged(&browser, &party, &third));
    browser.open(&renewal.url()).await.away();
    assert!(is_unchanged(&browser, &party, &third));

    let url = logout(&server, &[("id_token_hint", &tokens.id_token)]);
    browser.open(&url).await;
    assert!(browser.cookie("_state").is_none());
    assert!(!is_unchanged(&browser, &party, &third));
    let away = browser.open(&renewal.url()).await.away();
    assert_eq!(away.error(), "login_required");
}

#[tokio::test]
async fn the_page_that_watches_may_be_framed_and_no_other() {
    let server = watched();
    let party = register(&server, "shop", &json!({}));
    let url = metadata(&party).await["check_session_iframe"].clone();
    assert_eq!(url, server.url("/oauth2/check-session").as_str());
    let mut browser = Browser::new(server.issuer());
    let page = browser.get(&server.url("/oauth2/check-session")).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.header("x-frame-options"), "");
    let policy = page.header("content-security-policy");
    assert!(!policy.contains("frame-ancestors"), "{policy}");
    assert!(policy.contains("script-src 'self'"), "{policy}");
    let document = page.document();
    let script = document.elements.iter().find(|it| it.name == "script");
    let source = script.and_then(|it| it.attribute("src")).expect("a script");
    let script = browser.get(&server.url(source)).await;
    assert_eq!(script.status, 200);
    let other = browser.open_login(&party.request("openid").url()).await;
    assert_eq!(other.header("x-frame-options"), "DENY");
}

#[tokio::test]
async fn on_https_the_state_goes_to_frames_of_other_sites() {
    let server = Launch::serve()
        .variable("KEYFOB_ISSUER", "https://login.example.com")
        .variable("KEYFOB_LOGOUT__SESSION_MANAGEMENT", "true")
        .start();
    let mut party = register(&server, "shop", &json!({}));
    party.issuer = format!("http://localhost:{}", server.port());
    let mut browser = Browser::new(&party.issuer);
    let page = browser.get(&party.request("openid").url()).await;
    let login = page.url.join(page.header("location")).expect("a location");
    let mut page = browser.get(&login).await;
    page.url = login;
    let alice = server.user("alice");
    let form = page
        .form("login-submit")
        .fill("username", "alice")
        .fill("password", &alice.password)
        .press("login-submit");
    browser.submit_only(&page, &form).await;
    let cookie = browser.cookie("_state").expect("a cookie");
    assert!(cookie.name.starts_with("__Host-"), "{cookie:?}");
    for attribute in ["secure", "samesite=none", "path=/"] {
        assert!(cookie.has(attribute), "{attribute} in {cookie:?}");
    }
}
