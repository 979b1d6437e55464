//! Users, clients, sessions, known browsers and throttles.

use std::time::Duration;

use keyfob::oidc::client::{ClientId, ClientSecrets};
use keyfob::oidc::user::{EmailKey, LoginName, PasswordHash};
use keyfob::store::users::Registration;
use keyfob::store::{Store, StoreError, clients, known_browsers, login_throttles, sessions, users};

use crate::fixture::{
    LATER, MUCH_LATER, NOW, Parties, client, client_id, commit, digest, insert_user, issue_code,
    issue_refresh_token, parties, race, reader, session, user,
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
    a_client_is_found_as_it_was_registered,
    registering_a_client_again_replaces_it_and_keeps_its_age,
    a_client_is_not_changed_by_who_has_not_seen_the_last_change,
    a_rotated_secret_leaves_the_one_before_for_a_while,
    deleting_a_client_ends_everything_issued_to_it,
    a_session_is_found_with_its_user_while_it_is_live,
    a_session_lives_longer_when_it_is_used,
    a_session_goes_on_under_a_new_cookie,
    a_session_needs_its_user,
    a_browser_is_known_for_its_user_alone,
    failures_are_counted_exactly_under_a_race,
    a_window_ends_and_begins_anew,
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

/// Whether the code `code` and the refresh token `token` are gone.
async fn nothing_is_left(store: &Store) {
    use keyfob::store::{authorization_codes, refresh_tokens};
    let mut db = reader(store).await;
    let code = authorization_codes::find_with_grant(&mut db, &digest("code")).await;
    assert!(code.unwrap().is_none());
    let token = refresh_tokens::find_with_grant(&mut db, &digest("token")).await;
    assert!(token.unwrap().is_none());
}

async fn a_client_is_found_as_it_was_registered(store: Store) {
    let app = client("app");
    let again = app.clone();
    assert!(commit!(store, |db| clients::insert(db, &app)).unwrap());
    assert!(!commit!(store, |db| clients::insert(db, &again)).unwrap());
    let mut public = client("public");
    public.secret = None;
    assert!(commit!(store, |db| clients::insert(db, &public)).unwrap());

    let mut db = reader(&store).await;
    let found = clients::find(&mut db, &client_id("app"))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.name(), "The app");
    assert!(found.metadata.redirect_uris[0].matches("https://app.example/callback"));
    assert!(
        found
            .secret
            .unwrap()
            .accept(&digest("a client's secret"), NOW)
    );
    let listed = clients::list(&mut db, None, 10).await.unwrap();
    let ids: Vec<_> = listed.iter().map(|client| client.id.as_str()).collect();
    assert_eq!(ids, ["app", "public"]);
    assert!(listed[1].secret.is_none());
    let rest = clients::list(&mut db, Some(&client_id("app")), 10)
        .await
        .unwrap();
    assert_eq!(rest.len(), 1);
}

async fn registering_a_client_again_replaces_it_and_keeps_its_age(store: Store) {
    let app = client("app");
    let first = commit!(store, |db| clients::upsert(db, &app)).unwrap();
    assert_eq!(first, NOW);

    let mut renamed = client("app");
    renamed.metadata.client_name = Some("Another".to_owned());
    (renamed.created_at, renamed.updated_at) = (LATER, LATER);
    let first = commit!(store, |db| clients::upsert(db, &renamed)).unwrap();
    assert_eq!(first, NOW);

    let found = find_client(&store, "app").await;
    assert_eq!(found.name(), "Another");
    assert_eq!((found.created_at, found.updated_at), (NOW, LATER));
}

async fn find_client(store: &Store, id: &str) -> keyfob::oidc::client::Client {
    let mut db = reader(store).await;
    clients::find(&mut db, &client_id(id))
        .await
        .unwrap()
        .unwrap()
}

async fn a_client_is_not_changed_by_who_has_not_seen_the_last_change(store: Store) {
    let app = client("app");
    commit!(store, |db| clients::insert(db, &app)).unwrap();

    // All in the same second.
    let outcomes = race(&store, |store, number| async move {
        let mut metadata = client("app").metadata;
        metadata.client_name = Some(number.to_string());
        commit!(store, |db| clients::update_metadata(
            db,
            &client_id("app"),
            NOW,
            &metadata,
            NOW
        ))
        .unwrap()
    })
    .await;
    let winner = outcomes.iter().position(|it| *it).unwrap();
    assert_eq!(outcomes.iter().filter(|it| **it).count(), 1);
    let found = find_client(&store, "app").await;
    assert_eq!(found.name(), winner.to_string());
    assert!(found.updated_at > NOW);
}

async fn a_rotated_secret_leaves_the_one_before_for_a_while(store: Store) {
    let app = client("app");
    let id: ClientId = app.id.clone();
    commit!(store, |db| clients::insert(db, &app)).unwrap();
    let unknown = commit!(store, |db| clients::rotate_secret(
        db,
        &client_id("none"),
        &digest("new"),
        LATER,
        NOW
    ));
    assert!(!unknown.unwrap());
    let rotated = commit!(store, |db| clients::rotate_secret(
        db,
        &id,
        &digest("new"),
        LATER,
        NOW
    ));
    assert!(rotated.unwrap());

    let secrets: ClientSecrets = find_client(&store, "app").await.secret.unwrap();
    assert!(secrets.accept(&digest("new"), MUCH_LATER));
    assert!(secrets.accept(&digest("a client's secret"), NOW));
    assert!(!secrets.accept(&digest("a client's secret"), LATER));

    let id = client_id("app");
    assert!(commit!(store, |db| clients::disable(db, &id, NOW)).unwrap());
    assert!(!find_client(&store, "app").await.is_enabled());
    let id = client_id("app");
    assert!(commit!(store, |db| clients::enable(db, &id)).unwrap());
    assert!(find_client(&store, "app").await.is_enabled());
}

async fn deleting_a_client_ends_everything_issued_to_it(store: Store) {
    let Parties { client, grant, .. } = parties(&store).await;
    issue_code(&store, &grant, "code").await;
    issue_refresh_token(&store, &grant, "token").await;

    assert!(commit!(store, |db| clients::delete(db, &client.id)).unwrap());
    nothing_is_left(&store).await;
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
