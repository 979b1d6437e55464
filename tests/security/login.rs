//! Signing in with a password: what a wrong one tells, how often one may try, and which are taken.

use std::pin::pin;
use std::time::{Duration, Instant};

use futures_util::future::{Either, join_all, select};

use crate::support::browser::{Arrival, Browser, Page};
use crate::support::launch::Launch;
use crate::support::process::Server;
use crate::support::relying_party::{RelyingParty, http_client};
use reqwest::StatusCode;

/// CVE-2024-41952; CVE-2026-23511; ASVS 6.3.8.
#[tokio::test]
async fn a_refused_login_does_not_tell_why() {
    let server = patient();
    let party = RelyingParty::web_app(&server);
    server.operate(&["user", "disable", "bob"], "");
    let bob = server.user("bob").password.clone();
    let mut answers = Vec::new();
    for (username, password) in [
        ("nobody", "not the password"),
        ("alice", "not the password"),
        ("bob", &*bob),
        ("nobody@example.com", "not the password"),
        ("alice@example.com", "not the password"),
    ] {
        let mut browser = Browser::new(server.issuer());
        let login = browser.open_login(&party.request("openid").url()).await;
        let page = browser.log_in(&login, username, password).await.page();
        let cookies: Vec<_> = browser.cookies.iter().map(|it| it.name.clone()).collect();
        answers.push((page.status, anonymous(&page, username), cookies));
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
    }
}

/// The page without what is random or typed.
fn anonymous(page: &Page, username: &str) -> String {
    let mut body = page.body.replace(username, "USERNAME");
    let document = page.document();
    for form in &document.forms {
        for name in ["tx", "csrf"] {
            if form.has(name) {
                body = body.replace(form.value(name), "RANDOM");
            }
        }
    }
    for element in &document.elements {
        if let Some(nonce) = element.attribute("nonce") {
            body = body.replace(nonce, "NONCE");
        }
    }
    body
}

/// CVE-2026-22746.
#[tokio::test]
async fn a_refused_login_takes_as_long_for_a_user_as_for_nobody() {
    let server = patient();
    let party = RelyingParty::web_app(&server);
    server.operate(&["user", "disable", "bob"], "");
    let mut browser = Browser::new(server.issuer());
    let login = browser.open_login(&party.request("openid").url()).await;
    let mut times: [Vec<Duration>; 3] = Default::default();
    for _ in 0..25 {
        for (username, times) in ["nobody", "alice", "bob"].iter().zip(&mut times) {
            let form = login.form("login-submit");
            let form = form.fill("username", username).fill("password", "wrong");
            let start = Instant::now();
            browser.submit_only(&login, &form).await;
            times.push(start.elapsed());
        }
    }
    // The shortest of each is what the work takes; the others waited for whatever else was running.
    let shortest = times.map(|times| times.into_iter().min().unwrap_or_default());
    let (least, most) = (shortest.iter().min(), shortest.iter().max());
    let ratio = most
        .zip(least)
        .map(|(most, least)| most.as_secs_f64() / least.as_secs_f64());
    // Without a hash for nobody it would be ten times.
    assert!(ratio.is_some_and(|ratio| ratio < 1.5), "{shortest:?}");
}

/// CVE-2025-24806; ASVS 6.3.1.
#[tokio::test]
async fn guessing_is_stopped_and_a_known_browser_still_gets_in() {
    let server = Server::serve();
    let party = RelyingParty::web_app(&server);
    let alice = server.user("alice");
    let mut known = Browser::new(server.issuer());
    party.sign_in_with(&mut known, alice, "openid").await;

    let names = [
        "alice",
        "ALICE",
        "alice@example.com",
        " alice ",
        "\u{ff41}lice",
    ];
    let mut guesser = Browser::new(server.issuer());
    let mut tries = 0;
    let stopped = loop {
        let name = names[tries % names.len()];
        let answer = guess(&mut guesser, &party, name, "wrong").await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            break answer;
        }
        tries += 1;
        assert!(tries <= 10, "still guessing after {tries} tries");
    };
    let wait: u64 = stopped.header("retry-after").parse().expect("seconds");
    assert!(wait > 0);
    // Now not even the right one helps a stranger.
    let answer = guess(&mut guesser, &party, "alice", &alice.password).await;
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let bob = server.user("bob");
    let mut other = Browser::new(server.issuer());
    party.sign_in_with(&mut other, bob, "openid").await;

    let request = party.request("openid").with("prompt", "login");
    let page = known.open_login(&request.url()).await;
    let arrival = known.log_in(&page, &alice.username, &alice.password).await;
    assert!(matches!(arrival, Arrival::Away(_)), "{arrival:?}");
}

