//! RFC 8628: a device asks, a person answers in a browser, the device gets its tokens once.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};
use url::Url;

use crate::support::browser::{Browser, Page};
use crate::support::jwt;
use crate::support::launch::{Database, Launch};
use crate::support::postgres;
use crate::support::process::Server;
use crate::support::relying_party::{Answer, Authentication, RelyingParty};
use crate::support::seeds::SeededClient;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// A device that has its codes.
pub(crate) struct Device {
    pub(crate) party: RelyingParty,
    codes: Value,
}

impl Device {
    /// The seeded device, which asks for `scope`.
    pub(crate) async fn ask(server: &Server, scope: &str) -> Self {
        let client = server.ready.client(|it| it.client_id == "device");
        let party = RelyingParty::seeded(server, client, Authentication::None);
        Self::ask_as(party, scope).await
    }

    pub(crate) async fn ask_as(party: RelyingParty, scope: &str) -> Self {
        Self::ask_for(party, &[("scope", scope)]).await
    }

    pub(crate) async fn ask_for(party: RelyingParty, parameters: &[(&str, &str)]) -> Self {
        let answer = party.post("/oauth2/device", parameters).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        Self {
            party,
            codes: answer.json,
        }
    }

    pub(crate) fn member(&self, name: &str) -> &str {
        self.codes[name].as_str().expect("a text")
    }

    pub(crate) fn user_code(&self) -> &str {
        self.member("user_code")
    }

    /// The address that is filled in already.
    pub(crate) fn address(&self) -> Url {
        let address = self.member("verification_uri_complete");
        address.parse().expect("a URL")
    }

    pub(crate) async fn poll(&self) -> Answer {
        poll_as(&self.party, self.member("device_code")).await
    }
}

async fn poll_as(party: &RelyingParty, device_code: &str) -> Answer {
    let parameters = [("grant_type", GRANT), ("device_code", device_code)];
    party.token(&parameters).await
}

/// Types a code on the page that asks for one.
pub(crate) async fn enter(server: &Server, browser: &mut Browser, code: &str) -> Page {
    let page = browser.open(&server.url("/device")).await.page();
    let form = page.form("device-submit").fill("user_code", code);
    browser.submit(&page, &form).await.page()
}

/// Goes with the code of `device` as far as the page that asks for confirmation.
pub(crate) async fn confirmation(
    server: &Server,
    browser: &mut Browser,
    device: &Device,
    username: &str,
) -> Page {
    let page = enter(server, browser, device.user_code()).await;
    if page.document().form_with_field("password").is_none() {
        return page;
    }
    let password = &server.user(username).password;
    browser.log_in(&page, username, password).await.page()
}

pub(crate) async fn press(browser: &mut Browser, page: &Page, button: &str) -> Page {
    let form = page.form(button).press(button);
    browser.submit(page, &form).await.page()
}

/// Lets alice allow `device` in a new browser.
pub(crate) async fn allow(server: &Server, device: &Device) -> Browser {
    let mut browser = Browser::new(server.issuer());
    let page = confirmation(server, &mut browser, device, "alice").await;
    let page = press(&mut browser, &page, "device-allow").await;
    assert!(
        page.body.contains("device-connected"),
        "{}",
        page.describe()
    );
    browser
}

/// Registers a device that only members of `groups` may connect.
pub(crate) fn register(server: &Server, client_id: &str, groups: &[&str]) -> RelyingParty {
    let client = json!({
        "client_id": client_id,
        "token_endpoint_auth_method": "none",
        "grant_types": [GRANT],
        "response_types": [],
        "redirect_uris": [],
        "allowed_groups": groups,
    });
    server.add_client(&client);
    let client: SeededClient = serde_json::from_value(client).expect("a client");
    RelyingParty::seeded(server, &client, Authentication::None)
}

fn databases() -> Vec<Database> {
    let mut databases = vec![Database::File];
    databases.extend(postgres::database().map(Database::Url));
    databases
}

/// RFC 8628 sections 3.1 to 3.5; OpenID Connect Core 1.0 section 2.
#[tokio::test]
async fn a_device_gets_its_tokens_once_a_person_has_allowed_it() {
    for database in databases() {
        let server = Launch::dev().on(database).start();
        let device = Device::ask(&server, "openid email offline_access").await;
        let names = ["expires_in", "interval"].map(|name| device.codes[name].clone());
        assert_eq!(names, [json!(600), json!(5)]);
        assert_eq!(
            device.member("verification_uri"),
            server.url("/device").as_str()
        );
        device.poll().await.refused(&["authorization_pending"]);

        let mut browser = Browser::new(server.issuer());
        let page = confirmation(&server, &mut browser, &device, "alice").await;
        let text = page.document().text;
        for shown in [
            device.user_code(),
            "Connect Device?",
            "Alice Adams",
            "email",
        ] {
            assert!(text.contains(shown), "{shown} in {text}");
        }
        let page = press(&mut browser, &page, "device-allow").await;
        assert!(
            page.body.contains("device-connected"),
            "{}",
            page.describe()
        );

        let answer = device.poll().await;
        let tokens = answer.tokens();
        assert_eq!(answer.member("scope"), "openid email offline_access");
        let claims = jwt::verify(&tokens.id_token, &device.party.jwks().await);
        assert_eq!(claims["aud"], "device");
        assert_eq!(claims["email"], "alice@example.com");
        assert_eq!(claims["nonce"], Value::Null);
        let userinfo = device.party.userinfo(&tokens.access_token).await;
        assert_eq!(userinfo.json["sub"], claims["sub"]);
        device.party.refresh(&tokens.refresh_token).await.tokens();
        device.poll().await.refused(&["invalid_grant"]);
    }
}

