//! The implicit and the hybrid flow (OpenID Connect Core 1.0 sections 3.2 and 3.3; OAuth 2.0
//! Multiple Response Type Encoding Practices).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::browser::{Away, Browser};
use crate::support::jwt;
use crate::support::launch::Launch;
use crate::support::process::Server;
use crate::support::relying_party::{Answer, AuthorizationRequest, RelyingParty};

const EVERY: &[&str] = &[
    "code",
    "id_token",
    "id_token token",
    "code id_token",
    "code token",
    "code id_token token",
];

/// A client that the operator registered with every response type.
fn party(server: &Server) -> RelyingParty {
    RelyingParty::added(server, &metadata("hybrid", &json!({})))
}

fn metadata(name: &str, more: &Value) -> Value {
    let mut metadata = json!({
        "client_id": name,
        "client_secret": "kfs_a-secret-of-the-hybrid-client-nobody-else-uses",
        "redirect_uris": ["https://hybrid.test/callback"],
        "grant_types": ["authorization_code", "implicit", "refresh_token"],
        "response_types": EVERY,
        "id_token_claims": "lean",
    });
    for (name, value) in more.as_object().expect("an object") {
        metadata[name] = value.clone();
    }
    metadata
}

fn asking(party: &RelyingParty, response_type: &str, scope: &str) -> AuthorizationRequest {
    party.request(scope).with("response_type", response_type)
}

async fn sign_in(server: &Server, request: &AuthorizationRequest) -> Away {
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    browser
        .sign_in(&request.url(), &alice.username, &alice.password)
        .await
}

fn half_hash(value: &str) -> Value {
    URL_SAFE_NO_PAD.encode(&Sha256::digest(value)[..16]).into()
}

/// OpenID Connect Core 1.0 sections 3.2.2.5, 3.2.2.10, 3.3.2.5 and 3.3.2.11; RFC 9207.
#[tokio::test]
async fn each_response_type_gives_what_its_words_say_in_the_fragment() {
    let server = Server::serve();
    let party = party(&server);
    let keys = party.jwks().await;
    for response_type in EVERY.iter().copied().skip(1).chain(["token id_token code"]) {
        let has = |word: &str| response_type.split(' ').any(|own| own == word);
        let request = asking(&party, response_type, "openid email offline_access");
        let away = sign_in(&server, &request).await;
        assert_eq!(
            away.url.query(),
            None,
            "{response_type}: nothing in the query"
        );
        assert!(away.url.fragment().is_some(), "{}", away.url);
        let parameter = |name: &str| away.parameter(name);
        assert_eq!(parameter("code").is_some(), has("code"), "{response_type}");
        assert_eq!(
            parameter("access_token").is_some(),
            has("token"),
            "{response_type}"
        );
        assert_eq!(
            parameter("id_token").is_some(),
            has("id_token"),
            "{response_type}"
        );
        assert_eq!(parameter("refresh_token"), None);
        assert_eq!(parameter("state"), Some(request.state.clone()));
        assert_eq!(parameter("iss").as_deref(), Some(server.issuer()));

        if let Some(access_token) = parameter("access_token") {
            assert_eq!(parameter("token_type").as_deref(), Some("Bearer"));
            assert_eq!(parameter("expires_in").as_deref(), Some("3600"));
            let scope = parameter("scope").unwrap_or_default();
            let is_offline = scope.split(' ').any(|scope| scope == "offline_access");
            assert_eq!(is_offline, has("code"), "{response_type}: {scope}");
            let userinfo = party.userinfo(&access_token).await.json;
            assert_eq!(userinfo["email"], "alice@example.com");
        }
        if let Some(id_token) = parameter("id_token") {
            let badge = jwt::verify(&id_token, &keys);
            assert_eq!(badge["nonce"], request.nonce, "{response_type}");
            assert_eq!(badge["aud"], party.client_id);
            let at_hash = parameter("access_token").as_deref().map(half_hash);
            assert_eq!(badge.get("at_hash"), at_hash.as_ref(), "{response_type}");
            let c_hash = parameter("code").as_deref().map(half_hash);
            assert_eq!(badge.get("c_hash"), c_hash.as_ref(), "{response_type}");
            // Section 5.4: where there is no access token, the claims have no other way.
            let is_alone = response_type == "id_token";
            assert_eq!(badge["email"].is_string(), is_alone, "{response_type}");
        }
        if let Some(code) = parameter("code") {
            let tokens = party.redeem(&code, &request.verifier).await.tokens();
            let badge = jwt::verify(&tokens.id_token, &keys);
            assert_eq!(badge["nonce"], request.nonce);
            assert_eq!(badge["at_hash"], half_hash(&tokens.access_token));
            assert!(!tokens.refresh_token.is_empty());
            if let Some(front) = parameter("id_token") {
                // Section 3.3.3.6.
                let front = jwt::claims(&front);
                assert_eq!(
                    (&front["iss"], &front["sub"]),
                    (&badge["iss"], &badge["sub"])
                );
            }
        }
    }
}

