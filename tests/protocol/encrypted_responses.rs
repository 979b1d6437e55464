//! What a client alone can read: encrypted ID tokens, userinfo, introspection responses and
//! authorization responses (OIDC Core sections 2 and 5.3.2, RFC 9701, JARM, RFC 7516).

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::ACCEPT;
use serde_json::{Value, json};

use crate::registration::{register, registering, web_client};
use crate::support::browser::Browser;
use crate::support::client_key::ClientKey;
use crate::support::jwe::DecryptionKey;
use crate::support::jwt;
use crate::support::launch::Launch;
use crate::support::peer::{Peer, write_json};
use crate::support::process::Server;
use crate::support::relying_party::{Answer, RelyingParty};

const WHAT: &[&str] = &["id_token", "userinfo", "introspection", "authorization"];

/// A client with this beside what every client needs.
fn party(server: &Server, more: &Value) -> RelyingParty {
    let mut metadata = json!({
        "client_id": "encrypted",
        "client_secret": "kfs_a-secret-of-the-encrypted-client-nobody-else-uses",
        "redirect_uris": ["https://encrypted.test/callback"],
    });
    let members = metadata.as_object_mut().expect("an object");
    members.extend(more.as_object().expect("an object").clone());
    RelyingParty::added(server, &metadata)
}

/// What has everything encrypted like this.
fn everything(alg: &str, enc: Option<&str>, key: &DecryptionKey) -> Value {
    let mut metadata = json!({"jwks": key.jwks()});
    for what in WHAT {
        metadata[format!("{what}_encrypted_response_alg")] = alg.into();
        if let Some(enc) = enc {
            metadata[format!("{what}_encrypted_response_enc")] = enc.into();
        }
    }
    metadata
}

/// The JWT in a JWE that is as it was asked for.
fn opened(key: &DecryptionKey, jwe: &str, alg: &str, enc: &str) -> String {
    let (header, jwt) = key.decrypt(jwe);
    assert_eq!(header["alg"], alg);
    assert_eq!(header["enc"], enc);
    assert_eq!(header["cty"], "JWT");
    jwt
}

/// Every algorithm at least once, and what is usual where a client names one of two.
#[tokio::test]
async fn everything_is_signed_and_then_encrypted_for_the_clients_own_key() {
    for (alg, enc, key, format) in [
        ("RSA-OAEP-256", None, DecryptionKey::rsa("k"), "jwt"),
        ("RSA-OAEP", Some("A256GCM"), DecryptionKey::rsa("k"), "jwt"),
        ("ECDH-ES", None, DecryptionKey::p256("k"), "opaque"),
        (
            "ECDH-ES",
            Some("A128GCM"),
            DecryptionKey::x25519("k"),
            "jwt",
        ),
        ("ECDH-ES", Some("A256GCM"), DecryptionKey::p256("k"), "jwt"),
        ("ECDH-ES+A128KW", None, DecryptionKey::x25519("k"), "jwt"),
        (
            "ECDH-ES+A256KW",
            Some("A256GCM"),
            DecryptionKey::p256("k"),
            "jwt",
        ),
    ] {
        let server = Server::serve();
        let mut metadata = everything(alg, enc, &key);
        metadata["userinfo_signed_response_alg"] = "ES256".into();
        metadata["access_token_format"] = format.into();
        let party = party(&server, &metadata);
        let enc = enc.unwrap_or("A128CBC-HS256");
        let keys = party.jwks().await;
        let alice = server.user("alice");

        let request = party.request("openid email").with("response_mode", "jwt");
        let mut browser = Browser::new(server.issuer());
        let away = browser
            .sign_in(&request.url(), &alice.username, &alice.password)
            .await;
        let response = away.parameter("response").expect("a response");
        let response = jwt::verify(&opened(&key, &response, alg, enc), &keys);
        assert_eq!(response["state"], request.state);
        let code = response["code"].as_str().expect("a code");

        let tokens = party.redeem(code, &request.verifier).await.tokens();
        let id_token = opened(&key, &tokens.id_token, alg, enc);
        let claims = jwt::verify(&id_token, &keys);
        assert_eq!(claims["aud"], party.client_id);
        assert_eq!(claims["nonce"], request.nonce);

        let userinfo = party.userinfo(&tokens.access_token).await;
        assert_eq!(userinfo.header("content-type"), "application/jwt");
        let userinfo = opened(&key, &userinfo.text, alg, enc);
        let userinfo = jwt::verify_undated(&userinfo, &keys);
        assert_eq!(userinfo["sub"], claims["sub"]);
        assert_eq!(userinfo["aud"], party.client_id);

        let asked = party.prepare("/oauth2/introspect", &[("token", &tokens.access_token)]);
        let media_type = "application/token-introspection+jwt";
        let told = Answer::of(asked.header(ACCEPT, media_type)).await;
        assert_eq!(told.header("content-type"), media_type);
        let told = opened(&key, &told.text, alg, enc);
        assert_eq!(jwt::header(&told)["typ"], "token-introspection+jwt");
        let told = jwt::verify_undated(&told, &keys);
        assert_eq!(told["token_introspection"]["active"], true);

        // OIDC Core section 3.1.2.1: who hints decrypts first.
        for (hint, is_good) in [(&id_token, true), (&tokens.id_token, false)] {
            let hinting = party.request("openid").with("prompt", "none");
            let hinting = hinting.with("id_token_hint", hint);
            let away = browser.open(&hinting.url()).await.away();
            assert_eq!(away.parameter("code").is_some(), is_good);
        }
        for encrypted in [&tokens.id_token, &away.parameter("response").expect("it")] {
            party.userinfo(encrypted).await.challenged("invalid_token");
        }
    }
}

