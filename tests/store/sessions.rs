//! Sessions, known browsers and the throttles of sign-ins.

use std::time::Duration;

use keyfob::store::{Store, StoreError, known_browsers, login_throttles, sessions, users};

use crate::fixture::{LATER, MUCH_LATER, NOW, commit, digest, race, reader, session, user};

conformance! {
    a_session_is_found_with_its_user_while_it_is_live,
    a_session_lives_longer_when_it_is_used,
    a_session_goes_on_under_a_new_cookie,
    a_session_needs_its_user,
    a_browser_is_known_for_its_user_alone,
    failures_are_counted_exactly_under_a_race,
    a_window_ends_and_begins_anew,
}

async fn a_session_is_found_with_its_user_while_it_is_live(store: Store) {
    let alice = user("alice");
    let session = session(&alice);
    let (id, alice_id) = (session.id, alice.id);
    commit!(store, |db| users::insert(db, &alice)).unwrap();
    let stored = session.clone();
    commit!(store, |db| sessions::insert(
        db,
        &digest("cookie"),
        &stored,
        LATER
    ))
    .unwrap();

    let find = async |now| {
        let mut db = reader(&store).await;
        sessions::find_by_digest(&mut db, &digest("cookie"), now)
            .await
            .unwrap()
    };
    let (found, user) = find(NOW).await.unwrap();
    assert_eq!(found, session);
    assert_eq!(user.id, alice_id);
    assert!(find(LATER).await.is_none(), "it was not used");

    assert!(commit!(store, |db| users::disable(db, alice_id, NOW)).unwrap());
    assert!(find(NOW).await.is_none(), "its user is disabled");
    assert!(commit!(store, |db| users::enable(db, alice_id)).unwrap());
    assert!(find(NOW).await.is_some());

    assert!(commit!(store, |db| sessions::end(db, id, NOW)).unwrap());
    assert!(!commit!(store, |db| sessions::end(db, id, NOW)).unwrap());
    assert!(find(NOW).await.is_none(), "it has ended");
    assert_eq!(
        commit!(store, |db| sessions::end_all_of_user(db, alice_id, NOW)).unwrap(),
        0
    );
}

async fn a_session_lives_longer_when_it_is_used(store: Store) {
    let alice = user("alice");
    let session = session(&alice);
    let (id, alice_id) = (session.id, alice.id);
    commit!(store, |db| users::insert(db, &alice)).unwrap();
    commit!(store, |db| sessions::insert(
        db,
        &digest("cookie"),
        &session,
        LATER
    ))
    .unwrap();

    let soon = keyfob::oidc::timestamp::Timestamp(NOW.0 + 30);
    commit!(store, |db| sessions::touch(db, id, soon, MUCH_LATER)).unwrap();
    // An older request that comes last shortens nothing.
    commit!(store, |db| sessions::touch(db, id, NOW, LATER)).unwrap();

    let mut db = reader(&store).await;
    let found = sessions::find_by_digest(&mut db, &digest("cookie"), LATER).await;
    assert_eq!(found.unwrap().unwrap().0.seen_at, soon);
    let listed = sessions::list_of_user(&mut db, alice_id, LATER)
        .await
        .unwrap();
    assert_eq!(listed.len(), 1);
    drop(db);
    assert_eq!(
        commit!(store, |db| sessions::end_all_of_user(db, alice_id, NOW)).unwrap(),
        1
    );
    let mut db = reader(&store).await;
    let listed = sessions::list_of_user(&mut db, alice_id, NOW)
        .await
        .unwrap();
    assert!(listed.is_empty());
}

