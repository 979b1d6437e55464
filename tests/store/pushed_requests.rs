//! Pushed authorization requests.

use std::time::Duration;

use keyfob::oidc::pushed_authorization_request::PushedAuthorizationRequest;
use keyfob::store::{Store, clients, pushed_authorization_requests};

use crate::fixture::{LATER, MUCH_LATER, NOW, client, client_id, commit, digest, race, reader};

conformance! {
    a_pushed_request_is_found_as_it_came,
    a_pushed_request_is_used_up_once_under_a_race,
    a_pushed_request_is_kept_while_a_transaction_may_end_with_it,
}

fn pushed() -> PushedAuthorizationRequest {
    PushedAuthorizationRequest {
        client_id: client_id("app"),
        request: "client_id=app&state=%C3%A9".to_owned(),
        created_at: NOW,
        expires_at: LATER,
        used_at: None,
    }
}

async fn push(store: &Store) {
    let app = client("app");
    commit!(store, |db| clients::insert(db, &app)).unwrap();
    commit!(store, |db| pushed_authorization_requests::insert(
        db,
        &digest("request_uri"),
        &pushed()
    ))
    .unwrap();
}

async fn find(store: &Store, request_uri: &str) -> Option<PushedAuthorizationRequest> {
    let mut db = reader(store).await;
    let digest = digest(request_uri);
    let found = pushed_authorization_requests::find(&mut db, &digest).await;
    found.unwrap()
}

async fn consume(store: &Store, request_uri: &'static str) -> bool {
    let consumed = commit!(store, |db| pushed_authorization_requests::consume(
        db,
        &digest(request_uri),
        MUCH_LATER
    ));
    consumed.unwrap()
}

async fn a_pushed_request_is_found_as_it_came(store: Store) {
    push(&store).await;
    assert_eq!(find(&store, "request_uri").await, Some(pushed()));
    assert_eq!(find(&store, "another").await, None);
    assert!(!consume(&store, "another").await);

    let app = client_id("app");
    commit!(store, |db| clients::delete(db, &app)).unwrap();
    assert_eq!(find(&store, "request_uri").await, None);
}

async fn a_pushed_request_is_used_up_once_under_a_race(store: Store) {
    push(&store).await;
    let outcomes = race(&store, |store, _| async move {
        consume(&store, "request_uri").await
    })
    .await;
    assert_eq!(outcomes.iter().filter(|is_first| **is_first).count(), 1);
    let found = find(&store, "request_uri").await.unwrap();
    assert_eq!(found.used_at, Some(MUCH_LATER));
}

async fn a_pushed_request_is_kept_while_a_transaction_may_end_with_it(store: Store) {
    let day = Duration::from_hours(24);
    push(&store).await;
    store
        .purge_expired(LATER.after(day).before(Duration::from_secs(1)))
        .await
        .unwrap();
    assert!(find(&store, "request_uri").await.is_some());
    assert_eq!(store.purge_expired(LATER.after(day)).await.unwrap(), 1);
    assert!(find(&store, "request_uri").await.is_none());
}
