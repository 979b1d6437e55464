//! PKCE ([RFC 7636]): what a verifier is, and that it cannot be talked away.
//!
//! [RFC 7636]: https://www.rfc-editor.org/rfc/rfc7636

use serde_json::json;

use crate::assertions::{assert_told, open};
use crate::codes::fresh_code;
use crate::support::browser::Browser;
use crate::support::jwt;
use crate::support::launch::Launch;
use crate::support::process::Server;
use crate::support::relying_party::{AuthorizationRequest, RelyingParty, challenge};

/// OAuth 2.1 section 4.1.1; RFC 9700 section 2.1.1.
#[tokio::test]
async fn a_public_client_must_use_pkce() {
    let server = Server::dev();
    let party = RelyingParty::single_page_app(&server);
    for request in [
        party.request("openid").without("code_challenge"),
        without_challenge(party.request("openid")),
    ] {
        let arrival = open(&request.url()).await;
        assert_told(arrival, &request, server.issuer(), "invalid_request");
    }
}

/// An operator may except one client by name; whoever requires PKCE of all excepts none.
#[tokio::test]
async fn a_public_client_leaves_pkce_out_only_by_the_operators_word() {
    for (is_required_of_all, is_excepted) in [("false", true), ("true", false)] {
        let launch = Launch::serve().variable("KEYFOB_REQUIRE_PKCE", is_required_of_all);
        let server = Server::start(launch);
        let redirect_uri = "https://old.example/cb";
        let metadata = |client_id: &str| {
            json!({"client_id": client_id, "redirect_uris": [redirect_uri],
                "token_endpoint_auth_method": "none"})
        };
        server.add_client(&metadata("strict"));
        let mut old = metadata("old");
        old["allow_public_without_pkce"] = json!(true);
        server.add_client(&old);
        let party = |client_id: &str| {
            let mut party = RelyingParty::single_page_app(&server);
            client_id.clone_into(&mut party.client_id);
            redirect_uri.clone_into(&mut party.redirect_uri);
            party
        };

        let request = without_challenge(party("strict").request("openid"));
        let arrival = open(&request.url()).await;
        assert_told(arrival, &request, server.issuer(), "invalid_request");

        let old = party("old");
        let request = without_challenge(old.request("openid"));
        if !is_excepted {
            let arrival = open(&request.url()).await;
            assert_told(arrival, &request, server.issuer(), "invalid_request");
            continue;
        }
        let alice = server.user("alice");
        let mut browser = Browser::new(server.issuer());
        let away = browser
            .sign_in(&request.url(), &alice.username, &alice.password)
            .await;
        let code = away.code();
        // Nothing but the redirect URI is left to bind the code, so it cannot be left out.
        let unbound = [("grant_type", "authorization_code"), ("code", &*code)];
        old.token(&unbound)
            .await
            .refused(&["invalid_grant", "invalid_request"]);
        let bound = [
            ("grant_type", "authorization_code"),
            ("code", &*code),
            ("redirect_uri", redirect_uri),
        ];
        old.token(&bound).await.tokens();
    }
}

/// RFC 9700 section 4.8; CVE-2024-23647; CVE-2025-4144; ASVS 10.4.6.
#[tokio::test]
async fn a_challenge_that_is_not_one_of_s256_is_refused() {
    let server = Server::dev();
    for party in [
        RelyingParty::web_app(&server),
        RelyingParty::single_page_app(&server),
    ] {
        let request = || party.request("openid");
        let good = request().parameter("code_challenge").expect("a challenge");
        for request in [
            request().with("code_challenge_method", "plain"),
            request().with("code_challenge_method", "s256"),
            request().with("code_challenge_method", "S512"),
            request().with("code_challenge_method", ""),
            request().without("code_challenge_method"),
            request().with("code_challenge", ""),
            request().with("code_challenge", &"a".repeat(42)),
            request().with("code_challenge", &"a".repeat(44)),
            request().with("code_challenge", &"a".repeat(129)),
            request().with("code_challenge", &format!("{}=", &good[..42])),
            request().with("code_challenge", &format!("{}+", &good[..42])),
            request().with("code_challenge", &format!("{}é", &good[..41])),
        ] {
            let arrival = open(&request.url()).await;
            assert_told(arrival, &request, server.issuer(), "invalid_request");
        }
    }
}

