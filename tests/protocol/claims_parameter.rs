//! The parameter `claims` and the authentication context (OpenID Connect Core 1.0 sections 5.5 and
//! 3.1.2.1).

use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::support::browser::{Arrival, Browser};
use crate::support::jwt;
use crate::support::process::Server;
use crate::support::relying_party::{AuthorizationRequest, RelyingParty};

/// A client with lean ID tokens, and somebody of whom every claim is known.
fn server() -> (Server, RelyingParty) {
    let server = Server::serve();
    server.add_user(&json!({
        "username": "carol",
        "password": "amber-heron-5-kite",
        "name": "Carol Complete",
        "nickname": "Caz",
        "email": "carol@example.com",
        "email_verified": true,
        "phone_number": "+33 1 23 45 67 89",
    }));
    let party = RelyingParty::added(
        &server,
        &json!({
            "client_id": "lean",
            "client_secret": "kfs_a-secret-of-the-lean-client-nobody-else-uses",
            "redirect_uris": ["https://lean.test/callback"],
            "id_token_claims": "lean",
            "scope": "openid profile email offline_access",
        }),
    );
    (server, party)
}

async fn sign_in(browser: &mut Browser, request: &AuthorizationRequest) -> String {
    let away = browser
        .sign_in(&request.url(), "carol", "amber-heron-5-kite")
        .await;
    away.code()
}

fn asking(party: &RelyingParty, scope: &str, claims: &Value) -> AuthorizationRequest {
    party.request(scope).with("claims", &claims.to_string())
}

/// OpenID Connect Core 1.0 section 5.5.
#[tokio::test]
async fn a_claim_is_where_it_was_asked_for_and_nowhere_else() {
    let (server, party) = server();
    let claims = json!({
        "userinfo": {
            "name": {"essential": true},
            "email": {"value": "carol@example.com"},
            "middle_name": {"essential": true},
            "phone_number": null,
            "shoe_size": null,
        },
        "id_token": {
            "nickname": null,
            "email_verified": {"value": false},
            "auth_time": {"essential": true},
        },
    });
    let request = asking(&party, "openid offline_access", &claims);
    let mut browser = Browser::new(server.issuer());
    let code = sign_in(&mut browser, &request).await;
    let first = party.redeem(&code, &request.verifier).await.tokens();
    let second = party.refresh(&first.refresh_token).await.tokens();
    for tokens in [first, second] {
        let badge = jwt::claims(&tokens.id_token);
        assert_eq!(badge["nickname"], "Caz");
        assert!(badge["auth_time"].is_i64());
        for absent in ["name", "email", "email_verified", "updated_at"] {
            assert_eq!(badge[absent], Value::Null, "{absent}");
        }
        let userinfo = party.userinfo(&tokens.access_token).await.json;
        // No middle name is known; and the client is not registered for the scope `phone`.
        let expected = json!({
            "sub": badge["sub"], "name": "Carol Complete", "email": "carol@example.com",
        });
        assert_eq!(userinfo, expected);
    }
}

/// OpenID Connect Core 1.0 section 5.5: beside the scopes, and for opaque tokens as for others.
#[tokio::test]
async fn claims_that_were_asked_for_come_beside_those_of_the_scopes() {
    let (server, _) = server();
    let party = RelyingParty::added(
        &server,
        &json!({
            "client_id": "opaque",
            "client_secret": "kfs_a-secret-of-the-opaque-client-nobody-else-uses",
            "redirect_uris": ["https://opaque.test/callback"],
            "access_token_format": "opaque",
        }),
    );
    let claims = json!({"userinfo": {"phone_number": null}, "id_token": {"nickname": null}});
    let request = asking(&party, "openid email", &claims);
    let mut browser = Browser::new(server.issuer());
    let code = sign_in(&mut browser, &request).await;
    let tokens = party.redeem(&code, &request.verifier).await.tokens();
    let badge = jwt::claims(&tokens.id_token);
    assert_eq!(badge["nickname"], "Caz");
    assert_eq!(badge["email"], "carol@example.com");
    let userinfo = party.userinfo(&tokens.access_token).await.json;
    assert_eq!(userinfo["email"], "carol@example.com");
    assert_eq!(userinfo["phone_number"], "+33 1 23 45 67 89");
    assert_eq!(userinfo["nickname"], Value::Null);
}

