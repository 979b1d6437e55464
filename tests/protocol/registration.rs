//! Clients that register themselves (RFC 7591, OpenID Connect Dynamic Client Registration 1.0), and
//! manage their registration (RFC 7592).

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::browser::{Arrival, Browser};
use crate::support::jwt;
use crate::support::launch::Launch;
use crate::support::process::Server;
use crate::support::relying_party::{Answer, Authentication, RelyingParty, http_client};

/// S90; ASVS 10.4.7.
#[tokio::test]
async fn nobody_registers_a_client_unless_the_operator_allows_it() {
    let server = Server::serve();
    for token in [None, Some("kfj_guessed")] {
        let answer = register(&server, token, &web_client()).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text);
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    let metadata = metadata(&server).await;
    assert_eq!(metadata["registration_endpoint"], Value::Null);
}

/// S90; RFC 7591 section 3.
#[tokio::test]
async fn an_initial_access_token_registers_as_many_clients_as_it_was_made_for() {
    let server = registering("token");
    let endpoint = metadata(&server).await["registration_endpoint"].clone();
    assert_eq!(endpoint, server.url("/oauth2/register").as_str());

    let line = [
        "client",
        "registration-token",
        "add",
        "--uses",
        "3",
        "--json",
    ];
    let made = server.operate(&line, "");
    let token = made["token"].as_str().expect("a token");
    let refused = |answer: &Answer| {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text);
        assert_eq!(answer.member("error"), "invalid_token");
    };
    for other in [None, Some("kfj_guessed"), Some(&token[..token.len() - 1])] {
        refused(&register(&server, other, &web_client()).await);
    }
    // Metadata that is refused uses nothing up.
    let answer = register(&server, Some(token), &json!({})).await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    let described = web_client();
    let attempts = (0..8).map(|_| register(&server, Some(token), &described));
    let answers = futures_util::future::join_all(attempts).await;
    let (made_it, others): (Vec<_>, Vec<_>) = answers
        .iter()
        .partition(|answer| answer.status == StatusCode::CREATED);
    assert_eq!(made_it.len(), 3);
    others.into_iter().for_each(refused);

    let made = server.operate(&line, "");
    let (id, token) = (&made["id"], &made["token"]);
    let id = id.as_str().expect("an id");
    server.operate(&["client", "registration-token", "revoke", id], "");
    refused(&register(&server, token.as_str(), &web_client()).await);
}

/// RFC 7591 section 3.2.1; the suite's common checks.
#[tokio::test]
async fn what_was_registered_is_told_and_signs_people_in() {
    let server = registering("open");
    let described = json!({
        "redirect_uris": ["https://rp.test/cb", "https://rp.test/other"],
        "client_name": "Self-made",
        "grant_types": ["authorization_code", "refresh_token", "client_credentials", "urn:x"],
        "contacts": ["me@rp.test"],
        "software_id": "suite", "software_version": "1",
        "post_logout_redirect_uris": ["https://rp.test/bye"],
        "id_token_signed_response_alg": "ES256",
        "default_max_age": 3600,
        "unknown": {"x": 1},
        "client_id": "chosen", "client_secret": "chosen", "skip_consent": true,
        "id_token_claims": "granted_scopes", "scope": "openid email offline_access admin",
        "access_token_lifetime": 2_592_000, "allowed_origins": ["https://evil.test"],
    });
    let answer = register(&server, None, &described).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(
        answer
            .header("content-type")
            .starts_with("application/json")
    );
    let told = &answer.json;
    let id = told["client_id"].as_str().expect("a client_id");
    assert_ne!(id, "chosen");
    assert!(answer.member("client_secret").starts_with("kfs_"));
    assert!(
        answer
            .member("registration_access_token")
            .starts_with("kfm_")
    );
    assert!(told["client_id_issued_at"].is_i64());
    let mut expected = json!({
        "client_name": "Self-made",
        "redirect_uris": ["https://rp.test/cb", "https://rp.test/other"],
        "post_logout_redirect_uris": ["https://rp.test/bye"],
        "token_endpoint_auth_method": "client_secret_basic",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "application_type": "web",
        "scope": "openid email offline_access",
        "id_token_signed_response_alg": "ES256",
        "default_max_age": 3600,
        "contacts": ["me@rp.test"],
        "software_id": "suite", "software_version": "1",
        "client_secret_expires_at": 0,
        "registration_client_uri": server.url(&format!("/oauth2/register/{id}")).as_str(),
    });
    for name in [
        "client_id",
        "client_id_issued_at",
        "client_secret",
        "registration_access_token",
    ] {
        expected[name] = told[name].clone();
    }
    assert_eq!(told, &expected);

    // Neither of its secrets is kept, nor logged.
    for entry in std::fs::read_dir(server.directory()).expect("its directory") {
        let kept = std::fs::read(entry.expect("an entry").path()).unwrap_or_default();
        for name in ["client_secret", "registration_access_token"] {
            let secret = answer.member(name).as_bytes();
            let is_kept = kept.windows(secret.len()).any(|window| window == secret);
            assert!(!is_kept, "{name}");
        }
    }

    let party = party(&server, told);
    let alice = server.user("alice");
    let tokens = party.sign_in(alice, "openid email offline_access").await;
    let claims = jwt::claims(&tokens.id_token);
    // Lean: the address is at the userinfo endpoint.
    assert_eq!(claims["email"], Value::Null);
    let userinfo = party.userinfo(&tokens.access_token).await;
    assert_eq!(
        userinfo.member("email"),
        alice.email.as_deref().unwrap_or("?")
    );
    party.refresh(&tokens.refresh_token).await.tokens();
    party
        .token(&[("grant_type", "client_credentials")])
        .await
        .refused(&["unauthorized_client"]);
}

