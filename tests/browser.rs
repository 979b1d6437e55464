//! The pages in a real browser: the whole lesson of `keyfob dev` as a person goes through it, and
//! every page on the way judged by axe-core, in light and dark, on a phone and on a desk.

mod support;

use serde_json::json;

use support::chromium::{Chromium, Tab};
use support::launch::Launch;
use support::peer::Peer;
use support::process::Server;
use support::relying_party::{Authentication, RelyingParty, http_client};
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
                tab.expect_text("api-result", status).await?;
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

/// Front-Channel Logout 1.0 section 3.
#[tokio::test]
async fn the_frames_of_both_applications_load_before_the_browser_goes_back() {
    let Some(chromium) = Requirement::Browser.require(Chromium::find()) else {
        return;
    };
    let applications = [application(), application()];
    let server = Server::serve();
    let mut urls = Vec::new();
    for (number, application) in applications.iter().enumerate() {
        let party = register(&server, application, &format!("application-{number}"));
        urls.push(party.request("openid").url());
    }
    let mut logout = server.url("/oauth2/logout");
    let bye = applications[0].url("/bye");
    logout
        .query_pairs_mut()
        .append_pair("client_id", "application-0")
        .append_pair("post_logout_redirect_uri", &bye)
        .append_pair("state", "kept");
    chromium
        .run(async |tab| {
            for (number, url) in urls.iter().enumerate() {
                tab.open(url.as_str()).await?;
                if number == 0 {
                    tab.type_into("username", "alice").await?;
                    let password = &server.user("alice").password;
                    tab.type_into("password", password).await?;
                    tab.click("login-submit").await?;
                }
                tab.element("callback").await?;
            }
            tab.open(logout.as_str()).await?;
            tab.click("logout-confirm").await?;
            tab.element("bye").await?;
            let arrived = tab.browser.current_url().await?;
            assert_eq!(arrived.as_str(), format!("{bye}?state=kept"));
            for application in &applications {
                let came = application.requests();
                let out = came
                    .iter()
                    .position(|request| request.starts_with("GET /out?"));
                let out = out.unwrap_or_else(|| panic!("no frame was loaded: {came:?}"));
                assert!(came[out].contains("&sid="), "{}", came[out]);
                let back = came
                    .iter()
                    .position(|request| request.starts_with("GET /bye?"));
                assert!(back.is_none_or(|back| out < back), "{came:?}");
            }
            Ok(())
        })
        .await;
}

/// Session Management 1.0 section 3.2.
#[tokio::test]
async fn an_application_that_watches_the_session_sees_it_change() {
    let Some(chromium) = Requirement::Browser.require(Chromium::find()) else {
        return;
    };
    let application = application();
    let server = Launch::serve()
        .variable("KEYFOB_LOGOUT__SESSION_MANAGEMENT", "true")
        .start();
    let party = register(&server, &application, "application");
    let iframe = server.url("/oauth2/check-session");
    chromium
        .run(async |tab| {
            tab.open(party.request("openid").url().as_str()).await?;
            tab.type_into("username", "alice").await?;
            let password = &server.user("alice").password;
            tab.type_into("password", password).await?;
            tab.click("login-submit").await?;
            tab.element("callback").await?;
            let arrived = tab.browser.current_url().await?;
            let mut parameters = arrived.query_pairs();
            let state = parameters.find(|(name, _)| name == "session_state");
            let (_, state) = state.expect("session_state");

            let ask = async |message: &str| {
                let mut page: url::Url = application.url("/watch").parse().expect("a URL");
                page.query_pairs_mut()
                    .append_pair("frame", iframe.as_str())
                    .append_pair("message", message);
                tab.open(page.as_str()).await?;
                tab.element("answer").await?;
                tab.text("answer").await
            };
            assert_eq!(ask(&format!("application {state}")).await?, "unchanged");
            assert_eq!(ask(&format!("another {state}")).await?, "changed");
            for malformed in ["application", "application ", "application x", "", " "] {
                assert_eq!(ask(malformed).await?, "error", "{malformed:?}");
            }
            tab.open(server.url("/oauth2/logout").as_str()).await?;
            tab.click("logout-confirm").await?;
            tab.gone("logout-confirm").await?;
            assert_eq!(ask(&format!("application {state}")).await?, "changed");
            Ok(())
        })
        .await;
}

/// An application: pages that say where the browser is, and one that asks the framed page what
/// its address says.
fn application() -> Peer {
    Peer::http(|request, stream| {
        let target = request.split(' ').nth(1).unwrap_or_default();
        let path = target.split('?').next().unwrap_or_default();
        let page = match path {
            "/watch" => WATCH.to_owned(),
            path => format!("<!doctype html><p id=\"{}\">here</p>", &path[1..]),
        };
        let length = page.len();
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n{page}"
        );
    })
}

const WATCH: &str = "<!doctype html><body><script>
const parameters = new URLSearchParams(location.search);
const frame = document.createElement('iframe');
frame.src = parameters.get('frame');
frame.onload = () => frame.contentWindow.postMessage(
  parameters.get('message'), new URL(frame.src).origin);
addEventListener('message', (event) => {
  if (event.origin !== new URL(frame.src).origin) return;
  const answer = document.createElement('p');
  answer.id = 'answer';
  answer.textContent = event.data;
  document.body.append(answer);
});
document.body.append(frame);
</script>";

/// Registers the client of an application.
fn register(server: &Server, application: &Peer, client_id: &str) -> RelyingParty {
    let redirect_uri = application.url("/callback");
    let secret = "kfs_a-secret-that-no-other-test-uses-0123456789";
    server.add_client(&json!({
        "client_id": client_id,
        "client_secret": secret,
        "redirect_uris": [redirect_uri],
        "post_logout_redirect_uris": [application.url("/bye")],
        "frontchannel_logout_uri": application.url("/out"),
        "frontchannel_logout_session_required": true,
        "skip_consent": true,
    }));
    RelyingParty {
        issuer: server.issuer().to_owned(),
        client_id: client_id.to_owned(),
        client_secret: Some(secret.to_owned()),
        redirect_uri,
        authentication: Authentication::Basic,
        http: http_client(),
    }
}
