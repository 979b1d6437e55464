//! Resource indicators (RFC 8707), registered APIs, and the metadata of protected resources
//! (RFC 9728).

use std::io::Write as _;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::support::browser::{Arrival, Browser};
use crate::support::jwt;
use crate::support::launch::Launch;
use crate::support::process::Server;
use crate::support::relying_party::{AuthorizationRequest, RelyingParty, Tokens};

pub(crate) const MCP: &str = "https://mcp.example.com/mcp";
pub(crate) const NOTES: &str = "https://notes.example.com/api";
pub(crate) const LISTED: &str = "urn:example:payroll";

const APIS: &str = r#"
[api."https://mcp.example.com/mcp"]
name = "The weather tools"
clients = "all"
token_lifetime = "5m"
token_signing_alg = "ES256"

[api."https://mcp.example.com/mcp".scopes]
"weather:read" = "Ask how the weather is"
"weather.make" = "Make the weather"

[api."https://notes.example.com/api"]
clients = "all"
token_format = "opaque"
introspected_by = ["notes-api"]

[api."https://notes.example.com/api".scopes]
"notes:read" = "Read your notes"

[api."urn:example:payroll"]
name = "Payroll"
"#;

pub(crate) fn server() -> (Server, NamedTempFile) {
    let mut file = NamedTempFile::with_suffix(".toml").expect("a file");
    file.write_all(APIS.as_bytes()).expect("written");
    let path = file.path().display().to_string();
    let server = Launch::serve().arguments(&["--config", &path]).start();
    (server, file)
}

pub(crate) fn asking(
    party: &RelyingParty,
    scope: &str,
    resources: &[&str],
) -> AuthorizationRequest {
    let resources = resources.iter();
    resources.fold(party.request(scope), |request, it| {
        request.and("resource", it)
    })
}

pub(crate) async fn sign_in(server: &Server, request: &AuthorizationRequest) -> String {
    let user = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let away = browser
        .sign_in(&request.url(), &user.username, &user.password)
        .await;
    away.code()
}

pub(crate) async fn redeem(
    party: &RelyingParty,
    request: &AuthorizationRequest,
    code: &str,
    resources: &[&str],
) -> crate::support::relying_party::Answer {
    let mut parameters = vec![
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &party.redirect_uri),
        ("code_verifier", &request.verifier),
    ];
    parameters.extend(resources.iter().map(|it| ("resource", *it)));
    party.token(&parameters).await
}

async fn refresh(
    party: &RelyingParty,
    tokens: &Tokens,
    resource: &str,
) -> crate::support::relying_party::Answer {
    let parameters = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &*tokens.refresh_token),
        ("resource", resource),
    ];
    party.token(&parameters).await
}

/// RFC 8707 sections 2.1 and 2.2; RFC 9068 section 3.
#[tokio::test]
async fn a_token_is_for_exactly_the_api_that_was_asked_for() {
    let (server, _file) = server();
    let party = RelyingParty::single_page_app(&server);
    let request = asking(
        &party,
        "openid profile weather:read weather.make notes:read",
        &[MCP],
    );
    let code = sign_in(&server, &request).await;
    let answer = redeem(&party, &request, &code, &[MCP]).await;
    // Scopes of an API that was not named are not there.
    assert_eq!(answer.member("scope"), "weather:read weather.make");
    assert_eq!(answer.json["expires_in"], 300);
    let tokens = answer.tokens();
    let claims = jwt::verify(&tokens.access_token, &party.jwks().await);
    assert_eq!(claims["aud"], MCP);
    assert_eq!(claims["scope"], "weather:read weather.make");
    assert_eq!(jwt::header(&tokens.access_token)["alg"], "ES256");
    assert_eq!(jwt::header(&tokens.access_token)["typ"], "at+jwt");
    // The ID token is the client's, as ever.
    let badge = jwt::claims(&tokens.id_token);
    assert_eq!(badge["aud"], party.client_id);
    assert_eq!(badge["preferred_username"], "alice");
    // S64.
    let userinfo = party.userinfo(&tokens.access_token).await;
    userinfo.challenged("invalid_token");
}

