//! Refresh tokens and access tokens.

use keyfob::oidc::confirmation::Confirmation;
use keyfob::oidc::grant::AccessTokenRecord;
use keyfob::oidc::token_exchange::Actor;
use keyfob::store::{
    Store, access_tokens, clients, dpop_proofs, grants, refresh_tokens, revoked_access_tokens,
    users,
};

use crate::fixture::{
    LATER, NOW, Parties, client, client_id, commit, digest, issue_refresh_token, parties, race,
    reader, refresh_token,
};

conformance! {
    a_refresh_token_is_rotated_once_under_a_race,
    retries_of_a_rotated_token_are_bounded,
    a_token_lives_on_unless_it_was_rotated,
    an_opaque_token_is_live_with_all_it_hangs_on,
    a_client_that_acts_as_itself_has_no_grant,
    an_exchanged_token_hangs_on_the_grant_of_another_client,
    an_access_token_is_revoked_by_its_jti,
    a_proof_is_used_once_under_a_race,
}

async fn a_refresh_token_is_rotated_once_under_a_race(store: Store) {
    let Parties { grant, .. } = parties(&store).await;
    issue_refresh_token(&store, &grant, "token").await;
    let outcomes = race(&store, |store, _| async move {
        commit!(store, |db| refresh_tokens::rotate(
            db,
            &digest("token"),
            NOW
        ))
        .unwrap()
    })
    .await;
    assert_eq!(outcomes.iter().filter(|it| **it).count(), 1);

    let mut db = reader(&store).await;
    let found = refresh_tokens::find_with_grant(&mut db, &digest("token")).await;
    let found = found.unwrap().unwrap();
    let mut expected = refresh_token(&grant);
    expected.rotated_at = Some(NOW);
    assert_eq!(found.token, expected);
    assert_eq!(found.grant.grant, grant);
    assert_eq!(found.retries, 0);
}

async fn retries_of_a_rotated_token_are_bounded(store: Store) {
    let Parties { grant, .. } = parties(&store).await;
    issue_refresh_token(&store, &grant, "token").await;
    let retry = async || {
        commit!(store, |db| refresh_tokens::count_retry(
            db,
            &digest("token"),
            2
        ))
        .unwrap()
    };
    assert!(!retry().await, "it was not rotated yet");
    commit!(store, |db| refresh_tokens::rotate(
        db,
        &digest("token"),
        NOW
    ))
    .unwrap();
    assert!(retry().await);
    assert!(retry().await);
    assert!(!retry().await, "the third is one too many");
}

async fn a_token_lives_on_unless_it_was_rotated(store: Store) {
    let Parties { grant, .. } = parties(&store).await;
    issue_refresh_token(&store, &grant, "token").await;
    let extend = async || {
        commit!(store, |db| refresh_tokens::extend(
            db,
            &digest("token"),
            LATER
        ))
        .unwrap()
    };
    assert!(extend().await);
    let mut db = reader(&store).await;
    let found = refresh_tokens::find_with_grant(&mut db, &digest("token")).await;
    assert_eq!(found.unwrap().unwrap().token.expires_at, LATER);
    drop(db);
    commit!(store, |db| refresh_tokens::rotate(
        db,
        &digest("token"),
        NOW
    ))
    .unwrap();
    assert!(!extend().await);
}

fn access_token(grant: Option<&keyfob::oidc::grant::Grant>) -> AccessTokenRecord {
    AccessTokenRecord {
        grant_id: grant.map(|grant| grant.id),
        client_id: client_id("app"),
        scopes: "openid".parse().unwrap(),
        details: r#"[{"type": "payment", "amount": 5}]"#.parse().unwrap(),
        audience: vec!["https://api.example/".to_owned()],
        confirmation: Confirmation {
            jkt: None,
            x5t_s256: Some("bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2".to_owned()),
        },
        actor: None,
        issued_at: NOW,
        expires_at: LATER,
    }
}

