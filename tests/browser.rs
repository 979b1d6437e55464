//! The pages in a real browser: the whole lesson of `keyfob dev` as a person goes through it, and
//! every page on the way judged by axe-core, in light and dark, on a phone and on a desk.

mod support;

use std::time::Duration;

use support::chromium::{Chromium, Tab};
use support::launch::Launch;
use support::process::Server;
use support::relying_party::{Authentication, RelyingParty};
use support::requirement::Requirement;
use thirtyfour::error::WebDriverResult;

#[tokio::test]
async fn the_demo_shows_both_tokens_and_the_api_takes_one() {
    let Some(chromium) = Requirement::Browser.require(Chromium::find()) else {
        return;
    };
    let server = Server::dev();
    chromium
        .run(async |tab| {
            tab.open(server.issuer()).await?;
            tab.judge("home").await?;
            tab.click("demo-start").await?;
            sign_in(&tab, &server, "alice").await?;

            assert!(tab.text("badge").await?.contains("alice"));
            assert!(tab.text("key-card").await?.contains("openid"));
            tab.judge("demo").await?;
            for (button, status) in [
                ("call-access", "200"),
                ("call-id", "401"),
                ("call-expired", "401"),
                ("call-tampered", "401"),
                ("call-wrong-scope", "403"),
            ] {
                tab.click(button).await?;
                expect_text(&tab, "api-result", status).await?;
                tab.judge(&format!("demo-{button}")).await?;
            }

            let before = tab.text("key-card").await?;
            tab.click("demo-refresh").await?;
            tab.other_text("key-card", &before).await?;

            tab.click("demo-logout").await?;
            if tab.has("logout-confirm").await? {
                tab.judge("logout").await?;
                tab.click("logout-confirm").await?;
            }
            tab.judge("logged-out").await?;

            // Signed out of Keyfob, too: the demo asks for the password again.
            tab.open(server.issuer()).await?;
            tab.click("demo-start").await?;
            tab.element("password").await?;
            Ok(())
        })
        .await;
}

#[tokio::test]
async fn a_wrong_password_is_told_on_a_page_that_everybody_can_read() {
    let Some(chromium) = Requirement::Browser.require(Chromium::find()) else {
        return;
    };
    let server = Server::dev();
    let request = RelyingParty::web_app(&server).request("openid profile email");
    chromium
        .run(async |tab| {
            tab.open(request.url().as_str()).await?;
            tab.type_into("username", "alice").await?;
            tab.type_into("password", "not hers").await?;
            tab.click("login-submit").await?;
            tab.element("login-alert").await?;
            tab.judge("login-wrong").await
        })
        .await;
}

#[tokio::test]
async fn an_account_can_be_chosen() {
    let Some(chromium) = Requirement::Browser.require(Chromium::find()) else {
        return;
    };
    let server = Server::dev();
    chromium
        .run(async |tab| {
            tab.open(server.issuer()).await?;
            tab.click("demo-start").await?;
            sign_in(&tab, &server, "alice").await?;

            let party = RelyingParty::web_app(&server);
            let request = party.request("openid").with("prompt", "select_account");
            tab.open(request.url().as_str()).await?;
            tab.element("account-continue").await?;
            tab.judge("select-account").await?;
            tab.click("account-other").await?;
            tab.element("password").await?;
            Ok(())
        })
        .await;
}

#[tokio::test]
async fn a_redirect_uri_that_is_not_registered_is_shown_beside_those_that_are() {
    let Some(chromium) = Requirement::Browser.require(Chromium::find()) else {
        return;
    };
    let server = Launch::dev()
        .arguments(&["--redirect-uri", "http://localhost/my/callback"])
        .start();
    let request = RelyingParty::web_app(&server).request("openid");
    let uri = "http://localhost:3000/my/calback";
    let request = request.with("redirect_uri", uri);
    chromium
        .run(async |tab| {
            tab.open(request.url().as_str()).await?;
            let shown = tab.element("comparison").await?;
            assert!(shown.is_present().await?);
            tab.judge("unregistered").await?;
            tab.click("register-redirect-uri").await?;
            tab.gone("comparison").await?;
            tab.open(request.url().as_str()).await?;
            tab.element("username").await?;
            Ok(())
        })
        .await;
}

#[tokio::test]
async fn a_device_is_connected_from_the_address_that_it_shows() {
    let Some(chromium) = Requirement::Browser.require(Chromium::find()) else {
        return;
    };
    let server = Server::dev();
    let client = server.ready.client(|it| it.client_id == "device");
    let party = RelyingParty::seeded(&server, client, Authentication::None);
    let scope = [("scope", "openid profile offline_access")];
    let codes = party.post("/oauth2/device", &scope).await;
    let alice = server.user("alice");
    chromium
        .run(async |tab| {
            tab.open(codes.member("verification_uri")).await?;
            tab.type_into("user-code", "bcdf-ghjk").await?;
            tab.click("device-submit").await?;
            tab.element("device-alert").await?;
            tab.judge("device-wrong").await?;

            tab.open(codes.member("verification_uri_complete")).await?;
            tab.click("device-phone").await?;
            tab.judge("device").await?;
            tab.click("device-submit").await?;
            tab.type_into("username", &alice.username).await?;
            tab.type_into("password", &alice.password).await?;
            tab.judge("device-login").await?;
            tab.click("login-submit").await?;
            let shown = tab.text("device-code").await?;
            assert_eq!(shown, codes.member("user_code"));
            tab.judge("device-confirm").await?;
            tab.click("device-allow").await?;
            tab.element("device-connected").await?;
            tab.judge("device-connected").await?;
            tab.open(server.url("/device/refused").as_str()).await?;
            tab.judge("device-refused").await?;
            Ok(())
        })
        .await;
    let tokens = party
        .token(&[
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("device_code", codes.member("device_code")),
        ])
        .await;
    tokens.tokens();
}

/// Signs in on the login page that the tab shows, and allows what is asked.
async fn sign_in(tab: &Tab, server: &Server, username: &str) -> WebDriverResult<()> {
    tab.element("login-submit").await?;
    tab.judge("login").await?;
    let password = &server.user(username).password;
    tab.type_into("username", username).await?;
    tab.type_into("password", password).await?;
    tab.click("login-submit").await?;
    // Where consent was given before, it is not asked for again.
    tab.either("consent-allow", "badge").await?;
    if tab.has("consent-allow").await? {
        tab.judge("consent").await?;
        tab.click("consent-allow").await?;
    }
    tab.element("badge").await?;
    Ok(())
}

/// Waits until the element with that id has that text.
async fn expect_text(tab: &Tab, id: &str, text: &str) -> WebDriverResult<()> {
    for _ in 0..100 {
        // The page may be going away under our eyes.
        if tab.text(id).await.is_ok_and(|shown| shown.contains(text)) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(tab.text(id).await?, text);
    Ok(())
}