/// RFC 8707 section 2.2.
#[tokio::test]
async fn of_several_apis_each_token_is_for_the_one_that_is_named() {
    let (server, _file) = server();
    let party = RelyingParty::single_page_app(&server);
    let scope = "openid offline_access weather:read notes:read";
    let request = asking(&party, scope, &[MCP, NOTES]);
    let code = sign_in(&server, &request).await;
    // Neither of them uses the code up.
    for resources in [&[][..], &[MCP, NOTES], &[LISTED]] {
        let answer = redeem(&party, &request, &code, resources).await;
        answer.refused(&["invalid_target"]);
    }
    let first = redeem(&party, &request, &code, &[MCP]).await.tokens();
    let claims = jwt::claims(&first.access_token);
    assert_eq!(
        (&claims["aud"], &claims["scope"]),
        (&json!(MCP), &json!("weather:read"))
    );

    let refused = refresh(&party, &first, LISTED).await;
    refused.refused(&["invalid_target"]);
    let second = refresh(&party, &first, NOTES).await;
    assert_eq!(second.member("scope"), "notes:read");
    let second = second.tokens();
    assert_eq!(second.access_token.split('.').count(), 1, "it is opaque");
    let third = refresh(&party, &second, MCP).await.tokens();
    assert_eq!(jwt::claims(&third.access_token)["aud"], MCP);
}