/// The Model Context Protocol's clients.
#[tokio::test]
async fn a_public_client_on_localhost_signs_people_in_with_pkce() {
    let server = registering("open");
    let described = json!({
        "client_name": "MCP Inspector",
        "redirect_uris": ["http://localhost:6274/oauth/callback"],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "client_uri": "https://inspector.test",
    });
    let answer = register(&server, None, &described).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    assert_eq!(answer.member("application_type"), "native");
    for absent in ["client_secret", "client_secret_expires_at"] {
        assert_eq!(answer.json[absent], Value::Null);
    }
    let party = party(&server, &answer.json);
    party.sign_in(server.user("alice"), "openid").await;
    let request = party.request("openid").without("code_challenge");
    let request = request
        .without("code_challenge_method")
        .with("prompt", "none");
    let mut browser = Browser::new(server.issuer());
    let away = browser.open(&request.url()).await.away();
    assert_eq!(away.error(), "invalid_request");
}

/// RFC 9700 section 2.1.1 asks for PKCE of confidential clients too; the operator decides.
#[tokio::test]
async fn an_operator_can_ask_for_pkce_of_every_client_that_registers_itself() {
    for (setting, error) in [("false", "login_required"), ("true", "invalid_request")] {
        let launch = Launch::serve().variable("KEYFOB_REGISTRATION__MODE", "open");
        let launch = launch.variable("KEYFOB_REGISTRATION__REQUIRE_PKCE", setting);
        let server = launch.start();
        let answer = register(&server, None, &web_client()).await;
        let request = party(&server, &answer.json).request("openid");
        let request = request.without("code_challenge");
        let request = request
            .without("code_challenge_method")
            .with("prompt", "none");
        let mut browser = Browser::new(server.issuer());
        let away = browser.open(&request.url()).await.away();
        assert_eq!(away.error(), error, "{setting}");
    }
}

