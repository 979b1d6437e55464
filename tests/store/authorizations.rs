//! Transactions, consents, grants, codes and tokens.

use keyfob::oidc::consent::Consent;
use keyfob::oidc::grant::AccessTokenRecord;
use keyfob::oidc::transaction::Transaction;
use keyfob::oidc::user::UserId;
use keyfob::store::authorization_codes::Consumption;
use keyfob::store::grants::OfSession;
use keyfob::store::{
    Store, StoreError, access_tokens, authorization_codes, authorization_transactions, clients,
    consents, grants, refresh_tokens, revoked_access_tokens, users,
};

use uuid::Uuid;

use crate::fixture::{
    LATER, MUCH_LATER, NOW, Parties, client, client_id, code, commit, digest, grant, issue_code,
    issue_refresh_token, parties, race, reader, refresh_token, user,
};

conformance! {
    a_transaction_goes_its_way_in_its_own_browser,
    what_one_user_did_in_a_transaction_does_not_count_for_another,
    a_transaction_is_finished_once_under_a_race,
    consent_is_merged_and_withdrawn,
    consent_is_merged_under_a_race,
    a_grant_is_live_until_something_ends_it,
    a_grant_is_revoked_once,
    grants_are_revoked_by_session,
    grants_are_revoked_by_user_and_client,
    a_code_is_found_as_it_was_issued,
    a_code_is_consumed_once,
    a_code_is_consumed_once_under_a_race,
    a_code_presented_wrongly_too_often_is_burnt,
    a_code_needs_its_grant,
    a_digest_is_never_reused,
    a_refresh_token_is_rotated_once_under_a_race,
    retries_of_a_rotated_token_are_bounded,
    an_opaque_token_is_live_with_all_it_hangs_on,
    a_client_that_acts_as_itself_has_no_grant,
    an_access_token_is_revoked_by_its_jti,
}

fn transaction() -> Transaction {
    Transaction {
        browser_digest: digest("browser"),
        client_id: client_id("app"),
        request: "client_id=app&state=%C3%A9".to_owned(),
        created_at: NOW,
        expires_at: MUCH_LATER,
        user_id: None,
        authenticated_at: None,
        account_chosen_at: None,
        consented_at: None,
        finished_at: None,
    }
}

async fn begin_transaction(store: &Store) {
    let app = client("app");
    commit!(store, |db| clients::insert(db, &app)).unwrap();
    commit!(store, |db| authorization_transactions::insert(
        db,
        &digest("handle"),
        &transaction()
    ))
    .unwrap();
}

async fn a_transaction_goes_its_way_in_its_own_browser(store: Store) {
    begin_transaction(&store).await;
    let alice = UserId(Uuid::from_u128(1));

    let stolen = commit!(store, |db| authorization_transactions::mark_authenticated(
        db,
        &digest("handle"),
        &digest("another browser"),
        alice,
        LATER
    ));
    assert!(!stolen.unwrap());
    let marked = commit!(store, |db| authorization_transactions::mark_authenticated(
        db,
        &digest("handle"),
        &digest("browser"),
        alice,
        LATER
    ));
    assert!(marked.unwrap());
    choose_and_consent(&store, alice).await;

    let mut db = reader(&store).await;
    let found = authorization_transactions::find(&mut db, &digest("handle"), LATER).await;
    let expected = Transaction {
        user_id: Some(alice),
        authenticated_at: Some(LATER),
        account_chosen_at: Some(LATER),
        consented_at: Some(LATER),
        ..transaction()
    };
    assert_eq!(found.unwrap().unwrap(), expected);
    let found = authorization_transactions::find(&mut db, &digest("handle"), MUCH_LATER).await;
    assert!(found.unwrap().is_none());
    drop(db);

    let expired = commit!(store, |db| authorization_transactions::finish(
        db,
        &digest("handle"),
        &digest("browser"),
        MUCH_LATER
    ));
    assert!(!expired.unwrap());
}

