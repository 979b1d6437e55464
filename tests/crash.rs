//! Power cuts: a server that is killed in the middle of its work has neither done anything twice
//! nor forgotten what it answered. On every database that there is.
#![allow(
    clippy::expect_used,
    reason = "a test that cannot go on fails, and says why"
)]

mod support;

use std::time::Duration;

use futures_util::future::{join, join_all};
use reqwest::StatusCode;
use support::browser::Browser;
use support::launch::{Database, Launch};
use support::postgres;
use support::process::Server;
use support::relying_party::{Answer, RelyingParty, Tokens};

const ROUNDS: u64 = 8;
const CLIENTS: usize = 16;
const OFFLINE: &str = "openid offline_access";

#[tokio::test]
async fn no_code_succeeds_twice_through_a_crash_and_no_answer_is_forgotten() {
    for database in databases() {
        let mut server = Launch::dev().on(database).start();
        let party = RelyingParty::web_app(&server);
        let mut browser = Browser::new(server.issuer());
        party
            .sign_in_with(&mut browser, server.user("alice"), OFFLINE)
            .await;
        let mut lost = 0;
        for round in 0..ROUNDS {
            let mut codes = Vec::new();
            for _ in 0..CLIENTS {
                let request = party.request(OFFLINE);
                let away = browser.open(&request.url()).await.away();
                codes.push((away.code(), request.verifier));
            }
            let redeem = codes
                .iter()
                .map(|(code, verifier)| try_redeem(&party, code, verifier));
            let answers = interrupted(&mut server, round, join_all(redeem)).await;
            for ((code, verifier), answer) in codes.iter().zip(answers) {
                lost += usize::from(answer.is_none());
                redeemed_at_most_once(&party, code, verifier, answer).await;
            }
        }
        assert!(lost > 0, "no crash came in the middle");
    }
}

/// Holds one code against what came back before the crash.
async fn redeemed_at_most_once(
    party: &RelyingParty,
    code: &str,
    verifier: &str,
    answer: Option<Answer>,
) {
    if let Some(answer) = answer {
        let tokens = answer.tokens();
        let userinfo = party.userinfo(&tokens.access_token).await;
        assert_eq!(userinfo.status, StatusCode::OK, "a token was forgotten");
        party.refresh(&tokens.refresh_token).await.tokens();
        party
            .redeem(code, verifier)
            .await
            .refused(&["invalid_grant"]);
        return;
    }
    // Whether it was consumed nobody can know; but it is now.
    let retried = party.redeem(code, verifier).await;
    if retried.status != StatusCode::OK {
        retried.refused(&["invalid_grant"]);
    }
    party
        .redeem(code, verifier)
        .await
        .refused(&["invalid_grant"]);
}

#[tokio::test]
async fn every_client_goes_on_after_a_crash_in_the_middle_of_its_refresh() {
    for database in databases() {
        let mut server = Launch::dev().on(database).start();
        let party = RelyingParty::web_app(&server);
        let mut browser = Browser::new(server.issuer());
        let alice = server.user("alice").clone();
        let mut families: Vec<Tokens> = Vec::new();
        for _ in 0..CLIENTS {
            let tokens = party.sign_in_with(&mut browser, &alice, OFFLINE).await;
            families.push(tokens);
        }
        let (mut lost, mut last) = (0, Vec::new());
        for round in 0..ROUNDS {
            last = families.clone();
            let refresh = families
                .iter()
                .map(|it| try_refresh(&party, &it.refresh_token));
            let answers = interrupted(&mut server, round, join_all(refresh)).await;
            for (family, answer) in families.iter_mut().zip(answers) {
                lost += usize::from(answer.is_none());
                // Whoever lost the answer asks again with what it has.
                let answer = match answer {
                    Some(answer) => answer,
                    None => party.refresh(&family.refresh_token).await,
                };
                *family = answer.tokens();
                let userinfo = party.userinfo(&family.access_token).await;
                assert_eq!(userinfo.status, StatusCode::OK, "a token was forgotten");
            }
        }
        assert!(lost > 0, "no crash came in the middle");

        let grace = Duration::from_secs(31);
        server.age("refresh_tokens", &["rotated_at"], grace).await;
        for (used, family) in last.iter().zip(&families) {
            let reused = party.refresh(&used.refresh_token).await;
            reused.refused(&["invalid_grant"]);
            let ended = party.refresh(&family.refresh_token).await;
            ended.refused(&["invalid_grant"]);
        }
    }
}

/// Runs `work` while the server is killed in its midst, a little later each round, and started
/// again.
async fn interrupted<T>(server: &mut Server, round: u64, work: impl Future<Output = T>) -> T {
    let kill = async {
        tokio::time::sleep(Duration::from_millis(2 + round * 6)).await;
        server.kill9();
    };
    let (done, ()) = join(work, kill).await;
    server.restart();
    done
}

async fn try_redeem(party: &RelyingParty, code: &str, verifier: &str) -> Option<Answer> {
    let parameters = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", &party.redirect_uri),
        ("code_verifier", verifier),
    ];
    let request = party.prepare("/oauth2/token", &parameters);
    Answer::try_of(request).await.ok()
}

async fn try_refresh(party: &RelyingParty, token: &str) -> Option<Answer> {
    let parameters = [("grant_type", "refresh_token"), ("refresh_token", token)];
    let request = party.prepare("/oauth2/token", &parameters);
    Answer::try_of(request).await.ok()
}

fn databases() -> Vec<Database> {
    let mut databases = vec![Database::File];
    databases.extend(postgres::database().map(Database::Url));
    databases
}
