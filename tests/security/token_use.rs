//! Tokens where they are shown: each kind opens its own doors, and a revoked one opens none.

use std::time::Duration;

use crate::support::jwt;
use crate::support::process::Server;
use crate::support::relying_party::{Answer, Authentication, RelyingParty, Tokens, http_client};
use reqwest::StatusCode;
use serde_json::json;

const OFFLINE: &str = "openid offline_access";

/// RFC 9068 section 5; ASVS 9.2.2.
#[tokio::test]
async fn neither_token_passes_for_the_other() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let tokens = party.sign_in(server.user("alice"), OFFLINE).await;
    assert_eq!(jwt::header(&tokens.access_token)["typ"], "at+jwt");
    assert_ne!(jwt::header(&tokens.id_token)["typ"], "at+jwt");
    let audiences =
        [&tokens.access_token, &tokens.id_token].map(|it| jwt::claims(it)["aud"].clone());
    assert_ne!(audiences[0], audiences[1]);

    for wrong in [&tokens.id_token, &tokens.refresh_token] {
        party.userinfo(wrong).await.challenged("invalid_token");
    }
    let state = party.introspect(&tokens.id_token).await;
    assert_eq!(state.text, r#"{"active":false}"#);

    let request = party.request("openid").with("prompt", "none");
    let request = request.with("id_token_hint", &tokens.access_token);
    let away = crate::assertions::open(&request.url()).await.away();
    assert_eq!(away.error(), "invalid_request");

    let mut logout = server.url("/oauth2/logout");
    logout
        .query_pairs_mut()
        .append_pair("id_token_hint", &tokens.access_token);
    let page = crate::assertions::open(&logout).await;
    crate::assertions::assert_page(page, "an access token as id_token_hint");
}

/// RFC 6750 sections 2.3 and 3; CVE-2026-27840.
#[tokio::test]
async fn userinfo_answers_a_good_token_and_no_other() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let tokens = party.sign_in(server.user("alice"), OFFLINE).await;
    let token = &tokens.access_token;
    let endpoint = server.url("/oauth2/userinfo");
    let bare = Answer::of(http_client().get(endpoint.clone())).await;
    assert_eq!(bare.status, StatusCode::UNAUTHORIZED);
    let challenge = bare.header("www-authenticate");
    assert!(challenge.starts_with("Bearer"), "{challenge}");
    assert!(!challenge.contains("error"), "{challenge}");

    let mut flipped = token.clone();
    flipped.make_ascii_uppercase();
    let claims = jwt::claims(token);
    let header = jwt::header(token);
    let mut longer_lived = claims.clone();
    longer_lived["exp"] = json!(9_999_999_999_i64);
    let signature = token.rsplit('.').next().unwrap_or_default();
    for wrong in [
        token[..token.len() - 1].to_owned(),
        format!("{token}A"),
        format!("{token}="),
        format!("{token}.x"),
        flipped,
        jwt::forge(&json!({"alg": "none", "typ": "at+jwt"}), &claims, b""),
        jwt::forge(
            &json!({"alg": "HS256", "typ": "at+jwt", "kid": header["kid"]}),
            &claims,
            b"x",
        ),
        format!("{}{signature}", jwt::forge(&header, &longer_lived, b"")),
        "kfa_0000000000000000000000000000000000000000000".to_owned(),
        "x".to_owned(),
    ] {
        party.userinfo(&wrong).await.challenged("invalid_token");
    }

    let in_query = format!("{endpoint}?access_token={token}");
    let answer = party.fetch(&in_query).await;
    assert!(answer.status.is_client_error(), "{}", answer.text);
    assert_eq!(answer.member("sub"), "");
    let form = http_client()
        .post(endpoint.clone())
        .form(&[("access_token", token)]);
    assert_eq!(Answer::of(form).await.status, StatusCode::OK);
    let both = http_client()
        .post(endpoint.clone())
        .bearer_auth(token)
        .form(&[("access_token", token)]);
    assert_eq!(Answer::of(both).await.status, StatusCode::BAD_REQUEST);
    let header = http_client().post(endpoint).bearer_auth(token);
    assert_eq!(Answer::of(header).await.status, StatusCode::OK);

    let machine = RelyingParty::machine(&server);
    let own = machine.token(&[("grant_type", "client_credentials")]).await;
    let answer = machine.userinfo(&own.tokens().access_token).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let challenge = answer.header("www-authenticate");
    assert!(
        challenge.contains("error=\"insufficient_scope\""),
        "{challenge}"
    );
}

