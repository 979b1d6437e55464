//! Authorization codes: once, soon, by the client they were issued to.

use std::time::Duration;

use futures_util::future::join_all;

use crate::support::balancer::Balancer;
use crate::support::browser::Browser;
use crate::support::launch::{Database, Launch, free_port};
use crate::support::postgres;
use crate::support::process::Server;
use crate::support::relying_party::{Answer, RelyingParty};
use reqwest::StatusCode;

/// CVE-2026-28513; CVE-2026-32245; CVE-2026-55672.
#[tokio::test]
async fn a_code_of_another_client_is_refused_and_stays_good_for_its_own() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let (code, verifier) = fresh_code(&server, &party).await;
    let mut other = RelyingParty::single_page_app(&server);
    other.redirect_uri.clone_from(&party.redirect_uri);
    other
        .redeem(&code, &verifier)
        .await
        .refused(&["invalid_grant"]);
    party.redeem(&code, &verifier).await.tokens();
}

/// RFC 6749 section 4.1.3; OAuth 2.1 section 4.1.3.
#[tokio::test]
async fn the_redirect_uri_must_be_that_of_the_request() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let (code, verifier) = fresh_code(&server, &party).await;
    let mut elsewhere = party.clone();
    elsewhere.redirect_uri.push('x');
    elsewhere
        .redeem(&code, &verifier)
        .await
        .refused(&["invalid_grant"]);

    // Where PKCE was used, it may be left out.
    let answer = party
        .token(&[
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("code_verifier", &verifier),
        ])
        .await;
    answer.tokens();
}

/// RFC 6749 section 4.1.2; CVE-2026-68079.
#[tokio::test]
async fn a_code_presented_twice_revokes_what_it_earned() {
    for database in databases() {
        let server = Launch::dev().on(database).start();
        let party = RelyingParty::web_app(&server);
        let request = party.request("openid offline_access");
        let alice = server.user("alice");
        let mut browser = Browser::new(server.issuer());
        let away = browser
            .sign_in(&request.url(), &alice.username, &alice.password)
            .await;
        let (code, verifier) = (away.code(), request.verifier);
        let tokens = party.redeem(&code, &verifier).await.tokens();
        let userinfo = party.userinfo(&tokens.access_token).await;
        assert_eq!(userinfo.status, StatusCode::OK);

        party
            .redeem(&code, &verifier)
            .await
            .refused(&["invalid_grant"]);
        let userinfo = party.userinfo(&tokens.access_token).await;
        userinfo.challenged("invalid_token");
        let refreshed = party.refresh(&tokens.refresh_token).await;
        refreshed.refused(&["invalid_grant"]);
        let state = party.introspect(&tokens.access_token).await;
        assert_eq!(state.text, r#"{"active":false}"#);
    }
}

/// CVE-2026-1035; ASVS 10.4.2.
#[tokio::test]
async fn of_fifty_redemptions_of_one_code_one_succeeds() {
    let server = Server::with_file();
    let party = RelyingParty::web_app(&server);
    let (code, verifier) = fresh_code(&server, &party).await;
    let answers = join_all((0..50).map(|_| party.redeem(&code, &verifier))).await;
    assert_one_succeeded(&party, &answers).await;
}

/// Two servers on one database are one provider.
#[tokio::test]
async fn of_fifty_redemptions_at_two_replicas_one_succeeds() {
    let Some(url) = postgres::database() else {
        return;
    };
    let server = Launch::serve().on(Database::Url(url)).start();
    let replica = server.replica(free_port());
    let balancer = Balancer::start(0, vec![server.port(), replica.port()]).await;
    let mut party = RelyingParty::web_app(&server);
    let (code, verifier) = fresh_code(&server, &party).await;
    party.issuer = format!("http://localhost:{}", balancer.port);
    let answers = join_all((0..50).map(|_| party.redeem(&code, &verifier))).await;
    assert_one_succeeded(&party, &answers).await;
    assert!(balancer.is_fair());
}

async fn assert_one_succeeded(party: &RelyingParty, answers: &[Answer]) {
    let (good, bad): (Vec<_>, Vec<_>) = answers
        .iter()
        .partition(|answer| answer.status == StatusCode::OK);
    assert_eq!(good.len(), 1);
    for answer in bad {
        answer.refused(&["invalid_grant"]);
    }
    // The others were replays, so what the one got has ended.
    let tokens = good[0].tokens();
    let userinfo = party.userinfo(&tokens.access_token).await;
    userinfo.challenged("invalid_token");
}

/// ASVS 10.4.3.
#[tokio::test]
async fn a_code_of_more_than_a_minute_is_refused() {
    let server = Server::with_file();
    let party = RelyingParty::web_app(&server);
    let (code, verifier) = fresh_code(&server, &party).await;
    let minute = Duration::from_secs(61);
    server
        .age("authorization_codes", &["expires_at"], minute)
        .await;
    party
        .redeem(&code, &verifier)
        .await
        .refused(&["invalid_grant"]);
}

/// OAuth 2.1 section 4.1.3: a thief's guess does not burn the code, five of them do.
#[tokio::test]
async fn a_wrong_try_does_not_burn_a_code_and_five_do() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let (code, verifier) = fresh_code(&server, &party).await;
    let wrong = "w".repeat(43);
    party
        .redeem(&code, &wrong)
        .await
        .refused(&["invalid_grant"]);
    let thief = party.clone().with_secret("wrong");
    thief.redeem(&code, &verifier).await.unauthenticated();
    party.redeem(&code, &verifier).await.tokens();

    let (code, verifier) = fresh_code(&server, &party).await;
    for _ in 0..5 {
        party
            .redeem(&code, &wrong)
            .await
            .refused(&["invalid_grant"]);
    }
    party
        .redeem(&code, &verifier)
        .await
        .refused(&["invalid_grant"]);
}

/// RFC 6749 section 10.10.
#[tokio::test]
async fn what_is_no_code_is_refused() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let (code, verifier) = fresh_code(&server, &party).await;
    let shorter = &code[..code.len() - 1];
    let longer = format!("{code}A");
    for wrong in ["x", shorter, &longer, &code.to_lowercase(), " ", "kfc_"] {
        let answer = party.redeem(wrong, &verifier).await;
        answer.refused(&["invalid_grant", "invalid_request"]);
    }
    party.redeem(&code, &verifier).await.tokens();
}

/// A code that alice's sign-in earned, and its verifier.
pub(crate) async fn fresh_code(server: &Server, party: &RelyingParty) -> (String, String) {
    let mut browser = Browser::new(server.issuer());
    let alice = server.user("alice");
    let scope = "openid offline_access";
    let (request, away) = party.authorize(&mut browser, alice, scope).await;
    (away.code(), request.verifier)
}

/// Every kind of database there is on this machine.
pub(crate) fn databases() -> Vec<Database> {
    let mut databases = vec![Database::File];
    databases.extend(postgres::database().map(Database::Url));
    databases
}
