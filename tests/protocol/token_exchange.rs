//! RFC 8693: a client turns a token that it holds into one for another API.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::jwt;
use crate::support::process::Server;
use crate::support::relying_party::{Answer, Authentication, RelyingParty, Tokens};
use crate::support::seeds::SeededClient;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const ID_TOKEN: &str = "urn:ietf:params:oauth:token-type:id_token";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
const STOCK: &str = "https://stock.test/api";

/// A server with a shop in which people sign in, a gateway that exchanges their tokens, and an API
/// that is a client of its own.
struct Scene {
    server: Server,
    shop: RelyingParty,
    gateway: RelyingParty,
    api: RelyingParty,
}

impl Scene {
    /// The gateway has this policy, and the shop's tokens this format.
    fn new(policy: &Value, format: &str) -> Self {
        let server = Server::serve();
        let shop = register(
            &server,
            json!({
                "client_id": "shop",
                "redirect_uris": ["https://shop.test/callback"],
                "access_token_format": format,
                "access_token_lifetime": 100,
            }),
        );
        let gateway = register(
            &server,
            json!({
                "client_id": "gateway",
                "grant_types": [GRANT, "client_credentials"],
                "response_types": [],
                "redirect_uris": [],
                "scope": "openid profile orders:read stock:read stock:write",
                "access_token_format": format,
                "token_exchange": policy,
            }),
        );
        let api = register(
            &server,
            json!({
                "client_id": "stock-api",
                "grant_types": [GRANT, "client_credentials"],
                "response_types": [],
                "redirect_uris": [],
                "scope": "openid stock:read",
                "token_exchange": {"subject_clients": ["gateway"]},
            }),
        );
        Self {
            server,
            shop,
            gateway,
            api,
        }
    }

    /// A gateway that may delegate for people who signed in in the shop.
    fn delegating() -> Self {
        Self::new(&policy(), "jwt")
    }

    async fn sign_in(&self) -> Tokens {
        let alice = self.server.user("alice");
        let scope = "openid profile email offline_access";
        self.shop.sign_in(alice, scope).await
    }
}

fn policy() -> Value {
    json!({
        "subject_clients": ["shop"],
        "audience": [STOCK, "stock-api"],
        "scope": "stock:read",
    })
}

fn register(server: &Server, mut metadata: Value) -> RelyingParty {
    let secret = format!("kfs_{}-a-secret-that-nobody-guesses", metadata["client_id"]);
    metadata["client_secret"] = secret.replace('"', "").into();
    server.add_client(&metadata);
    let client: SeededClient = serde_json::from_value(metadata).expect("a client");
    RelyingParty::seeded(server, &client, Authentication::Basic)
}

/// A token of the client's own.
async fn own_token(party: &RelyingParty) -> String {
    let answer = party.token(&[("grant_type", "client_credentials")]).await;
    answer.tokens().access_token
}

async fn exchange(party: &RelyingParty, subject: (&str, &str), more: &[(&str, &str)]) -> Answer {
    let mut parameters = vec![
        ("grant_type", GRANT),
        ("subject_token", subject.0),
        ("subject_token_type", subject.1),
    ];
    parameters.extend(more);
    party.token(&parameters).await
}

/// Exchanges as itself, for the stock.
async fn delegate(party: &RelyingParty, subject: (&str, &str)) -> Answer {
    let own = own_token(party).await;
    let more = [
        ("actor_token", &*own),
        ("actor_token_type", ACCESS_TOKEN),
        ("audience", "stock-api"),
    ];
    exchange(party, subject, &more).await
}

/// RFC 8693 sections 2.1, 2.2.1, 4.1.
#[tokio::test]
async fn a_client_acts_for_a_person_and_the_token_says_so() {
    let mut scene = Scene::delegating();
    let tokens = scene.sign_in().await;
    let subject = jwt::claims(&tokens.access_token);
    let own = own_token(&scene.gateway).await;
    for (token, token_type) in [
        (&tokens.access_token, ACCESS_TOKEN),
        (&tokens.access_token, JWT),
        (&tokens.id_token, ID_TOKEN),
    ] {
        let more = [
            ("actor_token", &*own),
            ("actor_token_type", JWT),
            ("resource", STOCK),
            ("audience", "stock-api"),
            ("scope", "stock:read"),
            ("requested_token_type", ACCESS_TOKEN),
        ];
        let answer = exchange(&scene.gateway, (token, token_type), &more).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        assert_eq!(answer.member("issued_token_type"), ACCESS_TOKEN);
        assert_eq!(answer.member("token_type"), "Bearer");
        assert_eq!(answer.member("scope"), "stock:read");
        assert_eq!(answer.header("cache-control"), "no-store");
        for absent in ["refresh_token", "id_token"] {
            assert_eq!(answer.json[absent], Value::Null);
        }
        let access_token = answer.tokens().access_token;
        let claims = jwt::verify(&access_token, &scene.gateway.jwks().await);
        assert_eq!(claims["sub"], subject["sub"]);
        assert_eq!(claims["client_id"], "gateway");
        assert_eq!(claims["aud"], json!(["stock-api", STOCK]));
        assert_eq!(claims["act"], json!({"sub": "gateway"}));
        assert_eq!(claims["scope"], "stock:read");
        let seen = scene.api.introspect(&access_token).await;
        assert_eq!(seen.json["active"], true);
        assert_eq!(seen.json["act"], json!({"sub": "gateway"}));
        assert_eq!(seen.json["client_id"], "gateway");
        assert_eq!(seen.json["username"], "alice");
        // It is not for Keyfob itself.
        let userinfo = scene.gateway.userinfo(&access_token).await;
        assert!(userinfo.status.is_client_error());
    }
    scene.server.terminate(Duration::from_secs(30));
    let log = scene.server.log();
    assert_eq!(log.matches("token exchanged").count(), 3, "{log}");
    assert!(!log.contains(&tokens.access_token));
}