async fn a_session_goes_on_under_a_new_cookie(store: Store) {
    let alice = user("alice");
    let session = session(&alice);
    commit!(store, |db| users::insert(db, &alice)).unwrap();
    let stored = session.clone();
    commit!(store, |db| sessions::insert(
        db,
        &digest("old"),
        &stored,
        MUCH_LATER
    ))
    .unwrap();

    let mut renewed = session;
    (renewed.authenticated_at, renewed.seen_at) = (LATER, LATER);
    let (stored, again) = (renewed.clone(), renewed.clone());
    let is_renewed = commit!(store, |db| sessions::renew(
        db,
        &digest("new"),
        &stored,
        MUCH_LATER
    ));
    assert!(is_renewed.unwrap());

    let mut db = reader(&store).await;
    let old = sessions::find_by_digest(&mut db, &digest("old"), LATER).await;
    assert!(old.unwrap().is_none());
    let new = sessions::find_by_digest(&mut db, &digest("new"), LATER).await;
    assert_eq!(new.unwrap().unwrap().0, renewed);
    drop(db);

    commit!(store, |db| sessions::end(db, again.id, LATER)).unwrap();
    let is_renewed = commit!(store, |db| sessions::renew(
        db,
        &digest("third"),
        &again,
        MUCH_LATER
    ));
    assert!(!is_renewed.unwrap());
}

async fn a_session_needs_its_user(store: Store) {
    let session = session(&user("nobody"));
    let outcome: Result<(), StoreError> = commit!(store, |db| sessions::insert(
        db,
        &digest("cookie"),
        &session,
        LATER
    ));
    assert!(matches!(outcome, Err(StoreError::Dangling)), "{outcome:?}");
}

async fn a_browser_is_known_for_its_user_alone(store: Store) {
    let (alice, bob) = (user("alice"), user("bob"));
    let (alice_id, bob_id) = (alice.id, bob.id);
    commit!(store, |db| users::insert(db, &alice)).unwrap();
    commit!(store, |db| users::insert(db, &bob)).unwrap();
    for _ in 0..2 {
        commit!(store, |db| known_browsers::insert(
            db,
            &digest("browser"),
            alice_id,
            NOW,
            LATER
        ))
        .unwrap();
    }

    let mut db = reader(&store).await;
    for (browser, user, now, expected) in [
        ("browser", alice_id, NOW, true),
        ("browser", bob_id, NOW, false),
        ("browser", alice_id, LATER, false),
        ("another", alice_id, NOW, false),
    ] {
        let is_known = known_browsers::is_known(&mut db, &digest(browser), user, now).await;
        assert_eq!(is_known.unwrap(), expected, "{browser} {user} {now}");
    }
    drop(db);
    let forgotten = commit!(store, |db| known_browsers::forget_all_of_user(db, alice_id));
    assert_eq!(forgotten.unwrap(), 1);
}

const WINDOW: Duration = Duration::from_mins(1);

async fn failures_are_counted_exactly_under_a_race(store: Store) {
    let mut counts = race(&store, |store, _| async move {
        commit!(store, |db| login_throttles::count(
            db,
            &digest("account"),
            NOW,
            WINDOW
        ))
        .unwrap()
    })
    .await;
    counts.sort_unstable();
    assert_eq!(counts, (1..=64).collect::<Vec<_>>());

    commit!(store, |db| login_throttles::uncount(
        db,
        &digest("account"),
        NOW
    ))
    .unwrap();
    let mut db = reader(&store).await;
    let found = login_throttles::find(&mut db, &digest("account"), NOW).await;
    assert_eq!(found.unwrap(), Some((63, LATER)));
}

async fn a_window_ends_and_begins_anew(store: Store) {
    let count = async |now| {
        commit!(store, |db| login_throttles::count(
            db,
            &digest("account"),
            now,
            WINDOW
        ))
        .unwrap()
    };
    assert_eq!(count(NOW).await, 1);
    assert_eq!(count(NOW).await, 2);
    assert_eq!(count(LATER).await, 1, "the window is over");
    assert_eq!(count(LATER).await, 2);

    commit!(store, |db| login_throttles::forget(db, &digest("account"))).unwrap();
    assert_eq!(count(LATER).await, 1);
    let mut db = reader(&store).await;
    let found = login_throttles::find(&mut db, &digest("account"), MUCH_LATER).await;
    assert_eq!(found.unwrap(), None);
}
