//! Registered APIs beyond the code flow: a device asks for one, a token is exchanged for one, and the
//! API itself asks what its tokens are.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::device::{Device, confirmation, press, register};
use crate::resource_indicators::{LISTED, MCP, NOTES, asking, redeem, server, sign_in};
use crate::support::browser::Browser;
use crate::support::jwt;
use crate::support::relying_party::{Answer, RelyingParty};

const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// RFC 8707 sections 2 and 2.2, with RFC 8628 section 3.1.
#[tokio::test]
async fn a_device_gets_a_token_for_the_api_that_it_asked_for() {
    let (server, _file) = server();
    let party = register(&server, "device", &[]);
    for resource in ["https://unknown.example.com", LISTED] {
        let parameters = [("resource", resource)];
        let answer = party.post("/oauth2/device", &parameters).await;
        answer.refused(&["invalid_target"]);
    }
    // Without a scope it is what the API has.
    let device = Device::ask_for(party, &[("resource", MCP)]).await;
    let mut browser = Browser::new(server.issuer());
    let page = confirmation(&server, &mut browser, &device, "alice").await;
    for words in ["The weather tools", MCP, "Ask how the weather is"] {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    press(&mut browser, &page, "device-allow").await;
    let token = device.poll().await.tokens().access_token;
    let claims = jwt::claims(&token);
    assert_eq!(
        (&claims["aud"], &claims["scope"]),
        (&json!(MCP), &json!("weather.make weather:read"))
    );
}

/// RFC 8693 section 2.1: `resource` and `audience` name the same APIs, each in the form of its own.
#[tokio::test]
async fn a_token_is_exchanged_for_one_for_an_api_in_the_form_of_the_api() {
    let (server, _file) = server();
    let gateway = RelyingParty::added(
        &server,
        &json!({
            "client_id": "gateway",
            "client_secret": "kfs_a-secret-of-the-gateway-nobody-else-uses",
            "redirect_uris": ["https://gateway.test/callback"],
            "grant_types": ["authorization_code", EXCHANGE],
            "scope": "openid weather:read notes:read",
            "token_exchange": {"scope": "weather:read notes:read", "impersonation": true},
        }),
    );
    let tokens = gateway.sign_in(server.user("alice"), "openid").await;
    let exchange = async |targets: &[(&'static str, &'static str)]| {
        let mut parameters = vec![
            ("grant_type", EXCHANGE),
            ("subject_token", &*tokens.access_token),
            ("subject_token_type", ACCESS_TOKEN),
            ("scope", "weather:read notes:read"),
        ];
        parameters.extend(targets);
        gateway.token(&parameters).await
    };
    for target in [("resource", MCP), ("audience", MCP)] {
        let answer = exchange(&[target]).await;
        let lifetime = answer.json["expires_in"].as_u64();
        assert!(lifetime.is_some_and(|it| it <= 300), "{lifetime:?}");
        let token = answer.tokens().access_token;
        assert_eq!(jwt::header(&token)["alg"], "ES256");
        let claims = jwt::claims(&token);
        assert_eq!(
            (&claims["aud"], &claims["scope"]),
            (&json!(MCP), &json!("weather:read"))
        );
    }
    let opaque = exchange(&[("resource", NOTES)]).await.tokens().access_token;
    assert_eq!(opaque.split('.').count(), 1);
    for targets in [
        &[("resource", MCP), ("resource", NOTES)][..],
        &[("resource", LISTED)],
        &[("resource", "https://unknown.example.com")],
    ] {
        exchange(targets).await.refused(&["invalid_target"]);
    }
}

/// RFC 7662 section 2: the API learns of its tokens, and of no others.
#[tokio::test]
async fn an_api_introspects_the_tokens_that_are_for_it() {
    let (server, _file) = server();
    let api = |client_id: &str| {
        RelyingParty::added(
            &server,
            &json!({
                "client_id": client_id,
                "client_secret": format!("kfs_a-secret-of-{client_id}-nobody-else-uses"),
                "grant_types": ["client_credentials"],
            }),
        )
    };
    let (notes, other) = (api("notes-api"), api("other-api"));
    let party = RelyingParty::single_page_app(&server);
    let token = async |resource: &str| {
        let request = asking(&party, "openid notes:read weather:read", &[resource]);
        let code = sign_in(&server, &request).await;
        let answer: Answer = redeem(&party, &request, &code, &[resource]).await;
        answer.tokens().access_token
    };
    let (for_notes, for_weather) = (token(NOTES).await, token(MCP).await);
    let known = notes.introspect(&for_notes).await;
    assert_eq!(known.status, StatusCode::OK);
    assert_eq!(known.json["active"], true);
    assert_eq!(known.json["aud"], NOTES);
    assert_eq!(known.json["scope"], "notes:read");
    for answer in [
        notes.introspect(&for_weather).await,
        other.introspect(&for_notes).await,
    ] {
        assert_eq!(answer.json, json!({"active": false}));
        assert_eq!(answer.json["scope"], Value::Null);
    }
}
