//! Clients that register themselves (RFC 7591, OpenID Connect Dynamic Client Registration 1.0).

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::browser::Browser;
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
    let server = Launch::dev().arguments(&["--open-registration"]).start();
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
        ("subject_type", json!("pairwise"), "invalid_client_metadata"),
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

async fn metadata(server: &Server) -> Value {
    let request = http_client().get(server.url("/.well-known/openid-configuration"));
    Answer::of(request).await.json
}