/// RFC 6749 section 4.1.2; OpenID Connect Core 1.0 section 3.3.3.
#[tokio::test]
async fn a_code_presented_twice_ends_the_token_that_came_beside_it() {
    for access_token_format in ["jwt", "opaque"] {
        let server = Server::serve();
        let more = json!({"access_token_format": access_token_format});
        let party = RelyingParty::added(&server, &metadata("hybrid", &more));
        let request = asking(&party, "code token", "openid");
        let away = sign_in(&server, &request).await;
        let beside = away.parameter("access_token").expect("an access token");
        party.redeem(&away.code(), &request.verifier).await.tokens();
        assert_eq!(party.userinfo(&beside).await.status, 200);

        let again = party.redeem(&away.code(), &request.verifier).await;
        again.refused(&["invalid_grant"]);
        party.userinfo(&beside).await.challenged("invalid_token");
    }
}

/// OAuth 2.0 Multiple Response Types section 5; RFC 9700 section 4.3.1.
#[tokio::test]
async fn tokens_never_travel_in_a_query_and_errors_go_where_they_would() {
    let server = Server::serve();
    let party = party(&server);
    for (response_type, name, value, error) in [
        ("id_token", "response_mode", "query", "invalid_request"),
        ("code token", "response_mode", "query", "invalid_request"),
        (
            "code token",
            "response_mode",
            "query.jwt",
            "invalid_request",
        ),
        ("id_token", "nonce", "", "invalid_request"),
        ("code id_token token", "nonce", "", "invalid_request"),
        ("id_token", "scope", "email", "invalid_scope"),
        ("id_token token", "prompt", "none", "login_required"),
        (
            "code token",
            "code_challenge_method",
            "plain",
            "invalid_request",
        ),
        ("token", "prompt", "none", "unsupported_response_type"),
        (
            "id_token foo",
            "prompt",
            "none",
            "unsupported_response_type",
        ),
    ] {
        let request = asking(&party, response_type, "openid").with(name, value);
        let mut browser = Browser::new(server.issuer());
        let away = browser.open(&request.url()).await.away();
        assert_eq!(away.error(), error, "{response_type} with {name}={value}");
        assert_eq!(away.url.query(), None, "{}", away.url);
        assert_eq!(away.parameter("state"), Some(request.state));
        assert_eq!(away.parameter("iss").as_deref(), Some(server.issuer()));
    }
    // `code token` has no ID token, and so needs no nonce.
    let request = asking(&party, "code token", "openid").without("nonce");
    sign_in(&server, &request).await.code();

    let request = asking(&party, "code id_token token", "openid");
    let away = sign_in(&server, &request.with("response_mode", "form_post")).await;
    assert_eq!((away.url.query(), away.url.fragment()), (None, None));
    for name in ["code", "id_token", "access_token"] {
        assert!(away.form.iter().any(|(own, _)| own == name), "{name}");
    }
}

/// RFC 9700 section 2.1.2: for who is not registered for it, the implicit flow is not there.
#[tokio::test]
async fn a_client_gets_only_the_response_types_that_it_is_registered_for() {
    let server = Server::serve();
    let more = json!({"response_types": ["id_token"], "grant_types": ["implicit"]});
    let narrow = RelyingParty::added(&server, &metadata("narrow", &more));
    let usual = RelyingParty::web_app(&server);
    for (party, response_type, error) in [
        (&narrow, "id_token token", "unsupported_response_type"),
        (&narrow, "code id_token", "unsupported_response_type"),
        (&narrow, "code", "unauthorized_client"),
        (&usual, "id_token", "unsupported_response_type"),
        (&usual, "code token", "unsupported_response_type"),
    ] {
        let request = asking(party, response_type, "openid");
        let mut browser = Browser::new(server.issuer());
        let away = browser.open(&request.url()).await.away();
        assert_eq!(away.error(), error, "{response_type}");
        assert_eq!(away.parameter("access_token"), None);
        assert_eq!(away.parameter("id_token"), None);
    }
    let token = [("grant_type", "implicit")];
    usual
        .token(&token)
        .await
        .refused(&["unsupported_grant_type"]);
}

