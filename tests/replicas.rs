//! Several servers on one database are one provider, and one that is told to stop lets nobody down.
#![allow(
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on fails, and how long something takes is part of it"
)]

mod support;

use std::thread;
use std::time::Duration;

use futures_util::future::join;
use reqwest::StatusCode;
use support::balancer::Balancer;
use support::browser::Browser;
use support::launch::{Database, Launch, free_port};
use support::process::Server;
use support::relying_party::{RelyingParty, http_client};
use support::{jwt, postgres};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_that_alternates_between_two_replicas_works() {
    let Some(url) = postgres::database() else {
        return;
    };
    let front = free_port();
    let launch = Launch::serve()
        .variable("KEYFOB_ISSUER", &format!("http://localhost:{front}"))
        .on(Database::Url(url));
    let server = launch.start();
    let replica = server.replica(free_port());
    let balancer = Balancer::start(front, vec![server.port(), replica.port()]).await;

    let party = RelyingParty::web_app(&server);
    let alice = server.user("alice");
    // An odd number of requests each time, so that every step meets each replica.
    for _ in 0..3 {
        let mut browser = Browser::new(server.issuer());
        let scope = "openid email offline_access";
        let tokens = party.sign_in_with(&mut browser, alice, scope).await;
        jwt::verify(&tokens.id_token, &party.jwks().await);
        let userinfo = party.userinfo(&tokens.access_token).await;
        assert_eq!(userinfo.member("email"), "alice@example.com");
        let fresh = party.refresh(&tokens.refresh_token).await.tokens();
        let again = party.refresh(&tokens.refresh_token).await.tokens();
        assert_eq!(fresh.refresh_token, again.refresh_token);
        party.revoke(&fresh.refresh_token).await;
        for _ in 0..2 {
            let userinfo = party.userinfo(&fresh.access_token).await;
            userinfo.challenged("invalid_token");
        }
    }
    assert!(balancer.is_fair());
}

#[tokio::test]
async fn replicas_that_start_together_make_one_key_set() {
    let Some(url) = postgres::database() else {
        return;
    };
    let launch = Launch::serve().on(Database::Url(url));
    let launches: Vec<_> = (0..3)
        .map(|_| launch.clone().listening_on(free_port()))
        .collect();
    let starting = launches
        .into_iter()
        .map(|launch| thread::spawn(|| Server::start_empty(launch)));
    let starting: Vec<_> = starting.collect();
    let servers = starting.into_iter().map(|it| it.join().expect("a server"));
    let servers: Vec<Server> = servers.collect();
    let mut sets = Vec::new();
    for server in &servers {
        let url = format!("http://localhost:{}/.well-known/jwks.json", server.port());
        let answer = http_client().get(url).send().await.expect("an answer");
        sets.push(answer.text().await.expect("keys"));
    }
    assert_eq!(sets[0], sets[1]);
    assert_eq!(sets[0], sets[2]);
}

#[tokio::test]
async fn a_server_that_is_told_to_stop_finishes_what_it_began() {
    let mut server = Server::with_file();
    let party = RelyingParty::web_app(&server);
    let mut browser = Browser::new(server.issuer());
    let login = browser.open_login(&party.request("openid").url()).await;
    let alice = server.user("alice");
    let form = login
        .form("login-submit")
        .fill("username", &alice.username)
        .fill("password", &alice.password);
    let stop = async {
        // The password is being hashed.
        tokio::time::sleep(Duration::from_millis(15)).await;
        server.signal("TERM");
    };
    let (answer, ()) = join(browser.submit_only(&login, &form), stop).await;
    assert_eq!(
        answer.status,
        StatusCode::SEE_OTHER,
        "{}",
        answer.describe()
    );
    let status = server.wait(Duration::from_secs(10));
    assert!(status.success(), "{status}");
}
