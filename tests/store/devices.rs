//! Device authorizations.

use std::time::Duration;

use keyfob::oidc::device_authorization::DeviceAuthorization;
use keyfob::store::device_authorizations::Decision;
use keyfob::store::{Store, device_authorizations, grants};

use crate::fixture::{
    LATER, MUCH_LATER, NOW, Parties, client_id, commit, digest, grant, parties, race, reader,
};

conformance! {
    a_user_code_is_given_once,
    a_device_waits_for_an_answer_until_it_has_one_or_expires,
    a_device_is_answered_once_under_a_race,
    a_granted_device_code_is_consumed_once_under_a_race,
    a_device_that_asks_too_soon_has_to_wait_longer,
    a_device_authorization_is_kept_for_an_hour_and_its_unused_grant_goes_with_it,
}

fn authorization() -> DeviceAuthorization {
    DeviceAuthorization {
        client_id: client_id("app"),
        scopes: "openid email".parse().unwrap(),
        resources: vec!["https://mcp.example.com/mcp".to_owned()],
        poll_interval: 5,
        created_at: NOW,
        expires_at: LATER,
    }
}

async fn ask(store: &Store, code: &'static str, user_code: &'static str) -> bool {
    commit!(store, |db| device_authorizations::insert(
        db,
        &digest(code),
        &digest(user_code),
        &authorization()
    ))
    .unwrap()
}

async fn a_user_code_is_given_once(store: Store) {
    parties(&store).await;
    assert!(ask(&store, "one", "code").await);
    assert!(!ask(&store, "two", "code").await);
    assert!(ask(&store, "two", "another code").await);
}

async fn a_device_waits_for_an_answer_until_it_has_one_or_expires(store: Store) {
    let Parties { grant, .. } = parties(&store).await;
    ask(&store, "device", "code").await;
    let mut db = reader(&store).await;
    let found = device_authorizations::find_by_user_code(&mut db, &digest("code"), NOW).await;
    assert_eq!(found.unwrap(), Some((digest("device"), authorization())));
    let found = device_authorizations::find_pending(&mut db, &digest("device"), NOW).await;
    assert_eq!(found.unwrap(), Some(authorization()));
    for (code, now) in [("code", LATER), ("device", NOW)] {
        let found = device_authorizations::find_by_user_code(&mut db, &digest(code), now).await;
        assert!(found.unwrap().is_none());
    }
    let found = device_authorizations::find_with_grant(&mut db, &digest("device")).await;
    let found = found.unwrap().unwrap();
    assert_eq!(found.authorization, authorization());
    assert!(matches!(found.decision, Decision::Pending));
    drop(db);

    let late = commit!(store, |db| device_authorizations::approve(
        db,
        &digest("device"),
        grant.id,
        LATER
    ));
    assert!(!late.unwrap());
    let early = commit!(store, |db| device_authorizations::consume(
        db,
        &digest("device"),
        NOW
    ));
    assert!(!early.unwrap(), "nobody has answered");
    let denied = commit!(store, |db| device_authorizations::deny(
        db,
        &digest("device"),
        NOW
    ));
    assert!(denied.unwrap());
    let mut db = reader(&store).await;
    let found = device_authorizations::find_pending(&mut db, &digest("device"), NOW).await;
    assert!(found.unwrap().is_none());
    let found = device_authorizations::find_with_grant(&mut db, &digest("device")).await;
    assert!(matches!(found.unwrap().unwrap().decision, Decision::Denied));
}

async fn a_device_is_answered_once_under_a_race(store: Store) {
    let Parties { grant, .. } = parties(&store).await;
    ask(&store, "device", "code").await;
    let outcomes = race(&store, |store, number| async move {
        if number % 2 == 0 {
            commit!(store, |db| device_authorizations::deny(
                db,
                &digest("device"),
                NOW
            ))
            .unwrap()
        } else {
            commit!(store, |db| device_authorizations::approve(
                db,
                &digest("device"),
                grant.id,
                NOW
            ))
            .unwrap()
        }
    })
    .await;
    assert_eq!(outcomes.iter().filter(|it| **it).count(), 1);
}

async fn a_granted_device_code_is_consumed_once_under_a_race(store: Store) {
    let Parties { grant, user, .. } = parties(&store).await;
    ask(&store, "device", "code").await;
    let approved = commit!(store, |db| device_authorizations::approve(
        db,
        &digest("device"),
        grant.id,
        NOW
    ));
    assert!(approved.unwrap());
    let outcomes = race(&store, |store, _| async move {
        commit!(store, |db| device_authorizations::consume(
            db,
            &digest("device"),
            LATER
        ))
        .unwrap()
    })
    .await;
    assert_eq!(outcomes.iter().filter(|it| **it).count(), 1);
    let mut db = reader(&store).await;
    let found = device_authorizations::find_with_grant(&mut db, &digest("device")).await;
    let Decision::Granted { grant, consumed_at } = found.unwrap().unwrap().decision else {
        unreachable!("it was granted")
    };
    assert_eq!(consumed_at, Some(LATER));
    assert_eq!(grant.user.id, user.id);
    assert!(grant.is_live(NOW));
}

async fn a_device_that_asks_too_soon_has_to_wait_longer(store: Store) {
    parties(&store).await;
    ask(&store, "device", "code").await;
    // The interval is 5 seconds, and 10 after the third question.
    for (second, is_in_time) in [(0, true), (5, true), (9, false), (18, false), (33, true)] {
        let now = NOW.after(Duration::from_secs(second));
        let in_time = commit!(store, |db| device_authorizations::poll(
            db,
            &digest("device"),
            now
        ));
        assert_eq!(in_time.unwrap(), is_in_time, "{second}");
    }
}

async fn a_device_authorization_is_kept_for_an_hour_and_its_unused_grant_goes_with_it(
    store: Store,
) {
    let hour = Duration::from_hours(1);
    let Parties {
        user,
        client,
        grant: used,
    } = parties(&store).await;
    let unused = grant(&user, &client);
    let (used_id, unused_id) = (used.id, unused.id);
    commit!(store, |db| grants::insert(db, &unused, Some(NOW))).unwrap();
    for (device, code, grant_id) in [("used", "1", used_id), ("unused", "2", unused_id)] {
        ask(&store, device, code).await;
        let approved = commit!(store, |db| device_authorizations::approve(
            db,
            &digest(device),
            grant_id,
            NOW
        ));
        assert!(approved.unwrap());
    }
    ask(&store, "pending", "3").await;
    let consumed = commit!(store, |db| device_authorizations::consume(
        db,
        &digest("used"),
        NOW
    ));
    assert!(consumed.unwrap());

    let almost = LATER.after(hour).before(Duration::from_secs(1));
    assert_eq!(store.purge_expired(almost).await.unwrap(), 0);
    store.purge_expired(LATER.after(hour)).await.unwrap();
    let mut db = reader(&store).await;
    for device in ["used", "unused", "pending"] {
        let found = device_authorizations::find_with_grant(&mut db, &digest(device)).await;
        assert!(found.unwrap().is_none(), "{device}");
    }
    assert!(grants::find(&mut db, used_id).await.unwrap().is_some());
    assert!(grants::find(&mut db, unused_id).await.unwrap().is_none());
    assert!(LATER.after(hour) < MUCH_LATER);
}