/// S9, S85, S90; RFC 7591 section 3.2.2.
#[tokio::test]
async fn metadata_that_is_wrong_is_refused_by_its_name() {
    let server = registering("open");
    for (member, value, error) in [
        (
            "redirect_uris",
            json!(["javascript:alert(1)"]),
            "invalid_redirect_uri",
        ),
        (
            "redirect_uris",
            json!(["data:text/html,x"]),
            "invalid_redirect_uri",
        ),
        (
            "redirect_uris",
            json!(["vbscript:x"]),
            "invalid_redirect_uri",
        ),
        (
            "redirect_uris",
            json!(["https://rp.test/cb#f"]),
            "invalid_redirect_uri",
        ),
        (
            "redirect_uris",
            json!(["http://rp.test/cb"]),
            "invalid_redirect_uri",
        ),
        ("redirect_uris", json!([]), "invalid_redirect_uri"),
        ("redirect_uris", json!(7), "invalid_redirect_uri"),
        (
            "initiate_login_uri",
            json!("http://rp.test/login"),
            "invalid_client_metadata",
        ),
        (
            "logo_uri",
            json!("javascript:alert(1)"),
            "invalid_client_metadata",
        ),
        (
            "logo_uri",
            json!("data:image/svg+xml,<svg/>"),
            "invalid_client_metadata",
        ),
        (
            "tos_uri",
            json!("javascript:alert(1)"),
            "invalid_client_metadata",
        ),
        (
            "policy_uri",
            json!("\"><img src=x onerror=1>"),
            "invalid_client_metadata",
        ),
        (
            "grant_types",
            json!(["client_credentials"]),
            "invalid_client_metadata",
        ),
        (
            "response_types",
            json!(["no such type"]),
            "invalid_client_metadata",
        ),
        (
            "token_endpoint_auth_method",
            json!("no_such"),
            "invalid_client_metadata",
        ),
        (
            "id_token_signed_response_alg",
            json!("none"),
            "invalid_client_metadata",
        ),
        ("scope", json!("admin"), "invalid_client_metadata"),
        (
            "client_name",
            json!("\u{202e}\u{e9}\"\\"),
            "invalid_client_metadata",
        ),
    ] {
        let mut described = web_client();
        described[member] = value.clone();
        let answer = register(&server, None, &described).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{member} {value}");
        assert_eq!(answer.member("error"), error, "{member}: {}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store");
        let description = answer.member("error_description");
        assert!(description.starts_with(member), "{value}: {description}");
        let is_plain = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
        assert!(description.chars().all(is_plain), "{description}");
    }
    for (content_type, body) in [
        ("application/json", "["),
        ("application/json", "[]"),
        ("application/json", ""),
        ("application/x-www-form-urlencoded", "redirect_uris=x"),
        ("text/plain", "{}"),
    ] {
        let request = http_client().post(server.url("/oauth2/register"));
        let request = request.header("content-type", content_type).body(body);
        let answer = Answer::of(request).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{body}");
        assert_eq!(answer.member("error"), "invalid_client_metadata", "{body}");
    }
    let huge = json!({"redirect_uris": ["https://rp.test/cb"], "x": "x".repeat(70_000)});
    let answer = register(&server, None, &huge).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}

/// S90: a thousand registrations a minute.
#[tokio::test]
async fn one_address_registers_only_so_many_clients() {
    let launch = Launch::serve().variable("KEYFOB_REGISTRATION__MODE", "open");
    let launch = launch.variable("KEYFOB_THROTTLE__ADDRESS_REGISTRATIONS", "5");
    let server = launch.start();
    for _ in 0..5 {
        let answer = register(&server, None, &web_client()).await;
        assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
    }
    let answer = register(&server, None, &web_client()).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(
        answer
            .header("retry-after")
            .parse::<u64>()
            .is_ok_and(|it| it > 0)
    );
    assert_eq!(answer.member("error"), "temporarily_unavailable");
    let listed = server.operate(&["client", "list", "--json"], "");
    let own = listed["clients"].as_array().expect("a list").iter();
    let own = own.filter(|client| client["self_registered_at"].is_i64());
    assert_eq!(own.count(), 5);

    let window = Duration::from_hours(1);
    server
        .age("login_throttles", &["window_ends_at"], window)
        .await;
    let answer = register(&server, None, &web_client()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text);
}

/// RFC 7592 sections 2.1 and 3; the suite's third-party-initiated login.
#[tokio::test]
async fn a_client_reads_its_registration() {
    let server = registering("open");
    let mut described = web_client();
    described["initiate_login_uri"] = json!("https://rp.test/login");
    let told = register(&server, None, &described).await.json;
    assert_eq!(told["initiate_login_uri"], "https://rp.test/login");

    let read = manage(Method::GET, &told, None).await;
    assert_eq!(read.status, StatusCode::OK, "{}", read.text);
    assert_eq!(read.header("cache-control"), "no-store");
    let mut expected = told.clone();
    // Only its digest is kept.
    let members = expected.as_object_mut().expect("an object");
    members.remove("client_secret");
    members.remove("client_secret_expires_at");
    assert_eq!(read.json, expected);
}