/// RFC 8707 section 2; S64.
#[tokio::test]
async fn what_a_client_may_not_ask_for_is_an_invalid_target() {
    let (server, _file) = server();
    let party = RelyingParty::single_page_app(&server);
    let user = server.user("alice");
    let many: Vec<String> = (0..11).map(|it| format!("{MCP}/{it}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for resources in [
        &["https://mcp.example.com/other"][..],
        // Byte for byte.
        &["https://mcp.example.com/mcp/"],
        &["https://MCP.example.com/mcp"],
        &["https://mcp.example.com/mcp#a"],
        &[MCP, "https://unknown.example.com"],
        &["http://localhost:3000/mcp"],
        &["not a uri"],
        &[LISTED],
        &many,
    ] {
        let request = asking(&party, "openid", resources);
        let mut browser = Browser::new(server.issuer());
        let Arrival::Away(away) = browser.open(&request.url()).await else {
            panic!("a page for {resources:?}");
        };
        assert_eq!(away.parameter("error").as_deref(), Some("invalid_target"));
    }
    // A token request cannot add what nobody consented to.
    let request = asking(&party, "openid", &[]);
    let code = sign_in(&server, &request).await;
    let answer = redeem(&party, &request, &code, &[MCP]).await;
    answer.refused(&["invalid_target"]);
    // And without a resource all is as ever.
    let tokens = redeem(&party, &request, &code, &[]).await.tokens();
    let userinfo = party.userinfo(&tokens.access_token).await;
    assert_eq!(userinfo.status, StatusCode::OK, "{}", user.username);
}

#[tokio::test]
async fn an_api_of_listed_clients_is_for_those_that_name_it() {
    let (server, _file) = server();
    let party = RelyingParty::added(
        &server,
        &json!({
            "client_id": "payroll-job",
            "client_secret": "kfs_a-secret-of-the-payroll-job-nobody-else-uses",
            "grant_types": ["client_credentials"],
            "access_token_audience": [LISTED],
            "scope": "payroll:run",
        }),
    );
    let ask = |resources: &[&str]| {
        let mut parameters = vec![("grant_type", "client_credentials")];
        parameters.extend(resources.iter().map(|it| ("resource", *it)));
        let party = party.clone();
        let parameters: Vec<(String, String)> = parameters
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        async move {
            let parameters: Vec<_> = parameters
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            party.token(&parameters).await
        }
    };
    let token = ask(&[LISTED]).await.tokens().access_token;
    let claims = jwt::claims(&token);
    assert_eq!(claims["aud"], LISTED);
    // The API has no scope of this name.
    assert_eq!(claims["scope"], Value::Null);
    ask(&[LISTED, MCP]).await.refused(&["invalid_target"]);
    // Nobody was asked for the scopes of another API.
    let token = ask(&[MCP]).await.tokens().access_token;
    assert_eq!(jwt::claims(&token)["scope"], Value::Null);
}

#[tokio::test]
async fn the_consent_page_names_the_api_and_its_scopes_in_words() {
    let (server, _file) = server();
    let party = RelyingParty::single_page_app(&server);
    let user = server.user("alice");
    // Without a scope it is what the API has.
    let request = asking(&party, "", &[MCP]);
    let mut browser = Browser::new(server.issuer());
    let page = browser.open_login(&request.url()).await;
    let arrival = browser.log_in(&page, &user.username, &user.password).await;
    let page = arrival.page();
    for words in [
        "The weather tools",
        MCP,
        "Ask how the weather is",
        "Make the weather",
    ] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
}

#[tokio::test]
async fn consent_to_one_api_is_none_to_another() {
    let (server, _file) = server();
    let party = RelyingParty::added(
        &server,
        &json!({
            "client_id": "agent",
            "client_secret": "kfs_a-secret-of-the-agent-nobody-else-uses",
            "redirect_uris": ["https://agent.test/callback"],
        }),
    );
    let user = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let first = asking(&party, "openid", &[MCP]).url();
    browser
        .sign_in(&first, &user.username, &user.password)
        .await;
    let again = asking(&party, "openid", &[MCP]).with("prompt", "none");
    let Arrival::Away(away) = browser.open(&again.url()).await else {
        panic!("a page");
    };
    away.code();
    for resources in [&[NOTES][..], &[MCP, NOTES]] {
        let other = asking(&party, "openid", resources).with("prompt", "none");
        let Arrival::Away(away) = browser.open(&other.url()).await else {
            panic!("a page");
        };
        assert_eq!(away.parameter("error").as_deref(), Some("consent_required"));
    }
}

/// RFC 8707 section 2.1 with RFC 9126 section 2.1.
#[tokio::test]
async fn resources_can_be_pushed() {
    let (server, _file) = server();
    let party = RelyingParty::single_page_app(&server);
    let push = |resources: &[&str]| {
        let request = asking(&party, "openid weather:read", resources);
        let party = party.clone();
        async move {
            let parameters: Vec<_> = request
                .parameters
                .iter()
                .filter(|(name, _)| name != "client_id")
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            party.post("/oauth2/par", &parameters).await
        }
    };
    push(&["https://unknown.example.com"])
        .await
        .refused(&["invalid_target"]);
    assert_eq!(push(&[MCP, NOTES]).await.status, StatusCode::CREATED);
}

/// For the first five minutes: a server on the developer's own machine needs no configuration.
#[tokio::test]
async fn in_development_whatever_is_on_this_machine_is_an_api() {
    let server = Server::dev();
    let party = RelyingParty::single_page_app(&server);
    let resource = "http://localhost:3000/mcp";
    let request = asking(&party, "openid mcp:tools", &[resource]);
    let code = sign_in(&server, &request).await;
    let tokens = redeem(&party, &request, &code, &[resource]).await.tokens();
    let claims = jwt::claims(&tokens.access_token);
    assert_eq!(
        (&claims["aud"], &claims["scope"]),
        (&json!(resource), &json!("mcp:tools"))
    );
}

/// RFC 9728 sections 3.1, 3.2 and 5.1.
#[tokio::test]
async fn a_challenge_says_where_the_metadata_of_the_resource_is() {
    let server = Server::serve();
    let party = RelyingParty::single_page_app(&server);
    let endpoint = party.endpoint("/oauth2/userinfo");
    for refused in [
        party.fetch(&endpoint).await,
        party.userinfo("nonsense").await,
    ] {
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        let challenge = refused.header("www-authenticate");
        let (_, uri) = challenge
            .split_once("resource_metadata=\"")
            .expect("a member");
        let metadata = party.fetch(uri.trim_end_matches('"')).await.json;
        assert_eq!(metadata["resource"], endpoint);
        assert_eq!(metadata["authorization_servers"], json!([party.issuer]));
    }
    let whole = party.endpoint("/.well-known/oauth-protected-resource");
    assert_eq!(party.fetch(&whole).await.json["resource"], party.issuer);
}
