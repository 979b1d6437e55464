//! RFC 8628 sections 3.3 and 5: the pages on which a person answers a device, and who tries them.

use reqwest::StatusCode;
use serde_json::Value;

use crate::device::{Device, allow, confirmation, enter, press, register};
use crate::support::browser::{Arrival, Browser};
use crate::support::jwt;
use crate::support::process::Server;
use crate::support::relying_party::RelyingParty;

/// S93; RFC 8628 section 3.3.1; CVE-2026-109346.
#[tokio::test]
async fn an_address_with_the_code_in_it_never_allows_by_itself() {
    let server = Server::dev();
    let first = Device::ask(&server, "openid").await;
    let mut browser = allow(&server, &first).await;

    // Signed in, and the same client allowed before: the code is filled in, and no more.
    let device = Device::ask(&server, "openid").await;
    let page = browser.open(&device.address()).await.page();
    let form = page.form("device-submit");
    assert_eq!(form.value("user_code"), device.user_code());
    assert!(page.body.contains("qr-code"));
    device.poll().await.refused(&["authorization_pending"]);
    let page = browser.submit(&page, &form).await.page();
    page.form("device-allow");
    assert!(page.document().text.contains(device.user_code()));
    device.poll().await.refused(&["slow_down"]);
}

/// S93: guessing a code of 34 bits is stopped after five wrong ones, also without cookies.
#[tokio::test]
async fn six_wrong_user_codes_are_throttled() {
    let server = Server::dev();
    let device = Device::ask(&server, "openid").await;
    let mut signed_in = Browser::new(server.issuer());
    let alice = server.user("alice");
    RelyingParty::web_app(&server)
        .sign_in_with(&mut signed_in, alice, "openid")
        .await;
    for code in ["BBBB-BBBB", "", "WDJB-MJH", "not a code", "CCCC-CCCC"] {
        let mut browser = Browser::new(server.issuer());
        let page = enter(&server, &mut browser, code).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{code}");
        assert!(page.body.contains("device-alert"));
    }
    let mut browser = Browser::new(server.issuer());
    let page = enter(&server, &mut browser, device.user_code()).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(page.header("retry-after").parse::<u64>().is_ok());

    // Who is signed in is not locked out by others at the same address, and does not guess for
    // longer either.
    for code in ["BBBB-BBBB", "CCCC-CCCC", "DDDD-DDDD", "FFFF-FFFF"] {
        let page = enter(&server, &mut signed_in, code).await;
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{code}");
    }
    let right = enter(&server, &mut signed_in, device.user_code()).await;
    right.form("device-allow");
    enter(&server, &mut signed_in, "GGGG-GGGG").await;
    let page = enter(&server, &mut signed_in, device.user_code()).await;
    assert_eq!(page.status, StatusCode::TOO_MANY_REQUESTS);
}

/// RFC 8628 section 6.1.
#[tokio::test]
async fn a_user_code_may_be_typed_in_lower_case_and_without_its_dash() {
    let server = Server::dev();
    let device = Device::ask(&server, "openid").await;
    let typed = device.user_code().to_lowercase().replace('-', " ");
    let mut browser = Browser::new(server.issuer());
    let page = enter(&server, &mut browser, &typed).await;
    assert!(page.document().form_with_field("password").is_some());
}

/// Who is in none of the client's groups cannot connect a device, and the device is told.
#[tokio::test]
async fn a_person_who_may_not_use_the_client_cannot_connect_a_device() {
    let server = Server::serve();
    let party = register(&server, "staff-television", &["staff"]);
    let device = Device::ask_as(party, "openid").await;
    let mut browser = Browser::new(server.issuer());
    let page = confirmation(&server, &mut browser, &device, "bob").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.describe());
    device.poll().await.refused(&["access_denied"]);
}

