//! With what clients sign their assertions, and how it is registered.

use std::time::Duration;

use jsonwebtoken::Algorithm;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::client_assertions::{TYPE, post, register, succeeded, token};
use crate::support::client_key::{ClientKey, assertion_claims};
use crate::support::launch::Launch;
use crate::support::peer::Peer;
use crate::support::process::Server;
use crate::support::relying_party::{Answer, http_client};

#[tokio::test]
async fn a_key_of_every_kind_signs_in_and_the_registered_algorithm_alone() {
    let server = Server::serve();
    let issuer = server.issuer();
    for (client_id, key) in [
        ("rs256", ClientKey::rsa(Algorithm::RS256)),
        ("ps256", ClientKey::rsa(Algorithm::PS256)),
        ("es256", ClientKey::p256("a")),
        ("eddsa", ClientKey::ed25519("a")),
    ] {
        let more = json!({"jwks": key.jwks()});
        register(&server, client_id, &more);
        let answer = token(&server, &key.sign(&assertion_claims(client_id, issuer))).await;
        succeeded(&answer, client_id);
    }
    let registered = ClientKey::rsa(Algorithm::PS256);
    let other = ClientKey::rsa(Algorithm::RS256);
    let more = json!({"jwks": registered.jwks(), "token_endpoint_auth_signing_alg": "PS256"});
    register(&server, "fixed", &more);
    let answer = token(
        &server,
        &registered.sign(&assertion_claims("fixed", issuer)),
    )
    .await;
    succeeded(&answer, "the registered algorithm");
    let refused = token(&server, &other.sign(&assertion_claims("fixed", issuer))).await;
    refused.unauthenticated();
}

#[tokio::test]
async fn a_client_signs_in_with_its_secret_which_is_encrypted_at_rest() {
    let server = Server::serve();
    let issuer = server.issuer();
    let more = json!({"token_endpoint_auth_method": "client_secret_jwt"});
    let client = register(&server, "app", &more);
    let secret = client["client_secret"].as_str().unwrap_or_default();
    for algorithm in [Algorithm::HS256, Algorithm::HS384, Algorithm::HS512] {
        let key = ClientKey::secret(secret.as_bytes(), algorithm);
        let answer = token(&server, &key.sign(&assertion_claims("app", issuer))).await;
        succeeded(&answer, &format!("{algorithm:?}"));
    }
    for entry in std::fs::read_dir(server.directory()).expect("its directory") {
        let path = entry.expect("an entry").path();
        let content = std::fs::read(&path).unwrap_or_default();
        let has_secret = content
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!has_secret, "{}", path.display());
    }

    let rotated = server.operate(&["client", "rotate-secret", "app", "--json"], "");
    let fresh = rotated["client_secret"].as_str().unwrap_or_default();
    assert_ne!(fresh, secret);
    let sign = |secret: &str| {
        let key = ClientKey::secret(secret.as_bytes(), Algorithm::HS256);
        key.sign(&assertion_claims("app", issuer))
    };
    for secret in [fresh, secret] {
        succeeded(&token(&server, &sign(secret)).await, "during the overlap");
    }
    let columns = ["previous_expires_at"];
    let overlap = Duration::from_hours(24);
    server
        .age("client_signing_secrets", &columns, overlap)
        .await;
    token(&server, &sign(secret)).await.unauthenticated();
    succeeded(&token(&server, &sign(fresh)).await, "the new secret");
}