/// OIDC Core section 5.3.2.
#[tokio::test]
async fn userinfo_may_be_encrypted_without_being_signed() {
    let server = Server::serve();
    let key = DecryptionKey::p256("k");
    let metadata = json!({"jwks": key.jwks(), "userinfo_encrypted_response_alg": "ECDH-ES"});
    let party = party(&server, &metadata);
    let tokens = party.sign_in(server.user("alice"), "openid").await;
    assert_eq!(
        jwt::header(&tokens.id_token)["typ"],
        "JWT",
        "that is not encrypted"
    );
    let userinfo = party.userinfo(&tokens.access_token).await;
    assert_eq!(userinfo.header("content-type"), "application/jwt");
    let (header, text) = key.decrypt(&userinfo.text);
    assert_eq!(header.get("cty"), None);
    let claims: Value = serde_json::from_str(&text).expect("claims");
    let sub = &jwt::claims(&tokens.id_token)["sub"];
    assert_eq!(
        claims,
        json!({"iss": server.issuer(), "aud": party.client_id, "sub": sub})
    );
}

/// OIDC Core section 3.2.2.5; and a refreshed ID token is encrypted, too.
#[tokio::test]
async fn id_tokens_are_encrypted_wherever_they_come_from() {
    let server = Server::serve();
    let key = DecryptionKey::p256("k");
    let party = party(
        &server,
        &json!({
            "jwks": key.jwks(),
            "id_token_encrypted_response_alg": "ECDH-ES+A128KW",
            "grant_types": ["authorization_code", "refresh_token", "implicit"],
            "response_types": ["code", "code id_token"],
        }),
    );
    let alice = server.user("alice");
    let request = party.request("openid offline_access");
    let request = request.with("response_type", "code id_token");
    let mut browser = Browser::new(server.issuer());
    let away = browser
        .sign_in(&request.url(), &alice.username, &alice.password)
        .await;
    let front = away.parameter("id_token").expect("an ID token");
    let tokens = party.redeem(&away.code(), &request.verifier).await.tokens();
    let refreshed = party.refresh(&tokens.refresh_token).await.tokens();
    let keys = party.jwks().await;
    for id_token in [&front, &tokens.id_token, &refreshed.id_token] {
        let id_token = opened(&key, id_token, "ECDH-ES+A128KW", "A128CBC-HS256");
        assert_eq!(jwt::verify(&id_token, &keys)["aud"], party.client_id);
    }
}