/// CVE-2023-48228; CVE-2026-48717.
#[tokio::test]
async fn a_challenge_once_sent_must_be_answered() {
    let server = Server::dev();
    for party in [
        RelyingParty::web_app(&server),
        RelyingParty::single_page_app(&server),
    ] {
        let (code, verifier) = fresh_code(&server, &party).await;
        let missing = party
            .token(&[
                ("grant_type", "authorization_code"),
                ("code", &code),
                ("redirect_uri", &party.redirect_uri),
            ])
            .await;
        missing.refused(&["invalid_grant", "invalid_request"]);
        for wrong in ["", &challenge(&verifier), &verifier.to_uppercase()] {
            let answer = party.redeem(&code, wrong).await;
            answer.refused(&["invalid_grant"]);
        }
        party.redeem(&code, &verifier).await.tokens();
    }
}

/// RFC 9700 section 4.8.2: somebody took the challenge out of the authorization request.
#[tokio::test]
async fn a_verifier_without_a_challenge_is_refused() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let request = without_challenge(party.request("openid"));
    let mut browser = Browser::new(server.issuer());
    let alice = server.user("alice");
    let away = browser
        .sign_in(&request.url(), &alice.username, &alice.password)
        .await;
    let answer = party.redeem(&away.code(), &request.verifier).await;
    answer.refused(&["invalid_request", "invalid_grant"]);
}

/// RFC 7636 section 4.1.
#[tokio::test]
async fn a_verifier_is_43_to_128_unreserved_characters() {
    let server = Server::dev();
    let party = RelyingParty::single_page_app(&server);
    let of_length = |length: usize| "aZ0.~_-".chars().cycle().take(length).collect::<String>();
    for (verifier, is_good) in [
        (of_length(43), true),
        (of_length(128), true),
        (of_length(42), false),
        (of_length(129), false),
        (format!("{}+", of_length(42)), false),
        (format!("{} ", of_length(42)), false),
        (format!("{}=", of_length(42)), false),
        (format!("{}é", of_length(42)), false),
    ] {
        let request = party.request("openid");
        let request = request.with("code_challenge", &challenge(&verifier));
        let mut browser = Browser::new(server.issuer());
        let alice = server.user("alice");
        let away = browser
            .sign_in(&request.url(), &alice.username, &alice.password)
            .await;
        let answer = party.redeem(&away.code(), &verifier).await;
        if is_good {
            answer.tokens();
        } else {
            answer.refused(&["invalid_grant"]);
        }
    }
}

/// OIDC Core section 3.1.3.7.
#[tokio::test]
async fn a_nonce_comes_back_unchanged_and_never_an_older_one() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let alice = server.user("alice");
    let mut browser = Browser::new(server.issuer());
    let long = "n".repeat(1024);
    let ascii = "n".repeat(64);
    for nonce in [&*ascii, "Schlüssel \u{1f511} \"&<", &long] {
        let request = party.request("openid").with("nonce", nonce);
        let away = browser
            .sign_in(&request.url(), &alice.username, &alice.password)
            .await;
        let answer = party.redeem(&away.code(), &request.verifier).await;
        assert_eq!(jwt::claims(&answer.tokens().id_token)["nonce"], nonce);
    }
    let request = party.request("openid").without("nonce");
    let away = browser.open(&request.url()).await.away();
    let answer = party.redeem(&away.code(), &request.verifier).await;
    let claims = jwt::claims(&answer.tokens().id_token);
    assert_eq!(claims.get("nonce"), None);
}

fn without_challenge(request: AuthorizationRequest) -> AuthorizationRequest {
    request
        .without("code_challenge")
        .without("code_challenge_method")
}
