//! `private_key_jwt` and `client_secret_jwt` (RFC 7523, OpenID Connect Core section 9).

use jsonwebtoken::Algorithm;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::client_key::{ClientKey, assertion_claims, now};
use crate::support::process::Server;
use crate::support::relying_party::{Answer, RelyingParty, http_client};

pub(crate) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Registers a client that acts as itself, with these further members.
pub(crate) fn register(server: &Server, client_id: &str, more: &Value) -> Value {
    let mut metadata = json!({
        "client_id": client_id,
        "redirect_uris": [],
        "grant_types": ["client_credentials"],
        "scope": "stock:read",
        "token_endpoint_auth_method": "private_key_jwt",
    });
    for (name, value) in more.as_object().expect("an object") {
        metadata[name] = value.clone();
    }
    server.add_client(&metadata)
}

pub(crate) async fn post(server: &Server, path: &str, parameters: &[(&str, &str)]) -> Answer {
    Answer::of(http_client().post(server.url(path)).form(parameters)).await
}

/// Asks for a token with this assertion, and no `client_id`.
pub(crate) async fn token(server: &Server, assertion: &str) -> Answer {
    let parameters = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", TYPE),
        ("client_assertion", assertion),
    ];
    post(server, "/oauth2/token", &parameters).await
}

#[track_caller]
pub(crate) fn succeeded(answer: &Answer, what: &str) {
    assert_eq!(answer.status, StatusCode::OK, "{what}: {}", answer.text);
}

