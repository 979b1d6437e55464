//! Sessions: a cookie that nobody can plant, guess or keep.

use std::time::Duration;

use crate::support::browser::{Browser, Cookie};
use crate::support::launch::Launch;
use crate::support::process::Server;
use crate::support::relying_party::RelyingParty;
use reqwest::StatusCode;

/// CVE-2024-28197; CVE-2024-7341; ASVS 7.2.4.
#[tokio::test]
async fn signing_in_makes_a_new_session() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    browser.open_login(&party.request("openid").url()).await;
    let before = browser.cookies.clone();
    party.sign_in_with(&mut browser, alice, "openid").await;
    let first = session(&browser).clone();
    assert!(before.iter().all(|cookie| cookie.value != first.value));
    for attribute in ["httponly", "samesite=lax", "path=/"] {
        assert!(
            first.has(attribute),
            "{attribute} in {:?}",
            first.attributes
        );
    }

    let again = party.request("openid").with("prompt", "login");
    let page = browser.open_login(&again.url()).await;
    browser
        .log_in(&page, &alice.username, &alice.password)
        .await;
    let second = session(&browser).clone();
    assert_ne!(first.value, second.value);

    // The session before it has ended.
    browser.cookies.retain(|cookie| cookie.name != second.name);
    browser.cookies.push(first);
    assert_signed_out(&mut browser, &party).await;
}

/// CVE-2024-28197.
#[tokio::test]
async fn a_planted_cookie_is_worth_nothing() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let mut owner = Browser::new(server.issuer());
    party
        .sign_in_with(&mut owner, server.user("alice"), "openid")
        .await;
    let real = session(&owner).clone();
    for value in [
        "x",
        "kfi_0000000000000000000000000000000000000000000",
        &real.value[..real.value.len() - 1],
        &format!("{}A", real.value),
        &real.value.to_uppercase(),
    ] {
        let mut browser = Browser::new(server.issuer());
        let mut planted = real.clone();
        value.clone_into(&mut planted.value);
        browser.cookies.push(planted);
        assert_signed_out(&mut browser, &party).await;
        let page = browser.open_login(&party.request("openid").url()).await;
        browser
            .log_in(&page, "bob", &server.user("bob").password)
            .await;
        assert_ne!(session(&browser).value, value);
    }
}

/// ASVS 7.4.1.
#[tokio::test]
async fn a_logout_ends_the_session_on_the_server() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let mut browser = Browser::new(server.issuer());
    let tokens = party
        .sign_in_with(&mut browser, server.user("alice"), "openid")
        .await;
    let stolen = browser.clone();
    let mut logout = server.url("/oauth2/logout");
    logout
        .query_pairs_mut()
        .append_pair("id_token_hint", &tokens.id_token);
    browser.open(&logout).await;
    for mut browser in [browser, stolen] {
        assert_signed_out(&mut browser, &party).await;
    }
}

/// ASVS 7.4.2; CVE-2025-64521.
#[tokio::test]
async fn a_disabled_user_is_signed_out_everywhere() {
    let server = Server::serve();
    let party = RelyingParty::web_app(&server);
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    party.sign_in_with(&mut browser, alice, "openid").await;
    server.operate(&["user", "disable", "alice"], "");
    assert_signed_out(&mut browser, &party).await;
    let page = browser.open_login(&party.request("openid").url()).await;
    let refused = browser
        .log_in(&page, &alice.username, &alice.password)
        .await;
    let is_login = refused
        .page()
        .document()
        .form_with_field("password")
        .is_some();
    assert!(is_login);
    server.operate(&["user", "enable", "alice"], "");
    assert_signed_out(&mut browser, &party).await;
}

/// ASVS 7.3.
#[tokio::test]
async fn a_session_ends_when_idle_and_when_old() {
    let server = Server::with_file();
    let party = RelyingParty::web_app(&server);
    let month = Duration::from_hours(24 * 31);
    for column in ["idle_expires_at", "expires_at"] {
        let mut browser = Browser::new(server.issuer());
        party
            .sign_in_with(&mut browser, server.user("alice"), "openid")
            .await;
        server.age("sessions", &[column], month).await;
        assert_signed_out(&mut browser, &party).await;
    }
}

/// ASVS 3.3; RFC 6265bis section 4.1.3.
#[tokio::test]
async fn on_https_cookies_are_bound_to_the_host() {
    let server = Launch::serve()
        .variable("KEYFOB_ISSUER", "https://login.example.com")
        .start();
    let mut party = RelyingParty::web_app(&server);
    party.issuer = format!("http://localhost:{}", server.port());
    let mut browser = Browser::new(&party.issuer);
    let mut page = browser.get(&party.request("openid").url()).await;
    assert!(page.status.is_redirection(), "{}", page.describe());
    let target: url::Url = page.header("location").parse().unwrap_or_else(|_| {
        let login = page.url.join(page.header("location"));
        login.expect("a location")
    });
    let login = format!("{}{}", party.issuer, &target[url::Position::BeforePath..]);
    page = browser.get(&login.parse().expect("a URL")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.describe());
    for cookie in &browser.cookies {
        assert!(cookie.name.starts_with("__Host-"), "{cookie:?}");
        for attribute in ["secure", "httponly", "samesite=lax", "path=/"] {
            assert!(cookie.has(attribute), "{attribute} in {cookie:?}");
        }
        assert!(!cookie.attributes.iter().any(|it| it.starts_with("domain")));
    }
    assert!(!browser.cookies.is_empty());
}

fn session(browser: &Browser) -> &Cookie {
    let mut cookies = browser.cookies.iter();
    cookies
        .find(|cookie| cookie.value.starts_with("kfi_"))
        .expect("a session cookie")
}

/// Asserts that nobody is signed in in `browser`.
pub(crate) async fn assert_signed_out(browser: &mut Browser, party: &RelyingParty) {
    let request = party.request("openid").with("prompt", "none");
    let away = browser.open(&request.url()).await.away();
    assert_eq!(away.error(), "login_required");
}