async fn what_one_user_did_in_a_transaction_does_not_count_for_another(store: Store) {
    begin_transaction(&store).await;
    let [alice, bob] = [1, 2].map(|number| UserId(Uuid::from_u128(number)));
    choose_and_consent(&store, alice).await;

    let marked = commit!(store, |db| authorization_transactions::mark_account_chosen(
        db,
        &digest("handle"),
        &digest("browser"),
        bob,
        LATER
    ));
    assert!(marked.unwrap());

    let mut db = reader(&store).await;
    let found = authorization_transactions::find(&mut db, &digest("handle"), LATER).await;
    let expected = Transaction {
        user_id: Some(bob),
        account_chosen_at: Some(LATER),
        ..transaction()
    };
    assert_eq!(found.unwrap().unwrap(), expected);
}

/// What `user` does on the pages.
async fn choose_and_consent(store: &Store, user: UserId) {
    let marked = commit!(store, |db| authorization_transactions::mark_account_chosen(
        db,
        &digest("handle"),
        &digest("browser"),
        user,
        LATER
    ));
    assert!(marked.unwrap());
    let marked = commit!(store, |db| authorization_transactions::mark_consented(
        db,
        &digest("handle"),
        &digest("browser"),
        user,
        LATER
    ));
    assert!(marked.unwrap());
}

async fn a_transaction_is_finished_once_under_a_race(store: Store) {
    begin_transaction(&store).await;
    let outcomes = race(&store, |store, _| async move {
        commit!(store, |db| authorization_transactions::finish(
            db,
            &digest("handle"),
            &digest("browser"),
            NOW
        ))
        .unwrap()
    })
    .await;
    assert_eq!(outcomes.iter().filter(|it| **it).count(), 1);

    let marked = commit!(store, |db| authorization_transactions::mark_consented(
        db,
        &digest("handle"),
        &digest("browser"),
        UserId(Uuid::from_u128(1)),
        LATER
    ));
    assert!(!marked.unwrap(), "it is finished");
}

async fn consent_is_merged_and_withdrawn(store: Store) {
    let Parties { user, client, .. } = parties(&store).await;
    let consent = |scopes: &str, granted_at| Consent {
        user_id: user.id,
        client_id: client.id.clone(),
        scopes: scopes.parse().unwrap(),
        granted_at,
    };
    for (given, all) in [
        ("openid email", "openid email"),
        ("openid profile", "openid email profile"),
        ("email", "openid email profile"),
    ] {
        let given = consent(given, LATER);
        let merged = commit!(store, |db| consents::merge(db, &given)).unwrap();
        assert_eq!(merged.to_string(), all);
    }

    let mut db = reader(&store).await;
    let found = consents::find(&mut db, user.id, &client.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found, consent("openid email profile", LATER));
    assert_eq!(
        consents::list_of_user(&mut db, user.id).await.unwrap(),
        [found]
    );
    drop(db);

    let (user_id, id) = (user.id, client.id.clone());
    assert!(commit!(store, |db| consents::withdraw(db, user_id, &id)).unwrap());
    let id = client.id.clone();
    assert!(!commit!(store, |db| consents::withdraw(db, user_id, &id)).unwrap());
    let mut db = reader(&store).await;
    let found = consents::find(&mut db, user.id, &client.id).await.unwrap();
    assert!(found.is_none());
}