/// RFC 7592 section 2.2.
#[tokio::test]
async fn a_client_replaces_its_registration_as_a_whole() {
    let server = registering("open");
    let mut described = web_client();
    described["client_name"] = json!("Before");
    described["tos_uri"] = json!("https://rp.test/terms");
    let told = register(&server, None, &described).await.json;

    let next = |changes: Value| {
        let mut next = json!({
            "client_id": told["client_id"], "redirect_uris": ["https://rp.test/next"],
        });
        for (name, value) in changes.as_object().expect("changes") {
            next[name] = value.clone();
        }
        next
    };
    for (wrong, member) in [
        (json!({"client_id": null}), "client_id"),
        (json!({"client_id": "other"}), "client_id"),
        (json!({"client_secret": "my own choice"}), "client_secret"),
        (
            json!({"redirect_uris": ["http://rp.test/cb"]}),
            "redirect_uris",
        ),
        (
            json!({"initiate_login_uri": "http://rp.test/"}),
            "initiate_login_uri",
        ),
    ] {
        let refused = manage(Method::PUT, &told, Some(&next(wrong))).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{member}");
        assert!(refused.member("error_description").starts_with(member));
    }
    let unchanged = manage(Method::GET, &told, None).await;
    assert_eq!(unchanged.member("client_name"), "Before");

    let changes = json!({"client_secret": told["client_secret"], "client_name": "After"});
    let updated = manage(Method::PUT, &told, Some(&next(changes))).await;
    assert_eq!(updated.status, StatusCode::OK, "{}", updated.text);
    assert_eq!(updated.member("client_name"), "After");
    assert_eq!(updated.json["tos_uri"], Value::Null);
    assert_eq!(updated.json["client_secret"], Value::Null);
    let mut party = party(&server, &told);
    party.redirect_uri = "https://rp.test/next".to_owned();
    party.sign_in(server.user("alice"), "openid").await;

    // A public client has no secret; who needs one again gets a new one.
    let public = next(json!({"token_endpoint_auth_method": "none"}));
    let updated = manage(Method::PUT, &told, Some(&public)).await;
    assert_eq!(updated.json["client_secret"], Value::Null);
    party.redeem("any", "any").await.unauthenticated();
    let updated = manage(Method::PUT, &told, Some(&next(json!({})))).await;
    let secret = updated.member("client_secret");
    assert_ne!(told["client_secret"], secret);
    assert_eq!(updated.json["client_secret_expires_at"], 0);
    party.redeem("any", "any").await.unauthenticated();
    let party = party.with_secret(secret);
    party.redeem("any", "any").await.refused(&["invalid_grant"]);
}

/// S90; RFC 7592 sections 2.3 and 3.
#[tokio::test]
async fn a_registration_access_token_is_good_for_its_own_client_and_as_long_as_that() {
    let server = registering("open");
    let one = register(&server, None, &web_client()).await.json;
    let other = register(&server, None, &web_client()).await.json;
    let party = party(&server, &one);
    let tokens = party.sign_in(server.user("alice"), "openid").await;
    let web_app = &server.web_app().client_id;

    let challenged = |answer: &Answer| {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{}", answer.text);
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    };
    for (id, token) in [
        (&other["client_id"], &one["registration_access_token"]),
        (&one["client_id"], &json!("kfm_guessed")),
        (&one["client_id"], &one["client_secret"]),
        (&one["client_id"], &json!(tokens.access_token)),
        (&json!(web_app), &one["registration_access_token"]),
        (&json!("nobody"), &one["registration_access_token"]),
        (&one["client_id"], &json!("")),
    ] {
        let id = id.as_str().expect("an id");
        let mut forged = one.clone();
        let uri = server.url(&format!("/oauth2/register/{id}"));
        forged["registration_client_uri"] = json!(uri.as_str());
        forged["registration_access_token"] = token.clone();
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            challenged(&manage(method, &forged, Some(&web_client())).await);
        }
    }
    let request = http_client().get(one["registration_client_uri"].as_str().expect("a URI"));
    challenged(&Answer::of(request).await);

    let deleted = manage(Method::DELETE, &one, None).await;
    assert_eq!(deleted.status, StatusCode::NO_CONTENT);
    assert_eq!(deleted.text, "");
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        challenged(&manage(method, &one, Some(&web_client())).await);
    }
    let gone = party.userinfo(&tokens.access_token).await;
    gone.challenged("invalid_token");
    party.redeem("any", "any").await.unauthenticated();
    assert_eq!(
        manage(Method::GET, &other, None).await.status,
        StatusCode::OK
    );
}