async fn an_opaque_token_is_live_with_all_it_hangs_on(store: Store) {
    let Parties { user, grant, .. } = parties(&store).await;
    let token = AccessTokenRecord {
        actor: Some(Actor {
            sub: "gateway".to_owned(),
            client_id: None,
            act: Some(Box::new(Actor {
                sub: "alice".to_owned(),
                client_id: Some("app".to_owned()),
                act: None,
            })),
        }),
        ..access_token(Some(&grant))
    };
    let stored = token.clone();
    commit!(store, |db| access_tokens::insert(
        db,
        &digest("token"),
        &stored
    ))
    .unwrap();
    let find = async |now| {
        let mut db = reader(&store).await;
        access_tokens::find_live(&mut db, &digest("token"), now)
            .await
            .unwrap()
    };
    let found = find(NOW).await.unwrap();
    assert_eq!(found.token, token);
    assert_eq!(found.client.id, client_id("app"));
    let (of_grant, of_user) = found.on_behalf_of.unwrap();
    assert_eq!((&of_grant, of_user.id), (&grant, user.id));
    assert!(find(LATER).await.is_none(), "it has expired");

    let user_id = user.id;
    commit!(store, |db| users::disable(db, user_id, NOW)).unwrap();
    assert!(find(NOW).await.is_none(), "its user is disabled");
    commit!(store, |db| users::enable(db, user_id)).unwrap();
    commit!(store, |db| clients::disable(db, &client_id("app"), NOW)).unwrap();
    assert!(find(NOW).await.is_none(), "its client is disabled");
    commit!(store, |db| clients::enable(db, &client_id("app"))).unwrap();
    assert!(find(NOW).await.is_some());

    let revoke =
        async || commit!(store, |db| access_tokens::revoke(db, &digest("token"), NOW)).unwrap();
    assert!(revoke().await);
    assert!(!revoke().await);
    assert!(find(NOW).await.is_none(), "it is revoked");
}

async fn a_client_that_acts_as_itself_has_no_grant(store: Store) {
    let app = client("app");
    commit!(store, |db| clients::insert(db, &app)).unwrap();
    let token = access_token(None);
    commit!(store, |db| access_tokens::insert(
        db,
        &digest("token"),
        &token
    ))
    .unwrap();

    let mut db = reader(&store).await;
    let found = access_tokens::find_live(&mut db, &digest("token"), NOW).await;
    let found = found.unwrap().unwrap();
    assert_eq!(found.token, access_token(None));
    assert!(found.on_behalf_of.is_none());
}

async fn an_exchanged_token_hangs_on_the_grant_of_another_client(store: Store) {
    let Parties { grant, .. } = parties(&store).await;
    let gateway = client("gateway");
    commit!(store, |db| clients::insert(db, &gateway)).unwrap();
    let token = AccessTokenRecord {
        client_id: client_id("gateway"),
        ..access_token(Some(&grant))
    };
    commit!(store, |db| access_tokens::insert(
        db,
        &digest("token"),
        &token
    ))
    .unwrap();
    let find = async || {
        let mut db = reader(&store).await;
        access_tokens::find_live(&mut db, &digest("token"), NOW)
            .await
            .unwrap()
    };
    let found = find().await.unwrap();
    assert_eq!(found.client.id, client_id("gateway"));
    let (of_grant, _) = found.on_behalf_of.unwrap();
    assert_eq!(of_grant, grant);
    for id in ["app", "gateway"] {
        commit!(store, |db| clients::disable(db, &client_id(id), NOW)).unwrap();
        assert!(find().await.is_none(), "{id} is disabled");
        commit!(store, |db| clients::enable(db, &client_id(id))).unwrap();
    }
    assert!(find().await.is_some());
}

async fn an_access_token_is_revoked_by_its_jti(store: Store) {
    let Parties { grant, .. } = parties(&store).await;
    for _ in 0..2 {
        commit!(store, |db| revoked_access_tokens::insert(db, "bad", LATER)).unwrap();
    }
    let mut db = reader(&store).await;
    for (jti, expected) in [(Some("bad"), false), (Some("good"), true), (None, true)] {
        let live = grants::find_live(&mut db, grant.id, jti, NOW)
            .await
            .unwrap();
        assert_eq!(live.is_some(), expected, "{jti:?}");
        let Some(jti) = jti else { continue };
        let id = &grant.client_id;
        let found = grants::find_live_with_caller(&mut db, id, grant.id, jti, NOW).await;
        let (_, live) = found.unwrap().unwrap();
        assert_eq!(live.is_some(), expected, "{jti:?}");
    }
    assert!(
        revoked_access_tokens::is_revoked(&mut db, "bad")
            .await
            .unwrap()
    );
    assert!(
        !revoked_access_tokens::is_revoked(&mut db, "good")
            .await
            .unwrap()
    );
}

async fn a_proof_is_used_once_under_a_race(store: Store) {
    let outcomes = race(&store, |store, _| async move {
        commit!(store, |db| dpop_proofs::insert(db, &digest("proof"), LATER)).unwrap()
    })
    .await;
    assert_eq!(outcomes.iter().filter(|it| **it).count(), 1);
    assert_eq!(store.purge_expired(LATER).await.unwrap(), 0);
    let hour = std::time::Duration::from_hours(1);
    assert_eq!(store.purge_expired(LATER.after(hour)).await.unwrap(), 1);
}