/// RFC 8628 section 3.1: `scope` is optional; the client authenticates as at the token endpoint.
#[tokio::test]
async fn the_device_endpoint_answers_clients_of_the_grant_and_nobody_else() {
    let server = Server::dev();
    let device = Device::ask(&server, "openid unknown").await;
    let codes = device.party.post("/oauth2/device", &[]).await;
    assert_eq!(codes.status, StatusCode::OK);
    assert_eq!(codes.header("cache-control"), "no-store");
    assert_ne!(codes.member("user_code"), device.user_code());
    assert_ne!(codes.member("device_code"), device.member("device_code"));

    let ask = async |party: &RelyingParty, scope: &str| {
        party.post("/oauth2/device", &[("scope", scope)]).await
    };
    let refused = ask(&device.party, "unknown").await;
    refused.refused(&["invalid_scope"]);
    ask(&device.party, "a\\b").await.refused(&["invalid_scope"]);
    let twice = [("scope", "openid"), ("scope", "openid")];
    let twice = device.party.post("/oauth2/device", &twice).await;
    twice.refused(&["invalid_request"]);
    let web_app = RelyingParty::web_app(&server);
    ask(&web_app, "openid")
        .await
        .refused(&["unauthorized_client"]);
    let impostor = web_app.with_secret("wrong");
    ask(&impostor, "openid").await.unauthenticated();
    let secretive = device.party.clone().with_secret("made up");
    let secretive = secretive.authenticating(Authentication::Post);
    ask(&secretive, "openid").await.unauthenticated();
}

/// S93; RFC 8628 section 3.5.
#[tokio::test]
async fn a_device_that_asks_too_often_is_slowed_down_for_good() {
    let server = Server::with_file();
    let device = Device::ask(&server, "openid").await;
    device.poll().await.refused(&["authorization_pending"]);
    // The question before is put an hour ahead, so that the next is too early however slow the
    // machine is. How many seconds are enough is a test of the store's, which is told the time.
    for _ in 0..2 {
        let ahead = "UPDATE device_authorizations SET polled_at = polled_at + 3600";
        server.execute(ahead.to_owned()).await;
        device.poll().await.refused(&["slow_down"]);
    }
    let hour = Duration::from_hours(1);
    server
        .age("device_authorizations", &["polled_at"], hour)
        .await;
    device.poll().await.refused(&["authorization_pending"]);

    // An answer is not held back.
    allow(&server, &device).await;
    device.poll().await.tokens();
}

/// S93.
#[tokio::test]
async fn a_device_is_told_that_it_was_denied_or_came_too_late() {
    let server = Server::with_file();
    let denied = Device::ask(&server, "openid").await;
    let mut browser = Browser::new(server.issuer());
    let page = confirmation(&server, &mut browser, &denied, "alice").await;
    let answered = press(&mut browser, &page, "device-deny").await;
    assert!(answered.body.contains("device-refused"));
    denied.poll().await.refused(&["access_denied"]);
    // No answer is taken back.
    let form = page.form("device-allow").press("device-allow");
    let page = browser.submit(&page, &form).await.page();
    assert!(page.is_refusal(), "{}", page.describe());
    let page = enter(&server, &mut browser, denied.user_code()).await;
    assert_eq!(page.status, StatusCode::BAD_REQUEST);
    denied.poll().await.refused(&["access_denied"]);

    let (late, allowed) = (
        Device::ask(&server, "openid").await,
        Device::ask(&server, "openid").await,
    );
    let page = confirmation(&server, &mut browser, &late, "alice").await;
    allow(&server, &allowed).await;
    let columns = &["created_at", "expires_at"];
    let span = Duration::from_secs(601);
    server.age("device_authorizations", columns, span).await;
    late.poll().await.refused(&["expired_token"]);
    allowed.poll().await.refused(&["expired_token"]);
    let form = page.form("device-allow").press("device-allow");
    let page = browser.submit(&page, &form).await.page();
    assert!(page.is_refusal(), "{}", page.describe());
}