/// RFC 7591 section 2.1.
#[tokio::test]
async fn a_registration_whose_grants_and_response_types_disagree_is_refused() {
    let server = Server::serve();
    for (response_types, grant_types) in [
        (json!(["id_token"]), json!(["authorization_code"])),
        (json!(["code token"]), json!(["implicit"])),
        (json!(["token"]), json!(["implicit"])),
    ] {
        let more = json!({"response_types": response_types, "grant_types": grant_types});
        let metadata = metadata("contradictory", &more).to_string();
        let file = server.directory().join("contradictory.json");
        std::fs::write(&file, &metadata).expect("a file");
        let file = file.to_string_lossy();
        let output = server.run(&["client", "add", "--metadata", &file], "");
        assert_eq!(output.status.code(), Some(5), "{metadata}");
    }
}

/// OpenID Connect Discovery 1.0 section 3.
#[tokio::test]
async fn the_metadata_offers_the_flows_only_while_somebody_may_use_them() {
    let mut server = Server::serve();
    let web_app = RelyingParty::web_app(&server);
    let discovery = server.url("/.well-known/openid-configuration");
    let metadata = web_app.fetch(discovery.as_str()).await.json;
    assert_eq!(metadata["response_types_supported"], json!(["code"]));
    let has = |metadata: &Value, member: &str, value: &str| {
        let values = metadata[member].as_array().expect(member);
        values.contains(&value.into())
    };
    assert!(!has(&metadata, "grant_types_supported", "implicit"));
    assert!(!has(&metadata, "response_modes_supported", "fragment"));

    party(&server);
    // Instead of the seconds for which the answer is kept.
    server.restart();
    let metadata = web_app.fetch(discovery.as_str()).await.json;
    assert_eq!(metadata["response_types_supported"], json!(EVERY));
    assert!(has(&metadata, "grant_types_supported", "implicit"));
    assert!(has(&metadata, "response_modes_supported", "fragment"));
}

/// OpenID Connect Discovery 1.0 section 3; OpenID Connect Dynamic Client Registration 1.0 section 2.
#[tokio::test]
async fn a_client_registers_itself_for_the_flows_where_the_operator_allows_it() {
    for is_allowed in [true, false] {
        let launch = Launch::serve()
            .variable("KEYFOB_REGISTRATION__MODE", "open")
            .variable(
                "KEYFOB_REGISTRATION__ALLOW_IMPLICIT",
                &is_allowed.to_string(),
            );
        let server = Server::start(launch);
        let mut party = RelyingParty::web_app(&server);
        let discovery = server.url("/.well-known/openid-configuration");
        let metadata = party.fetch(discovery.as_str()).await.json;
        let offered = if is_allowed { EVERY } else { &EVERY[..1] };
        assert_eq!(metadata["response_types_supported"], json!(offered));

        let registration = json!({
            "redirect_uris": ["https://self.test/callback"],
            "grant_types": ["authorization_code", "implicit"],
            "response_types": ["code", "id_token token"],
        });
        let endpoint = party.endpoint("/oauth2/register");
        let registered = Answer::of(party.http.post(endpoint).json(&registration)).await;
        assert_eq!(registered.status, 201, "{}", registered.text);
        let types = &registered.json["response_types"];
        let count = types.as_array().map(Vec::len);
        assert_eq!(count, Some(if is_allowed { 2 } else { 1 }), "{types}");

        party.client_id = registered.member("client_id").to_owned();
        party.redirect_uri = "https://self.test/callback".to_owned();
        let request = asking(&party, "id_token token", "openid").with("prompt", "none");
        let mut browser = Browser::new(server.issuer());
        let error = browser.open(&request.url()).await.away().error();
        let expected = if is_allowed {
            "login_required"
        } else {
            "unsupported_response_type"
        };
        assert_eq!(error, expected);
    }
}