#[tokio::test]
async fn the_keys_may_be_at_a_jwks_uri() {
    let key = ClientKey::p256("a");
    let jwks = key.jwks().to_string();
    let peer = Peer::serving(move || jwks.clone());
    let listed = format!("localhost:{}", peer.port());
    let server = Launch::serve()
        .variable("KEYFOB_OUTBOUND__ALLOW", &listed)
        .start();
    let inner = Peer::serving(|| r#"{"keys":[]}"#.to_owned());
    register(&server, "app", &json!({"jwks_uri": peer.url("/jwks")}));
    register(&server, "inner", &json!({"jwks_uri": inner.url("/jwks")}));
    let issuer = server.issuer();
    for _ in 0..3 {
        let answer = token(&server, &key.sign(&assertion_claims("app", issuer))).await;
        succeeded(&answer, "a key at a URI");
    }
    assert_eq!(peer.requests().len(), 1, "they are kept for a while");
    let stranger = ClientKey::p256("b");
    for _ in 0..3 {
        let answer = token(&server, &stranger.sign(&assertion_claims("app", issuer))).await;
        answer.unauthenticated();
    }
    assert_eq!(peer.requests().len(), 1, "and asked for anew once a minute");

    let answer = token(&server, &key.sign(&assertion_claims("inner", issuer))).await;
    answer.unauthenticated();
    assert_eq!(inner.connections(), 0);
}

#[tokio::test]
async fn what_cannot_authenticate_is_not_registered() {
    let server = Server::serve();
    let key = ClientKey::p256("a");
    let mut secret = key.jwk.clone();
    secret["d"] = json!("AA");
    for (more, expected) in [
        (json!({}), "token_endpoint_auth_method"),
        (json!({"jwks": {"keys": []}}), "jwks"),
        (json!({"jwks": {"keys": [secret]}}), "jwks"),
        (
            json!({"jwks": {"keys": [{"kty": "oct", "k": "AA"}]}}),
            "jwks",
        ),
        (
            json!({"jwks": key.jwks(), "jwks_uri": "https://app.test/jwks"}),
            "jwks",
        ),
        (json!({"jwks_uri": "file:///etc/passwd"}), "jwks_uri"),
        (
            json!({"jwks": key.jwks(), "token_endpoint_auth_signing_alg": "RS256"}),
            "jwks",
        ),
        (
            json!({"jwks": key.jwks(), "token_endpoint_auth_signing_alg": "HS256"}),
            "token_endpoint_auth_signing_alg",
        ),
        (
            json!({"jwks": key.jwks(), "token_endpoint_auth_signing_alg": "none"}),
            "token_endpoint_auth_signing_alg",
        ),
        (
            json!({"jwks": key.jwks(), "client_secret": "x".repeat(64)}),
            "client_secret",
        ),
        (
            json!({"token_endpoint_auth_method": "client_secret_jwt", "client_secret": "short"}),
            "client_secret",
        ),
    ] {
        let mut metadata = json!({
            "client_id": "app",
            "redirect_uris": [],
            "grant_types": ["client_credentials"],
            "token_endpoint_auth_method": "private_key_jwt",
        });
        for (name, value) in more.as_object().expect("an object") {
            metadata[name] = value.clone();
        }
        let arguments = ["client", "add", "--metadata", "-"];
        let output = server.run(&arguments, &metadata.to_string());
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{more}");
        assert!(said.contains(expected), "{more}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[tokio::test]
async fn the_metadata_names_the_ways_to_authenticate() {
    let server = Server::dev();
    let metadata = Answer::of(http_client().get(server.url("/.well-known/openid-configuration")));
    let metadata = metadata.await.json;
    for endpoint in ["token", "introspection", "revocation"] {
        let methods = &metadata[format!("{endpoint}_endpoint_auth_methods_supported")];
        let algorithms =
            &metadata[format!("{endpoint}_endpoint_auth_signing_alg_values_supported")];
        let has = |list: &Value, name: &str| {
            let list = list.as_array().expect("a list");
            list.iter().any(|it| it == name)
        };
        assert!(has(methods, "private_key_jwt") && has(methods, "client_secret_jwt"));
        assert!(has(algorithms, "ES256") && has(algorithms, "HS256"));
        assert!(!has(algorithms, "none"));
    }
}

#[tokio::test]
async fn a_client_that_registers_itself_may_sign_in_with_what_it_signs() {
    let server = Launch::serve()
        .variable("KEYFOB_REGISTRATION__MODE", "open")
        .start();
    let issuer = server.issuer();
    let key = ClientKey::p256("a");
    let register = async |metadata: Value| {
        let request = http_client().post(server.url("/oauth2/register"));
        Answer::of(request.json(&metadata)).await
    };
    let uris = json!(["https://app.test/cb"]);
    let by_secret = json!({
        "redirect_uris": uris, "token_endpoint_auth_method": "client_secret_jwt",
    });
    let by_key = json!({
        "redirect_uris": uris, "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256", "jwks": key.jwks(),
    });
    for metadata in [by_secret, by_key] {
        let client = register(metadata).await;
        assert_eq!(client.status, StatusCode::CREATED, "{}", client.text);
        let id = client.json["client_id"].as_str().unwrap_or_default();
        let claims = assertion_claims(id, issuer);
        let assertion = match client.json["client_secret"].as_str() {
            Some(secret) => ClientKey::secret(secret.as_bytes(), Algorithm::HS512).sign(&claims),
            None => key.sign(&claims),
        };
        // It is known, and has no token to revoke.
        let parameters = [
            ("token", "unknown"),
            ("client_assertion_type", TYPE),
            ("client_assertion", &*assertion),
        ];
        let answer = post(&server, "/oauth2/revoke", &parameters).await;
        succeeded(&answer, "revocation");
        post(&server, "/oauth2/revoke", &parameters)
            .await
            .unauthenticated();
    }
    let mut secret = key.jwk.clone();
    secret["d"] = json!("AA");
    for (jwks, alg) in [
        (json!({"keys": [secret]}), "ES256"),
        (key.jwks(), "RS256"),
        (json!({"keys": []}), "ES256"),
    ] {
        let answer = register(json!({
            "redirect_uris": uris, "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_signing_alg": alg, "jwks": jwks,
        }));
        answer.await.refused(&["invalid_client_metadata"]);
    }
}
