//! Parameters of the authorization request: what is refused, and how the client is told.

use crate::assertions::{assert_page, assert_told, open};
use crate::support::browser::Browser;
use crate::support::jwt;
use crate::support::process::Server;
use crate::support::relying_party::{RelyingParty, random_text};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::json;

/// RFC 6749 section 4.1.2.1; RFC 9207; RFC 9700 sections 2.1.2 and 4.4; OIDC Core section 3.1.2.6.
#[tokio::test]
async fn a_bad_parameter_is_told_to_the_client_with_state_and_issuer() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    for (name, value, error) in [
        ("scope", "", "invalid_scope"),
        ("scope", "open\"id", "invalid_scope"),
        ("scope", "nothing-known", "invalid_scope"),
        ("response_type", "", "invalid_request"),
        ("response_type", "foo", "unsupported_response_type"),
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "id_token", "unsupported_response_type"),
        ("response_type", "code token", "unsupported_response_type"),
        (
            "response_type",
            "code id_token",
            "unsupported_response_type",
        ),
        (
            "response_type",
            "id_token token",
            "unsupported_response_type",
        ),
        ("response_type", "none", "unsupported_response_type"),
        ("response_mode", "web_message", "invalid_request"),
        ("response_mode", "fragment", "invalid_request"),
        ("response_mode", "foo", "invalid_request"),
        ("prompt", "none", "login_required"),
        ("prompt", "none login", "invalid_request"),
        ("prompt", "sing", "invalid_request"),
        ("max_age", "-1", "invalid_request"),
        ("max_age", "abc", "invalid_request"),
        ("max_age", "1.5", "invalid_request"),
        ("max_age", "+1", "invalid_request"),
        ("max_age", "99999999999999999999", "invalid_request"),
        (
            "request",
            "eyJhbGciOiJub25lIn0.e30.",
            "invalid_request_object",
        ),
        (
            "request_uri",
            "https://rp.test/r",
            "request_uri_not_supported",
        ),
        ("registration", "{}", "registration_not_supported"),
    ] {
        let request = party.request("openid").with(name, value);
        let arrival = open(&request.url()).await;
        let away = assert_told(arrival, &request, server.issuer(), error);
        assert_eq!(away.parameter("state"), Some(request.state), "{name}");
        let url = away.url.as_str();
        assert!(!url.contains("token="), "{url}");
    }
}

/// RFC 6749 section 3.1.
#[tokio::test]
async fn an_unknown_parameter_is_ignored() {
    let server = Server::dev();
    let request = RelyingParty::web_app(&server)
        .request("openid")
        .and("vendor_extension", "1")
        .and("acr_values", "urn:x")
        .and("ui_locales", "de en")
        .and("display", "popup");
    let mut browser = Browser::new(server.issuer());
    browser.open_login(&request.url()).await;
}

/// OAuth 2.1; CVE-2026-9689.
#[tokio::test]
async fn a_parameter_sent_twice_is_refused() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    for name in ["client_id", "redirect_uri"] {
        let request = party.request("openid");
        let value = request.parameter(name).expect("it is there");
        let request = request.and(name, &value);
        assert_page(open(&request.url()).await, name);
    }
    for name in ["scope", "nonce", "code_challenge", "response_type", "state"] {
        for other in [true, false] {
            let request = party.request("openid");
            let value = request.parameter(name).expect("it is there");
            let value = if other { random_text() } else { value };
            let request = request.and(name, &value);
            let arrival = open(&request.url()).await;
            assert_told(arrival, &request, server.issuer(), "invalid_request");
        }
    }
}

/// OAuth 2.1; CVE-2026-9689.
#[tokio::test]
async fn a_parameter_in_the_query_and_in_the_body_was_sent_twice() {
    let server = Server::dev();
    let request = RelyingParty::web_app(&server).request("openid");
    let scope = [("scope".to_owned(), "openid".to_owned())];
    let mut browser = Browser::new(server.issuer());
    let answer = browser
        .send(Method::POST, &request.url(), Some(&scope), HeaderMap::new())
        .await;
    let arrival = browser.follow(answer).await;
    assert_told(arrival, &request, server.issuer(), "invalid_request");
}

/// OIDC Core section 3.1.2.1.
#[tokio::test]
async fn a_request_may_be_posted() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let request = party.request("openid");
    let mut browser = Browser::new(server.issuer());
    let endpoint = server.url("/oauth2/authorize");
    let answer = browser
        .send(
            Method::POST,
            &endpoint,
            Some(&request.parameters),
            HeaderMap::new(),
        )
        .await;
    let page = browser.follow(answer).await.page();
    assert!(page.document().form_with_field("password").is_some());
}

/// CVE-2024-21637.
#[tokio::test]
async fn a_state_comes_back_byte_for_byte() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let long = "s".repeat(2048);
    for state in [
        "\"><svg/onload=1>&a=b%00",
        "' onmouseover='x",
        "a+b c%20d&amp;e=f#g",
        "\u{1f511} Schlüssel \u{202e}",
        "</form><script>alert(1)</script>",
        &long,
    ] {
        for mode in ["query", "form_post"] {
            let request = party
                .request("openid")
                .with("state", state)
                .with("prompt", "none")
                .with("response_mode", mode);
            let away = open(&request.url()).await.away();
            assert_eq!(away.parameter("state").as_deref(), Some(state), "{mode}");
            assert_eq!(away.error(), "login_required");
            assert_eq!(away.parameter("iss").as_deref(), Some(server.issuer()));
        }
    }
    let request = party.request("openid").with("state", &"s".repeat(4097));
    assert_page(open(&request.url()).await, "a state of 4097 bytes");
}

