//! What is bound to the key of a DPoP proof (RFC 9449 sections 5 to 7 and 10).

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::assertions::assert_told;
use crate::support::browser::Browser;
use crate::support::holder::Holder;
use crate::support::jwt;
use crate::support::process::Server;
use crate::support::relying_party::{Answer, AuthorizationRequest, RelyingParty, Tokens};

const OFFLINE: &str = "openid offline_access";

/// RFC 9449 sections 5, 6 and 7: from the code to userinfo, for JWTs and opaque tokens.
#[tokio::test]
async fn a_token_is_bound_to_the_key_that_asked_for_it() {
    let server = Server::serve();
    let opaque = add_client(&server, &json!({"access_token_format": "opaque"}));
    for party in [
        RelyingParty::single_page_app(&server),
        RelyingParty::web_app(&server),
        opaque,
    ] {
        let key = Holder::new();
        let answer = sign_in(&server, &party, &key, OFFLINE).await;
        assert_eq!(answer.member("token_type"), "DPoP");
        let tokens = answer.tokens();
        if tokens.access_token.contains('.') {
            let claims = jwt::claims(&tokens.access_token);
            assert_eq!(claims["cnf"], json!({"jkt": key.thumbprint()}));
        }
        let info = userinfo(&party, &tokens.access_token, "DPoP", Some(&key)).await;
        assert_eq!(info.status, StatusCode::OK, "{}", info.text);

        let refreshed = refresh(&party, &tokens, Some(&key)).await;
        assert_eq!(refreshed.member("token_type"), "DPoP");
        let info = userinfo(&party, &refreshed.tokens().access_token, "DPoP", Some(&key)).await;
        assert_eq!(info.status, StatusCode::OK, "{}", info.text);

        if party.client_secret.is_some() {
            let told = party.introspect(&tokens.access_token).await;
            assert_eq!(told.member("token_type"), "DPoP");
            assert_eq!(told.json["cnf"]["jkt"], key.thumbprint());
        }
    }
}

/// RFC 9449 section 7.2, CVE class of downgrades.
#[tokio::test]
async fn a_bound_token_is_good_for_nobody_without_its_key() {
    let server = Server::dev();
    let party = RelyingParty::single_page_app(&server);
    let key = Holder::new();
    let tokens = sign_in(&server, &party, &key, OFFLINE).await.tokens();
    let token = &tokens.access_token;

    let as_bearer = party.userinfo(token).await;
    as_bearer.challenged("invalid_token");
    assert!(
        as_bearer
            .header("www-authenticate")
            .starts_with("DPoP algs=\"")
    );
    for (scheme, holder) in [
        ("Bearer", Some(&key)),
        ("DPoP", None),
        ("DPoP", Some(&Holder::new())),
    ] {
        let answer = userinfo(&party, token, scheme, holder).await;
        answer.challenged("invalid_token");
    }
    let in_body = Answer::of(
        party
            .http
            .post(party.endpoint("/oauth2/userinfo"))
            .form(&[("access_token", token)]),
    );
    in_body.await.challenged("invalid_token");

    let bearer = party.sign_in(server.user("bob"), "openid").await;
    let answer = userinfo(&party, &bearer.access_token, "DPoP", Some(&key)).await;
    answer.challenged("invalid_token");
    let answer = userinfo(&party, &bearer.access_token, "Bearer", None).await;
    assert_eq!(answer.status, StatusCode::OK);
}

/// RFC 9449 sections 10 and 10.1.
#[tokio::test]
async fn a_code_is_bound_to_the_key_that_the_request_named() {
    let server = Server::dev();
    let party = RelyingParty::single_page_app(&server);
    let key = Holder::new();
    let request = party.request("openid").with("dpop_jkt", &key.thumbprint());
    for holder in [None, Some(Holder::new())] {
        let code = code(&server, &request).await;
        let answer = redeem(&party, &request, &code, holder.as_ref()).await;
        answer.refused(&["invalid_grant"]);
        // The right key's turn is not over.
        let answer = redeem(&party, &request, &code, Some(&key)).await;
        assert_eq!(answer.member("token_type"), "DPoP");
    }
    for wrong in ["", "x", &"A".repeat(44)] {
        let request = request.clone().with("dpop_jkt", wrong);
        if wrong.is_empty() {
            continue;
        }
        let mut browser = Browser::new(server.issuer());
        let arrival = browser.open(&request.url()).await;
        assert_told(arrival, &request, server.issuer(), "invalid_request");
    }
}

/// RFC 9449 section 10.1.
#[tokio::test]
async fn a_pushed_request_is_bound_by_its_proof() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let (key, other) = (Holder::new(), Holder::new());
    let request = party.request("openid");
    let par = party.endpoint("/oauth2/par");
    let push = async |request: &AuthorizationRequest, proof: String| {
        let parameters: Vec<_> = request
            .parameters
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        Answer::of(
            party
                .prepare("/oauth2/par", &parameters)
                .header("DPoP", proof),
        )
        .await
    };
    let mismatched = request.clone().with("dpop_jkt", &other.thumbprint());
    let refused = push(&mismatched, key.proof("POST", &par)).await;
    refused.refused(&["invalid_request"]);
    let wrong = push(&request, key.proof("GET", &par)).await;
    wrong.refused(&["invalid_dpop_proof"]);

    let pushed = push(&request, key.proof("POST", &par)).await;
    assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.text);
    let mut front = request.clone();
    front.parameters = vec![
        ("client_id".to_owned(), party.client_id.clone()),
        (
            "request_uri".to_owned(),
            pushed.member("request_uri").to_owned(),
        ),
    ];
    let code = code(&server, &front).await;
    let stolen = redeem(&party, &request, &code, Some(&other)).await;
    stolen.refused(&["invalid_grant"]);
    let answer = redeem(&party, &request, &code, Some(&key)).await;
    assert_eq!(answer.member("token_type"), "DPoP");
}

