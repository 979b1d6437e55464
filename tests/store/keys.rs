//! Signing keys, the keyset and settings.

use keyfob::oidc::signing_algorithm::SigningAlgorithm;
use keyfob::store::signing_keys::SigningKeyRecord;
use keyfob::store::{Store, StoreError, keyset, settings, signing_keys};

use crate::fixture::{LATER, MUCH_LATER, NOW, commit, race, reader};

conformance! {
    signing_keys_are_found_as_they_were_stored,
    the_keyset_begins_once_under_a_race,
    the_keyset_advances_once_under_a_race,
    the_keyset_advances_from_its_own_version_alone,
    a_setting_keeps_its_first_value_under_a_race,
    a_setting_is_replaced_by_who_knows_it,
}

fn key(kid: &str) -> SigningKeyRecord {
    SigningKeyRecord {
        kid: kid.to_owned(),
        algorithm: SigningAlgorithm::EdDsa,
        sealed: "v1.sealed".to_owned(),
        public_jwk: r#"{"kty":"OKP"}"#.to_owned(),
        published_at: NOW,
        activates_at: LATER,
        retires_at: None,
        expires_at: None,
    }
}

async fn signing_keys_are_found_as_they_were_stored(store: Store) {
    for kid in ["b", "a"] {
        commit!(store, |db| signing_keys::insert(db, &key(kid))).unwrap();
    }
    let listed = signing_keys::list(&mut *reader(&store).await)
        .await
        .unwrap();
    assert_eq!(listed, [key("a"), key("b")]);

    let mut retired = key("a");
    (retired.retires_at, retired.expires_at) = (Some(LATER), Some(MUCH_LATER));
    let expected = retired.clone();
    assert!(commit!(store, |db| signing_keys::update(db, &retired)).unwrap());
    assert!(!commit!(store, |db| signing_keys::update(db, &key("c"))).unwrap());
    assert!(commit!(store, |db| signing_keys::delete(db, "b")).unwrap());
    assert!(!commit!(store, |db| signing_keys::delete(db, "b")).unwrap());
    let listed = signing_keys::list(&mut *reader(&store).await)
        .await
        .unwrap();
    assert_eq!(listed, [expected]);
}

async fn the_keyset_begins_once_under_a_race(store: Store) {
    assert_eq!(version(&store).await, 0, "there is no row yet");
    one_racer_advances(&store, 0).await;
}

async fn the_keyset_advances_once_under_a_race(store: Store) {
    assert!(commit!(store, |db| keyset::advance(db, 0)).unwrap());
    one_racer_advances(&store, 1).await;
}

async fn the_keyset_advances_from_its_own_version_alone(store: Store) {
    assert!(!commit!(store, |db| keyset::advance(db, 1)).unwrap());
    assert_eq!(version(&store).await, 0);
    assert!(commit!(store, |db| keyset::advance(db, 0)).unwrap());
    for other in [0, 2] {
        assert!(!commit!(store, |db| keyset::advance(db, other)).unwrap());
    }
    assert_eq!(version(&store).await, 1);
}

async fn version(store: &Store) -> i64 {
    keyset::version(&mut *reader(store).await).await.unwrap()
}

/// Has many who know the version `from` move the keyset on and insert a key, and fails unless one
/// of them did.
async fn one_racer_advances(store: &Store, from: i64) {
    let outcomes = race(store, |store, number| async move {
        let outcome: Result<bool, StoreError> = store
            .write(move |db| {
                Box::pin(async move {
                    if !keyset::advance(db, from).await? {
                        return Ok(false);
                    }
                    signing_keys::insert(db, &key(&number.to_string())).await?;
                    Ok(true)
                })
            })
            .await;
        outcome.unwrap()
    })
    .await;
    assert_eq!(outcomes.iter().filter(|it| **it).count(), 1);
    assert_eq!(version(store).await, from + 1);
    let mut db = reader(store).await;
    assert_eq!(signing_keys::list(&mut db).await.unwrap().len(), 1);
}

async fn a_setting_keeps_its_first_value_under_a_race(store: Store) {
    let outcomes = race(&store, |store, number| async move {
        let value = number.to_string();
        commit!(store, |db| settings::insert_if_absent(db, "mode", &value)).unwrap()
    })
    .await;
    assert!(outcomes.iter().all(|it| *it == outcomes[0]));
    let found = settings::find(&mut *reader(&store).await, "mode")
        .await
        .unwrap();
    assert_eq!(found.as_ref(), Some(&outcomes[0]));
}

async fn a_setting_is_replaced_by_who_knows_it(store: Store) {
    commit!(store, |db| settings::insert_if_absent(db, "mode", "dev")).unwrap();
    assert!(!commit!(store, |db| settings::replace(db, "mode", "other", "new")).unwrap());
    assert!(commit!(store, |db| settings::replace(db, "mode", "dev", "new")).unwrap());
    let mut db = reader(&store).await;
    let found = settings::find(&mut db, "mode").await.unwrap();
    assert_eq!(found.as_deref(), Some("new"));
    assert_eq!(settings::find(&mut db, "none").await.unwrap(), None);
}
