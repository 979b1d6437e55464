//! Front-Channel Logout 1.0: the page that tells clients, and where it goes on to.

use serde_json::{Value, json};
use url::Url;

use super::{is_signed_in, logout, register};
use crate::support::browser::{Browser, Page};
use crate::support::jwt;
use crate::support::process::Server;

fn told_at(uri: &str) -> Value {
    json!({"frontchannel_logout_uri": uri, "frontchannel_logout_session_required": true})
}

/// What the frames of a page load.
fn frames(page: &Page) -> Vec<Url> {
    let document = page.document();
    let frames = document.elements.iter().filter(|it| it.name == "iframe");
    frames
        .map(|frame| frame.attribute("src").expect("a source"))
        .map(|source| source.parse().expect("a URL"))
        .collect()
}

/// The sources that a page's policy allows for frames.
fn frame_sources(page: &Page) -> Vec<&str> {
    let mut directives = page.header("content-security-policy").split(';');
    let sources = directives.find_map(|it| it.trim().strip_prefix("frame-src "));
    sources.map_or_else(Vec::new, |sources| sources.split(' ').collect())
}

/// Front-Channel Logout 1.0 section 3; RP-Initiated Logout 1.0 section 3.
#[tokio::test]
async fn the_page_frames_each_client_of_the_session_and_then_goes_back() {
    let server = Server::serve();
    let alice = server.user("alice");
    let shop = register(&server, "shop", &told_at("http://localhost:3001/out?a=b"));
    let forum = register(
        &server,
        "forum",
        &json!({"frontchannel_logout_uri": "http://localhost:3002/out"}),
    );
    register(&server, "other", &told_at("http://localhost:3003/out"));
    let mut browser = Browser::new(server.issuer());
    let tokens = shop.sign_in_with(&mut browser, alice, "openid").await;
    forum.sign_in_with(&mut browser, alice, "openid").await;

    let parameters = [
        ("id_token_hint", &*tokens.id_token),
        ("post_logout_redirect_uri", "https://rp.test/bye"),
        ("state", "a&b"),
    ];
    let page = browser.open(&logout(&server, &parameters)).await.page();
    assert_eq!(page.status, 200, "{}", page.describe());
    let frames = frames(&page);
    assert_eq!(frames.len(), 2, "{frames:?}");
    assert_eq!(frames[0].as_str(), "http://localhost:3002/out");
    let sid = jwt::claims(&tokens.id_token)["sid"].clone();
    let expected = [
        ("a", "b"),
        ("iss", server.issuer()),
        ("sid", sid.as_str().expect("sid")),
    ];
    let actual: Vec<_> = frames[1].query_pairs().into_owned().collect();
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(actual, expected);
    assert_eq!(
        frame_sources(&page),
        ["http://localhost:3001", "http://localhost:3002"]
    );

    // It goes on by a link, and without JavaScript after a few seconds.
    let target = "https://rp.test/bye?state=a%26b";
    let document = page.document();
    let link = document.by_id("logout-continue").expect("a link");
    assert_eq!(link.attribute("href"), Some(target));
    let refresh = document
        .elements
        .iter()
        .find(|it| it.attribute("http-equiv") == Some("refresh"));
    let refresh = refresh.expect("a refresh").attribute("content");
    assert_eq!(refresh, Some(&*format!("3;url={target}")));
    assert!(!is_signed_in(&mut browser, &shop).await);

    // There is nobody to tell a second time.
    let away = browser.open(&logout(&server, &parameters)).await.away();
    assert_eq!(away.url.as_str(), target);
}

#[tokio::test]
async fn a_page_without_a_place_to_go_tells_clients_too_and_stays() {
    let server = Server::serve();
    let shop = register(&server, "shop", &told_at("http://localhost:3001/out"));
    let mut browser = Browser::new(server.issuer());
    shop.sign_in_with(&mut browser, server.user("alice"), "openid")
        .await;
    let page = browser.open(&logout(&server, &[])).await.page();
    assert!(frame_sources(&page).is_empty());
    let form = page.form("logout-confirm").press("logout-confirm");
    let page = browser.submit(&page, &form).await.page();
    assert_eq!(frames(&page).len(), 1);
    assert_eq!(frame_sources(&page), ["http://localhost:3001"]);
    let document = page.document();
    assert!(document.by_id("logout-continue").is_none());
    assert!(!page.body.contains("http-equiv"), "{}", page.body);
}

#[tokio::test]
async fn without_such_clients_the_browser_goes_back_at_once() {
    let server = Server::serve();
    let shop = register(&server, "shop", &told_at("http://localhost:3001/out"));
    let quiet = register(&server, "quiet", &json!({}));
    let alice = server.user("alice");
    // That another session has such a client is nothing to this one.
    shop.sign_in(alice, "openid").await;
    let mut browser = Browser::new(server.issuer());
    let tokens = quiet.sign_in_with(&mut browser, alice, "openid").await;
    let parameters = [
        ("id_token_hint", &*tokens.id_token),
        ("post_logout_redirect_uri", "https://rp.test/bye"),
    ];
    let away = browser.open(&logout(&server, &parameters)).await.away();
    assert_eq!(away.url.as_str(), "https://rp.test/bye");
}
