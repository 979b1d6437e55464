//! Refresh tokens: each is used once, a lost answer can be asked for again for a while, and a thief
//! who uses an old one ends the whole family.

use std::time::Duration;

use futures_util::future::join_all;
use keyfob::oidc::client::ClientId;
use keyfob::oidc::client_metadata::ClientMetadata;
use keyfob::oidc::timestamp::Timestamp;
use keyfob::store::{DatabaseOptions, Store, clients};

use crate::codes::databases;
use crate::support::balancer::Balancer;
use crate::support::launch::{Database, Launch, free_port};
use crate::support::postgres;
use crate::support::process::Server;
use crate::support::relying_party::{Answer, RelyingParty, Tokens};
use reqwest::StatusCode;

const OFFLINE: &str = "openid profile offline_access";
const GRACE: Duration = Duration::from_secs(31);

/// RFC 9700 sections 2.2.2 and 4.14; ASVS 10.4.5.
#[tokio::test]
async fn an_old_refresh_token_ends_the_family() {
    for database in databases() {
        let server = Launch::dev().on(database).start();
        for party in [
            RelyingParty::single_page_app(&server),
            RelyingParty::web_app(&server),
        ] {
            let first = party.sign_in(server.user("alice"), OFFLINE).await;
            let second = party.refresh(&first.refresh_token).await.tokens();
            assert_ne!(second.refresh_token, first.refresh_token);
            server.age("refresh_tokens", &["rotated_at"], GRACE).await;

            let reused = party.refresh(&first.refresh_token).await;
            reused.refused(&["invalid_grant"]);
            assert_family_is_dead(&party, &[&first, &second]).await;
        }
    }
}

/// Ory Hydra's grace period; zitadel issue 9631.
#[tokio::test]
async fn an_answer_that_was_lost_can_be_asked_for_again() {
    for database in databases() {
        let server = Launch::dev().on(database).start();
        let party = RelyingParty::single_page_app(&server);
        let first = party.sign_in(server.user("alice"), OFFLINE).await;
        let second = party.refresh(&first.refresh_token).await.tokens();
        let again = party.refresh(&first.refresh_token).await.tokens();
        assert_eq!(again.refresh_token, second.refresh_token);
        let third = party.refresh(&again.refresh_token).await.tokens();
        assert_ne!(third.refresh_token, again.refresh_token);

        // After the grace, it is nobody's lost answer any more.
        server.age("refresh_tokens", &["rotated_at"], GRACE).await;
        let reused = party.refresh(&first.refresh_token).await;
        reused.refused(&["invalid_grant"]);
        assert_family_is_dead(&party, &[&second, &third]).await;
    }
}

/// The grace is for clients that lost an answer, not for machines that ask for ever.
#[tokio::test]
async fn the_same_answer_is_given_only_so_often() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let first = party.sign_in(server.user("alice"), OFFLINE).await;
    for _ in 0..200 {
        let answer = party.refresh(&first.refresh_token).await;
        if answer.status != StatusCode::OK {
            answer.refused(&["invalid_grant"]);
            return;
        }
    }
    panic!("the same refresh token was accepted 200 times");
}

/// CVE-2026-1035.
#[tokio::test]
async fn of_fifty_refreshes_at_once_one_family_lives_on() {
    let server = Server::with_file();
    let party = RelyingParty::single_page_app(&server);
    let first = party.sign_in(server.user("alice"), OFFLINE).await;
    let answers = join_all((0..50).map(|_| party.refresh(&first.refresh_token))).await;
    assert_one_successor(&answers);
}

/// Two servers on one database are one provider.
#[tokio::test]
async fn of_fifty_refreshes_at_two_replicas_one_family_lives_on() {
    let Some(url) = postgres::database() else {
        return;
    };
    let server = Launch::serve().on(Database::Url(url)).start();
    let replica = server.replica(free_port());
    let balancer = Balancer::start(0, vec![server.port(), replica.port()]).await;
    let mut party = RelyingParty::single_page_app(&server);
    let first = party.sign_in(server.user("alice"), OFFLINE).await;
    party.issuer = format!("http://localhost:{}", balancer.port);
    let answers = join_all((0..50).map(|_| party.refresh(&first.refresh_token))).await;
    assert_one_successor(&answers);
    assert!(balancer.is_fair());
}