/// CVE-2025-24806.
#[tokio::test]
async fn guesses_in_parallel_are_counted_one_by_one() {
    let server = Server::serve();
    let party = RelyingParty::web_app(&server);
    let guesses = (0..100).map(|_| async {
        let mut browser = Browser::new(server.issuer());
        guess(&mut browser, &party, "alice", "wrong").await.status
    });
    let statuses = join_all(guesses).await;
    let heard = statuses
        .iter()
        .filter(|status| **status != StatusCode::TOO_MANY_REQUESTS);
    assert!(heard.count() <= 10, "{statuses:?}");
}

async fn guess(browser: &mut Browser, party: &RelyingParty, name: &str, password: &str) -> Page {
    let login = browser.open_login(&party.request("openid").url()).await;
    browser.log_in(&login, name, password).await.page()
}

/// ASVS 6.2.
#[tokio::test]
async fn a_weak_password_is_not_taken_and_a_long_one_whole() {
    let server = Server::serve();
    for weak in [
        "short7!",
        "password",
        "password1",
        "12345678",
        "qwertyuiop",
        "alicealice",
        "Alice2026",
        "",
    ] {
        let output = server.run(&["user", "set-password", "alice"], &format!("{weak}\n"));
        assert!(!output.status.success(), "{weak:?} was taken");
    }
    let party = RelyingParty::web_app(&server);
    for long in [
        "correct horse battery staple ".repeat(5).trim().to_owned(),
        "Pässwört-\u{1f511}-".repeat(8) + "zebra",
    ] {
        assert!(long.len() > 100);
        server.operate(&["user", "set-password", "alice"], &format!("{long}\n"));
        let mut alice = server.user("alice").clone();
        alice.password.clone_from(&long);
        party.sign_in(&alice, "openid").await;
        // What comes after the 72nd byte counts.
        let cut: String = long.chars().take(long.chars().count() - 1).collect();
        let mut browser = Browser::new(server.issuer());
        let answer = guess(&mut browser, &party, "alice", &cut).await;
        assert!(answer.document().form_with_field("password").is_some());
    }
}

/// ASVS 6.2; CVE-2025-24806.
#[tokio::test]
async fn a_password_of_a_megabyte_is_refused_at_once() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let mut browser = Browser::new(server.issuer());
    let login = browser.open_login(&party.request("openid").url()).await;
    let form = login.form("login-submit");
    let form = form
        .fill("username", "alice")
        .fill("password", &"p".repeat(1 << 20));
    let start = Instant::now();
    let answer = browser.submit_only(&login, &form).await;
    assert!(
        [400, 413].contains(&answer.status.as_u16()),
        "{}",
        answer.status
    );
    assert!(start.elapsed() < Duration::from_secs(1));
}

/// Hashing has its own few threads, so a storm of logins cannot starve the rest.
#[tokio::test]
async fn a_storm_of_logins_does_not_stall_the_keys() {
    let server = patient();
    let party = RelyingParty::web_app(&server);
    let storm = (0..100).map(|_| async {
        let mut browser = Browser::new(server.issuer());
        guess(&mut browser, &party, "alice", "wrong").await.status
    });
    let asking = async {
        for _ in 0..5 {
            let request = http_client().get(server.url("/.well-known/jwks.json"));
            assert_eq!(request.send().await.expect("an answer").status(), 200);
        }
    };
    // Passwords that are hashed where requests are answered would let the keys wait for them all.
    let statuses = match select(pin!(asking), pin!(join_all(storm))).await {
        Either::Left(((), storm)) => storm.await,
        Either::Right(_) => panic!("a hundred passwords were hashed before five key requests"),
    };
    assert!(
        statuses
            .iter()
            .all(|status| !status.is_server_error() || *status == 503)
    );
}

/// `keyfob serve` that lets one guess for long.
fn patient() -> Server {
    Launch::serve()
        .variable("KEYFOB_THROTTLE__ACCOUNT_FAILURES", "100000")
        .variable("KEYFOB_THROTTLE__ADDRESS_FAILURES", "100000")
        .variable("KEYFOB_THROTTLE__KNOWN_BROWSER_FAILURES", "100000")
        .start()
}
