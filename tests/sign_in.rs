//! Signing in, from the relying party's side: the whole way, as clients that nobody here wrote go
//! it.

mod support;

use std::time::Duration;

use openidconnect::AuthType;
use support::browser::Browser;
use support::launch::Launch;
use support::process::Server;
use support::relying_party::RelyingParty;
use support::{independent, jwt};

#[tokio::test]
async fn a_person_signs_in_and_the_relying_party_gets_both_tokens() {
    let server = Server::dev();
    for party in [
        RelyingParty::web_app(&server),
        RelyingParty::single_page_app(&server),
    ] {
        let alice = server.user("alice");
        let tokens = party.sign_in(alice, "openid email offline_access").await;

        let claims = jwt::verify(&tokens.id_token, &party.jwks().await);
        assert_eq!(claims["iss"], server.issuer());
        assert_eq!(claims["aud"], party.client_id);
        let userinfo = party.userinfo(&tokens.access_token).await;
        assert_eq!(userinfo.json["sub"], claims["sub"]);
        assert_eq!(userinfo.member("email"), alice.email.as_deref().unwrap());

        let refreshed = party.refresh(&tokens.refresh_token).await.tokens();
        assert_ne!(refreshed.refresh_token, tokens.refresh_token);
    }
}

#[tokio::test]
async fn a_relying_party_made_with_the_openidconnect_crate_is_content() {
    let server = Server::dev();
    for (client, authentication) in [
        (server.web_app(), AuthType::BasicAuth),
        (server.web_app(), AuthType::RequestBody),
        (server.single_page_app(), AuthType::RequestBody),
    ] {
        let alice = server.user("alice");
        let learnt = independent::sign_in(server.issuer(), client, alice, authentication).await;

        assert_eq!(learnt.userinfo.subject(), learnt.id_token.subject());
        assert_eq!(learnt.refreshed.subject(), learnt.id_token.subject());
        assert_eq!(learnt.refreshed.auth_time(), learnt.id_token.auth_time());
        let email = learnt.userinfo.email().map(|email| email.as_str());
        assert_eq!(email, alice.email.as_deref());
    }
}

#[tokio::test]
async fn no_log_level_makes_the_log_tell_what_signs_somebody_in() {
    let mut server = Launch::serve()
        .variable("KEYFOB_LOG__LEVEL", "trace")
        .variable("KEYFOB_LOG__FORMAT", "json")
        .start();
    let party = RelyingParty::web_app(&server);
    let alice = server.user("alice").clone();
    let mut browser = Browser::new(server.issuer());
    let (request, away) = party
        .authorize(&mut browser, &alice, "openid email offline_access")
        .await;
    let code = away.code();
    let tokens = party.redeem(&code, &request.verifier).await.tokens();
    let refreshed = party.refresh(&tokens.refresh_token).await.tokens();
    let userinfo = party.userinfo(&refreshed.access_token).await;
    assert_eq!(userinfo.status, 200);
    party.introspect(&refreshed.refresh_token).await;
    party.revoke(&refreshed.refresh_token).await;

    // What is still to be logged is logged when the server stops.
    assert!(server.terminate(Duration::from_secs(20)).success());
    let log = server.log();
    assert!(log.contains("\"TRACE\""), "{log}");
    let cookies = browser
        .cookies
        .iter()
        .map(|cookie| cookie.value.clone())
        .filter(|value| value.len() >= 16);
    let secrets = [
        alice.password,
        party.client_secret.clone().unwrap(),
        code,
        request.verifier,
        tokens.access_token,
        tokens.id_token,
        tokens.refresh_token,
        refreshed.access_token,
        refreshed.id_token,
        refreshed.refresh_token,
    ];
    for secret in secrets.into_iter().chain(cookies) {
        let line = log.lines().find(|line| line.contains(&secret));
        assert_eq!(line, None, "{secret}");
    }
    let statement = log.lines().find(|line| line.contains("FROM "));
    assert_eq!(statement, None);
}