/// S93: the pages are bound to the browser and to each other.
#[tokio::test]
async fn a_device_is_confirmed_on_its_own_page_in_its_own_browser_only() {
    let server = Server::dev();
    let device = Device::ask(&server, "openid").await;
    let mut browser = Browser::new(server.issuer());
    let page = confirmation(&server, &mut browser, &device, "alice").await;
    let form = page.form("device-allow").press("device-allow");

    // Without the tag, with another's, and from another browser.
    for tag in [None, Some(""), Some("AAAA")] {
        let forged = form.clone().tamper("csrf", tag);
        let answer = browser.submit(&page, &forged).await.page();
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
    }
    let mut thief = Browser::new(server.issuer());
    let answer = thief.submit(&page, &form).await.page();
    assert!(answer.is_refusal());
    let code = form.clone().tamper("user_code", Some(device.user_code()));
    let mut code = code.tamper("csrf", None);
    code.action = "/device".to_owned();
    let answer = browser.submit(&page, &code).await.page();
    assert_eq!(answer.status, StatusCode::FORBIDDEN);

    // The consent page knows no devices, and the device page no other requests.
    let mut consent = form.clone();
    consent.action = "/consent".to_owned();
    let answer = browser.submit(&page, &consent).await.page();
    assert!(answer.is_refusal(), "{}", answer.describe());
    let tx = form.value("tx").to_owned();
    let url = server.url(&format!("/consent?tx={tx}"));
    assert!(browser.open(&url).await.page().is_refusal());
    device.poll().await.refused(&["authorization_pending"]);

    let party = RelyingParty::web_app(&server);
    let request = party.request("openid").with("prompt", "consent");
    let consent_page = browser.open(&request.url()).await.page();
    let mut confused = consent_page.form("consent-allow").press("consent-allow");
    confused.action = "/device/confirm".to_owned();
    let answer = browser.submit(&consent_page, &confused).await.page();
    assert!(answer.is_refusal(), "{}", answer.describe());

    // Another account in the same browser has confirmed nothing.
    match browser.submit(&page, &form).await {
        Arrival::Page(page) => assert!(page.body.contains("device-connected")),
        Arrival::Away(away) => panic!("sent to {}", away.url),
    }
    device.poll().await.tokens();
}

/// Of two people who confirm the same code one is first, and the device is that one's.
#[tokio::test]
async fn a_device_is_answered_once() {
    let server = Server::dev();
    let device = Device::ask(&server, "openid").await;
    let (mut first, mut second) = (Browser::new(server.issuer()), Browser::new(server.issuer()));
    let alices = confirmation(&server, &mut first, &device, "alice").await;
    let bobs = confirmation(&server, &mut second, &device, "bob").await;
    press(&mut second, &bobs, "device-allow").await;
    for button in ["device-allow", "device-deny"] {
        let page = press(&mut first, &alices, button).await;
        assert!(page.is_refusal(), "{button}: {}", page.describe());
    }
    let tokens = device.poll().await.tokens();
    let userinfo = device.party.userinfo(&tokens.access_token).await;
    let claims = jwt::verify(&tokens.id_token, &device.party.jwks().await);
    assert_eq!(userinfo.json["sub"], claims["sub"]);
    assert_eq!(claims["name"], Value::Null, "no profile was asked for");
    let bob = device.party.introspect(&tokens.access_token).await;
    bob.unauthenticated();
}

/// A person who signs out of the browser keeps their television.
#[tokio::test]
async fn a_device_outlives_the_session_in_which_it_was_connected() {
    let server = Server::dev();
    let device = Device::ask(&server, "openid").await;
    let mut browser = allow(&server, &device).await;
    let tokens = device.poll().await.tokens();
    let page = browser.open(&server.url("/oauth2/logout")).await.page();
    press(&mut browser, &page, "logout-confirm").await;
    let userinfo = device.party.userinfo(&tokens.access_token).await;
    assert_eq!(userinfo.status, StatusCode::OK);
}
