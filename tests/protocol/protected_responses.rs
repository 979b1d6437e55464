//! Answers as JWTs: userinfo (OIDC Core section 5.3.2) and introspection (RFC 9701).

use reqwest::StatusCode;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};

use crate::registration::registering;
use crate::support::browser::Browser;
use crate::support::jwt;
use crate::support::process::Server;
use crate::support::relying_party::{Answer, Authentication, RelyingParty, http_client};

const INTROSPECTION_JWT: &str = "application/token-introspection+jwt";

/// A client with this beside what every client needs.
fn party(server: &Server, more: &Value) -> RelyingParty {
    let mut metadata = json!({
        "client_id": "protected",
        "client_secret": "kfs_a-secret-of-the-protected-client-nobody-else-uses",
        "redirect_uris": ["https://protected.test/callback"],
    });
    for (name, value) in more.as_object().expect("an object") {
        metadata[name] = value.clone();
    }
    RelyingParty::added(server, &metadata)
}

async fn introspect(party: &RelyingParty, token: &str, accept: &str) -> Answer {
    let request = party.prepare("/oauth2/introspect", &[("token", token)]);
    Answer::of(request.header(ACCEPT, accept)).await
}

/// Asserts that nothing takes `forged` for a token of any kind.
async fn assert_no_token(party: &RelyingParty, forged: &str) {
    party.userinfo(forged).await.challenged("invalid_token");
    let state = party.introspect(forged).await;
    assert_eq!(state.text, r#"{"active":false}"#);
    let hinting = party.request("openid").with("prompt", "none");
    let hinting = hinting.with("id_token_hint", forged);
    let mut browser = Browser::new(&party.issuer);
    let away = browser.open(&hinting.url()).await.away();
    assert_eq!(away.error(), "invalid_request");
}

/// OIDC Core section 5.3.2.
#[tokio::test]
async fn signed_userinfo_is_a_jwt_for_its_client_and_no_token() {
    for (algorithm, format) in [
        ("RS256", "jwt"),
        ("RS256", "opaque"),
        ("ES256", "jwt"),
        ("EdDSA", "opaque"),
    ] {
        let server = Server::serve();
        let alice = server.user("alice");
        let more =
            json!({"userinfo_signed_response_alg": algorithm, "access_token_format": format});
        let party = party(&server, &more);
        let tokens = party.sign_in(alice, "openid email").await;
        let userinfo = party.userinfo(&tokens.access_token).await;
        assert_eq!(userinfo.status, StatusCode::OK, "{}", userinfo.text);
        assert_eq!(userinfo.header("content-type"), "application/jwt");
        assert_eq!(userinfo.header("cache-control"), "no-store");

        let header = jwt::header(&userinfo.text);
        assert_eq!(header["alg"], algorithm);
        assert_eq!(header.get("typ"), None, "it is none of our tokens");
        let claims = jwt::verify_undated(&userinfo.text, &party.jwks().await);
        let id_token = jwt::claims(&tokens.id_token);
        let expected = json!({
            "iss": server.issuer(),
            "aud": party.client_id,
            "sub": id_token["sub"],
            "email": alice.email,
            "email_verified": id_token["email_verified"],
        });
        assert_eq!(claims, expected);
        assert_no_token(&party, &userinfo.text).await;
    }
}

/// RFC 6750 section 3: whatever a client has registered.
#[tokio::test]
async fn a_refused_bearer_is_challenged_and_told_in_json() {
    let server = Server::serve();
    let party = party(&server, &json!({"userinfo_signed_response_alg": "RS256"}));
    let refused = party.userinfo("kft_nothing").await;
    refused.challenged("invalid_token");
    assert_eq!(refused.header("content-type"), "application/json");
    assert_eq!(refused.member("error"), "invalid_token");
}

/// RFC 9701 sections 4 and 5.
#[tokio::test]
async fn an_introspection_response_that_is_a_jwt_says_what_the_json_says() {
    for (registered, algorithm) in [
        (json!({}), "RS256"),
        (
            json!({"introspection_signed_response_alg": "ES256"}),
            "ES256",
        ),
        (
            json!({"introspection_signed_response_alg": "EdDSA", "access_token_format": "opaque"}),
            "EdDSA",
        ),
    ] {
        let server = Server::serve();
        let party = party(&server, &registered);
        let tokens = party
            .sign_in(server.user("alice"), "openid email offline_access")
            .await;
        let keys = party.jwks().await;
        for token in [&tokens.access_token, &tokens.refresh_token, "garbage"] {
            let plain = party.introspect(token).await;
            let answer = introspect(&party, token, INTROSPECTION_JWT).await;
            assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
            assert_eq!(answer.header("content-type"), INTROSPECTION_JWT);
            assert_eq!(answer.header("cache-control"), "no-store");
            let header = jwt::header(&answer.text);
            assert_eq!(header["typ"], "token-introspection+jwt");
            assert_eq!(header["alg"], algorithm);

            let mut claims = jwt::verify_undated(&answer.text, &keys);
            assert!(claims["iat"].is_i64());
            claims["iat"] = Value::Null;
            let expected = json!({
                "iss": server.issuer(),
                "aud": party.client_id,
                "iat": null,
                "token_introspection": plain.json,
            });
            assert_eq!(claims, expected);
            assert_no_token(&party, &answer.text).await;
        }
    }
}

/// RFC 9701 section 4.
#[tokio::test]
async fn who_does_not_ask_for_a_jwt_is_answered_in_json() {
    let server = Server::serve();
    let party = party(
        &server,
        &json!({"introspection_signed_response_alg": "ES256"}),
    );
    for (accept, is_jwt) in [
        ("application/json", false),
        ("*/*", false),
        ("application/*", false),
        ("application/jwt", false),
        ("nonsense", false),
        ("", false),
        ("application/token-introspection+jwt;q=0", false),
        (
            "application/json, application/token-introspection+jwt;q=0.5",
            false,
        ),
        (
            "application/token-introspection+jwt, application/json",
            true,
        ),
        (
            "application/json;q=0.5, application/token-introspection+jwt",
            true,
        ),
        ("Application/Token-Introspection+JWT", true),
        ("text/html, application/token-introspection+jwt;q=0.1", true),
    ] {
        let answer = introspect(&party, "garbage", accept).await;
        assert_eq!(answer.status, StatusCode::OK, "{accept}");
        let content_type = answer.header("content-type");
        assert_eq!(content_type == INTROSPECTION_JWT, is_jwt, "{accept}");
        assert_eq!(content_type == "application/json", !is_jwt, "{accept}");
    }
    let stranger = party.with_secret("wrong");
    let refused = introspect(&stranger, "garbage", INTROSPECTION_JWT).await;
    refused.unauthenticated();
}

/// Both are discovered, registered, told, and given up again.
#[tokio::test]
async fn a_client_registers_how_it_is_answered() {
    let server = registering("open");
    let http = http_client();
    let discovery = server.url("/.well-known/openid-configuration");
    let metadata = Answer::of(http.get(discovery)).await.json;
    for member in [
        "userinfo_signing_alg_values_supported",
        "introspection_signing_alg_values_supported",
    ] {
        assert_eq!(metadata[member], json!(["RS256", "ES256", "EdDSA"]));
    }

    let endpoint = server.url("/oauth2/register");
    let mut described = json!({
        "redirect_uris": ["https://rp.test/cb"],
        "userinfo_signed_response_alg": "RS256",
        "introspection_signed_response_alg": "ES256",
    });
    let told = Answer::of(http.post(endpoint.clone()).json(&described)).await;
    assert_eq!(told.status, StatusCode::CREATED, "{}", told.text);
    for member in [
        "userinfo_signed_response_alg",
        "introspection_signed_response_alg",
    ] {
        assert_eq!(told.json[member], described[member]);
        for wrong in ["none", "HS256", "rs256"] {
            let mut wrongly = described.clone();
            wrongly[member] = wrong.into();
            let refused = Answer::of(http.post(endpoint.clone()).json(&wrongly)).await;
            refused.refused(&["invalid_client_metadata"]);
            assert!(refused.member("error_description").contains(member));
        }
    }

    let client = serde_json::from_value(told.json.clone()).expect("a client");
    let party = RelyingParty::seeded(&server, &client, Authentication::Basic);
    let tokens = party.sign_in(server.user("alice"), "openid").await;
    let signed = party.userinfo(&tokens.access_token).await;
    assert_eq!(signed.header("content-type"), "application/jwt");

    described["client_id"] = told.json["client_id"].clone();
    described["userinfo_signed_response_alg"] = Value::Null;
    let uri = told.member("registration_client_uri");
    let token = told.member("registration_access_token");
    let changed = Answer::of(http.put(uri).bearer_auth(token).json(&described)).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.text);
    let plain = party.userinfo(&tokens.access_token).await;
    assert_eq!(plain.json["sub"], jwt::claims(&tokens.id_token)["sub"]);
}