/// All who got an answer got the same refresh token, so at most one new one lives.
fn assert_one_successor(answers: &[Answer]) {
    let mut successors: Vec<_> = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::OK)
        .map(|answer| answer.tokens().refresh_token)
        .collect();
    for answer in answers {
        if answer.status != StatusCode::OK {
            answer.refused(&["invalid_grant"]);
        }
    }
    assert!(!successors.is_empty());
    successors.sort();
    successors.dedup();
    assert_eq!(successors.len(), 1);
}

/// CVE-2026-9802.
#[tokio::test]
async fn a_used_refresh_token_stays_used_through_a_crash() {
    let mut server = Server::with_file();
    let party = RelyingParty::web_app(&server);
    let first = party.sign_in(server.user("alice"), OFFLINE).await;
    let second = party.refresh(&first.refresh_token).await.tokens();
    server.kill9();
    server.restart();
    server.age("refresh_tokens", &["rotated_at"], GRACE).await;
    let reused = party.refresh(&first.refresh_token).await;
    reused.refused(&["invalid_grant"]);
    assert_family_is_dead(&party, &[&second]).await;
}

/// RFC 6749 section 6.
#[tokio::test]
async fn a_refresh_may_narrow_the_scope_and_not_widen_it() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let first = party.sign_in(server.user("alice"), OFFLINE).await;
    let refresh = async |token: &str, scope: &str| {
        let parameters = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("scope", scope),
        ];
        party.token(&parameters).await
    };
    for wider in [
        "openid email",
        "phone",
        "openid profile offline_access groups",
    ] {
        let answer = refresh(&first.refresh_token, wider).await;
        answer.refused(&["invalid_scope"]);
    }
    let narrow = refresh(&first.refresh_token, "openid").await;
    assert_eq!(narrow.member("scope"), "openid");
    let full = party.refresh(&narrow.tokens().refresh_token).await;
    assert_eq!(full.member("scope"), OFFLINE);
}

/// RFC 6749 section 10.4.
#[tokio::test]
async fn a_refresh_token_of_another_client_is_refused_and_stays_good() {
    let server = Server::dev();
    let party = RelyingParty::web_app(&server);
    let other = RelyingParty::single_page_app(&server);
    let first = party.sign_in(server.user("alice"), OFFLINE).await;
    let stolen = other.refresh(&first.refresh_token).await;
    stolen.refused(&["invalid_grant"]);
    party.refresh(&first.refresh_token).await.tokens();
    for wrong in ["x", "kfr_", &first.access_token, &first.id_token] {
        party.refresh(wrong).await.refused(&["invalid_grant"]);
    }
}

/// CVE-2026-43983; CVE-2025-53942; CVE-2024-46999.
#[tokio::test]
async fn nobody_refreshes_for_a_user_who_may_not_sign_in() {
    let server = Server::serve();
    let party = RelyingParty::web_app(&server);
    for command in [
        &["user", "disable", "alice"][..],
        &["user", "set-password", "bob"],
    ] {
        let user = server.user(command[2]);
        let tokens = party.sign_in(user, OFFLINE).await;
        server.operate(command, "another-otter-9-lamp\n");
        let refreshed = party.refresh(&tokens.refresh_token).await;
        refreshed.refused(&["invalid_grant"]);
        assert_family_is_dead(&party, &[&tokens]).await;
    }
    server.operate(&["user", "enable", "alice"], "");
    let tokens = party.sign_in(server.user("alice"), OFFLINE).await;
    server.operate(&["user", "delete", "alice"], "");
    assert_family_is_dead(&party, &[&tokens]).await;
}

