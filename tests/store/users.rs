//! Users.

use keyfob::oidc::user::{EmailKey, LoginName, PasswordHash};
use keyfob::store::users::Registration;
use keyfob::store::{Store, sessions, users};

use crate::fixture::{
    LATER, NOW, Parties, commit, digest, insert_user, issue_code, issue_refresh_token,
    nothing_is_left, parties, race, reader, session, user,
};

conformance! {
    a_user_is_found_as_it_was_registered,
    a_user_name_and_an_address_are_one_users,
    a_user_name_is_given_once_under_a_race,
    users_are_listed_by_name_in_pages,
    a_user_is_updated_unless_the_address_is_anothers,
    a_rehash_does_not_undo_a_new_password,
    a_user_is_disabled_and_enabled,
    deleting_a_user_ends_everything_of_theirs,
}

async fn a_user_is_found_as_it_was_registered(store: Store) {
    let alice = user("alice");
    let stored = alice.clone();
    let registration = commit!(store, |db| users::insert(db, &stored)).unwrap();
    assert_eq!(registration, Registration::Done);

    let mut db = reader(&store).await;
    let email = EmailKey::of("ALICE@example.com").unwrap();
    for name in [
        LoginName::Username(alice.username.clone()),
        LoginName::Email(email),
    ] {
        let found = users::find_by_login(&mut db, &name).await.unwrap().unwrap();
        assert_eq!(found.id, alice.id);
    }
    let found = users::find(&mut db, alice.id).await.unwrap().unwrap();
    assert_eq!(found.username, alice.username);
    assert_eq!(found.claims, alice.claims);
    assert_eq!(found.groups, alice.groups);
    assert_eq!(
        found.password.as_ref().unwrap().as_phc(),
        "$argon2id$of alice"
    );
    assert_eq!((found.created_at, found.updated_at), (NOW, NOW));
    assert!(found.is_enabled());
    assert!(
        users::find(&mut db, user("bob").id)
            .await
            .unwrap()
            .is_none()
    );
}

async fn a_user_name_and_an_address_are_one_users(store: Store) {
    commit!(store, |db| insert_user(db, "alice")).unwrap();

    let mut same_name = user("alice");
    same_name.claims.email = None;
    let same_name = commit!(store, |db| users::insert(db, &same_name)).unwrap();
    assert_eq!(same_name, Registration::UsernameTaken);

    let mut same_address = user("alicia");
    same_address.claims.email = Some("Alice@Example.com".to_owned());
    let same_address = commit!(store, |db| users::insert(db, &same_address)).unwrap();
    assert_eq!(same_address, Registration::EmailTaken);

    for name in ["bob", "carol"] {
        let mut without_address = user(name);
        without_address.claims.email = None;
        let registration = commit!(store, |db| users::insert(db, &without_address)).unwrap();
        assert_eq!(registration, Registration::Done);
    }
}

async fn a_user_name_is_given_once_under_a_race(store: Store) {
    let outcomes = race(&store, |store, _| async move {
        let alice = user("alice");
        commit!(store, |db| users::insert(db, &alice)).unwrap()
    })
    .await;

    let is_done = |it: &&Registration| **it == Registration::Done;
    assert_eq!(outcomes.iter().filter(is_done).count(), 1);
    let is_taken = |it: &&Registration| **it == Registration::UsernameTaken;
    assert_eq!(outcomes.iter().filter(is_taken).count(), 63);
}

async fn users_are_listed_by_name_in_pages(store: Store) {
    for name in ["carol", "alice", "bob"] {
        commit!(store, |db| insert_user(db, name)).unwrap();
    }

    let mut db = reader(&store).await;
    let page = users::list(&mut db, None, 2).await.unwrap();
    let names: Vec<_> = page.iter().map(|user| user.username.as_str()).collect();
    assert_eq!(names, ["alice", "bob"]);
    let rest = users::list(&mut db, Some(&page[1].username), 2)
        .await
        .unwrap();
    let names: Vec<_> = rest.iter().map(|user| user.username.as_str()).collect();
    assert_eq!(names, ["carol"]);
}

async fn a_user_is_updated_unless_the_address_is_anothers(store: Store) {
    let alice = user("alice");
    let id = alice.id;
    commit!(store, |db| users::insert(db, &alice)).unwrap();
    commit!(store, |db| insert_user(db, "bob")).unwrap();

    for (email, expected) in [
        (None, Registration::Done),
        (Some("bob@example.com"), Registration::EmailTaken),
        (Some("new@example.com"), Registration::Done),
    ] {
        let mut claims = user("alice").claims;
        claims.email = email.map(str::to_owned);
        let updated = commit!(store, |db| users::update(db, id, &claims, &[], LATER)).unwrap();
        assert_eq!(updated, expected, "{email:?}");
    }

    let found = users::find(&mut *reader(&store).await, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.claims.email.as_deref(), Some("new@example.com"));
    assert_eq!((found.groups.len(), found.updated_at), (0, LATER));

    let nobody = user("nobody");
    let updated = commit!(store, |db| users::update(
        db,
        nobody.id,
        &nobody.claims,
        &[],
        LATER
    ))
    .unwrap();
    assert_eq!(updated, Registration::Unknown);
}

async fn a_rehash_does_not_undo_a_new_password(store: Store) {
    let alice = user("alice");
    let id = alice.id;
    commit!(store, |db| users::insert(db, &alice)).unwrap();
    let hash = |text: &str| PasswordHash::from_phc(text.to_owned());
    let (old, new, rehash) = (hash("$argon2id$of alice"), hash("new"), hash("rehash"));

    let set = commit!(store, |db| users::set_password(db, id, &new)).unwrap();
    assert!(set);
    let rehashed = commit!(store, |db| users::rehash_password(db, id, &old, &rehash)).unwrap();
    assert!(!rehashed);
    let (current, rehash) = (hash("new"), hash("rehash"));
    let rehashed = commit!(store, |db| users::rehash_password(
        db, id, &current, &rehash
    ))
    .unwrap();
    assert!(rehashed);

    let found = users::find(&mut *reader(&store).await, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.password.unwrap().as_phc(), "rehash");
}

async fn a_user_is_disabled_and_enabled(store: Store) {
    let alice = user("alice");
    let id = alice.id;
    commit!(store, |db| users::insert(db, &alice)).unwrap();

    assert!(commit!(store, |db| users::disable(db, id, NOW)).unwrap());
    assert!(!commit!(store, |db| users::disable(db, id, LATER)).unwrap());
    let found = users::find(&mut *reader(&store).await, id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.disabled_at, Some(NOW));
    assert!(commit!(store, |db| users::enable(db, id)).unwrap());
    assert!(!commit!(store, |db| users::enable(db, id)).unwrap());
    let found = users::find(&mut *reader(&store).await, id)
        .await
        .unwrap()
        .unwrap();
    assert!(found.is_enabled());
}

async fn deleting_a_user_ends_everything_of_theirs(store: Store) {
    let Parties { user, grant, .. } = parties(&store).await;
    issue_code(&store, &grant, "code").await;
    issue_refresh_token(&store, &grant, "token").await;
    let session = session(&user);
    commit!(store, |db| sessions::insert(
        db,
        &digest("cookie"),
        &session,
        LATER
    ))
    .unwrap();

    assert!(commit!(store, |db| users::delete(db, user.id)).unwrap());
    assert!(!commit!(store, |db| users::delete(db, user.id)).unwrap());
    nothing_is_left(&store).await;
    let mut db = reader(&store).await;
    let session = sessions::find_by_digest(&mut db, &digest("cookie"), NOW).await;
    assert!(session.unwrap().is_none());
}