/// S93: the code is its own client's.
#[tokio::test]
async fn a_device_code_of_another_client_is_refused_and_stays_good() {
    let server = Server::serve();
    let party = register(&server, "television", &[]);
    let other = register(&server, "other-television", &[]);
    let device = Device::ask_as(party, "openid").await;
    allow(&server, &device).await;
    let code = device.member("device_code");
    poll_as(&other, code).await.refused(&["invalid_grant"]);
    let web_app = RelyingParty::web_app(&server);
    let answer = poll_as(&web_app, code).await;
    answer.refused(&["unauthorized_client"]);
    for wrong in ["x", &code[..code.len() - 1], "kfd_"] {
        let answer = poll_as(&device.party, wrong).await;
        answer.refused(&["invalid_grant"]);
    }
    let missing = device.party.token(&[("grant_type", GRANT)]).await;
    missing.refused(&["invalid_request"]);
    device.poll().await.tokens();
}

/// S93; I1 over a kill -9.
#[tokio::test]
async fn of_twenty_polls_after_the_answer_one_succeeds() {
    for database in databases() {
        let mut server = Launch::dev().on(database).start();
        let device = Device::ask(&server, "openid offline_access").await;
        allow(&server, &device).await;
        let answers = join_all((0..20).map(|_| device.poll())).await;
        let (good, bad): (Vec<_>, Vec<_>) = answers
            .iter()
            .partition(|answer| answer.status == StatusCode::OK);
        assert_eq!(good.len(), 1);
        for answer in bad {
            answer.refused(&["invalid_grant"]);
        }
        server.restart();
        device.poll().await.refused(&["invalid_grant"]);
        // The one that succeeded is not harmed by the others.
        let tokens = good[0].tokens();
        device.party.refresh(&tokens.refresh_token).await.tokens();
    }
}

/// R20.
#[tokio::test]
async fn a_restart_between_question_and_answer_loses_nothing() {
    let mut server = Server::with_file();
    let device = Device::ask(&server, "openid").await;
    let mut browser = Browser::new(server.issuer());
    let page = enter(&server, &mut browser, device.user_code()).await;
    server.restart();
    let password = &server.user("alice").password;
    let page = browser.log_in(&page, "alice", password).await.page();
    server.restart();
    press(&mut browser, &page, "device-allow").await;
    server.restart();
    device.poll().await.tokens();
}

/// S93: what holds when the device comes for its tokens counts.
#[tokio::test]
async fn policy_and_scope_are_looked_at_again_when_a_device_comes_for_its_tokens() {
    let server = Server::with_file();
    for (statement, errors) in [
        (
            "UPDATE clients SET metadata = replace(metadata, 'openid profile email', 'openid')
              WHERE id = 'device'",
            ["invalid_scope", ""],
        ),
        (
            "UPDATE clients SET metadata = replace(metadata,
                'urn:ietf:params:oauth:grant-type:device_code', 'client_credentials')
              WHERE id = 'device'",
            ["unauthorized_client", ""],
        ),
        (
            "UPDATE clients SET metadata = replace(metadata, '\"client_name\"',
                '\"allowed_groups\":[\"nobody\"],\"client_name\"') WHERE id = 'device'",
            ["invalid_grant", ""],
        ),
        (
            "UPDATE users SET disabled_at = 1 WHERE username = 'alice'",
            ["invalid_grant", ""],
        ),
        (
            "UPDATE grants SET revoked_at = 1 WHERE revoked_at IS NULL",
            ["invalid_grant", ""],
        ),
    ] {
        let backup = "CREATE TABLE before AS SELECT * FROM clients WHERE id = 'device'";
        server.execute(backup.to_owned()).await;
        let device = Device::ask(&server, "openid email").await;
        allow(&server, &device).await;
        server.execute(statement.to_owned()).await;
        device.poll().await.refused(&errors);
        for undo in [
            "UPDATE clients SET metadata = (SELECT metadata FROM before) WHERE id = 'device'",
            "UPDATE users SET disabled_at = NULL",
            "DROP TABLE before",
        ] {
            server.execute(undo.to_owned()).await;
        }
    }
}

/// Both codes are kept as digests, the one that a person types under a key.
#[tokio::test]
async fn no_code_of_a_device_is_in_the_log_or_the_database() {
    let mut server = Server::with_file();
    let device = Device::ask(&server, "openid").await;
    let mut browser = Browser::new(server.issuer());
    browser.open(&device.address()).await;
    confirmation(&server, &mut browser, &device, "alice").await;
    device.poll().await;
    server.kill9();
    let letters = device.user_code().replace('-', "");
    let kept = std::fs::read_dir(server.directory()).expect("its directory");
    let mut length = 0;
    for entry in kept.flatten() {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        length += bytes.len();
        for code in [device.member("device_code"), device.user_code(), &letters] {
            let is_in = bytes
                .windows(code.len())
                .any(|window| window == code.as_bytes());
            assert!(!is_in, "{code} is in {}", entry.path().display());
        }
    }
    assert!(length > 10_000);
}
