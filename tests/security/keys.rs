//! What is published of the signing keys, and how a rotation looks from outside.

use std::collections::BTreeSet;

use crate::support::jwt;
use crate::support::process::Server;
use crate::support::relying_party::RelyingParty;
use serde_json::Value;

/// RFC 7517 section 9.3; OIDC Core section 10.1.
#[tokio::test]
async fn only_the_public_parts_of_keys_are_published() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let jwks = party.jwks().await;
    let keys = jwks["keys"].as_array().expect("keys");
    let mut kids = BTreeSet::new();
    for key in keys {
        for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
            assert_eq!(key.get(private), None, "{key}");
        }
        assert_ne!(key["kty"], "oct");
        assert_eq!(key["use"], "sig");
        assert!(kids.insert(key["kid"].to_string()), "{} twice", key["kid"]);
    }
    for algorithm in ["RS256", "ES256", "EdDSA"] {
        assert!(
            keys.iter().any(|key| key["alg"] == algorithm),
            "{algorithm}"
        );
    }
    let tokens = party.sign_in(server.user("alice"), "openid").await;
    assert_eq!(jwt::header(&tokens.id_token)["alg"], "RS256");
    jwt::verify(&tokens.id_token, &jwks);
    jwt::verify(&tokens.access_token, &jwks);
}

/// OIDC Core section 10.1.1: a relying party that has cached the keys verifies what comes next.
#[tokio::test]
async fn a_rotation_breaks_neither_old_tokens_nor_cached_keys() {
    let server = Server::serve();
    let party = RelyingParty::web_app(&server);
    let alice = server.user("alice");
    let before = party.sign_in(alice, "openid").await;
    let cached = party.jwks().await;
    server.operate(&["key", "rotate"], "");

    let after = party.sign_in(alice, "openid").await;
    jwt::verify(&after.id_token, &cached);
    let now = party.jwks().await;
    jwt::verify(&before.id_token, &now);
    jwt::verify(&after.id_token, &now);
    assert!(kids(&cached).is_subset(&kids(&now)));
    let userinfo = party.userinfo(&before.access_token).await;
    assert_eq!(userinfo.status, 200);
}

/// One key set for all replicas, and a secret beside it for none of the world.
#[tokio::test]
async fn keys_survive_a_restart() {
    let mut server = Server::serve();
    let party = RelyingParty::web_app(&server);
    let before = kids(&party.jwks().await);
    server.restart();
    assert_eq!(kids(&party.jwks().await), before);
}

fn kids(jwks: &Value) -> BTreeSet<String> {
    let keys = jwks["keys"].as_array().expect("keys");
    keys.iter().map(|key| key["kid"].to_string()).collect()
}
