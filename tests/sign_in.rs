//! Signing in, from the relying party's side: the whole way, as clients that nobody here wrote go
//! it.

mod support;

use openidconnect::AuthType;
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