/// Clients that run in a page register from there; only where everybody may.
#[tokio::test]
async fn pages_of_any_origin_register_clients_where_everybody_may() {
    for (mode, expected) in [("open", "*"), ("token", "")] {
        let server = registering(mode);
        let url = server.url("/oauth2/register");
        let preflight = http_client()
            .request(Method::OPTIONS, url.clone())
            .header("origin", "https://inspector.test")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type");
        let posted = http_client()
            .post(url)
            .header("origin", "https://inspector.test")
            .json(&web_client());
        for request in [preflight, posted] {
            let answer = Answer::of(request).await;
            let allowed = answer.header("access-control-allow-origin");
            assert_eq!(allowed, expected, "{mode}");
            assert_eq!(answer.header("access-control-allow-credentials"), "");
        }
    }
}

/// A disabled client neither signs anybody in nor comes back by itself.
#[tokio::test]
async fn who_closes_registration_keeps_the_clients_there_are() {
    let mut server = registering("open");
    let told = register(&server, None, &web_client()).await.json;
    server.restart();
    let party = party(&server, &told);
    let mut browser = Browser::new(server.issuer());
    let arrival = browser.open(&party.request("openid").url()).await;
    assert!(matches!(arrival, Arrival::Page(page) if page.status == StatusCode::OK));
    let statement = "UPDATE clients SET disabled_at = 1 WHERE self_registered_at IS NOT NULL";
    server.execute(statement.to_owned()).await;
    let read = manage(Method::GET, &told, None).await;
    assert_eq!(read.status, StatusCode::UNAUTHORIZED);
}

/// S7; RFC 9700 section 4.11.2.
#[tokio::test]
async fn nobody_is_sent_with_an_error_to_a_client_that_nobody_has_checked_without_a_click() {
    let server = registering("open");
    let mut described = web_client();
    described["client_name"] = json!("<img src=x onerror=1>");
    let told = register(&server, None, &described).await.json;
    let self_made = party(&server, &told);
    let wrong = |party: &RelyingParty| party.request("openid").with("response_type", "nonsense");
    let request = wrong(&self_made);

    let mut stranger = Browser::new(server.issuer());
    let page = stranger.open(&request.url()).await.page();
    assert!(page.is_refusal(), "{}", page.describe());
    assert!(
        page.body.contains("<code>https://rp.test/cb</code>"),
        "{}",
        page.body
    );
    assert!(!page.body.contains("<img src=x"), "{}", page.body);
    let link = page.body.split("id=\"error-return\" href=\"").nth(1);
    let link = link
        .and_then(|rest| rest.split('"').next())
        .expect("a link");
    let link = link.replace("&#38;", "&");
    assert!(
        link.starts_with("https://rp.test/cb?error=unsupported_response_type&"),
        "{link}"
    );
    assert!(
        link.contains(&format!("&state={}", request.state)),
        "{link}"
    );

    let by_form = request.clone().with("response_mode", "form_post");
    let page = stranger.open(&by_form.url()).await.page();
    assert!(page.is_refusal(), "{}", page.describe());
    assert_eq!(
        page.form("error-return").value("error"),
        "unsupported_response_type"
    );

    let bad_hint = self_made.request("openid").with("id_token_hint", "x.y.z");
    let page = stranger.open(&bad_hint.url()).await.page();
    assert!(page.is_refusal(), "{}", page.describe());

    // As specified, since no page may be shown; to a client that the operator has registered; and
    // from a browser in which somebody is signed in.
    let silent = request.clone().with("prompt", "none");
    let away = stranger.open(&silent.url()).await.away();
    assert_eq!(away.error(), "unsupported_response_type");
    let trusted = wrong(&RelyingParty::web_app(&server));
    let away = stranger.open(&trusted.url()).await.away();
    assert_eq!(away.error(), "unsupported_response_type");
    let mut signed_in = Browser::new(server.issuer());
    self_made
        .authorize(&mut signed_in, server.user("alice"), "openid")
        .await;
    let away = signed_in.open(&request.url()).await.away();
    assert_eq!(away.error(), "unsupported_response_type");
}

