//! The algorithms that sign tokens: those of the server's keys, as clients ask for them.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::registration::register;
use crate::support::browser::Browser;
use crate::support::jwt;
use crate::support::launch::Launch;
use crate::support::process::Server;
use crate::support::relying_party::RelyingParty;

const SIGNED: &[&str] = &[
    "id_token_signed_response_alg",
    "access_token_signed_response_alg",
    "userinfo_signed_response_alg",
    "authorization_signed_response_alg",
    "introspection_signed_response_alg",
];

/// A client for which everything is signed by `algorithm`.
fn metadata(algorithm: &str) -> Value {
    let mut metadata = json!({
        "client_id": format!("by-{algorithm}"),
        "client_secret": "kfs_a-secret-of-a-client-with-an-algorithm-of-its-own",
        "redirect_uris": ["https://signed.test/callback"],
    });
    for member in SIGNED {
        metadata[*member] = algorithm.into();
    }
    metadata
}

async fn assert_everything_is_signed_by(server: &Server, algorithm: &str) {
    let party = RelyingParty::added(server, &metadata(algorithm));
    let keys = party.jwks().await;
    let request = party.request("openid email").with("response_mode", "jwt");
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let away = browser
        .sign_in(&request.url(), &alice.username, &alice.password)
        .await;
    let response = away.parameter("response").expect("a response");
    let code = jwt::verify(&response, &keys)["code"].clone();
    let code = code.as_str().expect("a code");
    let tokens = party.redeem(code, &request.verifier).await.tokens();
    let userinfo = party.userinfo(&tokens.access_token).await.text;
    let claims = jwt::verify(&tokens.id_token, &keys);
    assert!(claims["at_hash"].is_string());
    assert_eq!(
        jwt::verify(&tokens.access_token, &keys)["sub"],
        claims["sub"]
    );
    assert_eq!(jwt::verify_undated(&userinfo, &keys)["sub"], claims["sub"]);
    for signed in [&response, &tokens.id_token, &tokens.access_token, &userinfo] {
        assert_eq!(jwt::header(signed)["alg"], algorithm);
    }
    let told = party.introspect(&tokens.access_token).await;
    assert_eq!(told.json["active"], true, "it is known as its own");
}

async fn discovered(party: &RelyingParty) -> Value {
    let discovery = party.endpoint("/.well-known/openid-configuration");
    party.fetch(&discovery).await.json
}

/// RFC 7518 sections 3.4 and 3.5.
#[tokio::test]
async fn a_development_server_signs_with_every_algorithm() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let every = json!(["RS256", "ES256", "EdDSA", "PS256", "ES384"]);
    let metadata = discovered(&party).await;
    for member in [
        "id_token_signing_alg_values_supported",
        "userinfo_signing_alg_values_supported",
        "introspection_signing_alg_values_supported",
        "authorization_signing_alg_values_supported",
    ] {
        assert_eq!(metadata[member], every);
    }
    let keys = party.jwks().await;
    let keys = keys["keys"].as_array().expect("keys");
    for algorithm in every.as_array().expect("algorithms") {
        let own = keys.iter().filter(|key| key["alg"] == *algorithm);
        assert_eq!(own.count(), 2, "{algorithm}: one that signs and the next");
    }
}

/// Beside those that a server usually has, which other tests use.
#[tokio::test]
async fn an_operator_adds_algorithms_and_clients_have_what_there_is() {
    let launch = Launch::serve()
        .variable("KEYFOB_KEYS__ALGORITHMS", "RS256,PS256,ES384")
        .variable("KEYFOB_REGISTRATION__MODE", "open");
    let server = launch.start();
    for algorithm in ["PS256", "ES384"] {
        assert_everything_is_signed_by(&server, algorithm).await;
    }
    let ps256 = RelyingParty::seeded(
        &server,
        &serde_json::from_value(metadata("PS256")).expect("a client"),
        crate::support::relying_party::Authentication::Basic,
    );
    assert_eq!(
        discovered(&ps256).await["id_token_signing_alg_values_supported"],
        json!(["RS256", "PS256", "ES384"])
    );

    // What there are no keys for is refused by the member that asks for it.
    for (algorithm, is_known) in [("ES256", true), ("PS512", false), ("none", false)] {
        for member in SIGNED {
            let described = json!({"redirect_uris": ["https://rp.test/cb"], *member: algorithm});
            let answer = register(&server, None, &described).await;
            if *member == "access_token_signed_response_alg" {
                assert_eq!(answer.status, StatusCode::CREATED, "not a client's to say");
                continue;
            }
            answer.refused(&["invalid_client_metadata"]);
            let said = answer.member("error_description");
            assert!(said.starts_with(member), "{said}");
            assert_eq!(said.contains("signs with RS256, PS256, ES384"), is_known);
        }
    }
}
