//! Signed authorization responses: JWT Secured Authorization Response Mode for OAuth 2.0 (JARM).

use serde_json::{Value, json};

use crate::support::browser::{Away, Browser};
use crate::support::jwt;
use crate::support::process::Server;
use crate::support::relying_party::{AuthorizationRequest, RelyingParty};

/// A client that may use every mode, and whose responses are signed by this algorithm.
fn party(server: &Server, algorithm: &str) -> RelyingParty {
    let metadata = json!({
        "client_id": format!("signed-{algorithm}"),
        "client_secret": "kfs_a-secret-of-the-signed-client-nobody-else-uses",
        "redirect_uris": ["https://signed.test/callback?kept=1"],
        "grant_types": ["authorization_code", "implicit"],
        "response_types": ["code", "code id_token token"],
        "allow_fragment": true,
        "authorization_signed_response_alg": algorithm,
    });
    RelyingParty::added(server, &metadata)
}

/// The claims of the one parameter that there may be.
fn response(away: &Away, keys: &Value) -> Value {
    for outside in ["code", "error", "state", "iss", "id_token", "access_token"] {
        assert_eq!(away.parameter(outside), None, "{}", away.url);
    }
    let response = away.parameter("response").expect("a response");
    let header = jwt::header(&response);
    assert_eq!(header.get("typ"), None, "it is none of our tokens");
    jwt::verify(&response, keys)
}

fn assert_of(
    claims: &Value,
    server: &Server,
    party: &RelyingParty,
    request: &AuthorizationRequest,
) {
    assert_eq!(claims["iss"], server.issuer());
    assert_eq!(claims["aud"], party.client_id);
    assert_eq!(claims["state"], request.state);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let now = now.expect("a clock").as_secs();
    let exp = claims["exp"].as_u64().expect("exp");
    assert!((now..=now + 600).contains(&exp), "{exp}");
}

/// JARM sections 2.1, 2.3 and 3.
#[tokio::test]
async fn a_signed_response_has_all_parameters_in_it_and_none_beside_it() {
    for (algorithm, response_type, mode, place) in [
        ("RS256", "code", "jwt", "query"),
        ("ES256", "code", "query.jwt", "query"),
        ("EdDSA", "code", "fragment.jwt", "fragment"),
        ("RS256", "code", "form_post.jwt", "form"),
        ("ES256", "code id_token token", "jwt", "fragment"),
    ] {
        let server = Server::serve();
        let alice = server.user("alice");
        let party = party(&server, algorithm);
        let keys = party.jwks().await;
        let request = party
            .request("openid")
            .with("response_type", response_type)
            .with("response_mode", mode);
        let mut browser = Browser::new(server.issuer());
        let away = browser
            .sign_in(&request.url(), &alice.username, &alice.password)
            .await;
        let query = away.url.query().unwrap_or_default();
        assert_eq!(query.contains("response="), place == "query", "{mode}");
        assert!(query.starts_with("kept=1"), "{query}");
        assert_eq!(away.url.fragment().is_some(), place == "fragment", "{mode}");
        assert_eq!(away.form.is_empty(), place != "form", "{mode}");
        let header = jwt::header(&away.parameter("response").expect("a response"));
        assert_eq!(header["alg"], algorithm);

        let claims = response(&away, &keys);
        assert_of(&claims, &server, &party, &request);
        let code = claims["code"].as_str().expect("a code");
        party.redeem(code, &request.verifier).await.tokens();
        let is_hybrid = response_type != "code";
        assert_eq!(claims["id_token"].is_string(), is_hybrid);
        assert_eq!(claims["expires_in"].is_string(), is_hybrid);
    }
}

/// JARM section 2.1: an error is signed as well.
#[tokio::test]
async fn an_error_is_signed_as_a_success_is() {
    let server = Server::serve();
    let party = party(&server, "ES256");
    let keys = party.jwks().await;
    for (name, value, error) in [
        ("prompt", "none", "login_required"),
        ("scope", "unknown", "invalid_scope"),
        ("response_type", "foo", "unsupported_response_type"),
        ("max_age", "-1", "invalid_request"),
    ] {
        let request = party.request("openid").with("response_mode", "jwt");
        let request = request.with(name, value);
        let mut browser = Browser::new(server.issuer());
        let away = browser.open(&request.url()).await.away();
        let claims = response(&away, &keys);
        assert_of(&claims, &server, &party, &request);
        assert_eq!(claims["error"], error, "{name}={value}");
        assert_eq!(claims["code"], Value::Null);
    }

    // A mode that the client cannot have is told by the usual one.
    let web_app = RelyingParty::web_app(&server);
    for mode in ["fragment.jwt", "jwt.jwt", "web_message.jwt"] {
        let request = web_app.request("openid").with("response_mode", mode);
        let mut browser = Browser::new(server.issuer());
        let away = browser.open(&request.url()).await.away();
        assert_eq!(away.error(), "invalid_request", "{mode}");
        assert_eq!(away.url.fragment(), None);
    }
}

/// A signed response is no ID token, whoever takes it for one.
#[tokio::test]
async fn a_signed_response_is_taken_for_no_token() {
    let server = Server::serve();
    let party = party(&server, "RS256");
    let request = party.request("openid").with("response_mode", "jwt");
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let away = browser
        .sign_in(&request.url(), &alice.username, &alice.password)
        .await;
    let response = away.parameter("response").expect("a response");
    let hinting = party.request("openid").with("prompt", "none");
    let hinting = hinting.with("id_token_hint", &response);
    let error = browser.open(&hinting.url()).await.away().error();
    assert_eq!(error, "invalid_request");
    party.userinfo(&response).await.challenged("invalid_token");
}

/// JARM section 4.
#[tokio::test]
async fn the_metadata_names_the_signed_modes_and_their_algorithms() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let discovery = server.url("/.well-known/openid-configuration");
    let metadata = party.fetch(discovery.as_str()).await.json;
    let modes = json!(["query", "form_post", "jwt", "query.jwt", "form_post.jwt"]);
    assert_eq!(metadata["response_modes_supported"], modes);
    let algorithms = &metadata["authorization_signing_alg_values_supported"];
    let every = json!(["RS256", "ES256", "EdDSA", "PS256", "ES384"]);
    assert_eq!(algorithms, &every);
}
