//! RP-initiated logout: at once only for who shows the ID token, and never on to a stranger.

use crate::assertions::assert_page;
use crate::support::browser::Browser;
use crate::support::jwt;
use crate::support::process::Server;
use crate::support::relying_party::RelyingParty;
use serde_json::json;
use url::Url;

/// ASVS 10.6.2; CVE-2025-67495; CVE-2022-23527.
#[tokio::test]
async fn a_logout_that_is_not_known_to_be_meant_asks_first() {
    let server = Server::serve();
    let party = RelyingParty::web_app(&server);
    let mut browser = Browser::new(server.issuer());
    party
        .sign_in_with(&mut browser, server.user("alice"), "openid")
        .await;
    let bye = "https://rp.test/bye";
    for parameters in [
        &[][..],
        &[("client_id", &*party.client_id)],
        &[("post_logout_redirect_uri", bye)],
        &[
            ("client_id", &*party.client_id),
            ("post_logout_redirect_uri", bye),
        ],
        &[("state", "x")],
    ] {
        let page = browser.open(&logout(&server, parameters)).await.page();
        assert!(page.document().by_id("logout-confirm").is_some());
        assert!(is_signed_in(&mut browser, &party).await);
    }
    // Asked and confirmed, the client that was named gets the browser back.
    let parameters = [
        ("client_id", &*party.client_id),
        ("post_logout_redirect_uri", bye),
        ("state", "a&b"),
    ];
    let page = browser.open(&logout(&server, &parameters)).await.page();
    let form = page.form("logout-confirm").press("logout-confirm");
    let away = browser.submit(&page, &form).await.away();
    assert_eq!(away.url.as_str(), "https://rp.test/bye?state=a%26b");
    assert!(!is_signed_in(&mut browser, &party).await);
}

/// OpenID Connect RP-Initiated Logout 1.0 section 3.
#[tokio::test]
async fn a_browser_is_never_sent_where_the_client_did_not_register() {
    let server = Server::serve();
    let party = RelyingParty::web_app(&server);
    let mut browser = Browser::new(server.issuer());
    let tokens = party
        .sign_in_with(&mut browser, server.user("alice"), "openid")
        .await;
    for uri in [
        "https://rp.test/bye/",
        "https://rp.test/bye?x",
        "https://rp.test/BYE",
        "https://rp.test:443/bye",
        "https://rp.test.evil.com/bye",
        "https://rp.test@evil.com/bye",
        "https://evil.com/bye",
        "https://rp.test/cb",
        "//rp.test/bye",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://rp.test/bye\r\nX: y",
    ] {
        let parameters = [
            ("id_token_hint", &*tokens.id_token),
            ("post_logout_redirect_uri", uri),
        ];
        let arrival = browser.open(&logout(&server, &parameters)).await;
        assert_page(arrival, uri);
    }
    assert!(is_signed_in(&mut browser, &party).await);
    let bye = ("post_logout_redirect_uri", "https://rp.test/bye");
    let hint = ("id_token_hint", &*tokens.id_token);
    let arrival = browser.open(&logout(&server, &[hint, bye])).await;
    assert_eq!(arrival.away().url.as_str(), "https://rp.test/bye");
}

/// CVE-2022-23527.
#[tokio::test]
async fn a_hint_that_is_not_the_clients_own_leads_nowhere() {
    let server = Server::serve();
    let party = RelyingParty::web_app(&server);
    let other = RelyingParty::single_page_app(&server);
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let tokens = party.sign_in_with(&mut browser, alice, "openid").await;
    let of_other = other.sign_in(alice, "openid").await;
    let claims = jwt::claims(&tokens.id_token);
    let bye = ("post_logout_redirect_uri", "https://rp.test/bye");
    let own = ("client_id", &*party.client_id);
    for hint in [
        "garbage".to_owned(),
        jwt::forge(&json!({"alg": "none"}), &claims, b""),
        jwt::forge(&jwt::header(&tokens.id_token), &claims, b"x"),
        of_other.id_token,
        tokens.access_token.clone(),
    ] {
        let url = logout(&server, &[("id_token_hint", &hint), own, bye]);
        let page = browser.open(&url).await.page();
        assert!(page.is_refusal() || page.document().by_id("logout-confirm").is_some());
        assert!(is_signed_in(&mut browser, &party).await);
    }
    // Somebody else's token asks, and does not sign alice out.
    let bob = party.sign_in(server.user("bob"), "openid").await;
    let url = logout(&server, &[("id_token_hint", &bob.id_token), bye]);
    let page = browser.open(&url).await.page();
    assert!(page.document().by_id("logout-confirm").is_some());
    assert!(is_signed_in(&mut browser, &party).await);
}

fn logout(server: &Server, parameters: &[(&str, &str)]) -> Url {
    let mut url = server.url("/oauth2/logout");
    url.query_pairs_mut().extend_pairs(parameters);
    url
}

async fn is_signed_in(browser: &mut Browser, party: &RelyingParty) -> bool {
    let request = party.request("openid").with("prompt", "none");
    let away = browser.open(&request.url()).await.away();
    away.error().is_empty()
}