/// RFC 9449 section 5: what a public client holds is only as safe as its key.
#[tokio::test]
async fn a_refresh_token_of_a_public_client_is_bound_to_its_key() {
    let server = Server::dev();
    let key = Holder::new();
    let public = RelyingParty::single_page_app(&server);
    let tokens = sign_in(&server, &public, &key, OFFLINE).await.tokens();
    for holder in [None, Some(Holder::new())] {
        let answer = refresh(&public, &tokens, holder.as_ref()).await;
        answer.refused(&["invalid_grant"]);
    }
    let next = refresh(&public, &tokens, Some(&key)).await.tokens();
    refresh(&public, &next, None)
        .await
        .refused(&["invalid_grant"]);

    // A confidential client shows who it is anyway, and may change its key.
    let confidential = RelyingParty::web_app(&server);
    let tokens = sign_in(&server, &confidential, &key, OFFLINE)
        .await
        .tokens();
    let other = Holder::new();
    let answer = refresh(&confidential, &tokens, Some(&other)).await;
    assert_eq!(
        jwt::claims(&answer.tokens().access_token)["cnf"]["jkt"],
        other.thumbprint()
    );
}

/// A bound token is good for nobody without its key, where it is exchanged either.
#[tokio::test]
async fn a_bound_token_is_exchanged_only_by_who_holds_its_key() {
    let server = Server::serve();
    let party = add_client(
        &server,
        &json!({
            "grant_types": [
                "authorization_code", "urn:ietf:params:oauth:grant-type:token-exchange"
            ],
            "token_exchange": {"impersonation": true},
        }),
    );
    let key = Holder::new();
    let tokens = sign_in(&server, &party, &key, "openid").await.tokens();
    let parameters = [
        (
            "grant_type",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ),
        ("subject_token", tokens.access_token.as_str()),
        (
            "subject_token_type",
            "urn:ietf:params:oauth:token-type:access_token",
        ),
    ];
    for holder in [None, Some(Holder::new())] {
        let answer = token(&party, &parameters, holder.as_ref()).await;
        answer.refused(&["invalid_request"]);
    }
    let answer = token(&party, &parameters, Some(&key)).await;
    assert_eq!(answer.member("token_type"), "DPoP", "{}", answer.text);
}

/// RFC 9449 section 5.2.
#[tokio::test]
async fn a_client_whose_tokens_are_bound_must_send_proofs() {
    let server = Server::serve();
    let party = add_client(&server, &json!({"dpop_bound_access_tokens": true}));
    let request = party.request("openid");
    let code = code(&server, &request).await;
    let answer = redeem(&party, &request, &code, None).await;
    answer.refused(&["invalid_dpop_proof"]);
    let answer = redeem(&party, &request, &code, Some(&Holder::new())).await;
    assert_eq!(answer.member("token_type"), "DPoP");
}

/// A confidential client with this metadata beside the usual.
pub(crate) fn add_client(server: &Server, metadata: &Value) -> RelyingParty {
    let mut all = json!({"redirect_uris": ["http://localhost/callback"]});
    let members = all.as_object_mut().expect("an object");
    members.extend(metadata.as_object().expect("an object").clone());
    let added = server.add_client(&all);
    let web_app = RelyingParty::web_app(server);
    RelyingParty {
        client_id: added["client_id"].as_str().expect("an id").to_owned(),
        client_secret: added["client_secret"].as_str().map(str::to_owned),
        redirect_uri: "http://localhost/callback".to_owned(),
        ..web_app
    }
}

/// Signs alice in as far as the code.
async fn code(server: &Server, request: &AuthorizationRequest) -> String {
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let url = request.url();
    let away = browser.sign_in(&url, &alice.username, &alice.password);
    away.await.code()
}

async fn sign_in(server: &Server, party: &RelyingParty, key: &Holder, scope: &str) -> Answer {
    let request = party.request(scope);
    let code = code(server, &request).await;
    redeem(party, &request, &code, Some(key)).await
}

async fn redeem(
    party: &RelyingParty,
    request: &AuthorizationRequest,
    code: &str,
    key: Option<&Holder>,
) -> Answer {
    let parameters = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &party.redirect_uri),
        ("code_verifier", &request.verifier),
    ];
    token(party, &parameters, key).await
}

async fn refresh(party: &RelyingParty, tokens: &Tokens, key: Option<&Holder>) -> Answer {
    let parameters = [
        ("grant_type", "refresh_token"),
        ("refresh_token", tokens.refresh_token.as_str()),
    ];
    token(party, &parameters, key).await
}

async fn token(party: &RelyingParty, parameters: &[(&str, &str)], key: Option<&Holder>) -> Answer {
    let mut request = party.prepare("/oauth2/token", parameters);
    if let Some(key) = key {
        request = request.header("DPoP", key.proof("POST", &party.endpoint("/oauth2/token")));
    }
    Answer::of(request).await
}

async fn userinfo(
    party: &RelyingParty,
    access_token: &str,
    scheme: &str,
    key: Option<&Holder>,
) -> Answer {
    let url = party.endpoint("/oauth2/userinfo");
    let mut request = party.http.get(&url);
    request = request.header("Authorization", format!("{scheme} {access_token}"));
    if let Some(key) = key {
        request = request.header("DPoP", key.proof_for("GET", &url, access_token));
    }
    Answer::of(request).await
}
