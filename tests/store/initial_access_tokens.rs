//! Initial access tokens.

use keyfob::oidc::initial_access_token::{InitialAccessToken, InitialAccessTokenId};
use keyfob::store::{Store, initial_access_tokens};
use uuid::Uuid;

use crate::fixture::{LATER, NOW, commit, digest, race, reader};

conformance! {
    an_initial_access_token_is_used_as_often_as_it_may_be,
    an_initial_access_token_ends_with_its_time_or_by_hand,
}

fn token(uses_left: u32) -> InitialAccessToken {
    InitialAccessToken {
        id: InitialAccessTokenId(Uuid::new_v4()),
        note: Some("the build server".to_owned()),
        uses_left,
        created_at: NOW,
        expires_at: LATER,
    }
}

async fn an_initial_access_token_is_used_as_often_as_it_may_be(store: Store) {
    let token = token(2);
    let (id, stored) = (token.id, token.clone());
    commit!(store, |db| initial_access_tokens::insert(
        db,
        &digest("token"),
        &stored
    ))
    .unwrap();
    let mut db = reader(&store).await;
    let found = initial_access_tokens::find_usable(&mut db, &digest("token"), NOW).await;
    assert_eq!(found.unwrap(), Some(token));
    let other = initial_access_tokens::find_usable(&mut db, &digest("other"), NOW).await;
    assert_eq!(other.unwrap(), None);
    drop(db);

    let outcomes = race(&store, |store, _| async move {
        commit!(store, |db| initial_access_tokens::consume(db, id, NOW)).unwrap()
    })
    .await;
    assert_eq!(outcomes.iter().filter(|it| **it).count(), 2);
    let mut db = reader(&store).await;
    let found = initial_access_tokens::find_usable(&mut db, &digest("token"), NOW).await;
    assert_eq!(found.unwrap(), None);
    let listed = initial_access_tokens::list(&mut db, NOW).await.unwrap();
    assert_eq!(listed[0].uses_left, 0);
}

async fn an_initial_access_token_ends_with_its_time_or_by_hand(store: Store) {
    let token = token(5);
    let id = token.id;
    commit!(store, |db| initial_access_tokens::insert(
        db,
        &digest("token"),
        &token
    ))
    .unwrap();
    let late = commit!(store, |db| initial_access_tokens::consume(db, id, LATER));
    assert!(!late.unwrap());
    let mut db = reader(&store).await;
    let found = initial_access_tokens::find_usable(&mut db, &digest("token"), LATER).await;
    assert_eq!(found.unwrap(), None);
    assert!(
        initial_access_tokens::list(&mut db, LATER)
            .await
            .unwrap()
            .is_empty()
    );
    drop(db);

    assert!(commit!(store, |db| initial_access_tokens::delete(db, id)).unwrap());
    assert!(!commit!(store, |db| initial_access_tokens::delete(db, id)).unwrap());
    let used = commit!(store, |db| initial_access_tokens::consume(db, id, NOW));
    assert!(!used.unwrap());
}