async fn consent_is_merged_under_a_race(store: Store) {
    let Parties { user, client, .. } = parties(&store).await;
    let user_id = user.id;
    race(&store, |store, number| async move {
        let consent = Consent {
            user_id,
            client_id: client_id("app"),
            scopes: format!("openid s{number}").parse().unwrap(),
            granted_at: NOW,
        };
        commit!(store, |db| consents::merge(db, &consent)).unwrap()
    })
    .await;

    let mut db = reader(&store).await;
    let found = consents::find(&mut db, user.id, &client.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(found.scopes.iter().count(), 65);
}

async fn a_grant_is_live_until_something_ends_it(store: Store) {
    let Parties {
        user,
        client,
        grant,
    } = parties(&store).await;
    let is_live = async |now| {
        let mut db = reader(&store).await;
        let live = grants::find_live(&mut db, grant.id, None, now)
            .await
            .unwrap();
        let found = grants::find(&mut db, grant.id).await.unwrap().unwrap();
        assert_eq!(found.is_live(now), live.is_some());
        live.is_some()
    };
    let mut db = reader(&store).await;
    let found = grants::find_live(&mut db, grant.id, Some("a jti"), NOW).await;
    let found = found.unwrap().unwrap();
    assert_eq!(found.grant, grant);
    assert_eq!(found.user.username, user.username);
    assert_eq!(found.client.name(), client.name());
    assert_eq!(found.revoked_at, None);
    drop(db);

    assert!(is_live(LATER).await);
    assert!(!is_live(MUCH_LATER).await, "it has expired");

    let (user_id, client_id) = (user.id, client.id.clone());
    commit!(store, |db| users::disable(db, user_id, NOW)).unwrap();
    assert!(!is_live(NOW).await, "its user is disabled");
    commit!(store, |db| users::enable(db, user_id)).unwrap();
    assert!(is_live(NOW).await);

    commit!(store, |db| clients::disable(db, &client_id, NOW)).unwrap();
    assert!(!is_live(NOW).await, "its client is disabled");
    let client_id = client.id.clone();
    commit!(store, |db| clients::enable(db, &client_id)).unwrap();
    assert!(is_live(NOW).await);

    let id = grant.id;
    commit!(store, |db| grants::revoke(db, id, NOW, "because")).unwrap();
    assert!(!is_live(NOW).await, "it is revoked");
}

async fn a_grant_is_revoked_once(store: Store) {
    let Parties { grant, .. } = parties(&store).await;
    let id = grant.id;
    let outcomes = race(&store, |store, _| async move {
        commit!(store, |db| grants::revoke(db, id, NOW, "because")).unwrap()
    })
    .await;
    assert_eq!(outcomes.iter().filter(|it| **it).count(), 1);
}

async fn grants_are_revoked_by_session(store: Store) {
    let Parties {
        user,
        client,
        grant,
    } = parties(&store).await;
    let mut offline = grant.clone();
    offline.id = crate::fixture::grant(&user, &client).id;
    let stored = offline.clone();
    commit!(store, |db| grants::insert(db, &stored, Some(NOW))).unwrap();
    let (user_id, session_id) = (user.id, grant.session_id);

    let mut db = reader(&store).await;
    let listed = grants::list_of_user(&mut db, user_id, NOW).await.unwrap();
    assert_eq!(listed.len(), 2);
    drop(db);

    let online = commit!(store, |db| grants::revoke_all_of_session(
        db,
        session_id,
        OfSession::Online,
        NOW,
        "logout"
    ));
    assert_eq!(online.unwrap(), 1);
    let mut db = reader(&store).await;
    let listed = grants::list_of_user(&mut db, user_id, NOW).await.unwrap();
    assert_eq!(listed, [offline]);
    drop(db);
    let all = commit!(store, |db| grants::revoke_all_of_session(
        db,
        session_id,
        OfSession::All,
        NOW,
        "logout"
    ));
    assert_eq!(all.unwrap(), 1);
}

async fn grants_are_revoked_by_user_and_client(store: Store) {
    let Parties {
        user,
        client,
        grant: first,
    } = parties(&store).await;
    let (user_id, first) = (user.id, first.id);
    let app = || client_id("app");
    commit!(store, |db| grants::revoke(db, first, NOW, "because")).unwrap();

    let again = async || {
        let third = grant(&user, &client);
        commit!(store, |db| grants::insert(db, &third, None)).unwrap();
    };
    again().await;
    let revoked = commit!(store, |db| grants::revoke_all_of_user(
        db, user_id, NOW, "password"
    ));
    assert_eq!(revoked.unwrap(), 1);
    again().await;
    let revoked = commit!(store, |db| grants::revoke_all_of_client(
        db,
        &app(),
        NOW,
        "secret"
    ));
    assert_eq!(revoked.unwrap(), 1);
    again().await;
    let revoked = commit!(store, |db| grants::revoke_all_of_user_and_client(
        db,
        user_id,
        &app(),
        NOW,
        "consent"
    ));
    assert_eq!(revoked.unwrap(), 1);
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

fn access_token(grant: Option<&keyfob::oidc::grant::Grant>) -> AccessTokenRecord {
    AccessTokenRecord {
        grant_id: grant.map(|grant| grant.id),
        client_id: client_id("app"),
        scopes: "openid".parse().unwrap(),
        audience: vec!["https://api.example/".to_owned()],
        issued_at: NOW,
        expires_at: LATER,
    }
}

async fn an_opaque_token_is_live_with_all_it_hangs_on(store: Store) {
    let Parties { user, grant, .. } = parties(&store).await;
    let token = access_token(Some(&grant));
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