/// OpenID Connect Core 1.0 section 3.1.2.4.
#[tokio::test]
async fn a_person_is_asked_about_claims_beyond_the_scopes_once() {
    let (server, party) = server();
    let mut browser = Browser::new(server.issuer());
    sign_in(&mut browser, &party.request("openid")).await;

    let email = json!({"userinfo": {"email": null}, "id_token": {"email": null}});
    let request = asking(&party, "openid", &email);
    let silent = request.clone().with("prompt", "none").url();
    let error = browser.open(&silent).await.away().error();
    assert_eq!(error, "consent_required");

    let page = browser.open(&request.url()).await.page();
    let text = page.document().text;
    assert!(text.contains("See your e-mail address"), "{text}");
    let form = page.form("consent-allow").press("consent-allow");
    browser.submit(&page, &form).await.away().code();

    // From now on it is known, with the scope or without it.
    for request in [
        asking(&party, "openid", &email),
        asking(&party, "openid", &json!({"id_token": {"email": null}})),
    ] {
        let request = request.with("prompt", "none");
        browser.open(&request.url()).await.away().code();
    }
    // The scope is more than the claim.
    let request = party.request("openid email").with("prompt", "none");
    let error = browser.open(&request.url()).await.away().error();
    assert_eq!(error, "consent_required");
    // And who allowed the scope has allowed its claims.
    sign_in(&mut browser, &party.request("openid profile")).await;
    let name = json!({"userinfo": {"name": null}});
    let request = asking(&party, "openid", &name).with("prompt", "none");
    browser.open(&request.url()).await.away().code();
}

/// OpenID Connect Core 1.0 sections 3.1.2.2 and 5.5.1.
#[tokio::test]
async fn another_user_than_the_one_asked_for_gets_no_code() {
    let (server, party) = server();
    let mut browser = Browser::new(server.issuer());
    let request = party.request("openid");
    let code = sign_in(&mut browser, &request).await;
    let tokens = party.redeem(&code, &request.verifier).await.tokens();
    let carol = jwt::claims(&tokens.id_token)["sub"].clone();

    for member in ["id_token", "userinfo"] {
        let own = asking(
            &party,
            "openid",
            &json!({member: {"sub": {"value": carol}}}),
        );
        browser.open(&own.url()).await.away().code();

        let other = json!({member: {"sub": {"value": "somebody-else"}}});
        let other = asking(&party, "openid", &other);
        let silent = other.clone().with("prompt", "none").url();
        let error = browser.open(&silent).await.away().error();
        assert_eq!(error, "login_required");
        let page = browser.open_login(&other.url()).await;
        let arrival = browser.log_in(&page, "carol", "amber-heron-5-kite").await;
        assert_eq!(arrival.away().error(), "login_required");
    }
}

/// OpenID Connect Core 1.0 section 5.5.1.1; Unmet Authentication Requirements 1.0 section 2.
#[tokio::test]
async fn an_essential_acr_that_nobody_can_have_is_refused() {
    let (server, party) = server();
    let mut browser = Browser::new(server.issuer());
    let acr = |acr: Value| json!({"id_token": {"acr": acr}});
    let gold = acr(json!({"essential": true, "values": ["gold", "silver"]}));
    let arrival = browser.open(&asking(&party, "openid", &gold).url()).await;
    assert_eq!(arrival.away().error(), "unmet_authentication_requirements");

    for (acr_values, claims) in [
        (None, json!({})),
        (Some("gold 1"), json!({})),
        (Some("gold"), json!({})),
        (None, acr(json!({"essential": true}))),
        (None, acr(json!({"values": ["gold"]}))),
        (
            None,
            acr(json!({"essential": true, "values": ["gold", "1"]})),
        ),
    ] {
        let mut request = asking(&party, "openid", &claims);
        if let Some(acr_values) = acr_values {
            request = request.with("acr_values", acr_values);
        }
        let code = sign_in(&mut browser, &request).await;
        let tokens = party.redeem(&code, &request.verifier).await.tokens();
        assert_eq!(jwt::claims(&tokens.id_token)["acr"], "1", "{claims}");
    }
}

/// OpenID Connect Core 1.0 section 5.5; CVE-2026-9689.
#[tokio::test]
async fn a_claims_parameter_that_cannot_be_read_is_told_to_the_client_at_once() {
    let (server, party) = server();
    let mut browser = Browser::new(server.issuer());
    let deep = format!("{{\"userinfo\":{}", "[".repeat(10_000));
    for claims in [
        "name",
        "[]",
        "{\"userinfo\":{\"name\":null,\"name\":null}}",
        "{\"userinfo\":{\"name\":{\"essential\":\"yes\"}}}",
        "{\"userinfo\":{\"name\":{\"value\":1e99999}}}",
        &deep,
    ] {
        let request = party.request("openid").with("claims", claims);
        let endpoint = server.url("/oauth2/authorize");
        let form = Some(&request.parameters[..]);
        let answer = browser
            .send(Method::POST, &endpoint, form, HeaderMap::new())
            .await;
        match browser.follow(answer).await {
            Arrival::Away(away) => assert_eq!(away.error(), "invalid_request", "{claims:.60}"),
            Arrival::Page(page) => panic!("{claims:.60}: {}", page.describe()),
        }
    }
}

/// OpenID Connect Core 1.0 section 5.5; OpenID Connect Discovery 1.0 section 3.
#[tokio::test]
async fn the_metadata_says_that_claims_and_acr_can_be_asked_for() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let discovery = server.url("/.well-known/openid-configuration");
    let metadata = party.fetch(discovery.as_str()).await.json;
    assert_eq!(metadata["claims_parameter_supported"], true);
    assert_eq!(metadata["acr_values_supported"], json!(["1"]));
}
