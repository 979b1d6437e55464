//! Authorization transactions, and the consent that is given in them.

use keyfob::oidc::claims_request::ClaimNames;
use keyfob::oidc::consent::Consent;
use keyfob::oidc::transaction::Transaction;
use keyfob::oidc::user::UserId;
use keyfob::store::{Store, authorization_transactions, clients, consents};
use uuid::Uuid;

use crate::fixture::{
    LATER, MUCH_LATER, NOW, Parties, client, client_id, commit, digest, parties, race, reader,
};

conformance! {
    a_transaction_goes_its_way_in_its_own_browser,
    what_one_user_did_in_a_transaction_does_not_count_for_another,
    a_transaction_is_finished_once_under_a_race,
    consent_is_merged_and_withdrawn,
    consent_is_merged_under_a_race,
}

fn transaction() -> Transaction {
    Transaction {
        browser_digest: digest("browser"),
        client_id: client_id("app"),
        request: "client_id=app&state=%C3%A9".to_owned(),
        device: None,
        pushed_digest: Some(digest("request_uri")),
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
    let consent = |scopes: &str, claims: &str, granted_at| Consent {
        user_id: user.id,
        client_id: client.id.clone(),
        scopes: scopes.parse().unwrap(),
        claims: claims.parse().unwrap(),
        resources: vec!["https://mcp.example.com/mcp".to_owned()],
        granted_at,
    };
    for (given, all) in [
        (("openid email", ""), ("openid email", "")),
        (
            ("openid profile", "address"),
            ("openid email profile", "address"),
        ),
        (("email", ""), ("openid email profile", "address")),
        (
            ("email", "name address"),
            ("openid email profile", "address name"),
        ),
    ] {
        let given = consent(given.0, given.1, LATER);
        let merged = commit!(store, |db| consents::merge(db, &given)).unwrap();
        assert_eq!(merged, consent(all.0, all.1, LATER));
    }

    let mut db = reader(&store).await;
    let found = consents::find(&mut db, user.id, &client.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        found,
        consent("openid email profile", "address name", LATER)
    );
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
            claims: ClaimNames::default(),
            resources: Vec::new(),
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
