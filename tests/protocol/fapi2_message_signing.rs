//! FAPI 2.0 Message Signing (final): what a client of the profile signs, and what is signed for it.

use jsonwebtoken::Algorithm;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::assertions::open;
use crate::fapi2::{Fapi, code_parameters};
use crate::support::client_key::{ClientKey, now};
use crate::support::jwt;
use crate::support::launch::Launch;
use crate::support::process::Server;
use crate::support::relying_party::AuthorizationRequest;

/// Message Signing sections 5.3.1 and 5.3.2.
#[tokio::test]
async fn a_request_object_is_signed_and_fresh() {
    let server = Launch::serve()
        .variable("KEYFOB_UNSIGNED_REQUEST_OBJECTS", "true")
        .start();
    let fapi = Fapi::with(&server, &json!({"require_signed_request_object": true}));
    let request = fapi.party.request("openid");
    fapi.push(&request).await.refused(&["invalid_request"]);

    let good = object_claims(&fapi, &request);
    let changed = |changes: &Value| {
        let mut claims = good.clone();
        let members = claims.as_object_mut().expect("claims");
        for (name, value) in changes.as_object().expect("changes") {
            if value.is_null() {
                members.remove(name);
            } else {
                members.insert(name.clone(), value.clone());
            }
        }
        fapi.key.sign(&claims)
    };
    let push = async |object: &str| {
        let assertion = fapi.key.sign(&fapi.assertion_claims());
        let parameters = [("request", object)];
        fapi.send("/oauth2/par", &parameters, &assertion, None)
            .await
    };
    for changes in [
        json!({"aud": null}),
        json!({"aud": "https://other.test"}),
        json!({"exp": null}),
        json!({"exp": now() - 1}),
        json!({"nbf": null}),
        json!({"nbf": now() - 3700, "exp": now() + 100}),
        json!({"nbf": now(), "exp": now() + 3700}),
        json!({"nbf": now() + 65, "exp": now() + 300}),
        json!({"iss": "other"}),
        json!({"client_id": "other"}),
        json!({"request_uri": "urn:x"}),
    ] {
        let answer = push(&changed(&changes)).await;
        answer.refused(&["invalid_request_object"]);
    }
    let rs256 = ClientKey::rsa(Algorithm::RS256).sign(&good);
    let header = json!({"alg": "none"});
    let unsigned = jwt::forge(&header, &good, b"");
    for object in [rs256.as_str(), unsigned.as_str()] {
        push(object).await.refused(&["invalid_request_object"]);
    }
    let right = changed(&json!({"aud": [server.issuer()], "nbf": now() + 8}));
    let pushed = push(&right).await;
    assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.text);
}

/// Message Signing section 5.4: `response_modes`.
#[tokio::test]
async fn a_client_keeps_to_the_response_modes_that_it_registered() {
    let server = Server::serve();
    let fapi = Fapi::with(
        &server,
        &json!({"response_modes": ["jwt", "form_post.jwt"]}),
    );
    let request = fapi.party.request("openid");
    fapi.push(&request).await.refused(&["invalid_request"]);
    for (mode, is_registered) in [
        ("query", false),
        ("form_post", false),
        ("fragment.jwt", false),
        ("jwt", true),
        ("query.jwt", true),
        ("form_post.jwt", true),
    ] {
        let answer = fapi
            .push(&request.clone().with("response_mode", mode))
            .await;
        assert_eq!(
            answer.status == StatusCode::CREATED,
            is_registered,
            "{mode}"
        );
    }
    // What is wrong with an address is told as the client wants to be told.
    let arrival = open(&request.url()).await;
    let response = arrival.away().parameter("response").expect("a response");
    let claims = jwt::verify(&response, &fapi.party.jwks().await);
    assert_eq!(claims["error"], "invalid_request");
}

/// Message Signing section 5.4.
#[tokio::test]
async fn a_signed_response_is_signed_with_an_algorithm_of_the_profile() {
    let server = Server::serve();
    let fapi = Fapi::new(&server);
    let request = fapi.party.request("openid").with("response_mode", "jwt");
    let away = fapi.authorize(&request).await;
    let response = away.parameter("response").expect("a response");
    assert_eq!(jwt::header(&response)["alg"], "ES256");
    let claims = jwt::verify(&response, &fapi.party.jwks().await);
    assert_eq!(claims["iss"], server.issuer());
    assert_eq!(claims["aud"], "fapi");
    let code = claims["code"].as_str().expect("a code");
    let answer = fapi.token(&code_parameters(code, &request)).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
}

/// The claims of a good request object with `request` in it.
pub(crate) fn object_claims(fapi: &Fapi<'_>, request: &AuthorizationRequest) -> Value {
    let now = now();
    let mut claims = json!({
        "iss": "fapi", "aud": fapi.server.issuer(), "nbf": now, "exp": now + 300,
    });
    for (name, value) in &request.parameters {
        claims[name.as_str()] = value.as_str().into();
    }
    claims
}
