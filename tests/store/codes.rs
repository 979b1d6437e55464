//! Authorization codes.

use keyfob::store::authorization_codes::Consumption;
use keyfob::store::{Store, StoreError, authorization_codes};

use crate::fixture::{
    NOW, Parties, client, code, commit, digest, grant, issue_code, parties, race, reader, user,
};

conformance! {
    a_code_is_found_as_it_was_issued,
    a_code_is_consumed_once,
    a_code_is_consumed_once_under_a_race,
    a_code_presented_wrongly_too_often_is_burnt,
    a_code_needs_its_grant,
    a_digest_is_never_reused,
}

async fn a_code_is_found_as_it_was_issued(store: Store) {
    let Parties { grant, .. } = parties(&store).await;
    issue_code(&store, &grant, "code").await;

    let mut db = reader(&store).await;
    let found = authorization_codes::find_with_grant(&mut db, &digest("code")).await;
    let found = found.unwrap().unwrap();
    assert_eq!(found.code, code(&grant));
    assert_eq!(found.consumed_at, None);
    assert_eq!(found.grant.grant, grant);
    assert!(found.grant.is_live(NOW));
    let unknown = authorization_codes::find_with_grant(&mut db, &digest("other")).await;
    assert!(unknown.unwrap().is_none());
}

async fn a_code_is_consumed_once(store: Store) {
    let Parties { grant, .. } = parties(&store).await;
    issue_code(&store, &grant, "code").await;
    let consume = async |text: &'static str| {
        commit!(store, |db| authorization_codes::consume(
            db,
            &digest(text),
            NOW
        ))
        .unwrap()
    };
    assert_eq!(consume("code").await, Consumption::Consumed(code(&grant)));
    assert_eq!(consume("code").await, Consumption::Replayed(grant.id));
    assert_eq!(consume("other").await, Consumption::Unknown);

    let mut db = reader(&store).await;
    let found = authorization_codes::find_with_grant(&mut db, &digest("code")).await;
    assert_eq!(found.unwrap().unwrap().consumed_at, Some(NOW));
}

async fn a_code_is_consumed_once_under_a_race(store: Store) {
    let Parties { grant, .. } = parties(&store).await;
    issue_code(&store, &grant, "code").await;
    let outcomes = race(&store, |store, _| async move {
        commit!(store, |db| authorization_codes::consume(
            db,
            &digest("code"),
            NOW
        ))
        .unwrap()
    })
    .await;
    let consumed = |it: &&Consumption| matches!(it, Consumption::Consumed(_));
    assert_eq!(outcomes.iter().filter(consumed).count(), 1);
    let replayed = |it: &&Consumption| matches!(it, Consumption::Replayed(_));
    assert_eq!(outcomes.iter().filter(replayed).count(), 63);
}

async fn a_code_presented_wrongly_too_often_is_burnt(store: Store) {
    let Parties { grant, .. } = parties(&store).await;
    issue_code(&store, &grant, "code").await;
    let fail = async || {
        commit!(store, |db| authorization_codes::count_failure(
            db,
            &digest("code"),
            3,
            NOW
        ))
        .unwrap()
    };
    assert!(fail().await);
    assert!(fail().await);
    assert!(!fail().await, "the third is one too many");
    assert!(!fail().await);
    let consumption = commit!(store, |db| authorization_codes::consume(
        db,
        &digest("code"),
        NOW
    ));
    assert_eq!(consumption.unwrap(), Consumption::Replayed(grant.id));
}

async fn a_code_needs_its_grant(store: Store) {
    let grant = grant(&user("alice"), &client("app"));
    let outcome: Result<(), StoreError> = commit!(store, |db| authorization_codes::insert(
        db,
        &digest("code"),
        &code(&grant)
    ));
    assert!(matches!(outcome, Err(StoreError::Dangling)), "{outcome:?}");
}

async fn a_digest_is_never_reused(store: Store) {
    let Parties { grant, .. } = parties(&store).await;
    issue_code(&store, &grant, "code").await;
    let outcome: Result<(), StoreError> = commit!(store, |db| authorization_codes::insert(
        db,
        &digest("code"),
        &code(&grant)
    ));
    assert!(matches!(outcome, Err(StoreError::Conflict)), "{outcome:?}");
}