/// OIDC Core section 10.2.
#[tokio::test]
async fn the_key_comes_from_the_jwks_uri_and_nothing_is_told_in_the_clear_without_one() {
    let key = DecryptionKey::p256("at the URI");
    let set = json!({"keys": [ClientKey::p256("sig").jwk, key.jwk]}).to_string();
    let peer = Peer::http(move |_, stream| write_json(stream, "", &set));
    let empty = Peer::http(|_, stream| write_json(stream, "", r#"{"keys":[]}"#));
    let away = Peer::http(|_, _| {});
    let ports = [&peer, &empty, &away].map(|peer| format!("localhost:{}", peer.port()));
    let launch = Launch::serve().variable("KEYFOB_OUTBOUND__ALLOW", &ports.join(","));
    let mut server = launch.start();
    let alice = server.user("alice");
    let client = |client_id: &str, peer: &Peer| {
        let metadata = json!({
            "client_id": client_id,
            "jwks_uri": peer.url("/jwks"),
            "id_token_encrypted_response_alg": "ECDH-ES",
        });
        party(&server, &metadata)
    };

    let good = client("good", &peer);
    for _ in 0..2 {
        let tokens = good.sign_in(alice, "openid").await;
        let id_token = opened(&key, &tokens.id_token, "ECDH-ES", "A128CBC-HS256");
        jwt::verify(&id_token, &good.jwks().await);
    }
    assert_eq!(peer.requests().len(), 1, "it is kept for a while");

    for (client_id, peer, status, error) in [
        ("keyless", &empty, 500, "server_error"),
        ("unreachable", &away, 503, "temporarily_unavailable"),
    ] {
        let party = client(client_id, peer);
        let mut browser = Browser::new(server.issuer());
        let (request, away) = party.authorize(&mut browser, alice, "openid").await;
        let refused = party.redeem(&away.code(), &request.verifier).await;
        assert_eq!(refused.status.as_u16(), status, "{}", refused.text);
        assert_eq!(refused.member("error"), error);
        assert_eq!(refused.json.get("access_token"), None);
    }
    // What is logged is gathered, and written at the latest when the server ends.
    server.terminate(Duration::from_secs(30));
    let log = server.log();
    for client_id in ["keyless", "unreachable"] {
        let said = format!("nothing can be encrypted for the client {client_id}");
        assert!(log.contains(&said), "{log}");
    }
}

/// OIDC Discovery section 3, OIDC Registration section 2.
#[tokio::test]
async fn a_client_registers_what_is_encrypted_and_needs_a_key_for_it() {
    let server = registering("open");
    let http = crate::support::relying_party::http_client();
    let discovery = server.url("/.well-known/openid-configuration");
    let metadata = Answer::of(http.get(discovery)).await.json;
    let algorithms = [
        "RSA-OAEP-256",
        "RSA-OAEP",
        "ECDH-ES",
        "ECDH-ES+A128KW",
        "ECDH-ES+A256KW",
    ];
    let methods = ["A128CBC-HS256", "A128GCM", "A256GCM"];
    for what in WHAT {
        let member = |kind: &str| &metadata[format!("{what}_encryption_{kind}_values_supported")];
        assert_eq!(member("alg"), &json!(algorithms), "{what}");
        assert_eq!(member("enc"), &json!(methods), "{what}");
    }

    let key = DecryptionKey::p256("k");
    let mut described = everything("ECDH-ES", Some("A256GCM"), &key);
    described["redirect_uris"] = web_client()["redirect_uris"].clone();
    let told = register(&server, None, &described).await;
    assert_eq!(told.status, StatusCode::CREATED, "{}", told.text);
    for (member, value) in described.as_object().expect("an object") {
        assert_eq!(told.json[member], *value, "{member}");
    }

    let signing = json!({"keys": [ClientKey::rsa(jsonwebtoken::Algorithm::RS256).jwk]});
    for what in WHAT {
        let (alg, enc) = (
            format!("{what}_encrypted_response_alg"),
            format!("{what}_encrypted_response_enc"),
        );
        for (more, member) in [
            (json!({&alg: "ECDH-ES"}), &*alg),
            (json!({&alg: "RSA1_5", "jwks": key.jwks()}), &alg),
            (json!({&alg: "dir", "jwks": key.jwks()}), &alg),
            (
                json!({&alg: "ECDH-ES", &enc: "A192GCM", "jwks": key.jwks()}),
                &enc,
            ),
            (json!({&enc: "A256GCM", "jwks": key.jwks()}), &enc),
            (json!({&alg: "RSA-OAEP-256", "jwks": key.jwks()}), "jwks"),
            (json!({&alg: "RSA-OAEP-256", "jwks": signing}), "jwks"),
        ] {
            let mut described = web_client();
            let members = described.as_object_mut().expect("an object");
            members.extend(more.as_object().expect("an object").clone());
            let refused = register(&server, None, &described).await;
            refused.refused(&["invalid_client_metadata"]);
            let said = refused.member("error_description");
            assert!(said.starts_with(member), "{more}: {said}");
        }
    }
}