/// RFC 7009; CVE-2020-15223.
#[tokio::test]
async fn a_client_revokes_its_own_tokens_and_no_others() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let public = RelyingParty::single_page_app(&server);
    let alice = server.user("alice");
    for unknown in [
        "x",
        "kfr_0000000000000000000000000000000000000000000",
        "a.b.c",
    ] {
        assert_eq!(party.revoke(unknown).await.status, StatusCode::OK);
    }
    party
        .post("/oauth2/revoke", &[])
        .await
        .refused(&["invalid_request"]);
    let thief = party.clone().with_secret("wrong");
    thief.revoke("x").await.unauthenticated();

    let tokens = party.sign_in(alice, OFFLINE).await;
    for token in [&tokens.access_token, &tokens.refresh_token] {
        let status = public.revoke(token).await.status;
        assert!(status == StatusCode::OK || status == StatusCode::BAD_REQUEST);
    }
    assert_alive(&party, &tokens).await;

    party.revoke(&tokens.access_token).await;
    let userinfo = party.userinfo(&tokens.access_token).await;
    userinfo.challenged("invalid_token");
    let fresh = party.refresh(&tokens.refresh_token).await.tokens();
    assert_eq!(
        party.revoke(&fresh.refresh_token).await.status,
        StatusCode::OK
    );
    let refreshed = party.refresh(&fresh.refresh_token).await;
    refreshed.refused(&["invalid_grant"]);
    let userinfo = party.userinfo(&fresh.access_token).await;
    userinfo.challenged("invalid_token");

    let tokens = public.sign_in(alice, OFFLINE).await;
    assert_eq!(
        public.revoke(&tokens.refresh_token).await.status,
        StatusCode::OK
    );
    let refreshed = public.refresh(&tokens.refresh_token).await;
    refreshed.refused(&["invalid_grant"]);
}

/// A revocation that was answered survives a crash.
#[tokio::test]
async fn a_revocation_survives_a_crash() {
    let mut server = Server::with_file();
    let party = RelyingParty::web_app(&server);
    let tokens = party.sign_in(server.user("alice"), OFFLINE).await;
    assert_eq!(
        party.revoke(&tokens.refresh_token).await.status,
        StatusCode::OK
    );
    server.kill9();
    server.restart();
    let refreshed = party.refresh(&tokens.refresh_token).await;
    refreshed.refused(&["invalid_grant"]);
    let userinfo = party.userinfo(&tokens.access_token).await;
    userinfo.challenged("invalid_token");
}

/// RFC 7662; CVE-2026-8922.
#[tokio::test]
async fn introspection_tells_who_may_know_and_says_no_more_than_no() {
    let server = Server::with_file();
    let party = RelyingParty::web_app(&server);
    let tokens = party.sign_in(server.user("alice"), OFFLINE).await;
    let state = party.introspect(&tokens.access_token).await;
    assert_eq!(state.json["active"], json!(true));
    assert_eq!(state.member("client_id"), party.client_id);
    assert_eq!(state.json["sub"], jwt::claims(&tokens.id_token)["sub"]);

    let endpoint = server.url("/oauth2/introspect");
    let form = [("token", &tokens.access_token)];
    let nobody = Answer::of(http_client().post(endpoint).form(&form)).await;
    nobody.unauthenticated();
    party
        .clone()
        .with_secret("wrong")
        .introspect("x")
        .await
        .unauthenticated();
    let public = RelyingParty::single_page_app(&server);
    public
        .introspect(&tokens.access_token)
        .await
        .unauthenticated();
    party
        .post("/oauth2/introspect", &[])
        .await
        .refused(&["invalid_request"]);

    let machine = RelyingParty::machine(&server);
    let foreign = machine.introspect(&tokens.access_token).await;
    let garbage = party.introspect("garbage").await;
    let old = party.refresh(&tokens.refresh_token).await.tokens();
    party.refresh(&old.refresh_token).await.tokens();
    let rotated = party.introspect(&old.refresh_token).await;
    server
        .age(
            "refresh_tokens",
            &["expires_at"],
            Duration::from_hours(24 * 1000),
        )
        .await;
    let expired = party.introspect(&tokens.refresh_token).await;
    party.revoke(&tokens.access_token).await;
    let revoked = party.introspect(&tokens.access_token).await;
    for answer in [foreign, garbage, rotated, expired, revoked] {
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.text, r#"{"active":false}"#);
        assert_eq!(answer.header("cache-control"), "no-store");
    }
}

/// ASVS 7.4.2; CVE-2025-64521.
#[tokio::test]
async fn tokens_of_a_disabled_user_are_good_for_nothing() {
    let server = Server::serve();
    let party = RelyingParty::web_app(&server).authenticating(Authentication::Post);
    let tokens = party.sign_in(server.user("bob"), OFFLINE).await;
    assert_alive(&party, &tokens).await;
    server.operate(&["user", "disable", "bob"], "");
    let userinfo = party.userinfo(&tokens.access_token).await;
    userinfo.challenged("invalid_token");
    for token in [&tokens.access_token, &tokens.refresh_token] {
        let state = party.introspect(token).await;
        assert_eq!(state.text, r#"{"active":false}"#);
    }
}

async fn assert_alive(party: &RelyingParty, tokens: &Tokens) {
    let userinfo = party.userinfo(&tokens.access_token).await;
    assert_eq!(userinfo.status, StatusCode::OK, "{}", userinfo.text);
    for token in [&tokens.access_token, &tokens.refresh_token] {
        let state = party.introspect(token).await;
        assert_eq!(state.json["active"], json!(true), "{}", state.text);
    }
}