#[tokio::test]
async fn a_client_signs_in_with_its_private_key_wherever_clients_do() {
    let server = Server::serve();
    let key = ClientKey::p256("a");
    register(
        &server,
        "app",
        &json!({
            "jwks": key.jwks(),
            "grant_types": ["client_credentials", "authorization_code"],
            "redirect_uris": ["https://app.test/cb"],
        }),
    );
    let issuer = server.issuer().to_owned();
    let sign = |audience: &str| key.sign(&assertion_claims("app", audience));
    let endpoint = |path: &str| format!("{issuer}{path}");
    let mut access_token = String::new();
    for audience in [issuer.clone(), endpoint("/oauth2/token")] {
        let answer = token(&server, &sign(&audience)).await;
        succeeded(&answer, &audience);
        access_token = answer.json["access_token"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
    }
    for (path, parameters, expected) in [
        ("/oauth2/introspect", vec![("token", &*access_token)], 200),
        (
            "/oauth2/par",
            vec![
                ("response_type", "code"),
                ("redirect_uri", "https://app.test/cb"),
                ("scope", "stock:read"),
            ],
            201,
        ),
        ("/oauth2/revoke", vec![("token", &*access_token)], 200),
    ] {
        for audience in [issuer.clone(), endpoint(path)] {
            let assertion = sign(&audience);
            let mut parameters = parameters.clone();
            parameters.push(("client_assertion_type", TYPE));
            parameters.push(("client_assertion", &assertion));
            parameters.push(("client_id", "app"));
            let answer = post(&server, path, &parameters).await;
            assert_eq!(answer.status, expected, "{path}: {}", answer.text);
            if path == "/oauth2/introspect" {
                assert_eq!(answer.json["active"], true, "{}", answer.text);
            }
            // It is used up everywhere.
            post(&server, path, &parameters).await.unauthenticated();
            token(&server, &assertion).await.unauthenticated();
        }
    }
}

/// CVE-2015-9235, CVE-2022-21449.
#[tokio::test]
async fn an_assertion_that_the_client_did_not_sign_is_refused() {
    let server = Server::serve();
    let key = ClientKey::rsa(Algorithm::RS256);
    register(&server, "app", &json!({"jwks": key.jwks()}));
    let ec = ClientKey::p256("a");
    register(&server, "ec", &json!({"jwks": ec.jwks()}));
    let issuer = server.issuer();
    let claims = || assertion_claims("app", issuer);
    let n = key.jwk["n"].as_str().unwrap_or_default();
    let as_secret = ClientKey::secret(n.as_bytes(), Algorithm::HS256);
    let stranger = ClientKey::p256("a");
    let whole = key.sign(&claims());
    let (message, _) = whole.rsplit_once('.').unwrap_or_default();
    let with_header = |header: Value| key.sign_with_header(&header, &claims());
    let zeros = "A".repeat(86);
    let ec_message = ec.sign(&assertion_claims("ec", issuer));
    let (ec_message, _) = ec_message.rsplit_once('.').unwrap_or_default();
    for (what, assertion) in [
        ("none", with_header(json!({"alg": "none"}))),
        ("None", with_header(json!({"alg": "None"}))),
        ("no signature", format!("{message}.")),
        ("the public key as a secret", as_secret.sign(&claims())),
        (
            "another algorithm",
            with_header(json!({"alg": "PS256", "kid": "rsa"})),
        ),
        (
            "another kid",
            with_header(json!({"alg": "RS256", "kid": "b"})),
        ),
        (
            "crit",
            with_header(json!({"alg": "RS256", "kid": "rsa", "crit": ["exp"]})),
        ),
        ("an embedded key", {
            let header = json!({"alg": "ES256", "jwk": stranger.jwk});
            stranger.sign_with_header(&header, &claims())
        }),
        (
            "a stranger's key",
            stranger.sign(&assertion_claims("ec", issuer)),
        ),
        ("zeros", format!("{ec_message}.{zeros}")),
        (
            "the type of an access token",
            with_header(json!({"alg": "RS256", "typ": "at+jwt"})),
        ),
        ("no JWT", "a.b.c".to_owned()),
    ] {
        let answer = token(&server, &assertion).await;
        assert_eq!(
            answer.status,
            StatusCode::UNAUTHORIZED,
            "{what}: {}",
            answer.text
        );
        answer.unauthenticated();
    }
    succeeded(&token(&server, &whole).await, "the client's own");
}

/// CVE-2026-25537, CVE-2020-5300, CVE-2020-15222.
#[tokio::test]
async fn an_assertion_that_says_the_wrong_things_is_refused() {
    let server = Server::serve();
    let key = ClientKey::ed25519("a");
    register(&server, "app", &json!({"jwks": key.jwks()}));
    register(&server, "other", &json!({"jwks": key.jwks()}));
    let issuer = server.issuer();
    let now = now();
    let with = |changes: Value| {
        let mut claims = assertion_claims("app", issuer);
        for (name, value) in changes.as_object().expect("an object") {
            match value {
                Value::Null => drop(claims.as_object_mut().and_then(|it| it.remove(name))),
                _ => claims[name] = value.clone(),
            }
        }
        key.sign(&claims)
    };
    for changes in [
        json!({"exp": null}),
        json!({"exp": now - 1}),
        json!({"exp": "9999999999"}),
        json!({"exp": now + 3700}),
        json!({"exp": now + 1_000_000_000}),
        json!({"nbf": now + 60}),
        json!({"iat": now + 60}),
        json!({"iss": "other"}),
        json!({"iss": null}),
        json!({"iss": issuer}),
        json!({"sub": "other"}),
        json!({"aud": null}),
        json!({"aud": "https://other.test"}),
        json!({"aud": format!("{issuer}/")}),
        json!({"aud": {}}),
        json!({"aud": [1]}),
        json!({"jti": null}),
        json!({"jti": ""}),
    ] {
        let answer = token(&server, &with(changes.clone())).await;
        assert_eq!(
            answer.status,
            StatusCode::UNAUTHORIZED,
            "{changes}: {}",
            answer.text
        );
        answer.unauthenticated();
    }
    for payload in [
        format!(r#"{{"iss":"app","sub":"app","aud":"{issuer}","exp":1e400,"jti":"x"}}"#),
        format!(r#"{{"iss":"app","sub":"app","aud":"{issuer}","exp":NaN,"jti":"x"}}"#),
        format!(
            r#"{{"iss":"app","sub":"app","aud":"{issuer}","exp":1,"exp":{},"jti":"x"}}"#,
            now + 60
        ),
    ] {
        let answer = token(&server, &key.sign_text(&key.header(), &payload)).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{payload}");
    }
    for changes in [
        json!({"nbf": now + 8, "iat": now + 8}),
        json!({"iat": null}),
        json!({"aud": ["https://other.test", issuer]}),
    ] {
        succeeded(
            &token(&server, &with(changes.clone())).await,
            &changes.to_string(),
        );
    }
    // What the body says of the client is to be the same.
    let assertion = with(json!({}));
    let parameters = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", TYPE),
        ("client_assertion", &*assertion),
        ("client_id", "other"),
    ];
    post(&server, "/oauth2/token", &parameters)
        .await
        .unauthenticated();
}

#[tokio::test]
async fn of_twenty_uses_of_one_assertion_one_succeeds_and_none_after_a_restart() {
    let mut server = Server::serve();
    let key = ClientKey::p256("a");
    register(&server, "app", &json!({"jwks": key.jwks()}));
    let assertion = key.sign(&assertion_claims("app", server.issuer()));
    let uses = (0..20).map(|_| token(&server, &assertion));
    let answers = futures_util::future::join_all(uses).await;
    let successes = answers.iter().filter(|it| it.status == StatusCode::OK);
    assert_eq!(successes.count(), 1);
    server.restart();
    token(&server, &assertion).await.unauthenticated();
    let fresh = key.sign(&assertion_claims("app", server.issuer()));
    succeeded(&token(&server, &fresh).await, "a fresh one");
}

/// ASVS 10.4.10; CVE-2026-22752.
#[tokio::test]
async fn the_registered_way_to_authenticate_is_the_only_one() {
    let server = Server::serve();
    let issuer = server.issuer();
    let key = ClientKey::p256("a");
    register(&server, "keyed", &json!({"jwks": key.jwks()}));
    let more = json!({"token_endpoint_auth_method": "client_secret_jwt"});
    let signing = register(&server, "signing", &more);
    let secret = signing["client_secret"].as_str().unwrap_or_default();
    let more = json!({"token_endpoint_auth_method": "client_secret_basic", "jwks": key.jwks()});
    let presenting = register(&server, "presenting", &more);
    let presented = presenting["client_secret"].as_str().unwrap_or_default();
    let grant = ("grant_type", "client_credentials");
    for parameters in [
        vec![grant, ("client_id", "keyed")],
        vec![grant, ("client_id", "keyed"), ("client_secret", "guess")],
        vec![grant, ("client_id", "signing"), ("client_secret", secret)],
        vec![grant, ("client_id", "signing")],
    ] {
        post(&server, "/oauth2/token", &parameters)
            .await
            .unauthenticated();
    }
    let hmac = |secret: &str| ClientKey::secret(secret.as_bytes(), Algorithm::HS256);
    for assertion in [
        key.sign(&assertion_claims("presenting", issuer)),
        hmac(presented).sign(&assertion_claims("presenting", issuer)),
        hmac(secret).sign(&assertion_claims("keyed", issuer)),
        key.sign(&assertion_claims("signing", issuer)),
        key.sign(&assertion_claims("single-page-app", issuer)),
        key.sign(&assertion_claims("nobody", issuer)),
    ] {
        token(&server, &assertion).await.unauthenticated();
    }
    // Two ways at once, and half of one.
    let assertion = key.sign(&assertion_claims("keyed", issuer));
    for more in [
        vec![("client_assertion_type", TYPE), ("client_secret", "x")],
        vec![],
    ] {
        let mut parameters = vec![grant, ("client_assertion", &*assertion)];
        parameters.extend(more);
        let answer = post(&server, "/oauth2/token", &parameters).await;
        answer.refused(&["invalid_request"]);
    }
    let parameters = [
        grant,
        ("client_assertion", &*assertion),
        (
            "client_assertion_type",
            "urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
        ),
    ];
    post(&server, "/oauth2/token", &parameters)
        .await
        .unauthenticated();
    succeeded(&token(&server, &assertion).await, "the registered way");
}

/// RFC 9068; ASVS 9.2.2.
#[tokio::test]
async fn a_token_of_the_server_is_no_assertion() {
    let server = Server::serve();
    let party = RelyingParty::web_app(&server);
    let tokens = party.sign_in(server.user("alice"), "openid").await;
    for text in [&tokens.access_token, &tokens.id_token] {
        let parameters = [
            ("grant_type", "client_credentials"),
            ("client_assertion_type", TYPE),
            ("client_assertion", text),
            ("client_id", "web-app"),
        ];
        post(&server, "/oauth2/token", &parameters)
            .await
            .unauthenticated();
    }
}