/// RFC 9207 section 2; RFC 9700 section 4.4.
#[tokio::test]
async fn every_authorization_response_names_the_issuer() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    for mode in ["query", "form_post"] {
        let request = party.request("openid").with("response_mode", mode);
        let mut browser = Browser::new(server.issuer());
        let bob = server.user("bob");
        let away = browser
            .sign_in(&request.url(), &bob.username, &bob.password)
            .await;
        assert_eq!(away.parameter("iss").as_deref(), Some(server.issuer()));
        assert_eq!(away.parameter("state"), Some(request.state.clone()));
        assert_eq!(away.form.is_empty(), mode == "query");
        party.redeem(&away.code(), &request.verifier).await.tokens();
    }
    let discovery = server.url("/.well-known/openid-configuration");
    let metadata = party.fetch(discovery.as_str()).await.json;
    let member = &metadata["authorization_response_iss_parameter_supported"];
    assert_eq!(member, &json!(true));
}

/// OIDC Core section 3.1.2.1.
#[tokio::test]
async fn another_user_than_the_hint_names_gets_no_code() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let mut browser = Browser::new(server.issuer());
    let alice = server.user("alice");
    let tokens = party.sign_in_with(&mut browser, alice, "openid").await;

    let request = party
        .request("openid")
        .with("prompt", "login")
        .with("id_token_hint", &tokens.id_token);
    let bob = server.user("bob");
    let page = browser.open_login(&request.url()).await;
    let arrival = browser.log_in(&page, &bob.username, &bob.password).await;
    assert_told(arrival, &request, server.issuer(), "login_required");
}

/// OIDC Core sections 2 and 3.1.2.1.
#[tokio::test]
async fn max_age_and_prompt_login_ask_for_the_password_again_and_auth_time_is_true() {
    let server = Server::with_file();
    let party = RelyingParty::web_app(&server);
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let tokens = party.sign_in_with(&mut browser, alice, "openid").await;
    let first = jwt::claims(&tokens.id_token)["auth_time"].as_i64();
    let hour = std::time::Duration::from_hours(1);
    server.age("sessions", &["authenticated_at"], hour).await;

    // Without asking, the session stands and the time is that of the login.
    let request = party.request("openid").with("max_age", "7200");
    let away = browser.open(&request.url()).await.away();
    let answer = party.redeem(&away.code(), &request.verifier).await;
    let time = jwt::claims(&answer.tokens().id_token)["auth_time"].as_i64();
    assert_eq!(time, first.map(|first| first - 3600));

    for (name, value) in [("max_age", "0"), ("max_age", "60"), ("prompt", "login")] {
        let request = party.request("openid").with(name, value);
        let page = browser.open_login(&request.url()).await;
        let arrival = browser
            .log_in(&page, &alice.username, &alice.password)
            .await;
        let code = arrival.away().code();
        let answer = party.redeem(&code, &request.verifier).await;
        let claims = jwt::claims(&answer.tokens().id_token);
        assert!(claims["auth_time"].as_i64() >= first, "{name}={value}");
        server.age("sessions", &["authenticated_at"], hour).await;
    }
}

/// ASVS 9.1.
#[tokio::test]
async fn an_id_token_hint_never_signs_anybody_in() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let other = RelyingParty::single_page_app(&server);
    let alice = server.user("alice");
    let tokens = party.sign_in(alice, "openid").await;
    let of_other = other.sign_in(alice, "openid").await;
    let claims = jwt::claims(&tokens.id_token);
    let mut foreign = claims.clone();
    foreign["iss"] = json!("https://evil.com");
    let header = jwt::header(&tokens.id_token);
    for hint in [
        "garbage".to_owned(),
        "a.b.c".to_owned(),
        jwt::forge(&json!({"alg": "none"}), &claims, b""),
        jwt::forge(&json!({"alg": "None", "typ": "JWT"}), &claims, b""),
        jwt::forge(
            &json!({"alg": "HS256", "kid": header["kid"]}),
            &claims,
            b"x",
        ),
        jwt::forge(&header, &foreign, b"x"),
        tokens.access_token.clone(),
        of_other.id_token,
    ] {
        let request = party.request("openid").with("prompt", "none");
        let request = request.with("id_token_hint", &hint);
        let away = open(&request.url()).await.away();
        let error = away.error();
        let is_refused = ["invalid_request", "login_required"].contains(&&*error);
        assert!(is_refused, "{error} for {hint}");
    }
    // Nor does a good one, in a browser where nobody is signed in.
    let request = party.request("openid").with("prompt", "none");
    let request = request.with("id_token_hint", &tokens.id_token);
    let arrival = open(&request.url()).await;
    assert_told(arrival, &request, server.issuer(), "login_required");
}

/// RFC 8252 section 8.6; ASVS 10.7.1.
#[tokio::test]
async fn an_app_that_cannot_be_told_from_another_asks_for_consent_each_time() {
    let server = Server::dev();
    let mut party = RelyingParty::single_page_app(&server);
    party.redirect_uri = server.single_page_app().redirect_on("http://localhost");
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    party.sign_in_with(&mut browser, alice, "openid").await;

    let request = party.request("openid").with("prompt", "none");
    let arrival = browser.open(&request.url()).await;
    assert_told(arrival, &request, server.issuer(), "consent_required");

    let page = browser.open(&party.request("openid").url()).await.page();
    assert!(page.document().by_id("consent-allow").is_some());
}
