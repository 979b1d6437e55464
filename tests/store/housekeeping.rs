//! Sweeping away what has expired.

use std::time::Duration;

use keyfob::store::authorization_codes::Consumption;
use keyfob::store::{
    Store, authorization_codes, clients, grants, known_browsers, login_throttles, refresh_tokens,
};

use crate::fixture::{
    LATER, MUCH_LATER, NOW, Parties, begin_session, client, commit, digest, issue_code,
    issue_refresh_token, parties, reader, session,
};

conformance! {
    nothing_that_lives_is_swept_away,
    a_consumed_code_is_kept_as_long_as_its_grant,
    a_code_that_nobody_came_for_goes_with_its_grant,
    what_has_expired_is_swept_away,
    many_rows_are_swept_away_in_steps,
    a_client_that_registered_itself_and_was_never_used_is_swept_away,
}

const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_hours(24);

async fn nothing_that_lives_is_swept_away(store: Store) {
    let Parties { user, grant, .. } = parties(&store).await;
    issue_code(&store, &grant, "code").await;
    issue_refresh_token(&store, &grant, "token").await;
    let session = session(&user);
    begin_session(&store, &session, "cookie", LATER).await;
    assert_eq!(store.purge_expired(NOW).await.unwrap(), 0);

    // The code has expired; that it existed is still known.
    assert_eq!(store.purge_expired(LATER).await.unwrap(), 1, "the session");
    let mut db = reader(&store).await;
    let code = authorization_codes::find_with_grant(&mut db, &digest("code")).await;
    assert!(code.unwrap().is_some());
}

async fn a_consumed_code_is_kept_as_long_as_its_grant(store: Store) {
    let Parties { grant, .. } = parties(&store).await;
    issue_code(&store, &grant, "code").await;
    issue_refresh_token(&store, &grant, "token").await;
    let consume = async || {
        commit!(store, |db| authorization_codes::consume(
            db,
            &digest("code"),
            NOW
        ))
        .unwrap()
    };
    consume().await;

    store
        .purge_expired(MUCH_LATER.after(DAY).before(SECOND))
        .await
        .unwrap();
    assert_eq!(consume().await, Consumption::Replayed(grant.id));
    store.purge_expired(MUCH_LATER.after(DAY)).await.unwrap();
    assert_eq!(consume().await, Consumption::Unknown);
    let mut db = reader(&store).await;
    let token = refresh_tokens::find_with_grant(&mut db, &digest("token")).await;
    assert!(token.unwrap().is_none());
}

async fn a_code_that_nobody_came_for_goes_with_its_grant(store: Store) {
    let Parties { grant, .. } = parties(&store).await;
    issue_code(&store, &grant, "code").await;

    assert_eq!(store.purge_expired(LATER.after(DAY)).await.unwrap(), 1);
    let mut db = reader(&store).await;
    assert!(grants::find(&mut db, grant.id).await.unwrap().is_none());
}

async fn what_has_expired_is_swept_away(store: Store) {
    let Parties { user, grant, .. } = parties(&store).await;
    let user_id = user.id;
    commit!(store, |db| known_browsers::insert(
        db,
        &digest("browser"),
        user_id,
        NOW,
        LATER
    ))
    .unwrap();
    commit!(store, |db| login_throttles::count(
        db,
        &digest("account"),
        NOW,
        Duration::from_mins(1)
    ))
    .unwrap();
    let id = grant.id;
    commit!(store, |db| grants::revoke(db, id, NOW, "because")).unwrap();

    assert_eq!(store.purge_expired(LATER).await.unwrap(), 2);
    assert_eq!(
        store.purge_expired(NOW.after(DAY)).await.unwrap(),
        1,
        "the grant"
    );
    assert_eq!(store.purge_expired(NOW.after(DAY)).await.unwrap(), 0);
}

async fn many_rows_are_swept_away_in_steps(store: Store) {
    let filled: Result<(), keyfob::store::StoreError> = store
        .write(|db| {
            Box::pin(async move {
                for number in 0..450 {
                    let key = digest(&number.to_string());
                    login_throttles::count(db, &key, NOW, Duration::from_mins(1)).await?;
                }
                Ok(())
            })
        })
        .await;
    filled.unwrap();
    assert_eq!(store.purge_expired(LATER).await.unwrap(), 450);
}

async fn a_client_that_registered_itself_and_was_never_used_is_swept_away(store: Store) {
    let Parties { client: used, .. } = parties(&store).await;
    for (id, registered_at) in [
        ("old", Some(NOW)),
        ("new", Some(LATER)),
        ("operators", None),
    ] {
        let mut app = client(id);
        app.self_registered_at = registered_at;
        commit!(store, |db| clients::insert(db, &app)).unwrap();
    }
    // Somebody has signed in to this one.
    let mut again = used.clone();
    again.self_registered_at = Some(NOW);
    commit!(store, |db| clients::upsert(db, &again)).unwrap();

    assert_eq!(
        store
            .purge_unused_clients(NOW.before(SECOND))
            .await
            .unwrap(),
        0
    );
    assert_eq!(store.purge_unused_clients(NOW).await.unwrap(), 1);
    let swept = commit!(store, |db| clients::purge_unused(db, NOW, 10));
    assert_eq!(swept.unwrap(), 0);
    let mut db = reader(&store).await;
    let left = clients::list(&mut db, None, 10).await.unwrap();
    let left: Vec<_> = left.iter().map(|client| client.id.as_str()).collect();
    let mut expected = vec!["new", "operators", used.id.as_str()];
    expected.sort_unstable();
    assert_eq!(left, expected);
}
