//! Grants, and what ends them.

use keyfob::oidc::grant::Grant;
use keyfob::store::grants::OfSession;
use keyfob::store::{Store, clients, grants, users};

use crate::fixture::{
    LATER, MUCH_LATER, NOW, Parties, client_id, commit, grant, parties, race, reader,
};

conformance! {
    a_grant_is_live_until_something_ends_it,
    a_grant_is_revoked_once,
    the_latest_grant_of_a_session_to_a_client_is_found,
    grants_are_revoked_by_session,
    grants_are_revoked_by_user_and_client,
}

async fn a_grant_is_live_until_something_ends_it(store: Store) {
    let Parties {
        user,
        client,
        grant,
    } = parties(&store).await;
    let is_live = async |now| {
        let mut db = reader(&store).await;
        let live = grants::find_live(&mut db, grant.id, None, now)
            .await
            .unwrap();
        let found = grants::find(&mut db, grant.id).await.unwrap().unwrap();
        assert_eq!(found.is_live(now), live.is_some());
        let id = &client.id;
        let called = grants::find_live_with_caller(&mut db, id, grant.id, "a jti", now).await;
        let (caller, with_caller) = called.unwrap().unwrap();
        assert_eq!(caller.name(), client.name());
        assert_eq!(with_caller.is_some(), live.is_some());
        live.is_some()
    };
    let mut db = reader(&store).await;
    let found = grants::find_live(&mut db, grant.id, Some("a jti"), NOW).await;
    let found = found.unwrap().unwrap();
    assert_eq!(found.client_id, client.id);
    assert_eq!(found.user.username, user.username);
    assert_eq!(found.details, grant.details);
    let found = grants::find(&mut db, grant.id).await.unwrap().unwrap();
    assert_eq!(found.grant, grant);
    assert_eq!(found.user.username, user.username);
    assert_eq!(found.client.name(), client.name());
    assert_eq!(found.revoked_at, None);
    drop(db);

    let mut db = reader(&store).await;
    let nobody = client_id("nobody");
    let found = grants::find_live_with_caller(&mut db, &nobody, grant.id, "a jti", NOW).await;
    assert!(found.unwrap().is_none(), "no client is called that");
    drop(db);

    assert!(is_live(LATER).await);
    assert!(!is_live(MUCH_LATER).await, "it has expired");

    let (user_id, grantee) = (user.id, client.id.clone());
    commit!(store, |db| users::disable(db, user_id, NOW)).unwrap();
    assert!(!is_live(NOW).await, "its user is disabled");
    commit!(store, |db| users::enable(db, user_id)).unwrap();
    assert!(is_live(NOW).await);

    commit!(store, |db| clients::disable(db, &grantee, NOW)).unwrap();
    assert!(!is_live(NOW).await, "its client is disabled");
    let grantee = client.id.clone();
    commit!(store, |db| clients::enable(db, &grantee)).unwrap();
    assert!(is_live(NOW).await);

    let id = grant.id;
    commit!(store, |db| grants::revoke(db, id, NOW, "because")).unwrap();
    assert!(!is_live(NOW).await, "it is revoked");
}

async fn the_latest_grant_of_a_session_to_a_client_is_found(store: Store) {
    let Parties {
        user,
        client,
        grant: first,
    } = parties(&store).await;
    let (session_id, client_id) = (first.session_id, client.id.clone());
    let second = Grant {
        session_id,
        created_at: LATER,
        ..grant(&user, &client)
    };
    let stored = second.clone();
    commit!(store, |db| grants::insert(db, &stored, None)).unwrap();
    let elsewhere = grant(&user, &client);
    let (stored, other_session) = (elsewhere.clone(), elsewhere.session_id);
    commit!(store, |db| grants::insert(db, &stored, None)).unwrap();

    let mut db = reader(&store).await;
    for (session_id, expected) in [(session_id, second), (other_session, elsewhere)] {
        let found = grants::find_of_session(&mut db, session_id, &client_id).await;
        let found = found.unwrap().unwrap();
        assert_eq!(found.grant, expected);
        assert!(found.is_live(NOW));
    }
    let nobody = crate::fixture::client_id("nobody");
    let found = grants::find_of_session(&mut db, session_id, &nobody).await;
    assert!(found.unwrap().is_none());
}

async fn a_grant_is_revoked_once(store: Store) {
    let Parties { grant, .. } = parties(&store).await;
    let id = grant.id;
    let outcomes = race(&store, |store, _| async move {
        commit!(store, |db| grants::revoke(db, id, NOW, "because")).unwrap()
    })
    .await;
    assert_eq!(outcomes.iter().filter(|it| **it).count(), 1);
}

async fn grants_are_revoked_by_session(store: Store) {
    let Parties {
        user,
        client,
        grant,
    } = parties(&store).await;
    let mut offline = grant.clone();
    offline.id = crate::fixture::grant(&user, &client).id;
    let stored = offline.clone();
    commit!(store, |db| grants::insert(db, &stored, Some(NOW))).unwrap();
    let (user_id, session_id) = (user.id, grant.session_id);

    let mut db = reader(&store).await;
    let listed = grants::list_of_user(&mut db, user_id, NOW).await.unwrap();
    assert_eq!(listed.len(), 2);
    drop(db);

    let online = commit!(store, |db| grants::revoke_all_of_session(
        db,
        session_id,
        OfSession::Online,
        NOW,
        "logout"
    ));
    assert_eq!(online.unwrap(), 1);
    let mut db = reader(&store).await;
    let listed = grants::list_of_user(&mut db, user_id, NOW).await.unwrap();
    assert_eq!(listed, [offline]);
    drop(db);
    let all = commit!(store, |db| grants::revoke_all_of_session(
        db,
        session_id,
        OfSession::All,
        NOW,
        "logout"
    ));
    assert_eq!(all.unwrap(), 1);
}

async fn grants_are_revoked_by_user_and_client(store: Store) {
    let Parties {
        user,
        client,
        grant: first,
    } = parties(&store).await;
    let (user_id, first) = (user.id, first.id);
    let app = || client_id("app");
    commit!(store, |db| grants::revoke(db, first, NOW, "because")).unwrap();

    let again = async || {
        let third = grant(&user, &client);
        commit!(store, |db| grants::insert(db, &third, None)).unwrap();
    };
    again().await;
    let revoked = commit!(store, |db| grants::revoke_all_of_user(
        db, user_id, NOW, "password"
    ));
    assert_eq!(revoked.unwrap(), 1);
    again().await;
    let revoked = commit!(store, |db| grants::revoke_all_of_client(
        db,
        &app(),
        NOW,
        "secret"
    ));
    assert_eq!(revoked.unwrap(), 1);
    again().await;
    let revoked = commit!(store, |db| grants::revoke_all_of_user_and_client(
        db,
        user_id,
        &app(),
        NOW,
        "consent"
    ));
    assert_eq!(revoked.unwrap(), 1);
}