/// RFC 8693 section 4.1: the chain is kept.
#[tokio::test]
async fn an_exchanged_token_is_exchanged_again_and_names_both_who_act() {
    for format in ["jwt", "opaque"] {
        let scene = Scene::new(&policy(), format);
        let tokens = scene.sign_in().await;
        let subject = (&*tokens.access_token, ACCESS_TOKEN);
        let first = delegate(&scene.gateway, subject).await.tokens();
        let own = own_token(&scene.api).await;
        let more = [("actor_token", &*own), ("actor_token_type", ACCESS_TOKEN)];
        let second = exchange(&scene.api, (&first.access_token, ACCESS_TOKEN), &more).await;
        let second = second.tokens().access_token;
        let seen = scene.api.introspect(&second).await;
        let both = json!({"sub": "stock-api", "act": {"sub": "gateway"}});
        assert_eq!(seen.json["act"], both, "{format}");

        // The end of what alice allowed the shop is the end of all of it.
        scene.shop.revoke(&tokens.refresh_token).await;
        for token in [&first.access_token, &second] {
            let seen = scene.api.introspect(token).await;
            assert_eq!(seen.text, r#"{"active":false}"#, "{format}");
        }
    }
}

/// RFC 8693 section 1.1: impersonation.
#[tokio::test]
async fn a_client_impersonates_only_where_its_policy_allows_it() {
    let mut allowed = policy();
    allowed["impersonation"] = true.into();
    for (policy, is_allowed) in [(policy(), false), (allowed, true)] {
        let scene = Scene::new(&policy, "jwt");
        let tokens = scene.sign_in().await;
        let subject = (&*tokens.access_token, ACCESS_TOKEN);
        let answer = exchange(&scene.gateway, subject, &[]).await;
        if !is_allowed {
            answer.refused(&["invalid_request"]);
            continue;
        }
        let claims = jwt::claims(&answer.tokens().access_token);
        assert_eq!(claims["act"], Value::Null);
        assert_eq!(claims["scope"], "openid profile", "what both may have");
    }
}

/// RFC 8693 section 2.2.2.
#[tokio::test]
async fn what_is_no_good_token_is_not_exchanged() {
    let scene = Scene::delegating();
    let tokens = scene.sign_in().await;
    let own = own_token(&scene.gateway).await;
    let other = RelyingParty::web_app(&scene.server);
    let alice = scene.server.user("alice");
    let elsewhere = other.sign_in(alice, "openid").await;
    let forged = jwt::forge(
        &jwt::header(&tokens.access_token),
        &jwt::claims(&tokens.access_token),
        b"signature",
    );
    let revoked = scene.sign_in().await;
    scene.shop.revoke(&revoked.access_token).await;
    for (subject, token_type) in [
        (&*tokens.refresh_token, ACCESS_TOKEN),
        (
            &*tokens.refresh_token,
            "urn:ietf:params:oauth:token-type:refresh_token",
        ),
        (&*tokens.access_token, ID_TOKEN),
        (&*tokens.id_token, ACCESS_TOKEN),
        (&*tokens.id_token, JWT),
        (&*tokens.access_token, "access_token"),
        (&*tokens.access_token, ""),
        (&*elsewhere.access_token, ACCESS_TOKEN),
        (&*elsewhere.id_token, ID_TOKEN),
        (&*revoked.access_token, ACCESS_TOKEN),
        (&*forged, ACCESS_TOKEN),
        (&*own, ACCESS_TOKEN),
        ("garbage", ACCESS_TOKEN),
        ("", ACCESS_TOKEN),
    ] {
        let answer = delegate(&scene.gateway, (subject, token_type)).await;
        answer.refused(&["invalid_request"]);
    }
    for (actor, token_type) in [
        (&*tokens.access_token, ACCESS_TOKEN),
        (&*tokens.refresh_token, ACCESS_TOKEN),
        ("garbage", ACCESS_TOKEN),
        (&*own, ID_TOKEN),
        (&*own, ""),
    ] {
        let more = [("actor_token", actor), ("actor_token_type", token_type)];
        let subject = (&*tokens.access_token, ACCESS_TOKEN);
        let answer = exchange(&scene.gateway, subject, &more).await;
        answer.refused(&["invalid_request"]);
    }
    delegate(&scene.gateway, (&tokens.access_token, ACCESS_TOKEN))
        .await
        .tokens();
}

/// RFC 8693 section 2.2.2; RFC 8707 section 2.
#[tokio::test]
async fn a_client_gets_no_audience_and_no_scope_beyond_its_policy() {
    let scene = Scene::delegating();
    let tokens = scene.sign_in().await;
    let own = own_token(&scene.gateway).await;
    for (name, value, error) in [
        ("audience", "https://evil.test", "invalid_target"),
        ("resource", "https://stock.test/api/more", "invalid_target"),
        ("resource", "not a URI", "invalid_target"),
        ("resource", "https://stock.test/api#part", "invalid_target"),
        // Registered, but neither in the subject's token nor in the policy.
        ("scope", "orders:read", "invalid_scope"),
        ("scope", "stock:read stock:write", "invalid_scope"),
        // In the subject's token, but not for this client, or not to be exchanged.
        ("scope", "email", "invalid_scope"),
        ("scope", "openid offline_access", "invalid_scope"),
        ("requested_token_type", ID_TOKEN, "invalid_request"),
        ("requested_token_type", JWT, "invalid_request"),
    ] {
        let more = [
            ("actor_token", &*own),
            ("actor_token_type", ACCESS_TOKEN),
            (name, value),
        ];
        let subject = (&*tokens.access_token, ACCESS_TOKEN);
        let answer = exchange(&scene.gateway, subject, &more).await;
        answer.refused(&[error]);
    }
}

/// The new token lives no longer than the old one.
#[tokio::test]
async fn an_exchanged_token_does_not_outlive_the_one_it_came_from() {
    for format in ["jwt", "opaque"] {
        let scene = Scene::new(&policy(), format);
        let tokens = scene.sign_in().await;
        let subject = (&*tokens.access_token, ACCESS_TOKEN);
        let answer = delegate(&scene.gateway, subject).await;
        let expires_in = answer.json["expires_in"].as_u64().expect("seconds");
        assert!((1..=100).contains(&expires_in), "{expires_in}");
        let seen = scene.api.introspect(&answer.tokens().access_token).await;
        let before = scene.shop.introspect(&tokens.access_token).await;
        assert!(seen.json["exp"].as_u64() <= before.json["exp"].as_u64());
    }
}

/// Whoever stands between the person and the API can be stopped.
#[tokio::test]
async fn an_exchanged_token_ends_with_each_of_those_it_depends_on() {
    for format in ["jwt", "opaque"] {
        let scene = Scene::new(&policy(), format);
        let tokens = scene.sign_in().await;
        let subject = (&*tokens.access_token, ACCESS_TOKEN);
        let token = delegate(&scene.gateway, subject)
            .await
            .tokens()
            .access_token;
        let is_active = async || {
            let seen = scene.api.introspect(&token).await;
            seen.json["active"] == true
        };
        for (table, column, name) in [
            ("clients", "id", "gateway"),
            ("clients", "id", "shop"),
            ("users", "username", "alice"),
        ] {
            assert!(is_active().await, "{format} {name}");
            for value in ["1", "NULL"] {
                let statement =
                    format!("UPDATE {table} SET disabled_at = {value} WHERE {column} = '{name}'");
                scene.server.execute(statement).await;
                assert_eq!(is_active().await, value == "NULL", "{format} {name}");
            }
        }
        // Its own holder can end it alone.
        scene.gateway.revoke(&token).await;
        assert!(!is_active().await, "{format}");
        let userinfo = scene.shop.userinfo(&tokens.access_token).await;
        assert_eq!(userinfo.status, StatusCode::OK, "{format}");
    }
}

/// Only confidential clients with the grant, and only people whom the client may serve.
#[tokio::test]
async fn the_exchange_is_for_confidential_clients_that_are_registered_for_it() {
    let scene = Scene::delegating();
    let tokens = scene.sign_in().await;
    let subject = (&*tokens.access_token, ACCESS_TOKEN);
    let answer = exchange(&scene.shop, subject, &[]).await;
    answer.refused(&["unauthorized_client"]);
    let impostor = scene.gateway.clone().with_secret("wrong");
    exchange(&impostor, subject, &[]).await.unauthenticated();

    let public = scene
        .server
        .run(&["client", "add", "--public", "--grant-type", GRANT], "");
    assert_eq!(public.status.code(), Some(5));

    let statement = "UPDATE clients SET metadata = replace(metadata, '\"token_exchange\"',
        '\"allowed_groups\":[\"staff\"],\"token_exchange\"') WHERE id = 'gateway'";
    scene.server.execute(statement.to_owned()).await;
    let answer = delegate(&scene.gateway, subject).await;
    answer.refused(&["invalid_request"]);
}