/// CVE-2024-46999: what a grant stands on is looked at each time, whoever changed it.
#[tokio::test]
async fn nobody_refreshes_once_what_the_grant_stands_on_is_gone() {
    let server = Server::serve();
    let party = RelyingParty::web_app(&server);
    let url = server.database_url().expect("a database on disk");
    let store = Store::connect(&DatabaseOptions::new(&url)).await.unwrap();
    let id: ClientId = party.client_id.parse().unwrap();

    let tokens = party.sign_in(server.user("alice"), OFFLINE).await;
    restrict(&store, &id, &["nobody is in this group"]).await;
    let refreshed = party.refresh(&tokens.refresh_token).await;
    refreshed.refused(&["invalid_grant"]);
    restrict(&store, &id, &[]).await;
    party.refresh(&tokens.refresh_token).await.tokens();

    let tokens = party.sign_in(server.user("alice"), OFFLINE).await;
    let disabled = id.clone();
    let now = Timestamp(1);
    let changed: bool = store
        .write(move |db| Box::pin(async move { clients::disable(db, &disabled, now).await }))
        .await
        .unwrap();
    assert!(changed);
    party.refresh(&tokens.refresh_token).await.unauthenticated();
    let userinfo = party.userinfo(&tokens.access_token).await;
    userinfo.challenged("invalid_token");
}

/// Lets only members of these groups use a client.
async fn restrict(store: &Store, id: &ClientId, groups: &[&str]) {
    let mut db = store.read().await.expect("a connection");
    let client = clients::find(&mut db, id)
        .await
        .expect("an answer")
        .expect("the client");
    drop(db);
    let metadata = ClientMetadata {
        allowed_groups: groups.iter().map(ToString::to_string).collect(),
        ..client.metadata
    };
    let (id, read_at) = (client.id, client.updated_at);
    let changed: bool = store
        .write(move |db| {
            Box::pin(
                async move { clients::update_metadata(db, &id, read_at, &metadata, read_at).await },
            )
        })
        .await
        .expect("a change");
    assert!(changed);
}

/// RFC 6749 section 10.4.
#[tokio::test]
async fn nothing_is_left_of_a_client_that_is_deleted() {
    let server = Server::serve();
    let party = RelyingParty::web_app(&server);
    let tokens = party.sign_in(server.user("alice"), OFFLINE).await;
    server.operate(&["client", "delete", &party.client_id], "");
    party.refresh(&tokens.refresh_token).await.unauthenticated();
    let userinfo = party.userinfo(&tokens.access_token).await;
    userinfo.challenged("invalid_token");
}

/// ASVS 10.4.8.
#[tokio::test]
async fn a_refresh_token_ends_when_idle_and_rotation_never_extends_its_grant() {
    let server = Server::with_file();
    let party = RelyingParty::web_app(&server);
    let tokens = party.sign_in(server.user("alice"), OFFLINE).await;
    let years = Duration::from_hours(24 * 1000);
    server.age("refresh_tokens", &["expires_at"], years).await;
    let idle = party.refresh(&tokens.refresh_token).await;
    idle.refused(&["invalid_grant"]);

    let tokens = party.sign_in(server.user("alice"), OFFLINE).await;
    let rotated = party.refresh(&tokens.refresh_token).await.tokens();
    server.age("grants", &["expires_at"], years).await;
    let late = party.refresh(&rotated.refresh_token).await;
    late.refused(&["invalid_grant"]);
}

/// RFC 9700 section 2.2.2: without a wish for it there is none.
#[tokio::test]
async fn a_refresh_token_is_given_where_it_was_asked_for() {
    let server = Server::dev();
    let party = RelyingParty::single_page_app(&server);
    let tokens = party.sign_in(server.user("alice"), "openid").await;
    assert_eq!(tokens.refresh_token, "");
}

/// Asserts that nothing of these tokens works any more.
async fn assert_family_is_dead(party: &RelyingParty, family: &[&Tokens]) {
    for tokens in family {
        let userinfo = party.userinfo(&tokens.access_token).await;
        userinfo.challenged("invalid_token");
        let refreshed = party.refresh(&tokens.refresh_token).await;
        refreshed.refused(&["invalid_grant"]);
    }
}