/// The suite's registration-logo-uri, -policy-uri, -tos-uri; S85.
#[tokio::test]
async fn the_consent_page_shows_what_a_client_says_of_itself_and_that_nobody_has_checked_it() {
    let server = registering("open");
    let mut described = web_client();
    for (member, uri) in [
        (
            "logo_uri",
            "https://img.rp.test:8443/logo.png?a=\"><script>",
        ),
        ("client_uri", "https://rp.test/"),
        ("policy_uri", "https://rp.test/privacy"),
        ("tos_uri", "https://rp.test/terms?a=1&b=\"onclick"),
    ] {
        described[member] = json!(uri);
    }
    let told = register(&server, None, &described).await.json;
    let request = party(&server, &told).request("openid profile");
    let mut browser = Browser::new(server.issuer());
    let login = browser.open_login(&request.url()).await;
    let links = [
        "href=\"https://rp.test/\"",
        "href=\"https://rp.test/privacy\"",
        "href=\"https://rp.test/terms?a=1&#38;b=&#34;onclick\"",
    ];
    for link in links {
        assert!(login.body.contains(link), "{link} in {}", login.body);
    }
    // Who has not signed in yet loads nothing from elsewhere.
    assert!(!login.body.contains("img.rp.test"), "{}", login.body);
    assert!(
        login
            .header("content-security-policy")
            .contains("img-src 'self';")
    );

    let alice = server.user("alice");
    let consent = browser
        .log_in(&login, &alice.username, &alice.password)
        .await;
    let consent = consent.page();
    for link in links {
        assert!(consent.body.contains(link), "{link} in {}", consent.body);
    }
    let logo = "src=\"https://img.rp.test:8443/logo.png?a=&#34;&#62;&#60;script&#62;\"";
    assert!(consent.body.contains(logo), "{}", consent.body);
    let policy = consent.header("content-security-policy");
    assert!(
        policy.contains("img-src 'self' https://img.rp.test:8443;"),
        "{policy}"
    );
    assert!(
        consent.body.contains("id=\"consent-caution\""),
        "{}",
        consent.body
    );
    assert_eq!(consent.header("referrer-policy"), "no-referrer");

    let request = RelyingParty::web_app(&server).request("openid profile");
    let consent = browser.open(&request.url()).await.page();
    assert!(
        !consent.body.contains("consent-caution"),
        "{}",
        consent.body
    );
}

/// A server that lets clients register themselves.
pub(crate) fn registering(mode: &str) -> Server {
    let launch = Launch::serve().variable("KEYFOB_REGISTRATION__MODE", mode);
    launch.start()
}

/// The least that a web application says of itself.
pub(crate) fn web_client() -> Value {
    json!({ "redirect_uris": ["https://rp.test/cb"] })
}

/// Asks to be registered.
pub(crate) async fn register(server: &Server, token: Option<&str>, described: &Value) -> Answer {
    let request = http_client().post(server.url("/oauth2/register"));
    let request = match token {
        Some(token) => request.bearer_auth(token),
        None => request,
    };
    Answer::of(request.json(described)).await
}

/// The relying party that was told this of its registration.
pub(crate) fn party(server: &Server, told: &Value) -> RelyingParty {
    let client = serde_json::from_value(told.clone()).expect("a registration");
    let authentication = match told["token_endpoint_auth_method"].as_str() {
        Some("none") => Authentication::None,
        _ => Authentication::Basic,
    };
    RelyingParty::seeded(server, &client, authentication)
}

async fn manage(method: Method, told: &Value, body: Option<&Value>) -> Answer {
    let uri = told["registration_client_uri"].as_str().expect("a URI");
    let token = told["registration_access_token"].as_str().expect("a token");
    let request = http_client().request(method, uri).bearer_auth(token);
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    Answer::of(request).await
}

async fn metadata(server: &Server) -> Value {
    let request = http_client().get(server.url("/.well-known/openid-configuration"));
    Answer::of(request).await.json
}
