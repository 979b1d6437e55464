//! A single-page application made with oidc-client-ts, in a real browser.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use serde_json::json;
use thirtyfour::error::WebDriverResult;

use crate::support::chromium::{Chromium, Tab};
use crate::support::launch::Launch;
use crate::support::peer::Peer;
use crate::support::process::Server;
use crate::support::requirement::Requirement;
use crate::support::toolchain;

#[tokio::test]
async fn a_single_page_app_signs_in_renews_by_iframe_and_by_refresh_token_and_signs_out() {
    let Some((chromium, packages)) = needed() else {
        return;
    };
    let (server, app) = start(&packages);
    chromium
        .run(async |tab| {
            tab.open(&app.url("/")).await?;
            tab.click("sign-in").await?;
            log_in(&tab, &server).await?;
            tab.expect_text("said", "signed in as alice@example.com")
                .await?;

            assert_eq!(callbacks(&app, "document"), 1);
            tab.click("renew").await?;
            tab.expect_text("said", "renewed for alice@example.com")
                .await?;
            assert_eq!(callbacks(&app, "iframe"), 1);

            tab.click("stay-signed-in").await?;
            tab.click("consent-allow").await?;
            tab.expect_text("said", "signed in as alice@example.com")
                .await?;
            tab.click("renew").await?;
            tab.expect_text("said", "renewed for alice@example.com")
                .await?;
            assert_eq!(callbacks(&app, "document"), 2);
            assert_eq!(callbacks(&app, "iframe"), 1, "the refresh token was used");

            tab.click("sign-out").await?;
            tab.expect_text("said", "signed out").await?;
            tab.click("renew").await?;
            tab.expect_text("said", "failed: ").await
        })
        .await;
    assert_eq!(callbacks(&app, "iframe"), 2);
    let requests = app.requests();
    let last = requests.iter().rfind(|it| it.starts_with("GET /callback?"));
    let last = last.expect("an answer in the iframe");
    assert!(last.contains("error=login_required"), "{last}");
}

/// Session Management 1.0 section 3.1, as oidc-client-ts has it.
#[tokio::test]
async fn a_single_page_app_sees_that_its_person_signed_out_elsewhere() {
    let Some((chromium, packages)) = needed() else {
        return;
    };
    let (server, app) = start(&packages);
    chromium
        .run(async |tab| {
            tab.open(&app.url("/")).await?;
            tab.click("sign-in").await?;
            log_in(&tab, &server).await?;
            tab.expect_text("said", "signed in as alice@example.com")
                .await?;

            let first = tab.browser.window().await?;
            let second = tab.browser.new_tab().await?;
            tab.browser.switch_to_window(second).await?;
            tab.open(server.url("/oauth2/logout").as_str()).await?;
            tab.click("logout-confirm").await?;
            tab.gone("logout-confirm").await?;
            tab.browser.switch_to_window(first).await?;
            tab.expect_text("said", "signed out elsewhere").await
        })
        .await;
}

/// The browser, and the directory of npm's packages.
fn needed() -> Option<(Chromium, PathBuf)> {
    let packages = Requirement::Interop.require(toolchain::node())?;
    let chromium = Requirement::Browser.require(Chromium::find())?;
    Some((chromium, packages))
}

/// A server, and an application that is a client of it.
fn start(packages: &Path) -> (Server, Peer) {
    let server = Launch::serve()
        .variable("KEYFOB_LOGOUT__SESSION_MANAGEMENT", "true")
        .start();
    let read = |name: &str| fs::read_to_string(packages.join(name)).expect("a file of the app");
    let page = read("single_page_app.html");
    let library = read("node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js");
    let settings = json!({"authority": server.issuer(), "client_id": "app"}).to_string();
    let app = Peer::http(move |request, stream| {
        let target = request.split(' ').nth(1).unwrap_or_default();
        let (kind, content) = match target.split('?').next().unwrap_or_default() {
            "/settings.json" => ("application/json", &settings),
            "/oidc-client-ts.js" => ("text/javascript", &library),
            _ => ("text/html", &page),
        };
        write(stream, kind, content);
    });
    server.add_client(&json!({
        "client_id": "app",
        "token_endpoint_auth_method": "none",
        "redirect_uris": [app.url("/callback")],
        "post_logout_redirect_uris": [app.url("/bye")],
        "scope": "openid profile email offline_access",
        // An application that is not served over TLS could be anybody's: nobody's consent to it is
        // remembered, and nothing would be silent.
        "skip_consent": true,
    }));
    (server, app)
}

fn write(stream: &mut dyn Write, kind: &str, content: &str) {
    let length = content.len();
    // The browser may have gone away.
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n{content}"
    );
}

async fn log_in(tab: &Tab, server: &Server) -> WebDriverResult<()> {
    let alice = server.user("alice");
    tab.type_into("username", &alice.username).await?;
    tab.type_into("password", &alice.password).await?;
    tab.click("login-submit").await
}

/// How often the browser came back to the application, into a `document` or an `iframe`.
fn callbacks(app: &Peer, destination: &str) -> usize {
    let header = format!("sec-fetch-dest: {destination}");
    let came = app.requests();
    came.iter()
        .filter(|request| request.starts_with("GET /callback?"))
        .filter(|request| request.to_lowercase().contains(&header))
        .count()
}
