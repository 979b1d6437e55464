//! Assertions that were used, and the secrets that some are signed with.

use std::time::Duration;

use keyfob::store::client_signing_secrets::SealedClientSecrets;
use keyfob::store::{Store, client_signing_secrets, clients, used_assertions};

use crate::fixture::{LATER, NOW, Parties, commit, digest, parties, race, reader};

conformance! {
    an_assertion_is_used_once_under_a_race,
    a_used_assertion_is_forgotten_after_it_has_ended,
    a_signing_secret_is_kept_with_the_one_before_and_goes_with_its_client,
}

async fn an_assertion_is_used_once_under_a_race(store: Store) {
    let outcomes = race(&store, |store, _| async move {
        commit!(store, |db| used_assertions::insert(
            db,
            &digest("assertion"),
            LATER
        ))
        .unwrap()
    })
    .await;
    assert_eq!(outcomes.iter().filter(|it| **it).count(), 1);
    let another = commit!(store, |db| used_assertions::insert(
        db,
        &digest("another"),
        LATER
    ));
    assert!(another.unwrap());
}

async fn a_used_assertion_is_forgotten_after_it_has_ended(store: Store) {
    let used = async || {
        commit!(store, |db| used_assertions::insert(
            db,
            &digest("assertion"),
            LATER
        ))
        .unwrap()
    };
    assert!(used().await);
    // The clock of another replica may be behind.
    store.purge_expired(LATER).await.unwrap();
    assert!(!used().await);
    let long_after = LATER.after(Duration::from_mins(5));
    assert_eq!(store.purge_expired(long_after).await.unwrap(), 1);
    assert!(used().await);
}

async fn a_signing_secret_is_kept_with_the_one_before_and_goes_with_its_client(store: Store) {
    let Parties { client, .. } = parties(&store).await;
    let id = &client.id;
    let find = async || {
        let mut db = reader(&store).await;
        client_signing_secrets::find(&mut db, id).await.unwrap()
    };
    let secrets = |current: &str, previous: Option<&str>| SealedClientSecrets {
        current: current.to_owned(),
        previous: previous.map(|previous| (previous.to_owned(), NOW)),
    };
    let rotate = async |sealed: &'static str| {
        let id = id.clone();
        commit!(store, |db| client_signing_secrets::rotate(
            db, &id, sealed, NOW
        ))
        .unwrap()
    };
    assert_eq!(find().await, None);
    assert!(!rotate("none").await);
    let own = id.clone();
    commit!(store, |db| client_signing_secrets::insert(db, &own, "one")).unwrap();
    assert_eq!(find().await, Some(secrets("one", None)));
    assert!(rotate("two").await);
    assert_eq!(find().await, Some(secrets("two", Some("one"))));

    let own = id.clone();
    commit!(store, |db| client_signing_secrets::delete(db, &own)).unwrap();
    assert_eq!(find().await, None);
    let own = id.clone();
    commit!(store, |db| client_signing_secrets::insert(
        db, &own, "three"
    ))
    .unwrap();
    let own = id.clone();
    commit!(store, |db| clients::delete(db, &own)).unwrap();
    assert_eq!(find().await, None);
}
